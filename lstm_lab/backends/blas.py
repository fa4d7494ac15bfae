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

ONE_THREAD_BELOW = 2e7
"""Operations in a step's product below which the time loop keeps BLAS on one thread.

Two threads meet after every product. On two idle cores a second thread takes a tenth to a third
off a pass, with small steps and with large ones; but where another program has one of the cores,
each thread waits for the other at every step, and passes were measured to take from 1.4 to 11
times as long as on one thread. What is given up is little, what is avoided is much.
"""

ONE_THREAD_ALONE_BELOW = 5e8
"""The same of a product by itself: a linear layer's, or the gradient of a matrix.

A layer has a few of them, not one a step, but the threads meet after each, and the wait for one
that another program keeps from running does not grow with the product. Measured with more programs
at work than cores: 2e7 operations took 10 times as long on two threads as on one, 1e8 took 4.3
times, 3e8 1.9 times, 1e9 1.15 times; 3e9, 0.8 times. On one thread this many take about 10 ms.
"""


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


class single_threaded:
    """Let BLAS use one thread only, in this process, until the end of the ``with`` block.

    What was set before comes back, also after an exception, and blocks may nest. OpenBLAS has one
    setting for the whole process: products of other Python threads use one thread in the meantime
    too. Where blocks of several threads overlap, the first to end may give the others their
    threads back early, which costs speed and nothing else; after the last all is as it was.
    """

    # Entered at every step of a stepper: a generator would take as long again as what it does.
    __slots__ = ("_changed",)

    def __enter__(self) -> None:
        found = controller()
        libraries = found.lib_controllers if found else ()
        self._changed = [(each, before) for each in libraries if (before := each.num_threads) != 1]
        for library, _ in self._changed:
            library.set_num_threads(1)

    def __exit__(self, *raised: object) -> None:
        for library, before in self._changed:
            library.set_num_threads(before)
            # From 3.6 on threadpoolctl lets one Python thread at a time set OpenBLAS's.
            release = getattr(library, "clear_controlling_thread", None)
            if release is not None:
                release()
