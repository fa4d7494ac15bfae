"""Fourteen moments of two records: what was seen until then, what came, and what four methods said.

``python -m lstm_lab.explore.envelope.envelopes`` writes ``envelopes.json`` anew, in about a minute.

The moments are those of a rule, not of a choice: the second and the seventh April of each decade
from 1971 on for the sea, the fifth and the twenty-first year of each test block for the sun. Every
method has learnt from what lies before its block alone, as in chapter 10.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).with_name("envelopes.json")
STEPS = 12
METHODS = {
    "stay": "persistence",
    "damped": "damped",
    "line": "AR(2)",
    "lstm": "LSTM",
}

#: Of each record: where its blocks begin, steps of a block, of the validation part, of a window,
#: seasons; what is shown of the past; where in a block the moments lie; the units that the
#: validation part chose for each block in the benchmark of chapter 10.
RECORDS: dict[str, dict[str, Any]] = {
    "el_nino": {
        "name": "Sea off Peru", "unit": "°C", "digits": 1, "blocks": 4, "test": 120,
        "validation": 96, "length": 24, "period": 12, "shown": 24, "moments": (15, 75),
        "units": (16, 4, 32, 32),
    },
    "sunspots": {
        "name": "Sunspots", "unit": "", "digits": 0, "blocks": 3, "test": 40,
        "validation": 40, "length": 22, "period": 1, "shown": 33, "moments": (4, 20),
        "units": (4, 32, 32),
    },
}  # fmt: skip


COUNT = sum(how["blocks"] * len(how["moments"]) for how in RECORDS.values())


@cache
def shipped() -> list[dict[str, Any]]:
    """The envelopes that come with the picture, in order."""
    return json.loads(FILE.read_text(encoding="utf-8"))


def envelopes() -> Iterator[dict[str, Any]]:
    """All of them, with the networks trained anew."""
    from ...data import Climatology, Standardizer, load, split, windows

    for key, how in RECORDS.items():
        series = load(key)
        first = len(series) - how["blocks"] * how["test"]
        for block, units in enumerate(how["units"]):
            start = first + block * how["test"]
            values = series.values[: start + how["test"]]
            if how["period"] > 1:
                past = values[: start - how["validation"]]
                values = Climatology.fit(past, how["period"])(values)
            past, middle, _ = split(values, how["validation"], how["test"], context=how["length"])
            scale = Standardizer.fit(past)
            learn, choose = (windows(scale(part), how["length"]) for part in (past, middle))
            network = _trained(learn, choose, units)
            for moment in how["moments"]:
                at = start + moment
                seen = scale(values[at - how["length"] : at])
                said = {
                    "stay": np.full(STEPS, seen[-1]),
                    "damped": _damped(scale(past), seen[-1]),
                    "line": _rolled(_line(*learn), seen),
                    "lstm": _rolled(network, seen),
                }
                yield {
                    "name": how["name"],
                    "unit": how["unit"],
                    "digits": how["digits"],
                    "seasons": how["period"],
                    "from": round(float(series.times[at - how["shown"]]), 4),
                    "seen": _short(values[at - how["shown"] : at], how),
                    "truth": _short(values[at : at + STEPS], how),
                    "said": {name: _short(scale.undo(each), how) for name, each in said.items()},
                }


def _short(values: np.ndarray, how: dict[str, Any]) -> list[float]:
    """One digit more than is drawn: nobody measures the sea to a ten-thousandth of a degree."""
    return [round(float(value), how["digits"] + 1) for value in values]


def _trained(learn: tuple, choose: tuple, units: int) -> Any:
    """One step ahead, of a window (T,): by the network that the benchmark of chapter 10 trains."""
    from ...layers import LSTM, LastStep, Linear, Sequential
    from ...losses import mse
    from ...optim import Adam
    from ...training import fit, predict

    at = {"backend": "numpy", "seed": 0}
    model = Sequential(encoder=LSTM(1, units, **at), last=LastStep(), head=Linear(units, 1, **at))
    fit(
        model,
        *learn,
        loss=mse,
        optimizer=Adam(0.005),
        validation=choose,
        patience=20,
        epochs=300,
        clip_norm=1.0,
        seed=0,
        progress=False,
    )
    return lambda window: float(predict(model, window[:, None, None])[0, 0])


def _line(x: np.ndarray, y: np.ndarray) -> Any:
    """One step ahead by the last two values: least squares."""
    columns = np.stack([np.ones(x.shape[1]), x[-1, :, 0], x[-2, :, 0]], axis=1)
    weights = np.linalg.lstsq(columns, y[:, 0])[0]
    return lambda window: float(weights @ [1.0, window[-1], window[-2]])


def _damped(past: np.ndarray, last: float) -> np.ndarray:
    """The last value, weighted for each number of steps: least squares through the mean."""
    lags = [(past[:-k], past[k:]) for k in range(1, STEPS + 1)]
    return last * np.array([(now @ then) / (now @ now) for now, then in lags])


def _rolled(one_step: Any, window: np.ndarray) -> np.ndarray:
    for _ in range(STEPS):
        window = np.append(window, one_step(window))
    return window[-STEPS:]


if __name__ == "__main__":
    rows = [json.dumps(each, ensure_ascii=False) for each in envelopes()]
    FILE.write_text("[\n" + ",\n".join(rows) + "\n]\n", encoding="utf-8")
