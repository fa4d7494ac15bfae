"""What is known of NumPy's BLAS, the library that multiplies its matrices.

`threadpoolctl` is what knows. It is imported at the first product, never with the package; where
it is not installed, nothing is known and every product is left as it is.
"""

from __future__ import annotations

from functools import cache
from typing import Any

SMALL_PRODUCT = 10**6
"""rows · inner · columns up to which OpenBLAS's AVX-512 cores pack no matrix before multiplying.

``sgemm_small_kernel_permit`` in OpenBLAS, kernel/x86_64, 0.3.17 and later.
"""

WIDEST = 64
"""Beyond as many columns, a product in several parts was measured to be slower."""

WITH_SMALL_PRODUCTS = ("SkylakeX", "Cooperlake", "SapphireRapids")


@cache
def controller() -> Any:
    """A ``threadpoolctl.ThreadpoolController`` of the BLAS libraries loaded so far, or None."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController().select(user_api="blas")


@cache
def has_small_products() -> bool:
    """Whether every BLAS in this process multiplies small matrices without packing them."""
    found = controller()
    libraries = found.info() if found else []
    return bool(libraries) and all(
        library.get("architecture") in WITH_SMALL_PRODUCTS for library in libraries
    )


def forget() -> None:
    """Look again: another library has been loaded."""
    controller.cache_clear()
    has_small_products.cache_clear()


def row_blocks(rows: int, inner: int, columns: int) -> int:
    """Into how many equal blocks of rows a matrix is best cut before it is multiplied.

    The product is (rows, inner) by (inner, columns), the same (rows, inner) in every time step.
    OpenBLAS packs both matrices anew for every product but a small one; measured on AVX-512, a
    step of 512 x 128 by 128 x 32 took 22.8 µs in one piece and 18.3 µs in four.
    """
    if columns == 1 or columns > WIDEST or not has_small_products():
        return 1
    for blocks in range(1, rows // 8 + 1):
        if rows % blocks == 0 and rows // blocks * inner * columns <= SMALL_PRODUCT:
            return blocks
    return 1
