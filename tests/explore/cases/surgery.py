"""How the tests try GateSurgery."""

import numpy as np

from lstm_lab.explore import GateSurgery
from tests.explore.cases import Case

WORDS = {
    "same": "nothing changes",
    "during": "different while the clamps hold, right again after",
    "after": "different only after they are off",
    "both": "different during and after",
}


def plain(surgery):
    """The networks as surgerymodel.js takes them."""
    nets = {}
    for kind, net in surgery._arrays.items():
        flat = {key: np.float32(array).ravel().tolist() for key, array in net.items()}
        nets[kind] = {
            "D": net["weight_x"].shape[1], "H": net["weight_h"].shape[1],
            "W": flat["weight_x"], "U": flat["weight_h"], "b": flat["bias"],
            "V": flat.get("weight"), "c": flat.get("bias_out", [0])[0],
        }  # fmt: skip
    own = None if surgery._x is None else np.float32(surgery._x).ravel().tolist()
    return nets, own


def same(js, surgery):
    values = surgery.values()
    for name in ("x", "y", "during", "later", "limit"):
        np.testing.assert_allclose(js[name], np.ravel(values[name]), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(js["yFree"], values["y_free"], atol=1e-5)
    for q in "ifogch":
        np.testing.assert_allclose(js["done"][q], np.ravel(values[q]), atol=1e-5, err_msg=q)
    near = min(abs(values[name] - values["limit"]) for name in ("during", "later"))
    assert js["truth"] == surgery.truth() or near < 1e-5


def shown(surgery):
    values = surgery.values()
    wrong = surgery.guess != surgery.truth()
    during = values["during"]
    told = f"differs by up to {during:.2f}" if during > values["limit"] else "stays as it was"
    return [
        f"while they hold, the output {told}",
        f"in truth: {WORDS[surgery.truth()]}" if wrong else "; right",
    ]


CASE = Case(
    GateSurgery,
    drag="begin",
    shown=shown,
    lively={"guess": "both", "begin": 16},
    hidden=frozenset({"cells"}),
    js=lambda surgery: ("surgery/model.js", "operate", [surgery.settings(), *plain(surgery)]),
    same=same,
)
