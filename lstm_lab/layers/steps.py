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
from .packing import Stretch

ONE_BY_ONE = 10**6
"""rows · inner · columns up to which a product is not worth joining with those of other steps."""

Arrays = Sequence[Array]
Named = dict[str, Array]


@dataclass(frozen=True)
class Weights:
    """The parameters of one layer, an entry for each direction; empty lists of what it lacks.

    P is the size of the hidden state, H where there is no projection.
    """

    input: list[Array]  # (input_rows · H, D)
    recurrent: list[Array]  # (recurrent_rows · H, P)
    bias: list[Array]  # (blocks · H,)
    peephole: list[Array]  # (peepholes · H,)
    projection: list[Array]  # (P, H)
    gain_x: list[Array]  # (blocks · H,)
    gain_h: list[Array]  # (blocks · H,)
    gain_c: list[Array]  # (H,)
    bias_c: list[Array]  # (H,)


@dataclass(frozen=True)
class Block:
    """What one stretch left behind: all that backward needs of it."""

    stretch: Stretch
    gates: Array  # (K, S, G, H, n), after the activation
    states: tuple[Array, ...]  # each (K + 1, S, ·, n); slot 0 is the state on entry
    kept: Named  # each (K, S, ..., n)

    def steps(self, piece: slice) -> tuple[Array, Arrays, Arrays, Named]:
        """Of some steps: the gates, the states before and after, and what else was kept."""
        after = slice(piece.start + 1, piece.stop + 1)
        return (
            self.gates[piece],
            [running[piece] for running in self.states],
            [running[after] for running in self.states],
            {name: array[piece] for name, array in self.kept.items()},
        )


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
        self.output_size = weights.recurrent[0].shape[1]
        self.dtype = weights.bias[0].dtype

    def rows(self, blocks: slice) -> slice:
        """The rows of these blocks of gates."""
        blocks = range(self.cell.blocks)[blocks]
        return slice(blocks.start * self.hidden, blocks.stop * self.hidden)

    # Forward

    def fold(self, weights: Array, *blocks: slice) -> Array:
        """A matrix as forward uses it; see `Cell.fold`."""
        return self.cell.fold(weights, self.hidden, *blocks)

    @cached_property
    def input_weights(self) -> list[Array]:
        """What x is multiplied by."""
        return [self.fold(w, self.cell.input_blocks) for w in self.weights.input]

    @cached_property
    def _folded_recurrent(self) -> Array:
        blocks = self.cell.blocks_of_u
        return self.backend.xp.stack([self.fold(w, *blocks) for w in self.weights.recurrent])

    @cached_property
    def folded_bias(self) -> Array:
        bias = [self.cell.fold(b, self.hidden, slice(None)) for b in self.weights.bias]
        shape = (1, self.directions, self.cell.blocks, self.hidden, 1)
        return self.backend.xp.stack(bias).reshape(shape)

    @property
    def folded_peepholes(self) -> list[Array]:
        # Gates with peepholes pass through a sigmoid.
        return [p * 0.5 for p in self.weights.peephole]

    @property
    def kept_shapes(self) -> dict[str, tuple[int, ...]]:
        """What a step leaves for backward beside gates and states, of one sequence."""
        return dict.fromkeys(self.cell.kept_names, (self.hidden,))

    @property
    def factor_shapes(self) -> dict[str, tuple[int, ...]]:
        """What going back works out beside the gates' gradients, of one step and sequence."""
        return dict.fromkeys(self.cell.factor_names, (self.hidden,))

    def room(self, shapes: dict[str, tuple[int, ...]], length: int, n: int) -> Named:
        """Arrays of any content for ``length`` steps of n sequences."""
        return {
            name: self.backend.empty((length, self.directions, *shape, n), self.dtype)
            for name, shape in shapes.items()
        }

    def operations(self, n: int) -> int:
        """Additions and multiplications in the recurrent product of one step and direction."""
        rows, inner = self.weights.recurrent[0].shape
        return 2 * rows * inner * n

    def enter(self, x: list[Array], gates: Array, kept: Named) -> None:
        """``gates`` = W x + b, pre-activations without their recurrent part.

        Of some steps; ``x`` holds the input (K, n, D) of each direction.
        """
        self.input_product(x, gates, self.folded_bias)

    def input_product(self, x: list[Array], gates: Array, bias: Array) -> None:
        """``gates`` = W x + bias.

        A direction's steps and sequences are the columns of one product. Its result goes to the
        gates' layout and gets its bias in one pass, while it is in the cache. Small products are
        faster one by one, each straight to its place.
        """
        cell, backend, weights = self.cell, self.backend, self.input_weights
        length, n = gates.shape[0], gates.shape[-1]
        if 1 < n <= ONE_BY_ONE // weights[0].size:
            rows = self.rows(cell.input_blocks)
            flat = gates.reshape(length, self.directions, -1, n)
            if cell.input_rows < cell.blocks:
                gates[...] = 0
            for s in range(self.directions):
                each = backend.xp.ascontiguousarray(x[s].transpose(0, 2, 1))
                backend.matmul(weights[s], each, out=flat[:, s, rows])
            gates += bias
            return
        product = backend.empty((cell.input_rows, self.hidden, length, n), self.dtype)
        columns = product.reshape(-1, length * n)
        if cell.input_rows < cell.blocks:
            gates[...] = bias
        for s in range(self.directions):
            backend.xp.matmul(weights[s], x[s].reshape(length * n, -1).T, out=columns)
            fed = (slice(None), s, cell.input_blocks)
            backend.xp.add(product.transpose(2, 0, 1, 3), bias[fed], out=gates[fed])

    def forward_loop(self, n: int, steps: int) -> Callable[..., None]:
        """``advance(gates, before, after, kept)``: at most ``steps`` steps of n sequences.

        All arrays have their steps as the first axis: those of `Block.steps`.
        """
        cell, backend, weights = self.cell, self.backend, self._folded_recurrent
        peepholes = self.peepholes(self.folded_peepholes, n)
        recurrent = backend.empty(
            (self.directions, cell.recurrent_rows, self.hidden, n), self.dtype
        )
        whole = backend.forward_loop(cell.forward, weights, n, steps)
        if whole is not None:
            return lambda gates, before, after, kept: whole(
                gates, recurrent, *before, *after, *kept.values(), *peepholes
            )
        step, multiply = backend.pointwise(cell.forward, self.dtype), backend.product(weights, n)
        product = recurrent.reshape(self.directions, -1, n)

        def advance(gates: Array, before: Arrays, after: Arrays, kept: Named) -> None:
            others = (*after, *kept.values())
            for gate, hidden_before, *rest in zip(gates, *before, *others, strict=True):
                multiply(hidden_before, product)
                step(gate, recurrent, hidden_before, *rest, *peepholes)

        return advance

    # Backward

    @cached_property
    def _recurrent(self) -> Array:
        return self.backend.xp.stack(self.weights.recurrent)

    def backward_loop(self, n: int) -> Callable[..., None]:
        """``go_back(arriving, steps, d, factors, carried)``: the last step first.

        ``arriving`` (K, S, ·, n) is the gradient from the output, and ``steps`` are those of
        `Block.steps`. ``d``, like the gates, and ``factors`` are filled: with the gradients of the
        pre-activations, and what `factor_shapes` says. ``carried``, the gradients of the states
        (S, ·, n), go back to before the first step.
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
            steps: tuple[Array, Arrays, Arrays, Named],
            d: Array,
            factors: Named,
            carried: Arrays,
        ) -> None:
            gates, before, after, kept = steps
            derive(gates, *before, *after, *kept.values(), d, *factors.values())
            loop(arriving, (d, *factors.values(), gates), [*carried, *peepholes])

        return go_back

    def _generic_backward_loop(self, n: int, rows: slice) -> Callable[..., None]:
        """``loop(arriving, stepwise, shared)``: the latter two are what ``cell.backward`` takes.

        ``rows`` are those of d that U carries to the state before; if truncated, nothing is.
        """
        cell, backend, truncated = self.cell, self.backend, self.truncated
        step = backend.pointwise(cell.backward, self.dtype)
        transposed = self._recurrent.transpose(0, 2, 1)
        multiply = backend.product(transposed, n)
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
                    multiply(columns_step, through)
                    dhidden += through
                else:
                    multiply(columns_step, dhidden)

        return loop

    def entered(self, d: Array, factors: Named) -> Array:
        """The gradient of W x, which is like ``d``."""
        return d

    def add_gradients(
        self,
        total: Weights,
        s: int,
        columns: Array,
        block: Block,
        arriving: Array,
        d: Array,
        factors: Named,
    ) -> None:
        """Add a stretch's share of the gradients in direction s, but for W's and the bias'.

        ``columns`` (G · H, K · n) are those of d. Each matrix's gradient is a single product.
        """
        total.recurrent[s] += self._recurrent_gradient(s, columns, block, factors)
        for k in range(self.cell.peepholes):
            # The output gate, block 0, sees the new cell state; the others see the old one.
            cell = block.states[1]
            seen = cell[1:, s] if k == 0 else cell[:-1, s]
            own = slice(k * self.hidden, (k + 1) * self.hidden)
            total.peephole[s][own] += (d[:, s, k] * seen).sum(axis=(0, 2))

    def _recurrent_gradient(self, s: int, columns: Array, block: Block, factors: Named) -> Array:
        before = as_rows(self.backend, block.states[0][:-1, s])
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


def as_columns(backend: Backend, steps: Array) -> Array:
    """(K, ..., n) as (rows, K · n), likewise."""
    flat = steps.reshape(steps.shape[0], -1, steps.shape[-1])
    return plain(backend, flat.transpose(1, 0, 2)).reshape(flat.shape[1], -1)
