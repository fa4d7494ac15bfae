"""What the browser tests of explorables do with a page, and how they read it.

A page is read once it has come to rest: `state`, `picture`, `words`, `summary`, `text`, `focused`
and `settled` all wait until what was pressed, pulled or set is drawn and said. So they may follow
an action at once, and what they find unchanged has had its time to change. While something plays,
a page is never at rest: `eventually` waits for what is to come.
"""

from __future__ import annotations

import io
import json
import time
from importlib.resources import files

from matplotlib.image import imread

from lstm_lab.explore import EXPLORABLES, Explorable, Quiz
from tests.explore.host import THEMES

# How long a test waits for what must come: a loaded machine is slow.
PATIENCE = 60.0

PICTURE = """() => {
  const numbers = (canvas) => {
    const { width, height } = canvas;
    if (!width || !height) return '';
    const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
    let sum = 2166136261;
    for (const pixel of new Uint32Array(data.buffer)) sum = Math.imul(sum ^ pixel, 16777619);
    return `${width} ${height} ${sum}`;
  };
  return [...document.querySelectorAll('[role=img]')]
    .filter((node) => node.getBoundingClientRect().width)
    .map((node) => node.tagName === 'CANVAS' ? numbers(node)
      : node.innerHTML.replace(/ll-\\w+-\\d+-\\w+/g, '')).join('');
}"""
WORDS = """() => [...document.querySelectorAll('.lstm-lab-explorer')].flatMap((root) =>
  [root.innerText, ...[...root.querySelectorAll('svg')].map((node) => node.innerHTML),
   ...[...root.querySelectorAll('[aria-label]')].map((node) => node.ariaLabel)]).join(' ')"""
SUMMARY = "() => document.querySelector('[data-role=summary]').innerText"
STATE = "(number) => JSON.stringify(models[number].state)"


def settled(page, ask="() => null", *arguments):
    """Waits until all is drawn and said; then what `ask` says, a function in JavaScript.

    In a page that is not of `tests.explore.host` it waits for nothing.
    """
    call = f"async (all) => {{ await window.settled?.(); return ({ask})(...all); }}"
    return page.evaluate(call, list(arguments))


def eventually(page, condition, patience=PATIENCE):
    """Waits until condition() holds: for what a kernel, a player or a transition brings."""
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "nothing happens"
        page.wait_for_timeout(20)


def state(page, number=0):
    """The state of the model of the page's widget."""
    return json.loads(settled(page, STATE, number))


def picture(page):
    """All that is drawn and to be seen, to be compared."""
    return settled(page, PICTURE)


def words(page):
    """All that is written: text, and names of what is drawn or operated."""
    return settled(page, WORDS)


def summary(page):
    """What is said in words."""
    return settled(page, SUMMARY)


def text(locator):
    """What is to be read there."""
    settled(locator.page)
    return locator.inner_text()


def focused(page, ask):
    """What `ask`, a function in JavaScript, says of the node that has the focus."""
    return settled(page, f"() => ({ask})(document.activeElement)")


def go(page, path):
    """Shows a level at once, its transition over."""
    page.evaluate("path => models.forEach((model) => model.set('path', path))", path)
    finish(page)


def finish(page):
    """Whatever moves is where it is going."""
    settled(page, "() => document.getAnimations().forEach((each) => each.finish())")
    settled(page)


def take_theme(page, theme):
    """Another theme in place, as JupyterLab does it."""
    page.evaluate(
        """([css, light]) => {
          document.querySelector('#theme').textContent = css;
          document.body.dataset.jpThemeLight = light;
        }""",
        [THEMES[theme], str(theme != "dark").lower()],
    )
    finish(page)


def alike(one, other):
    """Whether two screenshots show the same, but for the last digit of a rounded corner's rim.

    In a page that changed its theme Chromium may draw the rim in another layer than in a new page.
    """
    one, other = (imread(io.BytesIO(each)) for each in (one, other))
    return one.shape == other.shape and abs(one - other).max() <= 1.5 / 255


def widen(page, width, height=800):
    """Another width of the page, as if its window were pulled."""
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_function("(width) => innerWidth === width", arg=width)
    settled(page)


def drag(page, name, pixels):
    """Press a slider's thumb and pull it so many pixels along."""
    slider = page.locator(f"input[type=range][data-name={name}]").first
    slider.scroll_into_view_if_needed()
    settled(page)
    box = slider.bounding_box()
    low, high, value = (float(slider.evaluate(f"n => n.{k}")) for k in ("min", "max", "value"))
    x = box["x"] + 8 + (value - low) / (high - low) * (box["width"] - 16)
    y = box["y"] + box["height"] / 2
    pull(page, (x, y), (x + pixels, y), steps=8)


def pull(page, start, stop, steps=5):
    """Press the mouse here and let go there."""
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*stop, steps=steps)
    page.mouse.up()


def copy_of(case, page):
    """The same explorable in Python, at the setting that the page is at."""
    now = state(page)
    return case.new(**{name: now[name] for name in case.kind.controls()})


ABOUT_COLOURS = ("color-contrast", "link-in-text-block")


def load_axe(page):
    """Bring axe-core into the page, so that `axe_findings` can ask it."""
    source = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    page.add_script_tag(content=source)


def axe_findings(page, only=None):
    """The serious and critical findings of axe-core: rule -> (impact, where).

    only: the rules that are asked, if not all of them, as `ABOUT_COLOURS`.
    """
    answer = page.evaluate(
        "(rules) => axe.run('.lstm-lab-explorer', {resultTypes: ['violations'], ...rules})",
        {"runOnly": list(only)} if only else {},
    )
    return {
        rule["id"]: (rule["impact"], [node["html"][:200] for node in rule["nodes"]])
        for rule in answer["violations"]
        if rule["impact"] in ("serious", "critical")
    }


_LOOKS = """() => {
  const looks = ['color', 'background-color', 'background-image', 'border-width', 'border-color',
    'border-radius', 'padding', 'margin', 'font', 'display', 'position', 'opacity', 'fill',
    'stroke', 'width', 'height', 'line-height', 'overflow', 'gap', 'text-align', 'white-space'];
  return [...document.querySelectorAll('.lstm-lab-explorer *')].map((node) => {
    const style = getComputedStyle(node);
    return [`${node.tagName} ${node.getAttribute('class')}`,
      looks.map((name) => `${name}: ${style.getPropertyValue(name)}`).join('; ')];
  });
}"""


def changed_by_company(page):
    """What looks otherwise once the styles of all explorables are on the page.

    JupyterLab adds the styles of each class when one of it is first shown, in any order; the
    frame's own come with each of them.
    """
    finish(page)
    before = page.evaluate(_LOOKS)
    page.add_style_tag(content="\n".join(str(kind._css) for kind in [*EXPLORABLES, Quiz]))
    page.add_style_tag(content=str(Explorable._css))
    finish(page)
    after = page.evaluate(_LOOKS)
    assert [name for name, _ in after] == [name for name, _ in before]
    return {name for (name, old), (_, new) in zip(before, after, strict=True) if old != new}


_WATCH = """() => {
  if (window.watched) return;
  window.watched = true;
  const pen = CanvasRenderingContext2D.prototype, { clearRect, fillText } = pen;
  pen.clearRect = function (...box) {
    this.canvas.words = [];
    return clearRect.apply(this, box);
  };
  pen.fillText = function (text, x, y, ...rest) {
    const size = this.measureText(text), { a, b, d, e, f } = this.getTransform();
    if (!b && text.trim()) (this.canvas.words ??= []).push({ text,
      left: a * (x - size.actualBoundingBoxLeft) + e,
      right: a * (x + size.actualBoundingBoxRight) + e,
      top: d * (y - size.actualBoundingBoxAscent) + f,
      bottom: d * (y + size.actualBoundingBoxDescent) + f });
    return fillText.call(this, text, x, y, ...rest);
  };
}"""

_ALL_DRAWN = """() => [...document.querySelectorAll('canvas')].every((canvas) =>
  canvas.words || !canvas.getBoundingClientRect().width)"""

_CROWDED = """() => [...document.querySelectorAll('canvas')].flatMap((canvas) => {
  const words = canvas.words ?? [], out = [];
  words.forEach((one, k) => {
    if (one.left < -1 || one.right > canvas.width + 1 || one.top < -1
      || one.bottom > canvas.height + 1) out.push(`${one.text} leaves the picture`);
    // A letter and its index, drawn right after it, belong together.
    for (const other of words.slice(k + (one.text.length === 1 ? 2 : 1))) {
      const again = one.text === other.text && Math.abs(one.left - other.left) < 1;
      const wide = Math.min(one.right, other.right) - Math.max(one.left, other.left);
      const high = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
      if (wide > 2 && high > 3 && !again) out.push(`${one.text} meets ${other.text}`);
    }
  });
  return out;
})"""


def crowded_words(page, width):
    """Words drawn on a canvas, once the page is so wide, that meet others or leave the picture."""
    _watch_words(page, width)
    return page.evaluate(_CROWDED)


def drawn_words(page, width):
    """Words drawn on the canvases, once the page is so wide."""
    _watch_words(page, width)
    return page.evaluate(
        "() => [...document.querySelectorAll('canvas')]"
        ".flatMap((canvas) => (canvas.words ?? []).map(({ text }) => text))"
    )


def _watch_words(page, width):
    """Keeps with each canvas the words that are drawn there, once the page is so wide."""
    page.evaluate(_WATCH)
    widen(page, width)
    assert page.evaluate(_ALL_DRAWN)


_WATCH_LINES = """() => {
  if (window.watchedLines) return;
  window.watchedLines = true;
  const pen = CanvasRenderingContext2D.prototype, paths = new WeakMap();
  const old = Object.fromEntries(['beginPath', 'moveTo', 'lineTo', 'bezierCurveTo', 'arc', 'stroke',
    'clearRect'].map((name) => [name, pen[name]]));
  const at = (ctx, x, y) => {
    const { a, b, c, d, e, f } = ctx.getTransform();
    return [a * x + c * y + e, b * x + d * y + f];
  };
  const path = (ctx) => paths.get(ctx) ?? paths.set(ctx, []).get(ctx);
  const to = (ctx, x, y, jump) => path(ctx).push({ jump, x, y, end: at(ctx, x, y) });
  const override = (name, note) => {
    pen[name] = function (...all) {
      note(this, ...all);
      return old[name].apply(this, all);
    };
  };
  override('beginPath', (ctx) => paths.set(ctx, []));
  override('moveTo', (ctx, x, y) => to(ctx, x, y, true));
  override('lineTo', (ctx, x, y) => to(ctx, x, y, false));
  override('bezierCurveTo', (ctx, x1, y1, x2, y2, x3, y3) => {
    const { x: x0, y: y0 } = path(ctx).at(-1);
    for (let k = 1; k <= 24; k++) {
      const t = k / 24, u = 1 - t;
      to(ctx, u ** 3 * x0 + 3 * u * u * t * x1 + 3 * u * t * t * x2 + t ** 3 * x3,
        u ** 3 * y0 + 3 * u * u * t * y1 + 3 * u * t * t * y2 + t ** 3 * y3, false);
    }
  });
  override('arc', (ctx, x, y, r, from, until) => {
    (ctx.canvas.rounds ??= []).push([x, y]);
    for (let k = 0; k <= 24; k++) {
      const angle = from + (k / 24) * (until - from);
      to(ctx, x + r * Math.cos(angle), y + r * Math.sin(angle), !k);
    }
  });
  override('clearRect', (ctx) => { Object.assign(ctx.canvas, { lines: [], rounds: [] }); });
  override('stroke', (ctx) => {
    const half = ctx.lineWidth * ctx.getTransform().a / 2, lines = (ctx.canvas.lines ??= []);
    path(ctx).forEach(({ jump, end }, k, all) => {
      if (!jump) lines.push({ from: all[k - 1].end, to: end, half });
    });
  });
}"""

_STRUCK = """() => {
  // How much of a line from `one` to `other` lies in a box, by Liang and Barsky.
  const inside = ([x0, y0], [x1, y1], { left, right, top, bottom }) => {
    let from = 0, to = 1;
    for (const [p, q] of [[x0 - x1, x0 - left], [x1 - x0, right - x0], [y0 - y1, y0 - top],
      [y1 - y0, bottom - y0]]) {
      if (!p && q < 0) return 0;
      if (p < 0) from = Math.max(from, q / p);
      if (p > 0) to = Math.min(to, q / p);
    }
    return Math.max(0, to - from) * Math.hypot(x1 - x0, y1 - y0);
  };
  return [...document.querySelectorAll('canvas')].flatMap((canvas) =>
    (canvas.words ?? []).flatMap((word) => (canvas.lines ?? []).some(({ from, to, half }) =>
      inside(from, to, { left: word.left - half, right: word.right + half,
        top: word.top - half, bottom: word.bottom + half }) > 0.5)
      ? [`${word.text} at ${Math.round(word.left)}, ${Math.round(word.top)}`] : []));
}"""


def unreadable_words(page, width):
    """What `crowded_words` finds, and words that a line, a dot or a ring runs through."""
    if not page.evaluate("() => window.watchedLines"):
        page.evaluate(_WATCH_LINES)
        _watch_words(page, width - 50)
    _watch_words(page, width)
    return page.evaluate(f"() => [...({_CROWDED})(), ...({_STRUCK})()]")


def span(page, top, bottom):
    """How far it is, in px, from the upper rim of one node to the lower rim of another."""
    ask = "([one, other]) => [one, other].map((q) => document.querySelector(q)"
    ask += ".getBoundingClientRect()).reduce((a, b) => b.bottom - a.top)"
    return settled(page, ask, [top, bottom])


def page_of(show, case, **options):
    """A page with the explorable of a case, at its liveliest."""
    return show(case.new(**case.lively), kernel=case.kernel, **options)
