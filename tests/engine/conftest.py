from __future__ import annotations

import pytest

from lstm_lab.backends import get_backend
from lstm_lab.cli import INSTALL_TEST

from . import strict

strict.register()


@pytest.fixture(params=["numpy", "strict", "numba", pytest.param("cupy", marks=pytest.mark.gpu)])
def backend(request, require):
    """Every backend that this machine has, and the stand-in for a device."""
    if request.param == "numba":
        require("numba", INSTALL_TEST)
    return get_backend(request.param)
