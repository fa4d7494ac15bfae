"""The time loop: one layer, both directions at once, forward and back through time.

Written once for every cell and every backend. The cells bring the pointwise part, the backend
brings the arrays; this module owns the order of things and the matrix products.

Shapes: K steps of a stretch, S directions, G blocks of gates, H hidden units, n sequences that
are running, T time, B batch, D input. Both directions advance together, each in its own order of
steps, and each with its batch sorted by length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

from ..backends import Array, Backend
from ..cells import Cell
from .packing import Packing, Stretch

CACHE_BYTES = 1 << 19
"""How much of the gates is worked on at a time: about what stays in a core's own cache."""

ONE_BY_ONE = 10**6
"""rows · inner · columns up to which a product is not worth joining with those of other steps."""


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


@dataclass(frozen=True)
class Block:
    """What one stretch left behind: all that backward needs of it."""

    stretch: Stretch
    gates: Array  # (K, S, G, H, n), after the activation
    states: tuple[Array, ...]  # each (K + 1, S, H, n); slot 0 is the state on entry
    kept: tuple[Array, ...]  # each (K, S, H, n)


def step_operations(weights: Weights, n: int) -> int:
    """Additions and multiplications in the product of one step, of one direction."""
    rows, inner = weights.recurrent[0].shape
    return 2 * rows * inner * n


def _pieces(steps: int, bytes_per_step: int) -> list[slice]:
    size = max(1, CACHE_BYTES // bytes_per_step)
    return [slice(k, min(k + size, steps)) for k in range(0, steps, size)]


def _split(stretch: Stretch, bytes_per_step: int) -> Iterator[Stretch]:
    for piece in _pieces(stretch.stop - stretch.start, bytes_per_step):
        yield Stretch(stretch.start + piece.start, stretch.start + piece.stop, stretch.width)


def _peepholes(backend: Backend, weights: list[Array], hidden: int, n: int) -> list[Array]:
    """The peephole weights, an equal column for each sequence; nothing where there are none."""
    if not weights:
        return []
    stacked = backend.xp.stack(weights).reshape(len(weights), -1, hidden, 1)
    columns = backend.empty((*stacked.shape[:3], n), stacked.dtype)
    columns[...] = stacked
    return [columns]


def _copy(backend: Backend, view: Array) -> Array:
    """The values of a view in plain memory; the view itself if it is plain."""
    if view.flags.c_contiguous:
        return view
    copy = backend.empty(view.shape, view.dtype)
    copy[...] = view
    return copy


def _enter(
    cell: Cell, backend: Backend, weights: list[Array], bias: Array, x: list[Array], gates: Array
) -> None:
    """``gates`` = W x + b for some steps; ``x`` (K, n, D) and ``weights`` of each direction.

    A direction's steps and sequences are the columns of one product. Its result goes to the gates'
    layout and gets its bias in one pass, while it is in the cache. Small products are faster one
    by one, each straight to its place.
    """
    xp = backend.xp
    length, directions, _, hidden, n = gates.shape
    if 1 < n <= ONE_BY_ONE // weights[0].size:
        first = range(cell.blocks)[cell.input_blocks].start * hidden
        rows = slice(first, first + len(weights[0]))
        flat = gates.reshape(length, directions, -1, n)
        if cell.input_rows < cell.blocks:
            gates[...] = 0
        for s in range(directions):
            each = xp.ascontiguousarray(x[s].transpose(0, 2, 1))
            backend.matmul(weights[s], each, out=flat[:, s, rows])
        gates += bias
        return
    product = backend.empty((cell.input_rows, hidden, length, n), gates.dtype)
    columns = product.reshape(-1, length * n)
    if cell.input_rows < cell.blocks:
        gates[...] = bias
    for s in range(directions):
        xp.matmul(weights[s], x[s].reshape(length * n, -1).T, out=columns)
        fed = (slice(None), s, cell.input_blocks)
        xp.add(product.transpose(2, 0, 1, 3), bias[fed], out=gates[fed])


def _forward_loop(
    cell: Cell, backend: Backend, weights: Array, n: int, steps: int, peepholes: list[Array]
) -> Callable[..., None]:
    """``advance(gates, recurrent, *others)``: all steps of ``cell.forward``.

    The arguments are those of ``cell.forward``, each with its steps as the first axis, less the
    peepholes, which every step shares; ``recurrent`` is working space for the product of
    ``weights`` (S, rows, H) in a single step.
    """
    whole = backend.forward_loop(cell.forward, weights, n, steps)
    if whole is not None:
        return lambda *arrays: whole(*arrays, *peepholes)
    step = backend.pointwise(cell.forward, weights.dtype)
    multiply, product_shape = backend.product(weights, n), (*weights.shape[:2], n)

    def advance(gates: Array, recurrent: Array, *others: Array) -> None:
        product = recurrent.reshape(product_shape)
        for gate, hidden_before, *rest in zip(gates, *others, strict=True):
            multiply(hidden_before, product)
            step(gate, recurrent, hidden_before, *rest, *peepholes)

    return advance


def _backward_loop(
    cell: Cell,
    backend: Backend,
    weights: Array,
    n: int,
    rows: slice,
    peepholes: list[Array],
    truncated: bool,
) -> Callable[..., None]:
    """``go_back(arriving, stepwise, carried)``: all steps of ``cell.backward``, the last first.

    ``arriving`` (K, S, H, n) is the gradient from the output. ``stepwise`` and ``carried`` are
    the arguments of ``cell.backward``, the former with their steps as the first axis. ``rows``
    are those of d that ``weights`` (S, rows, H) carry to the state before; if ``truncated``, they
    carry nothing.
    """
    if not truncated:
        whole = backend.backward_loop(cell.backward, weights, n, rows, cell.direct)
        if whole is not None:
            return lambda arriving, stepwise, carried: whole(
                arriving, stepwise, [*carried, *peepholes]
            )
    step = backend.pointwise(cell.backward, weights.dtype)
    transposed = weights.transpose(0, 2, 1)
    multiply = backend.product(transposed, n)
    through = backend.empty((*transposed.shape[:2], n), weights.dtype)

    def go_back(arriving: Array, stepwise: tuple[Array, ...], carried: list[Array]) -> None:
        dhidden, d = carried[0], stepwise[0]
        columns = d.reshape(*d.shape[:2], -1, n)[:, :, rows]
        for dy_step, columns_step, *own in zip(
            *[array[::-1] for array in (arriving, columns, *stepwise)], strict=True
        ):
            dhidden += dy_step
            step(*own, *carried, *peepholes)
            if truncated:
                dhidden[...] = 0
            elif cell.direct:
                multiply(columns_step, through)
                dhidden += through
            else:
                multiply(columns_step, dhidden)

    return go_back


def forward(
    cell: Cell,
    backend: Backend,
    weights: Weights,
    x: Array,
    packing: Packing,
    state: list[Array],
    keep: bool,
) -> tuple[Array, list[Block]]:
    """Run one layer over a batch of sequences.

    Parameters
    ----------
    x : array (T, B, D)
    state : list of arrays (S, H, B), batch in the order of ``packing``
        The initial state. It is overwritten by each sequence's final state.
    keep : bool
        Whether to keep what backward needs. Without, memory beyond the output is O(B·H).

    Returns
    -------
    y : array (T, B, S·H)
        Zero after each sequence's end.
    blocks : list of Block
        Empty unless ``keep``.
    """
    xp, directions, hidden = backend.xp, len(weights.bias), weights.recurrent[0].shape[1]
    steps, batch, dtype = *x.shape[:2], x.dtype
    w_input = [cell.fold(w, hidden, cell.input_blocks) for w in weights.input]
    w_recurrent = xp.stack(
        [cell.fold(w, hidden, cell.recurrent_blocks) for w in weights.recurrent]
    )
    bias = xp.stack([cell.fold(b, hidden, slice(None)) for b in weights.bias])
    bias = bias.reshape(1, directions, cell.blocks, hidden, 1)
    seen = [p * 0.5 for p in weights.peephole]  # gates with peepholes pass through a sigmoid

    # What the caller keeps is the caller's own: the pool is for what comes and goes.
    new = xp.zeros if packing.ragged else xp.empty
    y = new((steps, batch, directions * hidden), dtype)
    blocks = []
    for whole in packing.stretches:
        n = whole.width
        step_bytes = directions * cell.blocks * hidden * n * dtype.itemsize
        recurrent = backend.empty((directions, cell.recurrent_rows, hidden, n), dtype)
        peepholes = _peepholes(backend, seen, hidden, n)
        steps_at_most = whole.stop - whole.start
        advance = _forward_loop(cell, backend, w_recurrent, n, steps_at_most, peepholes)
        for stretch in [whole] if keep else _split(whole, step_bytes):
            length = stretch.stop - stretch.start
            shape = (directions, hidden, n)
            gates = backend.empty((length, directions, cell.blocks, hidden, n), dtype)
            states = tuple(backend.empty((length + 1, *shape), dtype) for _ in state)
            kept = tuple(backend.empty((length, *shape), dtype) for _ in range(cell.kept))
            index = [backend.index(packing.index(stretch, s == 1)) for s in range(directions)]
            inputs = [x[i] for i in index]
            for running, initial in zip(states, state, strict=True):
                running[0] = initial[..., :n]
            for piece in _pieces(length, step_bytes):
                _enter(cell, backend, w_input, bias, [x[piece] for x in inputs], gates[piece])
                after = slice(piece.start + 1, piece.stop + 1)
                advance(
                    gates[piece],
                    recurrent,
                    *[running[piece] for running in states],
                    *[running[after] for running in states],
                    *[array[piece] for array in kept],
                )
            for running, final in zip(states, state, strict=True):
                final[..., :n] = running[-1]
            for s in range(directions):
                own = slice(s * hidden, (s + 1) * hidden)
                y[(*index[s], own)] = states[0][1:, s].transpose(0, 2, 1)
            if keep:
                blocks.append(Block(stretch, gates, states, kept))
    return y, blocks


def backward(
    cell: Cell,
    backend: Backend,
    weights: Weights,
    x: Array,
    packing: Packing,
    blocks: list[Block],
    dy: Array,
    dstate: list[Array],
    truncated: bool = False,
) -> tuple[Array, Weights]:
    """Back through time: the gradients of one layer.

    Parameters
    ----------
    dy : array (T, B, S·H)
        Gradient of the loss with respect to the output; ignored after each sequence's end.
    dstate : list of arrays (S, H, B), batch in the order of ``packing``
        Gradient with respect to the final state. Overwritten by that of the initial state.
    truncated : bool
        Let no gradient pass from the gates and the candidate to the hidden state before: what
        is left flows along the cell state alone (Hochreiter & Schmidhuber 1997, appendix A.1).

    Returns
    -------
    dx : array (T, B, D)
    gradients : Weights
    """
    xp, directions, hidden = backend.xp, len(weights.bias), weights.recurrent[0].shape[1]
    dtype = x.dtype
    derive = backend.pointwise(cell.derivatives, dtype)
    w_recurrent = xp.stack(weights.recurrent)
    input_rows = range(cell.blocks)[cell.input_blocks]
    rows_x = slice(input_rows.start * hidden, input_rows.stop * hidden)
    recurrent_rows = range(cell.blocks)[cell.recurrent_blocks]
    rows_h = slice(recurrent_rows.start * hidden, recurrent_rows.stop * hidden)

    dx = (xp.zeros if packing.ragged else xp.empty)(x.shape, dtype)
    gradients = Weights(
        *([xp.zeros_like(w) for w in getattr(weights, f.name)] for f in fields(Weights))
    )
    for block in reversed(blocks):
        stretch, gates, states = block.stretch, block.gates, block.states
        length, n = stretch.stop - stretch.start, stretch.width
        shape = (directions, hidden, n)
        index = [backend.index(packing.index(stretch, s == 1)) for s in range(directions)]
        arriving = backend.empty((length, *shape), dtype)
        for s in range(directions):
            own = slice(s * hidden, (s + 1) * hidden)
            arriving[:, s] = dy[(*index[s], own)].transpose(0, 2, 1)
        d = backend.empty(gates.shape, dtype)
        flat = d.reshape(length, directions, -1, n)
        factors = tuple(backend.empty((length, *shape), dtype) for _ in range(cell.factors))
        carried = [xp.ascontiguousarray(array[..., :n]) for array in dstate]
        peepholes = _peepholes(backend, weights.peephole, hidden, n)
        go_back = _backward_loop(cell, backend, w_recurrent, n, rows_h, peepholes, truncated)
        step_bytes = directions * cell.blocks * hidden * n * dtype.itemsize
        with backend.stepping(step_operations(weights, n)):
            for piece in reversed(_pieces(length, step_bytes)):
                after = slice(piece.start + 1, piece.stop + 1)
                derive(
                    gates[piece],
                    *[running[piece] for running in states],
                    *[running[after] for running in states],
                    *[array[piece] for array in block.kept],
                    d[piece],
                    *[array[piece] for array in factors],
                )
                own = (d[piece], *[array[piece] for array in factors], gates[piece])
                go_back(arriving[piece], own, carried)
        for array, full in zip(carried, dstate, strict=True):
            full[..., :n] = array
        for s in range(directions):
            # Steps and sequences become one axis, so that each gradient is a single product.
            columns = _copy(backend, flat[:, s].transpose(1, 0, 2)).reshape(-1, length * n)
            before = _copy(backend, states[0][:-1, s].transpose(0, 2, 1)).reshape(length * n, -1)
            inputs = _copy(backend, x[index[s]]).reshape(length * n, -1)
            gradients.input[s] += columns[rows_x] @ inputs
            gradients.recurrent[s] += columns[rows_h] @ before
            gradients.bias[s] += columns.sum(axis=1)
            for k in range(cell.peepholes):
                # The output gate, block 0, sees the new cell state; the others see the old one.
                seen = states[1][1:, s] if k == 0 else states[1][:-1, s]
                own = slice(k * hidden, (k + 1) * hidden)
                gradients.peephole[s][own] += (d[:, s, k] * seen).sum(axis=(0, 2))
            if s == 0 and not packing.ragged:  # in the order of dx itself, and the first there
                xp.matmul(columns[rows_x].T, weights.input[s], out=dx.reshape(length * n, -1))
            else:
                product = backend.empty(inputs.shape, dtype)
                xp.matmul(columns[rows_x].T, weights.input[s], out=product)
                dx[index[s]] += product.reshape(length, n, -1)
    return dx, gradients
