// The reader's own layer and input.

import { floats } from "../dom.js";
import { unitStep } from "./model.js";

/** The reader's own layer and input, as the widget's traits carry them: float32 buffers. */
export function unpackUserLayer(shape, net, input) {
  const own = { D: shape.D ?? 1, H: shape.H ?? 1, unit: shape.unit ?? 0 };
  if (input?.byteLength) own.x = Float64Array.from(floats(input));
  if (net?.byteLength) {
    const all = Float64Array.from(floats(net)),
      { D, H } = own,
      w = 4 * H * D,
      u = 4 * H * H;
    own.net = { D, H, W: all.slice(0, w), U: all.slice(w, w + u), b: all.slice(w + u) };
  }
  return own;
}

/** Step t (from 0) of a layer's run {net, x, trace}, as the picture of a cell takes it. */
export function layerStep({ net, x, trace }, t, unit, biases) {
  const { D, H } = net,
    many = (n, name) => `${name}: ${n} numbers`,
    before = (t - 1) * H + unit;
  return {
    s: {
      x: x[t * D],
      h_prev: t ? trace.h[before] : 0,
      c_prev: t ? trace.c[before] : 0,
      xWords: D > 1 ? many(D, "x_{t}") : undefined,
      hWords: H > 1 ? many(H, "h_{t-1}") : undefined,
    },
    r: unitStep(net, x, trace, t, unit, biases),
  };
}
