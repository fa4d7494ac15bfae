from __future__ import annotations

import pytest

from lstm_lab.backends import get_backend

from . import strict

strict.register()


@pytest.fixture(params=["numpy", "strict", pytest.param("cupy", marks=pytest.mark.gpu)])
def backend(request):
    """Every backend that this machine has, and the stand-in for a device."""
    return get_backend(request.param)
