"""First values of the weights. Drawn on the host: the same seed is the same network everywhere."""

from __future__ import annotations

import numpy as np


def uniform(rng: np.random.Generator, shape: tuple[int, ...], fan: int) -> np.ndarray:
    """Uniform in ±1/√fan, torch's choice for recurrent and linear layers."""
    bound = 1 / np.sqrt(fan)
    return rng.uniform(-bound, bound, shape)


def orthogonal(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """A random matrix with orthonormal columns or rows, whichever are fewer.

    From the QR decomposition of a Gaussian matrix, with the signs that make it uniform over the
    orthogonal group (Mezzadri 2007, arXiv:math-ph/0609050).
    """
    q, r = np.linalg.qr(rng.normal(size=(max(rows, columns), min(rows, columns))))
    q *= np.sign(np.diag(r))
    return q if rows >= columns else q.T


def chrono(rng: np.random.Generator, hidden: int, longest: int) -> np.ndarray:
    """Forget-gate biases log u, u uniform in [1, longest - 1]: memories of all those lengths.

    Tallec & Ollivier 2018, arXiv:1804.11188, equation (16). The input gate's are the negatives.
    """
    return np.log(rng.uniform(1, max(longest - 1, 1 + 1e-9), hidden))
