"""What a cell is to the layers above it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from ..backends import Pointwise

# A Python number would be converted anew in every call; this one suits either precision.
HALF = np.array(0.5, "float32")

ALL = slice(None)


@dataclass(frozen=True)
class Reset:
    """A gate that acts on the hidden state before part of U does.

    Attributes
    ----------
    blocks : slice
        The blocks that the product with the reset state is added to.
    gate : int
        The gate's own block.
    forward, backward : Pointwise
        What comes before that product, and its adjoint.
    """

    blocks: slice
    gate: int
    forward: Pointwise
    backward: Pointwise


@dataclass(frozen=True)
class Cell:
    """A recurrent cell, as the loop over time sees it.

    Attributes
    ----------
    name : str
    blocks : int
        Blocks of H rows in a step's gate buffer.
    input_blocks, recurrent_blocks : slice
        The blocks that W x and U h are added to.
    reset : Reset or None
        Where a gate acts on h first, for the remaining rows of U.
    halved : tuple of int
        The blocks that pass through a sigmoid.
    states : tuple of str
        What is carried from step to step; the first is the output.
    direct : bool
        Whether ``backward`` leaves in ``dhidden`` a part that reaches the state before without
        passing through U.
    gates : dict of str to int
        The names of the blocks that a trace shows.
    products : dict of str to int
        The block of a gate's U h, where that stays apart from the gate's own block.
    peepholes : int
        How many gates, the first blocks, see the cell state through a weight of their own.
    """

    name: str
    blocks: int
    input_blocks: slice
    recurrent_blocks: slice
    halved: tuple[int, ...]
    states: tuple[str, ...]
    direct: bool
    gates: dict[str, int]
    forward: Pointwise
    derivatives: Pointwise
    backward: Pointwise
    products: dict[str, int] = field(default_factory=dict)
    peepholes: int = 0
    reset: Reset | None = None

    # A layer that is copied has the same cell, and what asks for it by identity finds it.
    def __copy__(self) -> Cell:
        return self

    def __deepcopy__(self, memo: dict) -> Cell:
        return self

    def __reduce_ex__(self, protocol):
        from . import CELLS, cell_named

        name = self.forward.name
        if CELLS.get(name) is self:
            return cell_named, (name,)
        return super().__reduce_ex__(protocol)

    @property
    def input_rows(self) -> int:
        """Blocks in W."""
        return len(range(self.blocks)[self.input_blocks])

    @property
    def recurrent_rows(self) -> int:
        """Blocks in U."""
        return sum(len(range(self.blocks)[blocks]) for blocks in self.blocks_of_u)

    @property
    def blocks_of_u(self) -> list[slice]:
        """The blocks that the rows of U feed, in the order of the rows."""
        return [self.recurrent_blocks, *([self.reset.blocks] if self.reset else [])]

    def fold(self, weights, hidden_size: int, *blocks: slice):
        """A copy of ``weights`` (rows, ...) with the rows that feed a sigmoid halved.

        ``blocks`` are those that the rows feed, in their order.
        """
        folded = weights.copy()
        for row, block in enumerate(chain(*(range(self.blocks)[part] for part in blocks))):
            if block in self.halved:
                folded[row * hidden_size : (row + 1) * hidden_size] *= 0.5
        return folded


def pointwise(
    function,
    unit: str,
    blocks: Mapping[str, int] | None = None,
    **roles: tuple[str, ...],
) -> Pointwise:
    """Both writings of a function, and the roles of its arguments.

    ``blocks`` says which arguments hold several blocks, and how many; ``roles`` are the further
    attributes of `Pointwise`.
    """
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    sizes = dict.fromkeys(names, 1) | dict(blocks or {})
    return Pointwise(function, tuple(sizes.items()), unit, **roles)
