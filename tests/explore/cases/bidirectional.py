"""How the tests try BidirectionalExplorer."""

import numpy as np

from lstm_lab.explore import BidirectionalExplorer
from tests.explore.cases import Case


def network(explorer):
    """What `unpackNetwork` makes of the synced buffers, for Node."""
    layer, array = explorer._layer, explorer._array
    steps, batch, features = array.shape
    nets = [
        {
            "D": features,
            "H": layer.hidden_size,
            "W": layer.params[f"weight_x_l0{suffix}"].ravel().tolist(),
            "U": layer.params[f"weight_h_l0{suffix}"].ravel().tolist(),
            "b": layer.params[f"bias_l0{suffix}"].tolist(),
        }
        for suffix in ("", "_reverse")[: layer.directions]
    ]
    return {"T": steps, "B": batch, "D": features, "nets": nets, "x": array.ravel().tolist()}


def shown(explorer):
    values = explorer.values()
    padded = explorer.shown()[1] < len(explorer._array)
    harm = f"are off by up to {values['gap']:.3f}" if padded else "has no padding after it"
    return [f"with an influence of {values['seen']:.3f}", harm]


def same(js, explorer):
    values = explorer.values()
    np.testing.assert_allclose(js["both"], np.ravel(values["influence"]), atol=1e-6)
    np.testing.assert_allclose(js["gap"], values["gap"], atol=1e-6)
    for way in js["ways"]:
        np.testing.assert_allclose(way["dh"], np.ravel(values[way["name"]]), atol=1e-6)


CASE = Case(
    BidirectionalExplorer,
    drag="length_1",
    shown=shown,
    lively={"reverse_starts": "the end of the padding", "length_1": 7, "input": 8},
    hidden=frozenset({"length_4"}),
    js=lambda explorer: (
        "bidirectional/influence.js",
        "runSetting",
        [explorer.settings(), network(explorer)],
    ),
    same=same,
)
