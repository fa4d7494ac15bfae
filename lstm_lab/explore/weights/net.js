// An LSTM with one weight moved: its outputs, its loss, and the gradient of the loss in every
// weight.

import { BLOCKS, lstmBackward, lstmForward } from "../frontend/equations/lstm.js";

// Multiplications that the curve of the loss may take, and its most points.
const CURVE_WORK = 5e6,
  CURVE_POINTS = 81;

/** The network out of its numbers: shape {D, H, K, T, head}, weights, head, input and target. */
export function weightNet(shape, numbers) {
  const { D, H, K, T, head } = shape,
    all = Float64Array.from(numbers);
  let at = 0;
  const take = (size) => all.subarray(at, (at += size));
  const net = { ...shape, W: take(4 * H * D), U: take(4 * H * H), b: take(4 * H) };
  if (head) Object.assign(net, { V: take(K * H), outBias: take(K) });
  return Object.assign(net, { x: take(T * D), target: take(T * K) });
}

/** Where a weight stands: its array's name and its place in it. */
export function placeOf(net, row, column) {
  const { D, H } = net;
  if (column < D) return ["W", row * D + column];
  return column < D + H ? ["U", row * H + column - D] : ["b", row];
}

/** The weight that a setting chooses, from 0: unit of H, row of 4H, column of D + H + 1. */
export function chosenOf(s, net) {
  const unit = Math.min(s.row, net.H) - 1,
    column = Math.min(s.source, net.D + net.H + 1) - 1;
  return { unit, column, row: BLOCKS.indexOf(s.gate) * net.H + unit };
}

/** Runs back() with the weight moved by delta, and puts it back. */
function moved(net, [name, place], delta, back) {
  const before = net[name][place];
  net[name][place] = before + delta;
  try {
    return back();
  } finally {
    net[name][place] = before;
  }
}

/** {trace, output (T·K), loss}: the mean squared error over all outputs. */
function forwardLoss(net) {
  const { T, H, K, V, outBias } = net,
    trace = lstmForward(net, net.x, T);
  let output = trace.h,
    loss = 0;
  if (V) {
    output = new Float64Array(T * K);
    for (let t = 0; t < T; t++) {
      for (let k = 0; k < K; k++) {
        let sum = outBias[k];
        for (let j = 0; j < H; j++) sum += V[k * H + j] * trace.h[t * H + j];
        output[t * K + k] = sum;
      }
    }
  }
  for (let k = 0; k < T * K; k++) loss += (output[k] - net.target[k]) ** 2;
  return { trace, output, loss: loss / (T * K) };
}

/** The network as a setting has it: outputs, loss, gradients; its unit's gates and half-life. */
export function weightRun(s, net) {
  const chosen = chosenOf(s, net),
    place = placeOf(net, chosen.row, chosen.column),
    { T, H, K, V } = net;
  return moved(net, place, s.delta, () => {
    const run = { ...forwardLoss(net), ...chosen, delta: s.delta, weight: net[place[0]][place[1]] };
    const dy = new Float64Array(T * H),
      scale = 2 / (T * K);
    for (let t = 0; t < T; t++) {
      for (let k = 0; k < K; k++) {
        const d = scale * (run.output[t * K + k] - net.target[t * K + k]);
        if (V) for (let j = 0; j < H; j++) dy[t * H + j] += V[k * H + j] * d;
        else dy[t * H + k] = d;
      }
    }
    run.grad = lstmBackward(net, run.trace, dy);
    run.slope = run.grad[place[0]][place[1]];
    let logs = 0;
    for (let t = 0; t < T; t++)
      logs += Math.log(Math.max(run.trace.f[t * H + chosen.unit], 1e-300));
    run.mean = Math.min(Math.exp(logs / T), 1 - 1e-12);
    run.halfLife = Math.log(0.5) / Math.log(run.mean);
    return run;
  });
}

/** What Node's tests compare. */
export function weightNumbers(s, shape, numbers) {
  const net = weightNet(shape, numbers),
    run = weightRun(s, net),
    column = (q) => Array.from({ length: net.T }, (_, t) => run.trace[q][t * net.H + run.unit]);
  return {
    output: [...run.output],
    loss: run.loss,
    before: forwardLoss(net).loss,
    weight: run.weight,
    slope: run.slope,
    mean: run.mean,
    half_life: run.halfLife,
    ...Object.fromEntries(["i", "f", "o", "g", "c", "h"].map((q) => [q, column(q)])),
  };
}

/** The loss as a function of the chosen weight alone: {deltas, losses}, from low to high. */
export function lossCurve(s, net, low, high) {
  const { row, column } = chosenOf(s, net),
    place = placeOf(net, row, column),
    { T, D, H } = net;
  const points =
    Math.max(5, Math.min(CURVE_POINTS, Math.floor(CURVE_WORK / (T * 4 * H * (D + H))))) | 1;
  const deltas = Float64Array.from(
    { length: points },
    (_, k) => low + ((high - low) * k) / (points - 1),
  );
  return {
    deltas,
    losses: deltas.map((delta) => moved(net, place, delta, () => forwardLoss(net).loss)),
  };
}

/** By how much the loss rises when a weight is 0, of every weight: {W, U, b}. */
export function removals(net) {
  const { loss } = forwardLoss(net);
  return Object.fromEntries(
    ["W", "U", "b"].map((name) => [
      name,
      Float64Array.from(
        net[name],
        (value, k) => moved(net, [name, k], -value, () => forwardLoss(net).loss) - loss,
      ),
    ]),
  );
}
