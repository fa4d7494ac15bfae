// Noise that is the same here and in Python.

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
