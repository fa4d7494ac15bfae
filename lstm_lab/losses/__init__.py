"""Floor 3: losses. Each returns its value and its gradient with respect to the prediction."""

from .ctc import CTCLattice, ctc, ctc_collapse, ctc_greedy, ctc_lattice
from .elementwise import cross_entropy, mse

__all__ = [
    "CTCLattice",
    "cross_entropy",
    "ctc",
    "ctc_collapse",
    "ctc_greedy",
    "ctc_lattice",
    "mse",
]
