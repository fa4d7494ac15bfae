// A sum, term by term: bars that say how much each of them gives, and which way.

import { put, tag } from "./dom.js";
import { math } from "./format.js";

/**
 * A list of signed terms with bars from a common zero. show(rows): each row is {words, value, text,
 * q, total}: words and text as `math` takes them, value what the bar is drawn by, total true for
 * what the others add up to.
 */
export function termList(label) {
  const node = tag("ol", { class: "ll-terms", "aria-label": label });
  const made = [];
  const row = () => {
    const words = tag("span", { class: "ll-term-words" }),
      value = tag("span", { class: "ll-term-value" });
    const bar = tag("span", { class: "ll-term-bar" });
    return {
      node: tag(
        "li",
        {},
        words,
        tag("span", { class: "ll-term-track", "aria-hidden": "true" }, bar),
        value,
      ),
      words,
      value,
      bar,
    };
  };
  node.show = (rows) => {
    const most = Math.max(1e-300, ...rows.map(({ value }) => Math.abs(value)));
    while (made.length < rows.length) made.push(row());
    rows.forEach(({ words, value, text, q, total }, k) => {
      const each = made[k],
        share = Math.abs(value) / most;
      put(each.node, { "data-q": q ?? "", class: total ? "ll-term-total" : "" });
      each.words.innerHTML = math(words);
      each.value.innerHTML = math(text);
      put(each.bar, {
        style: `left: ${50 - (value < 0 ? 50 * share : 0)}%; width: ${50 * share}%`,
      });
    });
    node.replaceChildren(...made.slice(0, rows.length).map((each) => each.node));
  };
  return node;
}
