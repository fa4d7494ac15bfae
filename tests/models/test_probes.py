"""Properties of source text, exactly; and scores that tell a cell that follows one from noise."""

from __future__ import annotations

import inspect
import textwrap
import tokenize

import numpy as np
import pytest

from lstm_lab.models import LanguageModel, probes
from lstm_lab.models.probes import PROPERTIES, properties, score


def test_every_property_by_hand():
    found = properties("if a(b):  # c\n    d = '''e'''\n")
    text = "if a(b):  # c\n    d = '''e'''\n"
    expected = {
        "column": [*range(1, 14), 0, *range(1, 16), 0],
        "indentation": [0] * 14 + [1, 2, 3, 4] + [4] * 11 + [0],
        "brackets": [0] * 4 + [1] * 2 + [0] * 24,
        "string": [0] * 22 + [1] * 6 + [0] * 2,
        "triple": [0] * 24 + [1] * 4 + [0] * 2,
        "comment": [0] * 10 + [1] * 3 + [0] * 17,
    }
    for name, values in expected.items():
        assert found[name].tolist() == values, (name, text)


def test_strings_within_strings_and_prefixes():
    for source, inside in {
        "x = f'{a}'\n": [0] * 5 + [1] * 4 + [0, 0],
        "rb'\\''\n": [0, 0, 1, 1, 1, 0, 0],
        "'a' 'b'\n": [1, 1, 0, 0, 1, 1, 0, 0],
        '"""a"b"""\n': [1] * 8 + [0, 0],
    }.items():
        assert properties(source)["string"].tolist() == inside, source
    assert properties("f'{(a)}'\n")["brackets"].max() == 0
    assert properties("'(' # (\n")["brackets"].max() == 0


def test_what_is_no_python_is_refused():
    for source in ("'a\n", "(\n", "a = $b\n", '"""a\n'):
        with pytest.raises((SyntaxError, tokenize.TokenError)):
            properties(source)


def test_the_empty_text_has_no_properties():
    assert all(values.shape == (0,) for values in properties("").values())


def toggling(steps, rng):
    """A yes or no that holds for some time, 40 characters or so."""
    return (np.cumsum(rng.random(steps) < 1 / 40) % 2).astype(int)


@pytest.mark.parametrize("yes_or_no", [True, False])
def test_scores_tell_a_cell_that_follows_from_noise(yes_or_no):
    rng = np.random.default_rng(0)
    prop = toggling(8000, rng) if yes_or_no else np.repeat(rng.integers(0, 30, 800), 10)
    follows = -3 * prop - 1 + 0.1 * rng.normal(size=8000)
    cells = np.column_stack([rng.normal(size=(8000, 20)), follows])
    found = score(cells, prop, yes_or_no)
    assert found.best == 20
    assert found.held_out[20] > 0.99
    assert found.held_out[:20].max() < 0.1
    assert found.chance < 0.15
    assert found.together > 0.99


def test_a_cell_that_was_lucky_where_it_was_chosen_is_not_so_where_it_is_judged():
    rng = np.random.default_rng(4)
    prop = toggling(4000, rng)
    slow = np.repeat(rng.normal(size=(40, 300)), 100, axis=0)
    found = score(slow, prop, True)
    assert found.cells[found.best] > 0.3
    assert found.held_out[found.best] < found.cells[found.best] / 2


def test_what_no_cell_has_alone_all_of_them_may_have():
    rng = np.random.default_rng(1)
    prop = np.arange(8000) % 50
    noise = rng.normal(size=8000) * 40
    found = score(np.stack([prop + noise, -noise], axis=1), prop, False)
    assert found.held_out.max() < 0.5
    assert found.together > 0.99


def test_auc_is_that_of_all_pairs():
    rng = np.random.default_rng(2)
    cells, prop = rng.integers(0, 9, (60, 3)).astype(float), rng.integers(0, 2, 60)
    pairs = cells[prop == 1][:, None] - cells[prop == 0][None]
    auc = ((pairs > 0) + 0.5 * (pairs == 0)).mean(axis=(0, 1))
    np.testing.assert_allclose(probes._separation(probes.ranks(cells), prop), abs(2 * auc - 1))


def test_scores_of_a_model_leave_out_what_does_not_vary():
    source = textwrap.dedent(inspect.getsource(probes))
    model = LanguageModel.new("\n" + "".join(map(chr, range(32, 127))), 8, 4, seed=0)
    answers = probes.scores(model, [source])
    assert set(answers) == set(PROPERTIES)
    for answer in answers.values():
        assert len(answer["cells"]) == len(answer["held_out"]) == 8
        assert all(0 <= value <= 1 for value in [*answer["cells"], answer["chance"]])
    assert probes.scores(model, ["a = 1\n" * 400]).keys() == {"column"}
