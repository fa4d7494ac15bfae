// What WallExplorer draws of a setting: frames, predictions, cells, errors. The numbers of film.py.

import { addProduct, lstmForward } from "../frontend/equations/lstm.js";

export const FRAMES = 24;
export const HEIGHT = 8;
export const WIDTH = 30;
export const WIDE = 6;
const PIXELS = HEIGHT * WIDTH,
  D = PIXELS + WIDTH;

/** The network out of its numbers, one after another; images (10 · 48). */
export function filmNet(images, numbers) {
  const all = Float64Array.from(numbers);
  // 4H (D + H) + 4H + 240 H + 240 numbers.
  const b = (4 * D + 4 + PIXELS) / 8,
    H = Math.round(Math.sqrt(b * b + (all.length - PIXELS) / 4) - b);
  let at = 0;
  const take = (size) => all.subarray(at, (at += size));
  return {
    images,
    D,
    H,
    W: take(4 * H * D),
    U: take(4 * H * H),
    b: take(4 * H),
    out: take(PIXELS * H),
    outBias: take(PIXELS),
  };
}

/** The predictions of frames from + 1 … T - 1 out of a trace that begins at frame `from`. */
function readOut(net, trace, from, into) {
  for (let t = from; t < FRAMES - 1; t++) {
    const row = into.subarray((t + 1) * PIXELS, (t + 2) * PIXELS);
    row.set(net.outBias);
    addProduct(row, net.out, trace.h, (t - from) * net.H, net.H);
  }
}

/** Everything that is drawn. */
export function runFilm(s, net) {
  const { H } = net,
    stop = s.wall + s.width,
    x = new Float64Array(FRAMES * D),
    places = Array.from({ length: FRAMES }, (_, t) => s.speed * t);
  const seen = new Float64Array(FRAMES * PIXELS);
  places.forEach((place, t) => {
    for (let row = 0; row < HEIGHT; row++)
      for (let k = 0; k < WIDE; k++) {
        const column = place + k;
        if (column >= WIDTH || (column >= s.wall && column < stop)) continue;
        const value = net.images[(s.digit * HEIGHT + row) * WIDE + k];
        seen[t * PIXELS + row * WIDTH + column] = value;
        x[t * D + row * WIDTH + column] = value;
      }
    for (let column = s.wall; column < stop; column++) x[t * D + PIXELS + column] = 1;
  });
  const hidden = places.map((place) => place >= s.wall && place + WIDE <= stop),
    first = hidden.indexOf(true),
    cut = first < 0 ? FRAMES : first;
  const trace = lstmForward(net, x, FRAMES),
    kept = new Float64Array(FRAMES * PIXELS);
  readOut(net, trace, 0, kept);
  const gone = kept.slice(),
    cells = trace.c.slice();
  if (cut < FRAMES) {
    const after = lstmForward(net, x.subarray(cut * D), FRAMES - cut);
    readOut(net, after, cut, gone);
    if (s.erased) cells.set(after.c, cut * H);
  }
  const before = new Float64Array(FRAMES * PIXELS);
  before.set(seen.subarray(0, (FRAMES - 1) * PIXELS), PIXELS);
  const error = (found) =>
    Float64Array.from({ length: FRAMES }, (_, t) => {
      let sum = 0;
      for (let k = t * PIXELS; k < (t + 1) * PIXELS; k++) sum += (found[k] - seen[k]) ** 2;
      return (1000 * sum) / PIXELS;
    });
  return {
    places,
    hidden,
    cut,
    seen,
    cells,
    H,
    prediction: s.erased ? gone : kept,
    kept: error(kept),
    gone: error(gone),
    copy: error(before),
    out: 1 + places.findIndex((place, t) => t > cut && place + WIDE > stop),
  };
}

/** The same as plain lists, of what is synced. */
export function numbersOf(s, images, numbers) {
  const run = runFilm(s, filmNet(images, numbers)),
    found = { out: run.out };
  for (const name of ["prediction", "kept", "gone", "copy"]) found[name] = [...run[name]];
  return { ...found, cell: [...run.cells] };
}
