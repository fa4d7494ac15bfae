// The equations of the GRU, forward, for one sequence (batch of one), in both of its forms.
// Third home of what lstm_lab.cells and lstm_lab.cell_variants hold; a test keeps them equal.
//
// Layout, as in the library: W (3H, D) in the order n, r, z; U (3H, H) in the order r, z, n;
// b (4H) n, r, z and the one inside the reset product, or (3H) with the reset before the product.

import { addProduct, sigmoid } from "./lstm.js";

/**
 * Forward pass over T steps: net {D, H, W, U, b, after}, after: the reset gate acts after the
 * product with h. x (T·D). Returns the trace {T, x, n, r, z, h}, each (T·H).
 */
export function gruForward({ D, H, W, U, b, after }, x, T) {
  const trace = { T, x };
  for (const name of ["n", "r", "z", "h"]) trace[name] = new Float64Array(T * H);
  const { n, r, z, h } = trace,
    start = new Float64Array(H),
    seen = new Float64Array(H);
  const outer = b.slice(0, 3 * H),
    inner = after ? b.slice(3 * H) : new Float64Array(H);
  const toGates = U.slice(0, 2 * H * H),
    toCandidate = U.slice(2 * H * H);
  const a = new Float64Array(3 * H),
    gates = a.subarray(H),
    product = new Float64Array(H);
  for (let t = 0; t < T; t++) {
    const now = t * H,
      [old, before] = t ? [h, now - H] : [start, 0];
    a.set(outer);
    addProduct(a, W, x, t * D, D);
    addProduct(gates, toGates, old, before, H);
    for (let j = 0; j < H; j++) {
      r[now + j] = sigmoid(gates[j]);
      z[now + j] = sigmoid(gates[H + j]);
      seen[j] = after ? old[before + j] : r[now + j] * old[before + j];
    }
    product.set(inner);
    addProduct(product, toCandidate, seen, 0, H);
    for (let j = 0, k = now; j < H; j++, k++) {
      n[k] = Math.tanh(a[j] + (after ? r[k] * product[j] : product[j]));
      h[k] = n[k] + z[k] * (old[before + j] - n[k]);
    }
  }
  return trace;
}
