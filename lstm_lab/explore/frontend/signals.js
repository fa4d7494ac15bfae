// Inputs to feed a unit with; the same here and in Python.

export const PRESETS = {
  impulse: "one impulse",
  "two pulses": "two pulses",
  step: "a step",
  square: "square wave",
  sine: "sine",
  spikes: "regular spikes",
  noise: "noise",
  "set and reset": "set and reset",
  drawn: "drawn by hand",
  own: "your own",
};
export const PULSED = new Set([
  "impulse",
  "two pulses",
  "step",
  "square",
  "spikes",
  "set and reset",
]);
export const PERIODIC = new Set(["square", "sine", "spikes"]);

/** The input of a preset over T steps; pulses begin a twentieth of the way in. */
export function inputSignal(preset, T, period) {
  const first = Math.floor(T / 20),
    second = Math.floor(T / 2);
  const since = (k) => (k - first) % period;
  const at = {
    impulse: (k) => k === first,
    "two pulses": (k) => k === first || k === second,
    step: (k) => k >= first,
    square: (k) => k >= first && since(k) < period / 2,
    sine: (k) => Math.sin((2 * Math.PI * k) / period),
    spikes: (k) => k >= first && since(k) === 0,
    "set and reset": (k) =>
      k === first || k === second
        ? 1
        : -(k === Math.floor((3 * T) / 10) || k === Math.floor((4 * T) / 5)),
  }[preset];
  return at ? Float64Array.from({ length: T }, (_, k) => Number(at(k))) : noise(T);
}

/** Uniform in [-1, 1), T values: whole-number arithmetic on 32 bits (mulberry32). */
export function noise(T) {
  let a = 1;
  return Float64Array.from({ length: T }, () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1;
  });
}
