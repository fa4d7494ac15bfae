"""Beam search: enumeration where nothing is dropped, greedy at width 1, and what it keeps."""

import itertools
import math

import numpy as np
import pytest

from lstm_lab.decoding import Hypothesis, beam_search, length_penalty

END = 0


class Tree:
    """A model of random scores for every prefix: its state is all that was written.

    Parameters
    ----------
    sequences : int
        Each has scores of its own, so that rows that are mixed up are noticed.
    """

    def __init__(self, symbols=3, sequences=1, seed=0, spread=1.5):
        self.symbols, self.seed, self.spread = symbols, seed, spread
        self.prefixes = [(number,) for number in range(sequences)]
        self.first = [1 + number for number in range(sequences)]
        self.rows = 0

    def scores(self, prefix):
        rng = np.random.default_rng([self.seed, *prefix])
        z = self.spread * rng.normal(size=self.symbols)
        return z - np.log(np.exp(z).sum())

    def log_probability(self, number, ids):
        prefix, total = (number, self.first[number]), 0.0
        for symbol in (*ids, END):
            z = self.scores(prefix)
            total += z[symbol] - np.log(np.exp(z).sum())
            prefix = (*prefix, symbol)
        return total

    def __call__(self, ids):
        assert len(ids) == len(self.prefixes)
        self.rows += len(ids)
        self.prefixes = [(*p, int(k)) for p, k in zip(self.prefixes, ids, strict=True)]
        return np.array([self.scores(prefix) for prefix in self.prefixes])

    def keep(self, rows):
        self.prefixes = [self.prefixes[row] for row in rows]


def everything(model, number, max_length):
    """Every sequence that ends within ``max_length`` symbols, and its log-probability."""
    symbols = range(1, model.symbols)
    return {
        ids: model.log_probability(number, ids)
        for length in range(max_length)
        for ids in itertools.product(symbols, repeat=length)
    }


def search(model, **options):
    return beam_search(model, model.first, END, **options)


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_a_beam_that_drops_nothing_finds_the_best_of_all(seed, alpha):
    model = Tree(sequences=3, seed=seed)
    found = search(model, width=200, max_length=5, alpha=alpha, n_best=10)
    for number, beam in enumerate(found):
        wanted = everything(model, number, 5)
        ranked = sorted(wanted, key=lambda ids: -wanted[ids] / length_penalty(len(ids) + 1, alpha))
        assert [one.ids for one in beam.best] == ranked[:10]
        for one in beam.best:
            assert one.complete
            assert one.log_probability == pytest.approx(wanted[one.ids], abs=1e-12)
            penalty = length_penalty(len(one.ids) + 1, alpha)
            assert one.score == pytest.approx(one.log_probability / penalty, rel=1e-14)


def test_every_hypothesis_is_found_if_nothing_is_dropped():
    model = Tree()
    (beam,) = search(model, width=200, max_length=4, n_best=10**6)
    complete = [one for one in beam.best if one.complete]
    assert {one.ids for one in complete} == everything(model, 0, 4).keys()
    # What was cut off comes last: all sequences of four symbols.
    assert len(beam.best) - len(complete) == 2**4
    assert beam.best.index(complete[-1]) == len(complete) - 1
    total = sum(math.exp(one.log_probability) for one in beam.best)
    assert total == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_a_width_of_one_is_greedy(seed):
    model = Tree(symbols=5, seed=seed, sequences=2)
    for number, beam in enumerate(search(model, width=1, max_length=8)):
        prefix, ids = (number, number + 1), []
        while (symbol := int(model.scores(prefix).argmax())) != END and len(ids) < 8:
            ids.append(symbol)
            prefix = (*prefix, symbol)
        assert beam.best[0].ids == tuple(ids)
        assert beam.best[0].complete == (len(ids) < 8)


def by_hand(model, number, width, max_length):
    """The algorithm with lists and no cleverness: no early end, no batch."""
    alive, complete = [((), 0.0)], []
    for _ in range(max_length):
        ways = []
        for ids, total in alive:
            z = model.scores((number, number + 1, *ids))
            for symbol, value in enumerate(z - np.log(np.exp(z).sum())):
                ways.append(((*ids, symbol), total + value))
        ways = sorted(ways, key=lambda way: -way[1])[:width]
        complete += [(ids[:-1], total) for ids, total in ways if ids[-1] == END]
        alive = [way for way in ways if way[0][-1] != END]
    return complete, alive


@pytest.mark.parametrize("alpha", [0.0, 0.7])
@pytest.mark.parametrize("width", [1, 2, 3, 5])
@pytest.mark.parametrize("n_best", [1, 4])
def test_each_width_is_the_algorithm_by_hand(width, alpha, n_best):
    for seed in range(6):
        model = Tree(symbols=6, sequences=4, seed=seed, spread=1.0)
        for number, beam in enumerate(
            search(model, width=width, max_length=7, alpha=alpha, n_best=n_best)
        ):
            complete, _ = by_hand(model, number, width, 7)
            complete.sort(key=lambda one: -one[1] / length_penalty(len(one[0]) + 1, alpha))
            kept = [one for one in beam.best if one.complete]
            assert [one.ids for one in kept] == [ids for ids, _ in complete[:n_best]]
            np.testing.assert_allclose(
                [one.log_probability for one in kept],
                [total for _, total in complete[:n_best]],
                atol=1e-12,
            )


def test_a_batch_is_each_sequence_by_itself():
    batch = search(Tree(symbols=5, sequences=6), width=3, alpha=0.5, n_best=2, max_length=9)
    for number, beam in enumerate(batch):
        alone = Tree(symbols=5, sequences=6)
        alone.prefixes = [(number,)]
        (found,) = beam_search(alone, [number + 1], END, width=3, alpha=0.5, n_best=2, max_length=9)
        assert found == beam


def test_the_search_ends_when_nothing_better_can_come():
    """The end is nearly certain at once: nobody asks for what is behind the other symbols."""

    class Sure(Tree):
        def scores(self, prefix):
            return np.log([0.98, 0.01, 0.01])

    model = Sure()
    (beam,) = search(model, width=3, max_length=50)
    assert beam.best[0].ids == ()
    assert model.rows == 1
    # For two, the second-best must be complete, too.
    model = Sure()
    (beam,) = search(model, width=3, max_length=50, n_best=2)
    assert [one.ids for one in beam.best] == [(), (1,)]
    assert model.rows == 3


def test_length_penalty_is_the_equation_and_favours_the_long():
    assert length_penalty(1, 0.7) == 1
    assert length_penalty(7, 1) == 2
    assert length_penalty(19, 0.5) == 2
    assert length_penalty(100, 0) == 1

    class Two(Tree):
        """ "1 end" has probability .5 · .9, "2 2 end" .5 · .9 · .9."""

        def scores(self, prefix):
            table = {(): [0, 0.5, 0.5], (1,): [0.9, 0.1, 0], (2,): [0.05, 0.05, 0.9]}
            with np.errstate(divide="ignore"):
                return np.log(table.get(prefix[2:], [0.9, 0.05, 0.05]))

    best = [search(Two(), width=4, alpha=alpha)[0].best[0].ids for alpha in (0.0, 1.0)]
    assert best == [(1,), (2, 2)]


def test_what_cannot_follow_is_never_written():
    class Only(Tree):
        def scores(self, prefix):
            return (
                np.log([0.5, 0.5, 1e-300]) if len(prefix) < 4 else np.array([0, -np.inf, -np.inf])
            )

    (beam,) = search(Only(), width=10, max_length=9, n_best=100)
    assert all(len(one.ids) <= 2 and one.complete for one in beam.best)
    assert all(np.isfinite(one.log_probability) for one in beam.best)


def test_where_nothing_ends_the_best_that_was_cut_off_is_returned():
    class Endless(Tree):
        def scores(self, prefix):
            return np.array([-np.inf, -0.2, -1.8])

    (beam,) = search(Endless(), width=2, max_length=3)
    total = pytest.approx(3 * -0.2)
    assert beam.best == (Hypothesis((1, 1, 1), total, total, False),)


def test_of_equal_branches_the_better_parent_and_the_smaller_symbol_come_first():
    class Even(Tree):
        def scores(self, prefix):
            return np.full(4, -np.log(4))

    (beam,) = search(Even(), width=3, max_length=2, tree=True, n_best=9)
    assert [(b.parent, b.symbol) for b in beam.tree[1]] == [
        (0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)
    ]  # fmt: skip


@pytest.mark.parametrize("width", [1, 2, 4])
def test_the_tree_holds_all_that_was_looked_at(width):
    model = Tree(symbols=5, seed=3)
    (beam,) = search(model, width=width, max_length=6, tree=True, n_best=3)
    alive, ended = [((), 0.0)], {}
    for level in beam.tree:
        found = {}
        for branch in level:
            ids, total = alive[branch.parent]
            z = model.scores((0, 1, *ids))
            expected = total + z[branch.symbol]
            assert branch.log_probability == pytest.approx(expected, abs=1e-12)
            found.setdefault(branch.parent, []).append(branch.symbol)
        for parent, symbols in found.items():
            best = np.argsort(-model.scores((0, 1, *alive[parent][0])), kind="stable")[:width]
            assert sorted(symbols) == sorted(best.tolist())
        assert len(found) == len(alive)
        values = [branch.log_probability for branch in level]
        assert values == sorted(values, reverse=True)
        fates = [branch.fate for branch in level]
        assert all(fate != "pruned" for fate in fates[:width])
        assert all(fate == "pruned" for fate in fates[width:])
        for branch in level:
            assert branch.fate == "pruned" or (branch.fate == "ends") == (branch.symbol == END)
            if branch.fate == "ends":
                ended[alive[branch.parent][0]] = branch.log_probability
        alive = [
            ((*alive[b.parent][0], b.symbol), b.log_probability) for b in level if b.fate == "lives"
        ]
    for one in beam.best:
        if one.complete:
            assert ended[one.ids] == one.log_probability
    assert search(Tree(), width=width, max_length=6)[0].tree is None


WRONG = [
    ({"step": 3}, TypeError, "step must be a function from symbols to log-prob"),
    ({"step": lambda ids: ids}, TypeError, "step.keep must be a function"),
    ({"first": []}, ValueError, "first must be a row of whole numbers"),
    ({"first": [0.5]}, ValueError, "first must be"),
    ({"end": -1}, ValueError, "end must be"),
    ({"end": 3}, ValueError, "end is 3, but step knows only 3 symbols"),
    ({"width": 0}, ValueError, "width must be"),
    ({"max_length": 0}, ValueError, "max_length must be"),
    ({"alpha": -1}, ValueError, "alpha must be"),
    ({"n_best": 0}, ValueError, "n_best must be"),
    ({"tree": 1}, TypeError, "tree must be"),
]


@pytest.mark.parametrize(("changes", "kind", "message"), WRONG)
def test_nonsense_is_refused(changes, kind, message):
    good = {"step": Tree(), "first": [1], "end": END}
    with pytest.raises(kind, match=message):
        beam_search(**good | changes)


@pytest.mark.parametrize(
    "scores",
    [
        np.full((2, 3), -2.0),
        np.full(3, -2.0),
        np.full((1, 3), np.nan),
        np.full((1, 3), -np.inf),
        np.zeros((1, 3)),
        np.full((1, 3), 1e9),
    ],
)
def test_what_a_step_returns_is_checked(scores):
    class Wrong(Tree):
        def __call__(self, ids):
            return scores

    with pytest.raises(ValueError, match="step must return"):
        search(Wrong())
