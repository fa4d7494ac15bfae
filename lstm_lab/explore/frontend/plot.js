// Drawing on a canvas: axes, lines, heat maps, labels, sharp on every screen, in the theme's
// colours.

import { put, tag } from "./dom.js";
import { letters, QUANTITIES, tenTo } from "./format.js";
import { colormap } from "./theme.js";

const MATH =
  '"STIX Two Text", "Latin Modern Roman", Cambria, Palatino, Georgia, "DejaVu Serif", serif';
// A pointer that has moved no further than this has not been pulled, px.
const SLACK = 4;
const SANS = 'system-ui, -apple-system, "Segoe UI", sans-serif';

/** A scale from [low, high] to [from, to] in px; scale.invert(px) goes back. */
export function linear(low, high, from, to) {
  const span = high - low || 1,
    slope = (to - from) / span;
  const scale = (value) => from + (value - low) * slope;
  return Object.assign(scale, {
    low,
    high,
    from,
    to,
    log: false,
    invert: (px) => low + (px - from) / slope,
    ticks: (count = 5) => roundTicks(low, high, count),
  });
}

/** The same with equal ways for equal factors; what is not above 0 lies at the low end. */
export function logarithmic(low, high, from, to) {
  const a = Math.log10(low),
    slope = (to - from) / (Math.log10(high) - a || 1);
  const scale = (value) => from + (Math.log10(value > low ? value : low) - a) * slope;
  return Object.assign(scale, {
    low,
    high,
    from,
    to,
    log: true,
    invert: (px) => 10 ** (a + (px - from) / slope),
    ticks: (count = 5) => {
      const first = Math.ceil(a - 1e-9),
        last = Math.floor(Math.log10(high) + 1e-9);
      const gap = Math.max(1, Math.ceil((last - first) / Math.max(1, count)));
      const ticks = [];
      for (let k = first; k <= last; k += gap) ticks.push(10 ** k);
      return ticks;
    },
  });
}

/** The smallest of 1, 2, 5, 10, 20, 50, … that is not below value: an axis that seldom jumps. */
export function roundUp(value) {
  if (!(value > 0)) return 1;
  const ten = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].find((m) => m * ten >= value * (1 - 1e-9)) * ten;
}

/** Round numbers from low to high, about `count` of them. */
export function roundTicks(low, high, count) {
  const gap = roundUp((high - low) / Math.max(1, count)),
    ticks = [];
  for (let k = Math.ceil(low / gap - 1e-9); k * gap <= high + 1e-9 * gap; k++)
    ticks.push(Number((k * gap).toPrecision(12)));
  return ticks;
}

/** Steps to print on an axis of time: the first, and round ones. */
export function timeTicks(T, count) {
  return [1, ...roundTicks(1, T, count).filter((tick) => tick > 1 && Number.isInteger(tick))];
}

/** A power of ten as it is printed on a log axis: 10⁻³, but 1 and 10 as they are. */
export function powerOfTen(value) {
  const power = Math.round(Math.log10(value));
  return power === 0 || power === 1 ? String(10 ** power) : tenTo(power);
}

/**
 * A canvas as wide as the box it stands in. paint(pen) draws all of it. height: px, or a function
 * of the width and of `measure`, the pen's. pointed({x, y, type, event, tapped}), if given, gets
 * pointer moves and presses; and null, when the pointer leaves or the browser takes it away.
 * tapped: it was let go where it was pressed, as a click or a tap. pull: "x" where a finger pulls
 * sideways, and moves the page up and down; "xy" where it pulls any way; or a function of {x, y}
 * that says which. Returns {node, canvas, redraw, label}: node goes into the page, redraw()
 * paints, and label(words) is the text alternative.
 */
export function plot(view, { height, paint, pointed, pull = "x", cursor = "crosshair" }) {
  const canvas = tag("canvas", { role: "img", class: "ll-canvas" });
  const node = tag("div", { class: "ll-plot" }, canvas);
  const ctx = canvas.getContext("2d");
  let width = 0,
    ratio = 0,
    tall = 0;

  const redraw = () => {
    if (!width) return;
    const { measure } = pen(ctx, width, 0, view.colors),
      h = typeof height === "function" ? height(width, measure) : height,
      dpr = window.devicePixelRatio || 1;
    if (h !== tall || dpr !== ratio || canvas.width !== Math.round(width * dpr)) {
      tall = h;
      ratio = dpr;
      canvas.width = Math.round(width * dpr);
      canvas.height = Math.round(h * dpr);
      canvas.style.height = `${h}px`;
    }
    ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
    ctx.clearRect(0, 0, width, h);
    paint(pen(ctx, width, h, view.colors));
  };
  view.onWidth(node, (w) => {
    width = w;
    redraw();
    view.redraw(); // what lies over the picture has its place from the width
  });
  // A level that has been closed has nothing to draw any more.
  view.onScreen(() => canvas.isConnected && redraw());
  if (pointed) {
    canvas.style.cursor = cursor;
    const ways = (at) => (typeof pull === "function" ? (at ? pull(at) : "x") : pull);
    canvas.dataset.pull = ways(null);
    const place = ({ clientX, clientY }) => {
      const box = canvas.getBoundingClientRect();
      return { x: clientX - box.left, y: clientY - box.top };
    };
    let pressed = null;
    const tell = (event) => {
      const at = place(event),
        { type } = event;
      // A pen hovers before it touches; of a finger, `touchstart` tells first.
      put(canvas, { "data-pull": ways(at) });
      if (type === "pointerdown") pressed = at;
      else if (pressed && Math.hypot(at.x - pressed.x, at.y - pressed.y) > SLACK) pressed = null;
      const tapped = type === "pointerup" && pressed !== null && event.button === 0;
      if (type === "pointerup") pressed = null;
      pointed({ ...at, type, event, tapped });
    };
    for (const type of ["pointermove", "pointerdown", "pointerup"])
      canvas.addEventListener(type, tell);
    for (const type of ["pointerleave", "pointercancel"])
      canvas.addEventListener(type, () => {
        put(canvas, { "data-pull": ways(null) });
        pointed((pressed = null));
      });
    // What the style sheet cannot know: where in the picture the finger has been set down.
    const down = (event) => {
      const [finger, ...more] = event.touches;
      if (!more.length && ways(place(finger)) === "xy") event.preventDefault();
    };
    if (typeof pull === "function") canvas.addEventListener("touchstart", down, { passive: false });
  }
  return {
    node,
    canvas,
    redraw,
    /** The width in px; 0 before the page has laid it out. */
    get width() {
      return width;
    },
    label: (words) => put(canvas, { "aria-label": words }),
  };
}

/** What paint() gets: a 2D context `ctx`, `width`, `height`, `colors`, and ways to draw. */
function pen(ctx, width, height, colors) {
  const dashed = (pattern) => ctx.setLineDash(pattern ? pattern.split(" ").map(Number) : []);
  const self = {
    ctx,
    width,
    height,
    colors,

    /** How a quantity's line looks everywhere. */
    style: (q) => ({
      color: colors[q],
      dash: QUANTITIES[q]?.dash,
      width: q === "c" ? 3.5 : q === "x" ? 1.75 : 2.25,
    }),

    /**
     * A line through (px(k), py(values[k])), k from `first`; values may be strided:
     * offset + k · stride.
     */
    line(
      values,
      px,
      py,
      {
        color = colors.ink,
        width: thick = 2,
        dash,
        alpha = 1,
        first = 0,
        count,
        offset = 0,
        stride = 1,
      } = {},
    ) {
      const n = count ?? Math.ceil((values.length - offset) / stride);
      ctx.beginPath();
      let broken = true;
      // More points than pixels: of each pixel's, the lowest and the highest.
      const crowd = Math.max(
        1,
        Math.floor((n - first) / (2 * Math.max(1, Math.abs(px(n - 1) - px(first))))),
      );
      for (let k = first; k < n; k += crowd) {
        let v = values[offset + k * stride],
          w = v;
        for (let j = k + 1; j < Math.min(n, k + crowd); j++) {
          const u = values[offset + j * stride];
          if (u < v) v = u;
          if (u > w) w = u;
        }
        if (!Number.isFinite(v)) {
          broken = true;
          continue;
        }
        const x = px(k);
        if (broken) ctx.moveTo(x, py(v));
        else ctx.lineTo(x, py(v));
        if (w !== v) ctx.lineTo(x, py(w));
        broken = false;
      }
      self.stroke(color, thick, dash, alpha);
    },

    /** Strokes the present path. */
    stroke(color = colors.ink, thick = 1, dash = "", alpha = 1) {
      ctx.save();
      ctx.globalAlpha = alpha;
      ctx.strokeStyle = color;
      ctx.lineWidth = thick;
      ctx.lineJoin = "round";
      dashed(dash);
      ctx.stroke();
      ctx.restore();
    },

    /** Fills the area between a line and the level `base` (px). */
    area(
      values,
      px,
      py,
      base,
      { color = colors.ink, alpha = 0.13, first = 0, count = values.length } = {},
    ) {
      if (count <= first) return;
      ctx.save();
      ctx.beginPath();
      ctx.moveTo(px(first), base);
      for (let k = first; k < count; k++) ctx.lineTo(px(k), py(values[k]));
      ctx.lineTo(px(count - 1), base);
      ctx.globalAlpha = alpha;
      ctx.fillStyle = color;
      ctx.fill();
      ctx.restore();
    },

    dot(x, y, { color = colors.ink, r = 4, hollow = false } = {}) {
      ctx.beginPath();
      ctx.arc(x, y, r, 0, 2 * Math.PI);
      ctx.fillStyle = hollow ? colors.ground : color;
      ctx.fill();
      ctx.strokeStyle = hollow ? color : colors.ground;
      ctx.lineWidth = hollow ? 2 : 1.5;
      ctx.stroke();
    },

    /** Plain words. align: left, center, right; baseline: alphabetic, middle, top. */
    words(
      text,
      x,
      y,
      {
        color = colors.ink,
        size = 12,
        weight = 400,
        align = "left",
        baseline = "alphabetic",
        halo = false,
      } = {},
    ) {
      ctx.font = `${weight} ${size}px ${SANS}`;
      ctx.textAlign = align;
      ctx.textBaseline = baseline;
      if (halo) {
        ctx.strokeStyle = colors.ground;
        ctx.lineWidth = 4;
        ctx.lineJoin = "round";
        ctx.strokeText(text, x, y);
      }
      ctx.fillStyle = color;
      ctx.fillText(text, x, y);
      return ctx.measureText(text).width;
    },

    /** The first of several wordings for which there is room, or else the last. */
    fitting(wordings, room, look) {
      return wordings.find((text) => self.measure(text, look) <= room) ?? wordings.at(-1);
    },

    /** How wide words would be. */
    measure(text, { size = 12, weight = 400 } = {}) {
      ctx.font = `${weight} ${size}px ${SANS}`;
      return ctx.measureText(text).width;
    },

    /** A formula as `label` of format.js takes it ("c_{t} = 0.50"), in a quantity's text colour. */
    formula(
      text,
      x,
      y,
      { q, color = q ? colors.text[q] : colors.ink, size = 13, weight = 600, align = "left" } = {},
    ) {
      const parts = letters(text).map((part) => {
        const font = part.italic
          ? `italic ${weight} ${part.low ? size - 2 : size + 2}px ${MATH}`
          : `${weight} ${part.low ? size - 2 : size}px ${SANS}`;
        ctx.font = font;
        return { ...part, font, wide: ctx.measureText(part.text).width };
      });
      const whole = parts.reduce((sum, part) => sum + part.wide, 0);
      let at = x - (align === "right" ? whole : align === "center" ? whole / 2 : 0);
      ctx.textAlign = "left";
      ctx.textBaseline = "alphabetic";
      ctx.lineJoin = "round";
      for (const part of parts) {
        const py = y + (part.low ? 0.28 * size : 0);
        ctx.font = part.font;
        ctx.strokeStyle = colors.ground;
        ctx.lineWidth = 4;
        ctx.strokeText(part.text, at, py);
        ctx.fillStyle = color;
        ctx.fillText(part.text, at, py);
        at += part.wide;
      }
      return whole;
    },

    /** Ticks and their numbers below y, of a horizontal scale. */
    axisX(
      scale,
      y,
      {
        ticks = scale.ticks(Math.max(2, Math.abs(scale.to - scale.from) / 90)),
        show = scale.log ? powerOfTen : String,
        title,
        grid,
      } = {},
    ) {
      for (const tick of ticks) {
        const x = scale(tick);
        if (grid) self.rule(x, grid, x, y);
        self.words(show(tick), x, y + 15, { size: 11, color: colors.soft, align: "center" });
      }
      self.rule(scale.from, y, scale.to, y);
      if (title)
        self.words(title, (scale.from + scale.to) / 2, y + 31, {
          size: 12,
          color: colors.soft,
          align: "center",
        });
    },

    /** Numbers left of x and rules across to `right`, of a vertical scale. */
    axisY(
      scale,
      x,
      right,
      {
        ticks = scale.ticks(Math.max(2, Math.abs(scale.to - scale.from) / 40)),
        show = scale.log ? powerOfTen : String,
        title,
      } = {},
    ) {
      for (const tick of ticks) {
        const y = scale(tick);
        self.rule(x, y, right, y);
        self.words(show(tick), x - 6, y, {
          size: 11,
          color: colors.soft,
          align: "right",
          baseline: "middle",
        });
      }
      if (title)
        self.words(title, x, Math.min(scale.from, scale.to) - 10, { size: 12, color: colors.soft });
    },

    /** A thin line of the frame. */
    rule(x0, y0, x1, y1, { color = colors.line, thick = 1, dash } = {}) {
      ctx.beginPath();
      // On the middle of a pixel, where a line of one pixel is sharp.
      ctx.moveTo(Math.round(x0) + 0.5, Math.round(y0) + 0.5);
      ctx.lineTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
      self.stroke(color, thick, dash);
    },

    /** The two lines that meet where one points. */
    crosshair(x, y, { left = 0, right = width, top = 0, bottom = height } = {}) {
      if (x !== null) self.rule(x, top, x, bottom, { color: colors.soft });
      if (y !== null) self.rule(left, y, right, y, { color: colors.soft });
    },

    /**
     * A heat map of values (rows · columns, row by row) into a box. low and high are the ends of
     * the colour map: "viridis", "cividis", or "signed" (give low = -high).
     */
    heat(values, rows, columns, { x, y, w, h }, { low = 0, high = 1, map = "viridis" } = {}) {
      const image = patch(rows, columns),
        table = colormap(map),
        scale = 255 / (high - low || 1);
      const { data } = image.pixels;
      for (let k = 0; k < rows * columns; k++) {
        const v = (values[k] - low) * scale,
          at = 4 * (v > 255 ? 255 : v > 0 ? v | 0 : 0);
        data[4 * k] = table[at];
        data[4 * k + 1] = table[at + 1];
        data[4 * k + 2] = table[at + 2];
        data[4 * k + 3] = Number.isFinite(v) ? 255 : 0;
      }
      image.ctx.putImageData(image.pixels, 0, 0);
      ctx.save();
      ctx.imageSmoothingEnabled = false;
      ctx.drawImage(image.canvas, 0, 0, columns, rows, x, y, w, h);
      ctx.restore();
    },
  };
  return self;
}

let lent = null;
/** A canvas of columns · rows pixels to fill; one for all, since it is copied from at once. */
function patch(rows, columns) {
  if (lent?.pixels.width !== columns || lent.pixels.height !== rows) {
    const canvas = Object.assign(document.createElement("canvas"), {
      width: columns,
      height: rows,
    });
    const ctx = canvas.getContext("2d", { willReadFrequently: true });
    lent = { canvas, ctx, pixels: ctx.createImageData(columns, rows) };
  }
  return lent;
}
