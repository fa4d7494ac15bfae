"""How a layer steps: from each hidden state to the next, and back.

`Steps` is the way of most layers, and the fast one: U h, then the cell. `chain.Chain` is for
layers whose step has more links. The time loop, above both, owns the order of things in time.

Shapes: K steps, S directions, G blocks of gates, H hidden units, n sequences that are running.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..backends import Array, Backend
from ..cells import Cell

Arrays = Sequence[Array]


@dataclass(frozen=True)
class Weights:
    """The parameters of one layer, an entry for each direction.

    Each ``input`` is (input_rows · H, D), ``recurrent`` (recurrent_rows · H, H), ``bias``
    (blocks · H,) and ``peephole`` (peepholes · H,); no ``peephole`` at all where a cell has none.
    """

    input: list[Array]
    recurrent: list[Array]
    bias: list[Array]
    peephole: list[Array]


class Steps:
    """U h, then the cell; a backend may take over many steps at once.

    Parameters
    ----------
    cell : Cell
    backend : Backend
    weights : Weights
    truncated : bool
        Let no gradient pass from the gates and the candidate to the hidden state before.
    """

    def __init__(self, cell: Cell, backend: Backend, weights: Weights, truncated: bool = False):
        self.cell, self.backend, self.weights = cell, backend, weights
        self.truncated = truncated
        self.directions = len(weights.bias)
        self.hidden = weights.bias[0].shape[0] // cell.blocks
        self.dtype = weights.bias[0].dtype

    def rows(self, blocks: slice) -> slice:
        """The rows of these blocks of gates."""
        blocks = range(self.cell.blocks)[blocks]
        return slice(blocks.start * self.hidden, blocks.stop * self.hidden)

    # Forward

    @cached_property
    def input_weights(self) -> list[Array]:
        """What x is multiplied by."""
        return [
            self.cell.fold(w, self.hidden, self.cell.input_blocks) for w in self.weights.input
        ]

    @cached_property
    def _folded_bias(self) -> Array:
        bias = [self.cell.fold(b, self.hidden, slice(None)) for b in self.weights.bias]
        shape = (1, self.directions, self.cell.blocks, self.hidden, 1)
        return self.backend.xp.stack(bias).reshape(shape)

    @cached_property
    def _folded_recurrent(self) -> Array:
        blocks = self.cell.blocks_of_u
        return self.backend.xp.stack(
            [self.cell.fold(w, self.hidden, *blocks) for w in self.weights.recurrent]
        )

    def kept(self, length: int, n: int) -> tuple[Array, ...]:
        """Room for what ``length`` steps of n sequences leave for backward beside the states."""
        shape = (length, self.directions, self.hidden, n)
        return tuple(self.backend.empty(shape, self.dtype) for _ in range(self.cell.kept))

    def enter(self, gates: Array) -> None:
        """Make pre-activations, without their recurrent part, of W x, which ``gates`` holds."""
        gates += self._folded_bias

    def forward_loop(self, n: int, steps: int) -> Callable[..., None]:
        """``advance(gates, before, after, kept)``: at most ``steps`` steps of n sequences.

        All arrays have their steps as the first axis: ``gates`` (K, S, G, H, n); ``before`` and
        ``after``, the states, and ``kept``, each (K, S, ·, n).
        """
        cell, backend, weights = self.cell, self.backend, self._folded_recurrent
        # Gates with peepholes pass through a sigmoid, and are folded like the rest.
        peepholes = self.peepholes([p * 0.5 for p in self.weights.peephole], n)
        recurrent = backend.empty(
            (self.directions, cell.recurrent_rows, self.hidden, n), self.dtype
        )
        whole = backend.forward_loop(cell.forward, weights, n, steps)
        if whole is not None:
            return lambda gates, before, after, kept: whole(
                gates, recurrent, *before, *after, *kept, *peepholes
            )
        step = backend.pointwise(cell.forward, self.dtype)
        product = recurrent.reshape(self.directions, -1, n)

        def advance(gates: Array, before: Arrays, after: Arrays, kept: Arrays) -> None:
            for gate, hidden_before, *rest in zip(gates, *before, *after, *kept, strict=True):
                backend.xp.matmul(weights, hidden_before, out=product)
                step(gate, recurrent, hidden_before, *rest, *peepholes)

        return advance

    # Backward

    @cached_property
    def _recurrent(self) -> Array:
        return self.backend.xp.stack(self.weights.recurrent)

    def backward_loop(self, n: int) -> Callable[..., None]:
        """``go_back(arriving, gates, before, after, kept, d, carried)``: the last step first.

        ``arriving`` (K, S, ·, n) is the gradient from the output. ``gates`` to ``kept`` are what
        ``advance`` left. ``d``, like ``gates``, is filled with the gradients of the
        pre-activations; ``carried``, the states' gradients (S, ·, n), go back to the first step.
        """
        cell, backend, weights = self.cell, self.backend, self._recurrent
        derive = backend.pointwise(cell.derivatives, self.dtype)
        rows = self.rows(cell.recurrent_blocks)
        peepholes = self.peepholes(self.weights.peephole, n)
        loop = None
        if not self.truncated:
            loop = backend.backward_loop(cell.backward, weights, n, rows, cell.direct)
        if loop is None:
            loop = self._generic_backward_loop(n, rows)

        def go_back(
            arriving: Array,
            gates: Array,
            before: Arrays,
            after: Arrays,
            kept: Arrays,
            d: Array,
            carried: Arrays,
        ) -> None:
            factors = [backend.empty(arriving.shape, self.dtype) for _ in range(cell.factors)]
            derive(gates, *before, *after, *kept, d, *factors)
            loop(arriving, (d, *factors, gates), [*carried, *peepholes])

        return go_back

    def _generic_backward_loop(self, n: int, rows: slice) -> Callable[..., None]:
        """``loop(arriving, stepwise, shared)``: the latter two are what ``cell.backward`` takes.

        ``rows`` are those of d that U carries to the state before; if truncated, nothing is.
        """
        cell, backend, truncated = self.cell, self.backend, self.truncated
        step = backend.pointwise(cell.backward, self.dtype)
        transposed = self._recurrent.transpose(0, 2, 1)
        through = backend.empty((*transposed.shape[:2], n), self.dtype)

        def loop(arriving: Array, stepwise: Arrays, shared: Arrays) -> None:
            dhidden, d = shared[0], stepwise[0]
            columns = d.reshape(*d.shape[:2], -1, n)[:, :, rows]
            for dy_step, columns_step, *own in zip(
                *[array[::-1] for array in (arriving, columns, *stepwise)], strict=True
            ):
                dhidden += dy_step
                step(*own, *shared)
                if truncated:
                    dhidden[...] = 0
                elif cell.direct:
                    backend.xp.matmul(transposed, columns_step, out=through)
                    dhidden += through
                else:
                    backend.xp.matmul(transposed, columns_step, out=dhidden)

        return loop

    def recurrent_gradient(self, s: int, columns: Array, gates: Array, hidden: Array) -> Array:
        """The gradient of U in direction s, each part of it a single product.

        ``columns`` (G · H, K · n) is the gradient of the pre-activations; ``gates`` and
        ``hidden`` (K, S, ·, n) are the steps' gates and the states before them.
        """
        before = as_rows(self.backend, hidden[:, s])
        return columns[self.rows(self.cell.recurrent_blocks)] @ before

    def peepholes(self, weights: list[Array], n: int) -> list[Array]:
        """The peephole weights, an equal column for each sequence; nothing where there are none."""
        if not weights:
            return []
        stacked = self.backend.xp.stack(weights).reshape(self.directions, -1, self.hidden, 1)
        columns = self.backend.empty((*stacked.shape[:3], n), self.dtype)
        columns[...] = stacked
        return [columns]


def plain(backend: Backend, view: Array) -> Array:
    """The values of a view in plain memory; the view itself if it is plain."""
    if view.flags.c_contiguous:
        return view
    copy = backend.empty(view.shape, view.dtype)
    copy[...] = view
    return copy


def as_rows(backend: Backend, columns: Array) -> Array:
    """(K, H, n) as (K · n, H): steps and sequences become one axis, in the order of both."""
    rows = plain(backend, columns.transpose(0, 2, 1))
    return rows.reshape(-1, rows.shape[-1])
