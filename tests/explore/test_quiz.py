"""The quiz: what it accepts, what it counts, and what a click shows."""

from __future__ import annotations

import pytest
import traitlets

from lstm_lab.explore import Question, Quiz
from tests.explore.page import (
    ABOUT_COLOURS,
    axe_findings,
    changed_by_company,
    load_axe,
    take_theme,
    text,
)

KEPT = Question(
    "A unit has $f_{t}$ = 0.9 at every step. How much is left after 10 steps?",
    right={"0.35": "0.9 to the tenth power."},
    wrong={"0": "Forgetting multiplies, it does not subtract.", "0.9": "That is one step."},
)
OTHER = Question("Two?", right={"2": "Yes."}, wrong={"3": "One too many."})


def click(quiz: Quiz, tries: list[list[int]]) -> None:
    state = {"method": "update", "state": {"tries": tries}, "buffer_paths": []}
    quiz._handle_msg({"content": {"data": state}, "buffers": []})


def place(question: Question, text: str) -> int:
    return [choice["text"] for choice in question.choices()].index(text)


def test_the_score_counts_first_tries():
    quiz = Quiz(KEPT, OTHER)
    assert quiz.score == 0
    click(quiz, [[place(KEPT, "0"), place(KEPT, "0.35")], [place(OTHER, "2")]])
    assert quiz.score == 1


def test_the_right_choice_is_not_always_the_first():
    questions = [Question(f"{k}?", {"a": "."}, {"b": ".", "c": "."}) for k in range(60)]
    places = [place(question, "a") for question in questions]
    assert min(places.count(k) for k in range(3)) > 10
    assert places == [place(question, "a") for question in questions]


@pytest.mark.parametrize("tries", [[[0]], [[9], []], [[-1], []], ["0", []]])
def test_a_choice_that_is_not_there_is_refused(tries):
    with pytest.raises(traitlets.TraitError, match=r"Quiz\.tries"):
        Quiz(KEPT, OTHER).tries = tries


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("Q?", {}, {"a": "b"}), "right"),
        (("Q?", {"a": "b", "c": "d"}, {"e": "f"}), "right"),
        (("Q?", {"a": "b"}, {}), "wrong"),
        (("Q?", {"a": "b"}, {"a": "c"}), "wrong"),
        ((" ", {"a": "b"}, {"c": "d"}), "text"),
        (("Q?", {"a": " "}, {"c": "d"}), "text"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(arguments, named: str):
    with pytest.raises(ValueError, match=f"^{named}: "):
        Question(*arguments)


@pytest.mark.parametrize("questions", [(), ("Two?",)])
def test_a_quiz_takes_questions(questions):
    with pytest.raises(TypeError, match="^questions: "):
        Quiz(*questions)


def test_words_and_formulas(node):
    questions = [{"text": q.text, "choices": q.choices()} for q in (KEPT, OTHER)]
    wrong, right = place(KEPT, "0"), place(KEPT, "0.35")
    stages = [[[], []], [[wrong], []], [[wrong, right], [place(OTHER, "2")]]]
    calls = [["verdict", [questions, tries]] for tries in stages]
    calls.append(["verdict", [questions[:1], [[]]]])
    calls.append(["formatted", ["$f_{t}$ < 1 & more"]])
    before, begun, ended, alone, html = node("quiz/widget.js", calls)
    assert before == "2 questions. Choose an answer."
    assert alone == "1 question. Choose an answer."
    assert begun == "0 of 2 right at the first try, 2 still open."
    assert ended == "1 of 2 right at the first try."
    assert 'data-q="f"' in html and "&lt; 1 &amp; more" in html


@pytest.mark.browser
def test_a_click_explains(show):
    page = show(Quiz(KEPT, OTHER), width=480)
    choice = page.get_by_role("button", name="0.9", exact=False).last
    said, verdict = page.get_by_text("That is one step."), page.get_by_role("status")
    assert said.count() == 1
    assert not said.is_visible()
    choice.click()
    said.wait_for()
    assert choice.get_attribute("aria-expanded") == "true"
    assert text(verdict).startswith("0 of 2 right")
    page.get_by_role("button", name="0.35").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="2", exact=True).click()
    assert text(verdict) == "1 of 2 right at the first try."
    load_axe(page)
    for theme, rules in (("light", None), ("dark", ABOUT_COLOURS)):
        take_theme(page, theme)
        assert axe_findings(page, rules) == {}
    page.get_by_role("button", name="Start again").click()
    assert text(verdict) == "2 questions. Choose an answer."
    assert not said.is_visible()


def test_explorables_on_the_page_do_not_change_its_look(show):
    assert changed_by_company(show(Quiz(KEPT, OTHER))) == set()
