// Questions that answer on click: each choice is a button, its explanation opens below it.

import { put, tag, unique } from "../frontend/dom.js";
import { math } from "../frontend/format.js";

/** HTML of a text in which $…$ is a formula. */
export const formatted = (text) =>
  text
    .split(/(\$[^$]+\$)/)
    .map((part) =>
      part.length > 2 && part.startsWith("$") && part.endsWith("$")
        ? `<span class="ll-math">${math(escaped(part.slice(1, -1)))}</span>`
        : escaped(part),
    )
    .join("");

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text) => text.replace(/[&<>"]/g, (letter) => ENTITIES[letter]);

/** What the quiz says of itself: how many questions are answered, and how many at once. */
export function verdict(questions, tries) {
  const right = (k, n) => questions[k].choices[n]?.right;
  const done = tries.filter((tried, k) => tried.some((n) => right(k, n))).length;
  const first = tries.filter((tried, k) => right(k, tried[0])).length;
  if (!tries.some((tried) => tried.length))
    return `${questions.length} question${questions.length > 1 ? "s" : ""}. Choose an answer.`;
  const open = questions.length - done;
  const still = open ? `, ${open} still open` : "";
  return `${first} of ${questions.length} right at the first try${still}.`;
}

function render({ model, el }) {
  const questions = model.get("_questions");
  const state = tag("p", { class: "ll-quiz-state", role: "status" });

  const items = questions.map((question, k) => {
    const name = unique("question");
    const choices = question.choices.map((choice, n) => {
      const why = unique("why");
      const mark = tag("span", { class: "ll-quiz-mark", "aria-hidden": "true" });
      const word = tag("span", { class: "ll-quiz-word" });
      const button = tag(
        "button",
        {
          type: "button",
          class: "ll-quiz-choice",
          "aria-expanded": "false",
          "aria-controls": why,
          onclick: () => choose(k, n),
        },
        mark,
        tag("span", { html: formatted(choice.text) }),
        word,
      );
      const answer = tag("p", {
        class: "ll-quiz-why",
        id: why,
        hidden: true,
        html: formatted(choice.why),
      });
      return { choice, button, mark, word, answer, node: tag("li", {}, button, answer) };
    });
    const node = tag(
      "li",
      { class: "ll-quiz-question" },
      tag("p", { id: name, html: formatted(question.text) }),
      tag(
        "div",
        { role: "group", "aria-labelledby": name },
        tag(
          "ul",
          {},
          choices.map((c) => c.node),
        ),
      ),
    );
    return { choices, node };
  });

  function choose(k, n) {
    const tries = model.get("tries").map((tried) => [...tried]);
    if (tries[k].includes(n)) return;
    tries[k].push(n);
    model.set("tries", tries);
    model.save_changes();
    show();
  }

  function show() {
    const tries = model.get("tries");
    items.forEach(({ choices }, k) =>
      choices.forEach(({ choice, button, mark, word, answer }, n) => {
        const tried = tries[k].includes(n);
        button.dataset.verdict = tried ? (choice.right ? "right" : "wrong") : "";
        put(button, { "aria-expanded": tried });
        mark.textContent = tried ? (choice.right ? "✓" : "✗") : "";
        word.textContent = tried ? (choice.right ? "right" : "not this") : "";
        answer.hidden = !tried;
      }),
    );
    state.textContent = verdict(questions, tries);
    again.hidden = !tries.some((tried) => tried.length);
  }

  const again = tag(
    "button",
    {
      type: "button",
      class: "ll-button",
      onclick: () => {
        model.set(
          "tries",
          questions.map(() => []),
        );
        model.save_changes();
        show();
        items[0].choices[0].button.focus();
      },
    },
    "Start again",
  );

  const root = tag(
    "section",
    { class: "lstm-lab-explorer ll-quiz", "aria-label": "Test yourself" },
    tag(
      "ol",
      {},
      items.map((item) => item.node),
    ),
    tag("div", { class: "ll-quiz-foot" }, state, again),
  );
  el.append(root);
  model.on("change:tries", show);
  show();
  return () => model.off("change:tries", show);
}

export default { render };
