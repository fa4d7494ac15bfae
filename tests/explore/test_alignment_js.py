"""The maths of alignments and influence in JavaScript is the library's, on random cases."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_lab import LSTM, Attention, BiLSTM
from lstm_lab.explore.bidirectional.influence import influence
from lstm_lab.losses import ctc, ctc_collapse, ctc_greedy, ctc_lattice

TOLERANCE = 1e-5


def agree(got, expected, what):
    got = np.array([np.nan if v is None else v for v in got])
    np.testing.assert_allclose(got, np.ravel(expected), rtol=0, atol=TOLERANCE, err_msg=what)


def ctc_cases():
    for seed in range(40):
        rng = np.random.default_rng(seed)
        steps, classes = int(rng.integers(1, 14)), int(rng.integers(2, 7))
        blank = int(rng.integers(classes))
        labels = [k for k in range(classes) if k != blank]
        target = rng.choice(labels, rng.integers(0, 6)).tolist()
        yield 2 * rng.normal(size=(steps, 1, classes)), target, blank


def test_the_lattice_is_the_librarys(node):
    cases = list(ctc_cases())
    calls = [
        ["ctcLattice", [x.ravel().tolist(), len(x), x.shape[2], target, blank]]
        for x, target, blank in cases
    ]
    possible = 0
    for (x, target, blank), js in zip(cases, node("frontend/equations/ctc.js", calls), strict=True):
        lattice = ctc_lattice(x, [target], blank=blank)
        assert js["labels"] == lattice.labels[0].tolist()
        agree(js["gamma"], lattice.posterior, "γ")
        # JSON has no infinity: null is what it makes of one.
        for name, mine in (("logAlpha", lattice.log_alpha), ("logBeta", lattice.log_beta)):
            agree(js[name], np.where(mine < -1e29, np.nan, mine), name)
        if js["loss"] is None:
            assert lattice.loss[0] == np.inf
            assert js["needed"] > len(x)
            assert js["best"] == []
            assert not np.any(js["gradient"])
            continue
        possible += 1
        assert js["loss"] == pytest.approx(lattice.loss[0], abs=TOLERANCE)
        agree(js["gradient"], ctc(x, [target], blank=blank)[1], "gradient")
        assert js["best"] == lattice.best_path()[:, 0].tolist()
    assert possible > 20


def test_greedy_decoding_is_the_librarys(node):
    for x, _, blank in ctc_cases():
        arguments = [x.ravel().tolist(), len(x), x.shape[2], blank]
        [js] = node("frontend/equations/ctc.js", [["greedy", arguments]])
        assert js["labels"] == ctc_greedy(x, blank=blank)[0]
        assert ctc_collapse(js["path"], blank=blank) == js["labels"]


def test_alpha_is_the_sum_of_all_beginnings(node):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 1, 3))
    lattice = ctc_lattice(x, [[1, 2, 2]])
    flat = [x.ravel().tolist(), 5, 3, [1, 2, 2]]
    [js] = node("frontend/equations/ctc.js", [["ctcLattice", flat]])
    js = {k: [-np.inf if e is None else e for e in v] if isinstance(v, list) else v
          for k, v in js.items()}  # fmt: skip
    js["logAlpha"] = js["logBeta"] = []
    places = [(t, s) for t in range(5) for s in range(7)]
    calls = [["beginnings", [js, t, s, 1000]] for t, s in places]
    for (t, s), found in zip(places, node("frontend/equations/ctc.js", calls), strict=True):
        assert found["count"] == len(found["paths"])
        total = sum(np.exp(path["logP"]) for path in found["paths"])
        assert total == pytest.approx(np.exp(lattice.log_alpha[t, 0, s]), abs=1e-12)
        assert found["paths"] == sorted(found["paths"], key=lambda path: -path["logP"])
        assert all(len(p["states"]) == t + 1 and p["states"][-1] == s for p in found["paths"])
    [few] = node("frontend/equations/ctc.js", [["beginnings", [js, 4, 4, 2]]])
    [all_] = node("frontend/equations/ctc.js", [["beginnings", [js, 4, 4, 1000]]])
    assert few["paths"] == all_["paths"][:2]
    assert few["count"] == all_["count"] > 2


@pytest.mark.parametrize("score", ["dot", "general", "additive"])
def test_attention_is_the_librarys(node, score):
    rng = np.random.default_rng(1)
    for queries, steps, q, m in [(1, 1, 1, 1), (3, 5, 2, 2), (4, 2, 3, 5)]:
        q = m if score == "dot" else q
        hidden = 4 if score == "additive" else None
        layer = Attention(q, m, score, hidden, 0.7, backend="numpy", dtype="float64", seed=2)
        query, memory = rng.normal(size=(queries, 1, q)), rng.normal(size=(steps, 1, m))
        context, trace = layer.forward(query, memory)
        parameters = {name: array.ravel().tolist() for name, array in layer.params.items()}
        js_layer = {"score": score, "scale": 0.7, "Q": q, "M": m, "H": hidden, **parameters}
        arguments = [js_layer, query.ravel().tolist(), memory.ravel().tolist()]
        [js] = node("frontend/equations/attention.js", [["attend", arguments]])
        agree(js["weights"], trace.weights, "weights")
        agree(js["context"], context, "context")


@pytest.mark.parametrize("padded", [False, True])
def test_influences_are_the_librarys(node, padded):
    rng = np.random.default_rng(3)
    for steps, length, features, hidden in [(1, 1, 1, 1), (5, 3, 2, 3), (9, 9, 3, 4), (8, 1, 1, 2)]:
        for layer in (
            LSTM(features, hidden, dtype="float64", backend="numpy"),
            BiLSTM(features, hidden, dtype="float64", backend="numpy"),
        ):
            for array in layer.params.values():
                array[...] = rng.normal(0, 1, array.shape)
            x = rng.normal(size=(steps, features))
            found = influence(layer, x, length, padded=padded)
            nets = [
                {
                    "D": features,
                    "H": hidden,
                    "W": layer.params[f"weight_x_l0{suffix}"].ravel().tolist(),
                    "U": layer.params[f"weight_h_l0{suffix}"].ravel().tolist(),
                    "b": layer.params[f"bias_l0{suffix}"].tolist(),
                }
                for suffix in ("", "_reverse")[: layer.directions]
            ]
            arguments = [nets, x.ravel().tolist(), steps, length, padded]
            [js] = node("bidirectional/influence.js", [["influences", arguments]])
            for direction, each in enumerate(js):
                agree(each["dh"], found[("forward", "reverse")[direction]], each["name"])
                h = np.reshape(each["run"]["trace"]["h"], (-1, hidden))
                own = found["y"][:, direction * hidden : (direction + 1) * hidden]
                agree((h[::-1] if direction else h)[:length].ravel(), own, "h")


def test_the_cell_states_jacobian_is_the_librarys(node):
    rng = np.random.default_rng(4)
    lstm = LSTM(2, 3, dtype="float64", backend="numpy", seed=1)
    x = rng.normal(size=(6, 2))
    net = {"D": 2, "H": 3} | {
        key: lstm.params[name].ravel().tolist()
        for key, name in (("W", "weight_x_l0"), ("U", "weight_h_l0"), ("b", "bias_l0"))
    }
    [js] = node("bidirectional/influence.js", [["jacobians", [net, x.ravel().tolist(), 6]]])
    got = np.reshape(js["dc"], (6, 6, 3, 2))
    for t in range(6):
        # The final cell state of the first t + 1 steps, a unit for each sequence of the batch.
        _, trace = lstm.forward(np.repeat(x[: t + 1, None], 3, axis=1))
        dstate = (np.zeros((1, 3, 3)), np.eye(3)[None])
        dx = lstm.backward(np.zeros((t + 1, 3, 3)), trace, dstate).x
        np.testing.assert_allclose(got[t, : t + 1], dx, atol=TOLERANCE)
        assert not got[t, t + 1 :].any()
