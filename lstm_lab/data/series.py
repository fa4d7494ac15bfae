"""Two real time series that come with statsmodels: no network is needed to read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .parts import checksum

__all__ = ["Series", "el_nino", "sunspots"]


@dataclass(frozen=True)
class Series:
    """A series with one value after another, at equal distances in time.

    Attributes
    ----------
    values : numpy.ndarray (N,), float64
    times : numpy.ndarray (N,), float64
        Years; January is the whole number, each further month a twelfth more. Of a file of one's
        own: what the file says.
    name, unit, source, licence, description : str
    checksum : str
        SHA-256 of the values and times.
    """

    values: np.ndarray
    times: np.ndarray
    name: str
    unit: str
    source: str
    licence: str
    description: str
    checksum: str

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        span = f"{int(self.times[0])}–{int(self.times[-1])}"
        unit = f", in {self.unit}" if self.unit else ""
        licence = f"; {self.licence}" if self.licence else ""
        return f"<Series {self.name}: {len(self)} values, {span}{unit}{licence}>"


def sunspots() -> Series:
    """The sun's activity: yearly mean sunspot numbers, 1700 to 2008.

    Raises
    ------
    ModuleNotFoundError
        If statsmodels is not installed.
    """
    table = _table("sunspots")
    values, times = table["SUNACTIVITY"].to_numpy("float64"), table["YEAR"].to_numpy("float64")
    return Series(
        values=values,
        times=times,
        name="Sunspots",
        unit="sunspot number",
        source="NOAA National Geophysical Data Center, as packaged with statsmodels",
        licence="public domain",
        description="Yearly means of the sunspot number, 1700 to 2008.",
        checksum=checksum(values, times),
    )


def el_nino() -> Series:
    """Sea surface temperature off Ecuador and Peru (Niño 1+2), monthly, 1950 to 2010.

    Raises
    ------
    ModuleNotFoundError
        If statsmodels is not installed.
    """
    table = _table("elnino")
    values = table.drop(columns="YEAR").to_numpy("float64").ravel()
    times = table["YEAR"].iloc[0] + np.arange(len(values)) / 12
    return Series(
        values=values,
        times=times,
        name="El Niño",
        unit="°C",
        source="NOAA National Weather Service, ERSST.V3B, as packaged with statsmodels",
        licence="public domain",
        description="Sea surface temperature off Ecuador and Peru (Niño 1+2), monthly.",
        checksum=checksum(values, times),
    )


def _table(name: str) -> Any:
    """One of statsmodels' packaged tables, as a pandas data frame."""
    try:
        from statsmodels import datasets
    except ImportError as error:
        raise ModuleNotFoundError(
            "this data set comes with statsmodels, which is not installed; "
            'install it with: python -m pip install -e ".[book]"'
        ) from error
    return getattr(datasets, name).load_pandas().data
