"""What every explorable owes in Python: checked controls, one-line settings, equal numbers."""

from __future__ import annotations

import json
import math
import threading

import numpy as np
import pytest
import traitlets

from lstm_lab.explore import EXPLORABLES, Explorable
from lstm_lab.explore.core.base import Choice, Flag, Number, Text
from tests.conftest import ROOT
from tests.explore.cases import CASES

every = pytest.mark.parametrize("case", CASES, ids=str)


def controls(widget, kind):
    traits = widget.traits()
    return {n: traits[n] for n in widget.controls() if isinstance(traits[n], kind)}


def drawn(name, trait, widget, rng):
    """A random right value."""
    if isinstance(trait, Number):
        value = float(f"{rng.uniform(trait.low, trait.high):.6g}")
        return round(value) if trait.whole else min(max(value, trait.low), trait.high)
    if isinstance(trait, Choice):
        return str(rng.choice(list(widget.options(name))))
    if isinstance(trait, Flag):
        return bool(rng.integers(2))
    if trait.pattern:
        return getattr(widget, name)
    return "a" + "".join(rng.choice(list("b '\"\\\n\t{}()=,é→"), min(20, trait.longest - 1)))


def edges(name, trait, widget):
    """What a control is driven to, one after the other."""
    if isinstance(trait, Number):
        return [trait.low, trait.high]
    if isinstance(trait, Choice):
        return list(widget.options(name))
    return [True, False] if isinstance(trait, Flag) else [getattr(widget, name)]


def random_setting(widget, rng):
    traits = widget.traits()
    return {name: drawn(name, traits[name], widget, rng) for name in widget.controls()}


def finite(values):
    arrays = map(np.asarray, values.values())
    return all(np.isfinite(array).all() for array in arrays if array.dtype.kind in "biufc")


@every
def test_every_control_through_its_message(case, send, node):
    """Each control to its minimum, its maximum and at random, as the browser would send it."""
    rng, widget, copies, traits = np.random.default_rng(0), case.new(), [], case.kind.class_traits()

    def move(**state):
        send(widget, **state)
        for name, value in state.items():
            assert getattr(widget, name) == value, name
        assert finite(widget.values()), state
        copies.append(case.new(**widget.settings()))

    for name in widget.controls():
        for value in [*edges(name, traits[name], widget), drawn(name, traits[name], widget, rng)]:
            move(**{name: value})
    for _ in range(20):
        move(**random_setting(widget, rng))
    if case.js:
        calls = [case.js(copy) for copy in copies]
        answers = node(calls[0][0], [call[1:] for call in calls])
        for answer, copy in zip(answers, copies, strict=True):
            case.same(answer, copy)
    widget.close()


@every
def test_numbers_refuse_what_is_no_number_or_out_of_range(case, send, caplog):
    widget = case.new()
    for name, trait in controls(widget, Number).items():
        before = getattr(widget, name)
        wrong = [math.nan, math.inf, -math.inf, trait.low - 1, trait.high + 1, "1", "", None, True]
        for bad in [*wrong, *([trait.low + 0.5] if trait.whole else [])]:
            with pytest.raises(traitlets.TraitError, match=rf"{name}: expected .* from"):
                setattr(widget, name, bad)
            caplog.clear()
            send(widget, **{name: bad})
            assert f"{name}: expected" in caplog.text
            assert getattr(widget, name) == before
    assert case.new(**{n: np.float32(t.low) for n, t in controls(widget, Number).items()})


@every
def test_words_and_flags_refuse_what_they_are_not(case):
    widget = case.new()
    for name, trait in controls(widget, (Choice, Flag, Text)).items():
        before = getattr(widget, name)
        wrong = [None, 3, math.nan, "no such word\0"] if not isinstance(trait, Text) else [None, 3]
        if isinstance(trait, Text):
            wrong += ["a" * (trait.longest + 1)] + ([] if trait.empty else ["", "  "])
        for bad in wrong:
            with pytest.raises(traitlets.TraitError, match=rf"{name}: expected"):
                setattr(widget, name, bad)
            assert getattr(widget, name) == before


@every
def test_an_unknown_setting_is_refused(case):
    with pytest.raises(TypeError, match="has no setting forgte; expected some of"):
        case.new(forgte=1)


@every
def test_reset_goes_back_to_where_the_author_began(case, send):
    rng = np.random.default_rng(1)
    widget = case.new()
    widget = case.new(**random_setting(widget, rng))
    start = widget.settings()
    send(widget, **random_setting(widget, rng))
    assert widget.settings() != start
    widget.reset()
    assert widget.settings() == start


@every
def test_a_setting_is_one_line_that_leads_back(case, node):
    """In Python, in the browser's code, and between the two."""
    rng, widget = np.random.default_rng(2), case.new()
    plain = widget.setting
    calls, expected = [], []
    for _ in range(10):
        widget = case.new(**random_setting(widget, rng))
        line, settings = widget.setting, widget.settings()
        assert "\n" not in line
        other = case.new()
        other.setting = line
        assert other.settings() == settings
        args = [widget._kind, dict(widget._arguments)]
        calls += [["readSetting", [line, *args, widget._specs, {}]],
                  ["writeSetting", [*args, settings, widget._defaults]]]  # fmt: skip
        expected.append((widget, settings))
    answers = iter(node("frontend/setting.js", calls))
    for widget, settings in expected:
        assert {**widget._defaults, **next(answers)} == settings
        fresh = case.new()
        fresh.setting = next(answers)
        assert fresh.settings() == settings
        fresh.setting = plain
        assert fresh.setting == plain


@every
def test_a_wrong_setting_changes_nothing_and_says_what_is_wrong(case, node):
    widget, kind = case.new(), case.kind.__name__
    name, trait = next(iter(controls(widget, Number).items()))
    wrong = {
        "": "expected",
        "   ": "expected",
        kind: "expected",
        f"{kind}(": "expected|missing",
        f"Other({name}=1)": "Other",
        f"{kind}(1)": "expected",
        f"{kind}(nothing=1)": "no nothing",
        f"{kind}({name}=nan)": f"{name}=nan|{name}",
        f"{kind}({name}={trait.high + 1})": f"{name}: expected",
        f"{kind}({name}={trait.low - 1})": f"{name}: expected",
        f"{kind}({name}={trait.high}, path='nowhere')": "path: expected one of",
        f"{kind}({name}='a')": f"{name}: expected",
        f"{kind}({name}=)": "expected|missing",
        f"{kind}({name}=1, {name}=1)": "once|twice|expected",
        f"{kind}({name}=__import__('os'))": f"{name}|missing",
        f"{kind}({name}=1); print()": "expected|cannot read",
        "x" * 20_000: "10000",
    }
    before = widget.settings()
    for line, message in wrong.items():
        with pytest.raises((ValueError, traitlets.TraitError), match=message):
            widget.setting = line
        assert widget.settings() == before, line
    calls = [["faultOf", [line, kind, {}, widget._specs, {}]] for line in wrong]
    for line, message, said in zip(
        wrong, wrong.values(), node("frontend/setting.js", calls), strict=True
    ):
        assert said, line
        with pytest.raises(ValueError, match=message):
            raise ValueError(said)


@every
def test_it_says_in_words_what_it_shows(case):
    widget = case.new()
    words = widget.describe()
    assert case.kind.title in words
    assert widget.setting in words
    assert "nan" not in words.lower()
    shown = widget._repr_mimebundle_()
    bundle = shown[0] if isinstance(shown, tuple) else shown
    assert bundle["text/plain"] == words
    json.dumps(bundle)


@every
def test_closing_it_leaves_no_thread(case):
    before = set(threading.enumerate())
    widget = case.new()
    widget.values()
    widget.close()
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive(), thread


@every
def test_its_module_is_one_valid_module(case, require, tmp_path):
    import subprocess

    node = require("node", "your system's package nodejs")
    path = tmp_path / "widget.mjs"
    path.write_text(str(case.kind._esm))
    check = "import(process.argv[1]).then((m) => console.log(typeof m.default.render))"
    done = subprocess.run(
        [node, "--input-type=module", "-e", check, path.as_uri()], capture_output=True, text=True
    )
    assert done.stdout.strip() == "function", done.stderr


def test_every_explorable_is_listed_and_in_the_gallery():
    def below(kind):
        return {kind}.union(*map(below, kind.__subclasses__()))

    ours = {k.__name__ for k in below(Explorable) if k.__module__.startswith("lstm_lab.")}
    assert ours - {"Explorable"} == {kind.__name__ for kind in EXPLORABLES}
    gallery = json.loads((ROOT / "book" / "explorables.ipynb").read_text(encoding="utf-8"))
    code = "\n".join("".join(c["source"]) for c in gallery["cells"] if c["cell_type"] == "code")
    for kind in EXPLORABLES:
        assert f"{kind.__name__}(" in code, f"book/explorables.ipynb does not show {kind.__name__}"
