// What SamplingExplorer draws of a setting: the distribution, what is cut, what is drawn, in words.

import { charNet, dice, goOn, readBefore, readText } from "../frontend/char_model.js";
import { fmt, percent } from "../frontend/format.js";
import { distribution, entropy, rankAt } from "../frontend/sampling.js";
import { glyph, quoted } from "../frontend/text_canvas.js";
import { connect } from "./connect.js";

/** The second settings, as widget.py has them. */
export const BESIDE = {
  "the model as it is": {},
  greedy: { temperature: 0 },
  "temperature 0.5": { temperature: 0.5 },
  "top-k 10": { top_k: 10 },
  "nucleus 0.9": { top_p: 0.9 },
};
export const MEASURES = {
  replaced: "lost if another stood there",
  blanked: "lost if its vector were 0",
  product: "gradient · vector",
  norm: "norm of the gradient",
};

const settingOf = ({ temperature = 1, top_k, top_p }) => ({ temperature, top_k, top_p });

/**
 * Everything that is drawn of a setting s. The last answer, if given, is gone on with and is no
 * longer good itself.
 */
export function runSampling(s, net, last) {
  const { V } = net,
    reading = readText(net, s.text, last?.reading),
    { T } = reading,
    said = reading.said.subarray(T * V, (T + 1) * V),
    number = dice(s.seed)();
  const draw = (setting, before) => {
    const next = distribution(said, setting),
      rank = rankAt(next, number);
    return {
      ...next,
      rank,
      drawn: next.order[rank],
      choices: Math.exp(entropy(next.p)),
      more: goOn(net, reading, T, s.length, setting, s.seed, before),
    };
  };
  const own = draw(settingOf(s), last?.own.more),
    beside = draw(settingOf(BESIDE[s.beside]), last?.beside.more);
  let cut = 0;
  for (let rank = own.kept; rank < V; rank++) cut += own.heated[own.order[rank]];
  let parts = 0;
  while (parts < s.length && own.more.ids[parts] === beside.more.ids[parts]) parts++;
  return { reading, said, number, own, beside, cut, parts };
}

/** What is asked about inside: after how many known characters, and which one. */
export function askedAt(s, net, reading) {
  const t = readBefore(reading, Math.min(s.at, reading.characters.length)),
    { V } = net;
  if (t < reading.T) return { t, asked: reading.ids[t] };
  const said = reading.said.subarray(t * V, (t + 1) * V);
  let best = 0;
  for (let id = 1; id < V; id++) if (said[id] > said[best]) best = id;
  return { t, asked: best };
}

/** What Node's tests compare: the numbers of a setting. */
export function numbersOf(s, alphabet, H, numbers, weightX) {
  const net = charNet(alphabet, H, numbers),
    run = runSampling(s, net),
    { t, asked } = askedAt(s, net, run.reading),
    found = connect(net, Float64Array.from(weightX), run.reading, t, asked);
  return {
    p: [...run.own.p],
    heated: [...run.own.heated],
    cut: run.cut,
    choices: run.own.choices,
    written: run.own.more.text,
    beside: run.beside.more.text,
    asked: net.symbols[asked],
    replaced: [...found.replaced],
    blanked: [...found.blanked],
    product: [...found.product],
    norm: [...found.norm],
  };
}

// In words no more of what is drawn; all of it stands in the picture.
const TOLD = 60;

const ending = (run) => quoted(run.reading.characters.slice(-12).join("")).replace(/ +/g, " ");

export function sentence(s, run, net) {
  const { own, cut } = run,
    left = own.kept === net.V ? "nothing is cut" : `${net.V - own.kept} of ${net.V} are cut`;
  const before = run.reading.T ? `After ${ending(run)} ` : "Before anything is read ";
  const best = own.order
    .slice(0, Math.min(3, own.kept))
    .map((id) => `${glyph(net.symbols[id])} ${percent(own.p[id])}`);
  const weight = own.kept < net.V ? `, with ${percent(cut)} of the probability` : "";
  const together =
    run.parts >= s.length
      ? "and so does the setting beside it."
      : `the setting beside it leaves it after ${run.parts}.`;
  const all = Array.from(own.more.text),
    more = all.length > TOLD ? `${all.slice(0, TOLD).join("")}…` : own.more.text;
  return (
    `${before}there are ${fmt(own.choices, 1)} effective choices; ${left}${weight}. ` +
    `Likeliest: ${best.join(", ")}. Drawn: ${glyph(net.symbols[own.drawn])}. ` +
    `It goes on with ${quoted(more).replace(/ +/g, " ")}, ${together}`
  );
}

export function sentenceInside(s, found, asked, run, net) {
  const { reading } = run,
    signs = Array.from(found[s.measure], (v, k) => ({ v, k }));
  const most = signs
    .sort((a, b) => Math.abs(b.v) - Math.abs(a.v))
    .slice(0, 3)
    .map(({ v, k }) => `${glyph(net.symbols[reading.ids[found.first + k]])} ${fmt(v)}`);
  const what = `“${glyph(net.symbols[asked])}” is predicted with ${percent(Math.exp(found.logP))}`;
  if (!found.n) return `${what}, before anything is read.`;
  return `${what}. What counts most before it, by “${MEASURES[s.measure]}”: ${most.join(", ")}.`;
}
