"""How the tests try RooflineExplorer."""

import pytest

from lstm_lab.explore import RooflineExplorer
from tests.explore.cases import Case


def shown(roofline):
    values = roofline.values()
    digits = 2 if values["intensity"] < 10 else 0
    return [f"It does {values['intensity']:.{digits}f} operations for each byte"]


def same(js, roofline):
    assert js == pytest.approx(roofline.values(), rel=1e-12)


CASE = Case(
    RooflineExplorer,
    drag="batch",
    shown=shown,
    js=lambda roofline: ("roofline/widget.js", "stepCost", [roofline.settings()]),
    same=same,
)
