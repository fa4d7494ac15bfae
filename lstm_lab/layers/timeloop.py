"""The time loop: one layer, both directions at once, forward and back through time.

Written once for every cell and every backend. The cells bring the pointwise part, the backend
brings the arrays; this module owns the order of things and the matrix products.

Shapes: K steps of a stretch, S directions, G blocks of gates, H hidden units, n sequences that
are running, T time, B batch, D input. Both directions advance together, each in its own order of
steps, and each with its batch sorted by length.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from ..backends import Array, Backend
from .packing import Packing, Stretch
from .steps import Block, Steps, Weights, as_columns, plain


def _pieces(backend: Backend, steps: int, bytes_per_step: int) -> list[slice]:
    size = max(1, backend.piece_bytes // bytes_per_step)
    return [slice(k, min(k + size, steps)) for k in range(0, steps, size)]


def _split(backend: Backend, stretch: Stretch, bytes_per_step: int) -> Iterator[Stretch]:
    for piece in _pieces(backend, stretch.stop - stretch.start, bytes_per_step):
        yield Stretch(stretch.start + piece.start, stretch.start + piece.stop, stretch.width)


def forward(
    own: Steps, x: Array, packing: Packing, state: list[Array], keep: bool
) -> tuple[Array, list[Block]]:
    """Run one layer over a batch of sequences.

    Parameters
    ----------
    own : Steps
        The layer's own way to take steps.
    x : array (T, B, D)
    state : list of arrays (S, ·, B), batch in the order of ``packing``
        The initial state. It is overwritten by each sequence's final state.
    keep : bool
        Whether to keep what backward needs. Without, memory beyond the output is O(B·H).

    Returns
    -------
    y : array (T, B, S·P)
        Zero after each sequence's end.
    blocks : list of Block
        Empty unless ``keep``.
    """
    cell, backend, directions, hidden = own.cell, own.backend, own.directions, own.hidden
    steps, batch, dtype = *x.shape[:2], x.dtype

    # What the caller keeps is the caller's own: the pool is for what comes and goes.
    new = backend.xp.zeros if packing.ragged else backend.xp.empty
    y = new((steps, batch, directions * own.output_size), dtype)
    blocks = []
    for whole in packing.stretches:
        n = whole.width
        step_bytes = directions * cell.blocks * hidden * n * dtype.itemsize
        advance = own.forward_loop(n, whole.stop - whole.start)
        for stretch in [whole] if keep else _split(backend, whole, step_bytes):
            length = stretch.stop - stretch.start
            gates = backend.empty((length, directions, cell.blocks, hidden, n), dtype)
            states = tuple(
                backend.empty((length + 1, *initial.shape[:2], n), dtype) for initial in state
            )
            kept = own.room(own.kept_shapes, length, n)
            block = Block(stretch, gates, states, kept)
            index = [backend.index(packing.index(stretch, s == 1)) for s in range(directions)]
            inputs = [x[i] for i in index]
            for running, initial in zip(states, state, strict=True):
                running[0] = initial[..., :n]
            for piece in _pieces(backend, length, step_bytes):
                some = block.steps(piece)
                own.enter([x[piece] for x in inputs], some[0], some[-1])
                advance(*some)
            for running, final in zip(states, state, strict=True):
                final[..., :n] = running[-1]
            for s in range(directions):
                half = slice(s * own.output_size, (s + 1) * own.output_size)
                y[(*index[s], half)] = states[0][1:, s].transpose(0, 2, 1)
            if keep:
                blocks.append(block)
    return y, blocks


def backward(
    own: Steps,
    x: Array,
    packing: Packing,
    blocks: list[Block],
    dy: Array,
    dstate: list[Array],
) -> tuple[Array, Weights]:
    """Back through time: the gradients of one layer.

    Parameters
    ----------
    own : Steps
    x, packing
        Those of ``forward``.
    blocks : list of Block
        What ``forward`` left.
    dy : array (T, B, S·P)
        Gradient of the loss with respect to the output; ignored after each sequence's end.
    dstate : list of arrays (S, ·, B), batch in the order of ``packing``
        Gradient with respect to the final state. Overwritten by that of the initial state.

    Returns
    -------
    dx : array (T, B, D)
    gradients : Weights
    """
    cell, backend, directions = own.cell, own.backend, own.directions
    xp, weights, dtype = backend.xp, own.weights, x.dtype
    rows = own.rows(cell.input_blocks)

    dx = (xp.zeros if packing.ragged else xp.empty)(x.shape, dtype)
    gradients = Weights(
        *([xp.zeros_like(w) for w in getattr(weights, f.name)] for f in fields(Weights))
    )
    for block in reversed(blocks):
        stretch, gates = block.stretch, block.gates
        length, n = stretch.stop - stretch.start, stretch.width
        index = [backend.index(packing.index(stretch, s == 1)) for s in range(directions)]
        arriving = backend.empty((length, directions, own.output_size, n), dtype)
        for s in range(directions):
            half = slice(s * own.output_size, (s + 1) * own.output_size)
            arriving[:, s] = dy[(*index[s], half)].transpose(0, 2, 1)
        d = backend.empty(gates.shape, dtype)
        factors = own.room(own.factor_shapes, length, n)
        carried = [xp.ascontiguousarray(array[..., :n]) for array in dstate]
        go_back = own.backward_loop(n)
        step_bytes = directions * cell.blocks * own.hidden * n * dtype.itemsize
        with backend.stepping(own.operations(n)):
            for piece in reversed(_pieces(backend, length, step_bytes)):
                worked_out = {name: array[piece] for name, array in factors.items()}
                go_back(arriving[piece], block.steps(piece), d[piece], worked_out, carried)
        for array, full in zip(carried, dstate, strict=True):
            full[..., :n] = array
        for s in range(directions):
            # Steps and sequences become one axis, so that each gradient is a single product.
            columns = as_columns(backend, d[:, s])
            own.add_gradients(gradients, s, columns, block, arriving, d, factors)
            gradients.bias[s] += columns.sum(axis=1)
            entered = own.entered(d, factors)
            columns = columns if entered is d else as_columns(backend, entered[:, s])
            inputs = plain(backend, x[index[s]]).reshape(length * n, -1)
            gradients.input[s] += columns[rows] @ inputs
            if s == 0 and not packing.ragged:  # in the order of dx itself, and the first there
                xp.matmul(columns[rows].T, weights.input[s], out=dx.reshape(length * n, -1))
            else:
                product = backend.empty(inputs.shape, dtype)
                xp.matmul(columns[rows].T, weights.input[s], out=product)
                dx[index[s]] += product.reshape(length, n, -1)
    return dx, gradients
