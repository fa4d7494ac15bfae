// The colours of the page's theme, for what is drawn on a canvas; and colour maps.

const INKS = ["ink", "ground", "soft", "line", "faint", "focus"];

/**
 * The theme's colours as a canvas takes them, read anew when the page's theme changes: ink, ground,
 * soft, line, faint, focus, and of each quantity its line (`colors.f`) and its text
 * (`colors.text.f`). changed() is called after each change. Returns {colors, dispose}.
 */
export function watchTheme(root, quantities, changed) {
  const probe = document.createElement("span");
  probe.hidden = true;
  root.append(probe);
  const colors = { text: {} };
  const resolve = (variable) => {
    probe.style.color = `var(${variable})`;
    return getComputedStyle(probe).color;
  };
  const read = () => {
    const before = JSON.stringify(colors);
    for (const name of INKS) colors[name] = resolve(`--ll-${name}`);
    for (const q of quantities) {
      probe.dataset.q = q;
      colors[q] = resolve("--ll-q");
      colors.text[q] = resolve("--ll-q-text");
    }
    delete probe.dataset.q;
    return JSON.stringify(colors) !== before;
  };
  read();
  let timers = [];
  // A theme's style sheet may come in some time after the page says that it has changed.
  const look = () => {
    timers.forEach(clearTimeout);
    timers = [0, 60, 300, 1000].map((ms) =>
      setTimeout(() => {
        if (read()) changed();
      }, ms),
    );
  };
  const watch = new MutationObserver(look),
    schemes = ["(prefers-color-scheme: dark)", "(forced-colors: active)"].map((each) =>
      matchMedia(each),
    );
  for (const node of [document.documentElement, document.body])
    watch.observe(node, { attributes: true });
  schemes.forEach((each) => each.addEventListener("change", look));
  look();
  return {
    colors,
    dispose() {
      timers.forEach(clearTimeout);
      watch.disconnect();
      schemes.forEach((each) => each.removeEventListener("change", look));
    },
  };
}

const STOPS = {
  viridis:
    "44015448186a472d7b4240863b528b33638d2c728e26828e" +
    "21918c1fa08828ae803fbc735ec96284d44baddc30d8e219fde725",
  cividis:
    "00224e002e6a1a386f32436d434e6c535a6d61656f6f7073" +
    "7d7c788c88789b9476aba072bcae6ccdbb63dec958f0d846fee838",
  // Blue below zero, vermillion above, as strong as the number is large.
  signed: "0072b2" + "f3f3f3" + "d55e00",
};

const tables = {};
/** A colour map as 256 · 4 bytes. */
export function colormap(name) {
  if (tables[name]) return tables[name];
  const stops = STOPS[name].match(/../g).map((pair) => parseInt(pair, 16)),
    last = stops.length / 3 - 1;
  const bytes = new Uint8ClampedArray(256 * 4);
  for (let k = 0; k < 256; k++) {
    const at = (k / 255) * last,
      low = Math.min(last - 1, Math.floor(at)),
      share = at - low;
    for (let c = 0; c < 3; c++)
      bytes[4 * k + c] = (1 - share) * stops[3 * low + c] + share * stops[3 * low + 3 + c];
    bytes[4 * k + 3] = 255;
  }
  return (tables[name] = bytes);
}

/** Black or white, whichever is read better on a colour of the map at share 0 … 1. */
export function inkOn(name, share) {
  const [r, g, b] = colormap(name).subarray(4 * Math.round(255 * Math.min(1, Math.max(0, share))));
  return 0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#000" : "#fff";
}
