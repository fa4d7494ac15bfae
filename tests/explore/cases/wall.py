"""How the tests try WallExplorer."""

import numpy as np

from lstm_lab.explore import WallExplorer
from tests.explore.cases import Case


def shown(explorer):
    values = explorer.values()
    if not explorer.hidden().any():
        return ["It never hides all of the digit."]
    if not values["out"]:
        return ["The film ends before the digit is out again."]
    kept, gone, copy = (values[name][values["out"] - 1] for name in ("kept", "gone", "copy"))
    return [
        f"In frame {values['out']} the digit comes out: the error is {kept:.1f} with the memory, "
        f"{gone:.1f} with the memory erased, {copy:.1f} for the frame before."
    ]


def js(explorer):
    images, rest = (np.frombuffer(b, "<f4").tolist() for b in (explorer._images, explorer._rest))
    matrices = np.frombuffer(explorer._matrices, "int8").tolist()
    return "wall/model.js", "numbersOf", [explorer.settings(), images, matrices, rest]


def same(answer, explorer):
    values = explorer.values()
    assert answer["out"] == values["out"]
    for name in ("prediction", "cell", "kept", "gone", "copy"):
        np.testing.assert_allclose(
            answer[name], values[name].ravel(), rtol=0, atol=1e-5, err_msg=name
        )


CASE = Case(WallExplorer, drag="width", shown=shown, js=js, same=same)
