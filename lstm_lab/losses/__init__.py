"""Floor 3: losses. Each returns its value and its gradient with respect to the prediction.

The value is a `Mean`: a float that knows its weight in a mean over several batches.
"""

from .crf import CRFLattice, crf, crf_lattice
from .ctc import CTCLattice, ctc, ctc_collapse, ctc_greedy, ctc_lattice
from .elementwise import cross_entropy, mse, quantile
from .mean import Mean, NothingCounts

__all__ = [
    "CRFLattice",
    "CTCLattice",
    "Mean",
    "NothingCounts",
    "crf",
    "crf_lattice",
    "cross_entropy",
    "ctc",
    "ctc_collapse",
    "ctc_greedy",
    "ctc_lattice",
    "mse",
    "quantile",
]
