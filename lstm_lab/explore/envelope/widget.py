"""The sealed envelope: draw a forecast of your own, then see what came."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import traitlets

from ..core.base import Explorable, control, flag, text
from ..core.bundle import module, styles
from .envelopes import COUNT, METHODS, STEPS, shipped

HERE = Path(__file__).parent
MARK = re.compile(r"(\d+):(-?\d+(?:\.\d+)?)")


class EnvelopeExplorer(Explorable):
    """A record up to a date; the reader draws how it goes on, and then the envelope is opened.

    Twelve steps are drawn by mouse, finger or keyboard. What is not drawn stays as it was at the
    last seen step. Once the envelope is open the drawing is locked, and beside it stand the truth
    and four forecasts that were made from the same past: persistence, the damped anomaly, an
    autoregression of two weights and an LSTM, each with its root mean squared error.

    Parameters
    ----------
    envelope : int
        Which moment, 1 to 14: eight of the sea off Peru (anomalies), six of the sunspots.
    drawn : str
        What was drawn: "step:value" with a space between, steps 1 to 12.
    opened : bool
        Whether the envelope is open.
    step : int
        The step that is read and that the keys draw at, 1 to 12.

    Raises
    ------
    traitlets.TraitError
        A value out of its range.
    """

    title = "The sealed envelope"
    _esm = module(HERE / "widget.js")
    _css = Explorable._css + styles(HERE / "widget.css")

    envelope = control(1, 1, COUNT, 1, whole=True)
    drawn = text(
        "",
        200,
        empty=True,
        pattern=rf"{MARK.pattern}(?: {MARK.pattern})*",
        example="step:value, with spaces between,",
    )
    opened = flag(False)
    step = control(1, 1, STEPS, 1, whole=True, view=True)

    _envelopes = traitlets.List().tag(sync=True)

    def __init__(self, **settings: Any):
        super().__init__(**settings, _envelopes=shipped())

    def values(self) -> dict[str, Any]:
        """The picture's numbers.

        Returns
        -------
        dict
            ``seen``; ``own`` (12,), what is drawn; and once the envelope is open ``truth`` (12,)
            and the root mean squared errors ``rmse_own``, ``rmse_stay``, ``rmse_damped``,
            ``rmse_line``, ``rmse_lstm``.
        """
        shown = shipped()[self.envelope - 1]
        own = np.full(STEPS, shown["seen"][-1])
        for step, value in MARK.findall(self.drawn):
            if 1 <= int(step) <= STEPS:
                own[int(step) - 1] = float(value)
        values = {"seen": np.array(shown["seen"]), "own": own}
        if self.opened:
            truth = np.array(shown["truth"])
            said = {"own": own} | {name: np.array(shown["said"][name]) for name in METHODS}
            values["truth"] = truth
            for name, forecast in said.items():
                values[f"rmse_{name}"] = float(np.sqrt(np.mean((forecast - truth) ** 2)))
        return values
