"""Floor 3: losses. Each returns its value and its gradient with respect to the prediction."""

from .alignment import CTCLattice, ctc, ctc_collapse, ctc_greedy, ctc_lattice
from .means import cross_entropy, mse

__all__ = [
    "CTCLattice",
    "cross_entropy",
    "ctc",
    "ctc_collapse",
    "ctc_greedy",
    "ctc_lattice",
    "mse",
]
