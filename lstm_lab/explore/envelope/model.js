// The numbers of an envelope: what is drawn, and how far each forecast was from the truth.

export const STEPS = 12;

/** The methods, in the order of the picture: name, quantity that lends its colour, dash. */
export const METHODS = {
  own: { words: "you", q: "f", dash: "", width: 3 },
  stay: { words: "persistence", q: "x", dash: "2 4", width: 2 },
  damped: { words: "damped", q: "g", dash: "9 3 2 3", width: 2 },
  line: { words: "AR(2)", q: "o", dash: "7 3", width: 2 },
  lstm: { words: "LSTM", q: "i", dash: "4 2", width: 2.5 },
};

const rmse = (said, truth) =>
  Math.sqrt(said.reduce((sum, value, k) => sum + (value - truth[k]) ** 2, 0) / truth.length);

/** What is drawn, (12,): what is not stays as it was last seen. */
export function ownForecast(drawn, envelope) {
  const own = Array.from({ length: STEPS }, () => envelope.seen.at(-1));
  for (const [, step, value] of drawn.matchAll(/(\d+):(-?\d+(?:\.\d+)?)/g))
    if (step >= 1 && step <= STEPS) own[step - 1] = Number(value);
  return own;
}

/** The setting's numbers: {seen, own}, and once it is open {truth, said, errors}. */
export function judge({ envelope, drawn, opened }, envelopes) {
  const shown = envelopes[envelope - 1],
    own = ownForecast(drawn, shown),
    run = { shown, seen: shown.seen, own };
  if (!opened) return run;
  const said = { own, ...shown.said },
    errors = Object.fromEntries(
      Object.keys(METHODS).map((name) => [name, rmse(said[name], shown.truth)]),
    );
  return { ...run, truth: shown.truth, said, errors };
}

/** What is drawn as one line, for the setting; null where a step is not drawn. */
export const writeDrawn = (values, digits) =>
  values
    .flatMap((value, k) => (value === null ? [] : [`${k + 1}:${Number(value.toFixed(digits))}`]))
    .join(" ");

/** The steps that are drawn, (12,), null where none is. */
export function readDrawn(drawn) {
  const values = Array.from({ length: STEPS }, () => null);
  for (const [, step, value] of drawn.matchAll(/(\d+):(-?\d+(?:\.\d+)?)/g))
    if (step >= 1 && step <= STEPS) values[step - 1] = Number(value);
  return values;
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** When a step is, counted from the first that is shown: "Apr 1972", "1893". */
export function dateOf(envelope, k) {
  const n = envelope.seasons,
    count = Math.round(envelope.from * n) + k,
    year = Math.floor(count / n);
  return n === 12 ? `${MONTHS[count - 12 * year]} ${year}` : String(year);
}

/** Ticks of the time axis: [step, year], Januaries or round years. */
export function dateTicks(envelope, steps) {
  const ticks = [],
    every = envelope.seasons === 12 ? 12 : 10;
  for (let k = 0; k < steps; k++) {
    const count = Math.round(envelope.from * envelope.seasons) + k;
    if (count % every === 0) ticks.push([k, String(Math.round(count / envelope.seasons))]);
  }
  return ticks;
}
