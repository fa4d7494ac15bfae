"""Two real series, as statsmodels brings them."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from lstm_lab.data import Series, load


def test_sunspots():
    series = load("sunspots")
    assert (len(series), series.times[0], series.times[-1]) == (309, 1700, 2008)
    # The strongest year of the record, and the Maunder minimum's end.
    assert series.times[series.values.argmax()] == 1957
    assert list(series.values[:3]) == [5, 11, 16]
    assert series.licence == "public domain"


def test_el_nino():
    series = load("el_nino")
    assert len(series) == 61 * 12
    assert series.values[:2] == pytest.approx([23.11, 24.20])
    assert series.values[12] == pytest.approx(24.19)
    assert series.values[-1] == pytest.approx(22.07)
    assert series.times[12] == 1951
    assert series.times[-1] == pytest.approx(2010 + 11 / 12)
    # The warmest month is that of the great event of 1997/98 or of 1982/83.
    assert int(series.times[series.values.argmax()]) in (1983, 1998)


@pytest.mark.parametrize("name", ["sunspots", "el_nino"])
def test_a_series_is_whole_and_says_where_it_comes_from(name):
    series = load(name)
    assert isinstance(series, Series)
    assert series.values.dtype == series.times.dtype == np.float64
    assert np.isfinite(series.values).all()
    assert (np.diff(series.times) > 0).all()
    assert series.name in repr(series)
    assert "NOAA" in series.source


def test_statsmodels_is_imported_only_when_asked_for():
    code = "import sys, lstm_lab.data; print({'statsmodels', 'babel'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
