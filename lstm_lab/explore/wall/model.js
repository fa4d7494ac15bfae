// What WallExplorer draws of a setting: frames, predictions, cells, errors. The numbers of film.py.

import { addProduct, lstmForward } from "../frontend/equations/lstm.js";

export const FRAMES = 16;
export const HEIGHT = 8;
export const WIDTH = 30;
export const WIDE = 6;
const D = HEIGHT * WIDTH,
  H = 128,
  PIXELS = D;

/**
 * The network: matrices holds W, U and the readout as whole numbers; rest a scale for each of their
 * rows, then the biases of both layers. images (10 · 48).
 */
export function filmNet(images, matrices, rest) {
  let at = 0,
    row = 0;
  const rows = 4 * H,
    matrix = (count, columns) => {
      const found = new Float64Array(count * columns);
      for (let r = 0; r < count; r++, row++)
        for (let k = 0; k < columns; k++) found[r * columns + k] = matrices[at++] * rest[row];
      return found;
    };
  const net = { images, D, H, W: matrix(rows, D), U: matrix(rows, H), out: matrix(PIXELS, H) };
  return Object.assign(net, {
    b: Float64Array.from(rest.subarray(row, row + rows)),
    outBias: rest.subarray(row + rows, row + rows + PIXELS),
  });
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
  const stop = s.wall + s.width,
    places = Array.from({ length: FRAMES }, (_, t) => s.speed * t);
  const seen = new Float64Array(FRAMES * PIXELS);
  places.forEach((place, t) => {
    for (let row = 0; row < HEIGHT; row++)
      for (let k = 0; k < WIDE; k++) {
        const column = place + k;
        if (column >= WIDTH || (column >= s.wall && column < stop)) continue;
        const value = net.images[(s.digit * HEIGHT + row) * WIDE + k];
        seen[t * PIXELS + row * WIDTH + column] = value;
      }
  });
  const hidden = places.map((place) => place >= s.wall && place + WIDE <= stop),
    first = hidden.indexOf(true),
    cut = first < 0 ? FRAMES : first;
  const trace = lstmForward(net, seen, FRAMES),
    kept = new Float64Array(FRAMES * PIXELS);
  readOut(net, trace, 0, kept);
  const gone = kept.slice(),
    cells = trace.c.slice();
  if (cut < FRAMES) {
    const after = lstmForward(net, seen.subarray(cut * D), FRAMES - cut);
    readOut(net, after, cut, gone);
    if (s.erased) cells.set(after.c, cut * H);
  }
  const before = new Float64Array(FRAMES * PIXELS);
  before.set(seen.subarray(0, (FRAMES - 1) * PIXELS), PIXELS);
  const error = (found) =>
    Float64Array.from({ length: FRAMES }, (_, t) => {
      let sum = 0;
      for (let k = t * PIXELS; k < (t + 1) * PIXELS; k++) {
        const column = k % WIDTH;
        // What the wall covers is not asked for.
        if (column < s.wall || column >= stop) sum += (found[k] - seen[k]) ** 2;
      }
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
export function numbersOf(s, images, matrices, rest) {
  const run = runFilm(s, filmNet(images, matrices, Float64Array.from(rest))),
    found = { out: run.out };
  for (const name of ["prediction", "kept", "gone", "copy"]) found[name] = [...run[name]];
  return { ...found, cell: [...run.cells] };
}
