"""Floor 3: losses. Each returns its value and its gradient with respect to the prediction.

The value is a `Mean`: a float that knows its weight in a mean over several batches.
"""

from .ctc import CTCLattice, ctc, ctc_collapse, ctc_greedy, ctc_lattice
from .elementwise import cross_entropy, mse
from .mean import Mean, NothingCounts

__all__ = [
    "CTCLattice",
    "Mean",
    "NothingCounts",
    "cross_entropy",
    "ctc",
    "ctc_collapse",
    "ctc_greedy",
    "ctc_lattice",
    "mse",
]
