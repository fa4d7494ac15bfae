"""How a layer steps: from each hidden state to the next, and back.

`Steps` is the way of most layers, and the fast one: U h, then the cell, through
`timeloop.forward` and `timeloop.backward`. `steps_with_options.StepsWithOptions` is for layers
whose step does more.

Shapes: K steps, S directions, G blocks of gates, H hidden units, n sequences that are running.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..backends import Array, Backend
from ..cells import Cell
from . import timeloop
from .trace import SegmentTrace

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
    def saved_shapes(self) -> dict[str, tuple[int, ...]]:
        """What a step leaves for backward beside gates and states, of one sequence."""
        return dict.fromkeys(self.cell.forward.saved, (self.hidden,))

    @property
    def local_shapes(self) -> dict[str, tuple[int, ...]]:
        """The local derivatives beside the gates', of one step and sequence."""
        return dict.fromkeys(self.cell.derivatives.saved, (self.hidden,))

    def empty(self, shapes: dict[str, tuple[int, ...]], length: int, n: int) -> Named:
        """Arrays of any content for ``length`` steps of n sequences."""
        return {
            name: self.backend.empty((length, self.directions, *shape, n), self.dtype)
            for name, shape in shapes.items()
        }

    def workspace(self, n: int, *shape: int) -> Array:
        """An array (S, *shape, n) of any content."""
        return self.backend.empty((self.directions, *shape, n), self.dtype)

    def operations(self, n: int) -> int:
        """Additions and multiplications in the recurrent product of one step and direction."""
        rows, inner = self.weights.recurrent[0].shape
        return 2 * rows * inner * n

    def input_product(self, x: list[Array], gates: Array, saved: Named) -> None:
        """``gates`` = W x + b, pre-activations without their recurrent part.

        Of some steps; ``x`` holds the input (K, n, D) of each direction.
        """
        self.multiply_input(x, gates, self.folded_bias)

    def multiply_input(self, x: list[Array], gates: Array, bias: Array) -> None:
        """``gates`` = W x + bias.

        A direction's steps and sequences are the columns of one product. Its result goes to the
        gates' layout and gets its bias in one pass, while it is in the cache. Small products are
        faster one by one, each straight to its place.
        """
        cell, backend, weights = self.cell, self.backend, self.input_weights
        length, n = gates.shape[0], gates.shape[-1]
        if length == 1:
            for s in range(self.directions):
                self._multiply_one(gates, s)(x[s])
            gates += bias
            return
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

    def input_step(self, gates: Array, saved: Named) -> Callable[[Array], None]:
        """`input_product` of one step and direction, ready for an x (1, n, D) again and again."""
        multiply, bias, add = self._multiply_one(gates, 0), self.folded_bias, self.backend.xp.add

        def fill(x: Array) -> None:
            multiply(x)
            add(gates, bias, out=gates)

        return fill

    def _multiply_one(self, gates: Array, s: int) -> Callable[[Array], None]:
        """``multiply(x)``: W x of one step in direction s, to its place among the gates."""
        cell, n = self.cell, gates.shape[-1]
        fed = gates.reshape(1, self.directions, -1, n)[:, s, self.rows(cell.input_blocks)]
        multiply = self.backend.product(self.input_weights[s][None], n)
        if cell.input_rows == cell.blocks:
            return lambda x: multiply(x.transpose(0, 2, 1), fed)

        def multiply_part(x: Array) -> None:
            gates[:, s] = 0
            multiply(x.transpose(0, 2, 1), fed)

        return multiply_part

    def forward_loop(self, n: int, steps: int) -> Callable[..., None]:
        """``advance(gates, before, after, saved)``: at most ``steps`` steps of n sequences.

        All arrays have their steps as the first axis: those of `SegmentTrace.steps`.
        """
        cell, u = self.cell, self._folded_recurrent
        whole = self.backend.forward_loop(cell.forward, u, n, steps)
        if whole is None:
            return self.step_by_step(n)
        peepholes = self.peepholes(self.folded_peepholes, n)
        product = self.workspace(n, cell.recurrent_rows, self.hidden)
        return lambda gates, before, after, saved: whole(
            gates, product, *before, *after, *saved.values(), *peepholes
        )

    def step_by_step(self, n: int) -> Callable[..., None]:
        """`forward_loop` where no backend takes over.

        Instead of arrays with an axis of steps any sequences with an array for each step will do.
        """
        cell, backend = self.cell, self.backend
        peepholes = self.peepholes(self.folded_peepholes, n)
        product = self.workspace(n, cell.recurrent_rows, self.hidden)
        multiply = backend.product(self._folded_recurrent, n)
        step = backend.pointwise(cell.forward, self.dtype)
        return lambda gates, before, after, saved: timeloop.forward(
            multiply, step, gates, product, before, after, saved.values(), peepholes
        )

    # Backward

    @cached_property
    def _recurrent(self) -> Array:
        return self.backend.xp.stack(self.weights.recurrent)

    def backward_loop(self, n: int, keep: bool) -> Callable[..., None]:
        """``go_back(dh, steps, d, local, carried)``: the last step first.

        ``dh`` (K, S, ·, n) is the gradient from the output, and ``steps`` are those of
        `SegmentTrace.steps`. ``d``, like the gates, and ``local`` are filled: with the gradients
        of the pre-activations, and what `local_shapes` says. ``carried``, the gradients of the
        states (S, ·, n), go back to before the first step. With ``keep``, ``dh`` becomes all of
        the hidden states' gradient, and ``local`` that of the cell states.
        """
        cell, backend = self.cell, self.backend
        derive = backend.pointwise(cell.derivatives, self.dtype)
        peepholes = self.peepholes(self.weights.peephole, n)
        rows = self.rows(cell.recurrent_blocks)
        whole = None
        if not (self.truncated or keep):
            whole = backend.backward_loop(cell.backward, self._recurrent, n, rows, cell.direct)
        multiply, step = (None, None) if whole else self._back(n)

        def go_back(
            dh: Array,
            steps: tuple[Array, Arrays, Arrays, Named],
            d: Array,
            local: Named,
            carried: Arrays,
        ) -> None:
            gates, before, after, saved = steps
            local = local.values()
            derive(gates, *before, *after, *saved.values(), d, *local)
            if whole:
                whole(dh, (d, *local, gates), [*carried, *peepholes])
                return
            dh_carried, *carry = carried
            flat = d.reshape(*d.shape[:2], -1, n)[:, :, rows]
            timeloop.backward(
                multiply, step, d, flat, local, gates, dh, dh_carried, carry, peepholes
            )

        return go_back

    def _back(self, n: int) -> tuple[Callable[..., None], Callable[..., None]]:
        """``multiply`` and ``step`` of `timeloop.backward`."""
        cell, backend = self.cell, self.backend
        step = backend.pointwise(cell.backward, self.dtype)
        if self.truncated:
            return _stop, step
        multiply = backend.product(self._recurrent.transpose(0, 2, 1), n)
        if not cell.direct:
            return multiply, step
        past = self.workspace(n, self.hidden)

        def step_past(d: Array, gates: Array, dh: Array) -> None:
            past[...] = dh
            step(d, gates, past)

        def multiply_and_add(d: Array, dh: Array) -> None:
            multiply(d, dh)
            dh += past

        return multiply_and_add, step_past

    def state_gradients(self, dh: Array, local: Named) -> tuple[Array, ...]:
        """∂L/∂h, and ∂L/∂c where there is one, (K, S, ·, n), after a loop that kept them."""
        return dh, *local.values()

    def input_gradient(self, d: Array, local: Named) -> Array:
        """The gradient of W x, which is like ``d``."""
        return d

    def add_gradients(
        self,
        total: Weights,
        s: int,
        columns: Array,
        trace: SegmentTrace,
        dh: Array,
        d: Array,
        local: Named,
    ) -> None:
        """Add a segment's share of the gradients in direction s, but for W's and the bias'.

        ``columns`` (G · H, K · n) are those of d. Each matrix's gradient is a single product.
        """
        total.recurrent[s] += self._recurrent_gradient(s, columns, trace, local)
        for k in range(self.cell.peepholes):
            # The output gate, block 0, sees the new cell state; the others see the old one.
            cell = trace.states[1]
            seen = cell[1:, s] if k == 0 else cell[:-1, s]
            rows = slice(k * self.hidden, (k + 1) * self.hidden)
            total.peephole[s][rows] += (d[:, s, k] * seen).sum(axis=(0, 2))

    def _recurrent_gradient(
        self, s: int, columns: Array, trace: SegmentTrace, local: Named
    ) -> Array:
        before = as_rows(self.backend, trace.states[0][:-1, s])
        return columns[self.rows(self.cell.recurrent_blocks)] @ before

    def peepholes(self, weights: list[Array], n: int) -> list[Array]:
        """The peephole weights, an equal column for each sequence; nothing where there are none."""
        if not weights:
            return []
        stacked = self.backend.xp.stack(weights).reshape(self.directions, -1, self.hidden, 1)
        columns = self.workspace(n, *stacked.shape[1:3])
        columns[...] = stacked
        return [columns]


def _stop(d: Array, dh: Array) -> None:
    """In place of a product: no gradient reaches the hidden state before."""
    dh[...] = 0


def contiguous(backend: Backend, view: Array) -> Array:
    """The values of a view in contiguous memory; the view itself if it is contiguous."""
    if view.flags.c_contiguous:
        return view
    copy = backend.empty(view.shape, view.dtype)
    copy[...] = view
    return copy


def as_rows(backend: Backend, columns: Array) -> Array:
    """(K, H, n) as (K · n, H): steps and sequences become one axis, in the order of both."""
    rows = contiguous(backend, columns.transpose(0, 2, 1))
    return rows.reshape(-1, rows.shape[-1])


def as_columns(backend: Backend, steps: Array) -> Array:
    """(K, ..., n) as (rows, K · n), likewise."""
    flat = steps.reshape(steps.shape[0], -1, steps.shape[-1])
    return contiguous(backend, flat.transpose(1, 0, 2)).reshape(flat.shape[1], -1)
