"""A layer over a batch of sequences: both directions at once, ragged or not.

This module owns the batch and the products that need no loop: W x for many steps, and the
gradients of the weights. What happens from step to step is `timeloop`'s.

Shapes: K steps of a segment, S directions, G blocks of gates, H hidden units, P features of the
hidden state (H where it is no projection), n sequences that are running, T time, B batch, D input.
Both directions advance together, each in its own order of steps, and each with its batch sorted by
length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from itertools import pairwise

import numpy as np

from ..backends import Array, Backend
from .packing import Packing, Segment
from .steps import SegmentTrace, Steps, Weights, as_columns, contiguous
from .trace import SegmentGradient


def _chunks(backend: Backend, steps: int, bytes_per_step: int) -> list[slice]:
    size = max(1, backend.chunk_bytes // bytes_per_step)
    return [slice(k, min(k + size, steps)) for k in range(0, steps, size)]


def _split(backend: Backend, segment: Segment, bytes_per_step: int) -> Iterator[Segment]:
    for chunk in _chunks(backend, segment.stop - segment.start, bytes_per_step):
        yield Segment(segment.start + chunk.start, segment.start + chunk.stop, segment.width)


def _own_ends(backend: Backend, packing: Packing, segment: Segment) -> tuple | None:
    """An index of each sequence's last state in running states (K + 1, S, ·, n), (n, S, ·).

    None where all run to the segment's end.
    """
    ends, length = packing.ends(segment), segment.stop - segment.start
    if not packing.ragged or (ends == length).all():
        return None
    return backend.index((ends, slice(None), slice(None), np.arange(segment.width)))


def _arrivals(packing: Packing, segment: Segment) -> dict[int, slice]:
    """The columns whose sequences end, or go on in the next segment, after so many steps."""
    ends = packing.ends(segment)
    starts = np.flatnonzero(np.diff(ends, prepend=ends[0] + 1))
    stops = [*starts[1:], len(ends)]
    return {int(ends[a]): slice(int(a), int(b)) for a, b in zip(starts, stops, strict=True)}


def _cut(chunks: list[slice], at: Iterable[int]) -> list[slice]:
    """The chunks, cut once more at these steps."""
    edges = sorted({chunk.start for chunk in chunks} | {chunk.stop for chunk in chunks} | {*at})
    return [slice(a, b) for a, b in pairwise(edges)]


def forward(
    steps: Steps, x: Array, packing: Packing, state: list[Array], keep: bool
) -> tuple[Array, list[SegmentTrace]]:
    """Run one layer over a batch of sequences.

    Parameters
    ----------
    steps : Steps
        How the layer goes from step to step.
    x : array (T, B, D)
    state : list of arrays (S, ·, B), batch in the order of ``packing``
        The initial state. It is overwritten by each sequence's final state.
    keep : bool
        Whether to keep what backward needs. Without, memory beyond the output is O(B·H).

    Returns
    -------
    y : array (T, B, S·P)
        Zero after each sequence's end.
    traces : list of SegmentTrace
        Empty unless ``keep``.
    """
    cell, backend, directions, hidden = steps.cell, steps.backend, steps.directions, steps.hidden
    dtype = x.dtype

    # What the caller keeps is the caller's own: the pool is for what comes and goes.
    new = backend.xp.zeros if packing.ragged else backend.xp.empty
    y = new((*x.shape[:2], directions * steps.output_size), dtype)
    traces = []
    for whole in packing.segments:
        n = whole.width
        step_bytes = directions * cell.blocks * hidden * n * dtype.itemsize
        advance = steps.forward_loop(n, whole.stop - whole.start)
        for segment in [whole] if keep else _split(backend, whole, step_bytes):
            length = segment.stop - segment.start
            gates = backend.empty((length, directions, cell.blocks, hidden, n), dtype)
            states = tuple(
                backend.empty((length + 1, *initial.shape[:2], n), dtype) for initial in state
            )
            trace = SegmentTrace(segment, gates, states, steps.empty(steps.saved_shapes, length, n))
            places = [packing.place(backend, segment, s == 1) for s in range(directions)]
            inputs = [place.get(x) for place in places]
            for running, initial in zip(states, state, strict=True):
                running[0] = initial[..., :n]
            for chunk in _chunks(backend, length, step_bytes):
                gates_, before, after, saved = trace.steps(chunk)
                steps.input_product([x_s[chunk] for x_s in inputs], gates_, saved)
                advance(gates_, before, after, saved)
            last = _own_ends(backend, packing, segment)
            for running, final in zip(states, state, strict=True):
                if last is None:
                    final[..., :n] = running[-1]
                else:
                    final[..., :n] = running[last].transpose(1, 2, 0)
            for s in range(directions):
                half = slice(s * steps.output_size, (s + 1) * steps.output_size)
                places[s].set(y, states[0][1:, s].transpose(0, 2, 1), half)
            if keep:
                traces.append(trace)
    return y, traces


def backward(
    steps: Steps,
    x: Array,
    packing: Packing,
    traces: list[SegmentTrace],
    dy: Array,
    dstate: list[Array],
    keep: bool = False,
    ending: bool = True,
) -> tuple[Array, Weights, list[SegmentGradient]]:
    """Back through time: the gradients of one layer.

    Parameters
    ----------
    steps : Steps
    x, packing
        Those of ``forward``.
    traces : list of SegmentTrace
        What ``forward`` left.
    dy : array (T, B, S·P)
        Gradient of the loss with respect to the output; ignored after each sequence's end.
    dstate : list of arrays (S, ·, B), batch in the order of ``packing``
        Gradient with respect to the final state. Overwritten by that of the initial state.
    keep : bool
        Whether to keep the gradients of every step.
    ending : bool
        False: ``dstate`` is zero on entry.

    Returns
    -------
    dx : array (T, B, D)
    gradients : Weights
    kept : list of SegmentGradient
        Empty unless ``keep``.
    """
    cell, backend, directions = steps.cell, steps.backend, steps.directions
    xp, weights, dtype = backend.xp, steps.weights, x.dtype

    dx = (xp.zeros if packing.ragged else xp.empty)(x.shape, dtype)
    gradients = Weights(
        *([xp.zeros_like(w) for w in getattr(weights, f.name)] for f in fields(Weights))
    )
    kept = []
    for trace in reversed(traces):
        segment = trace.segment
        length, n = segment.stop - segment.start, segment.width
        places = [packing.place(backend, segment, s == 1) for s in range(directions)]
        dh = backend.empty((length, directions, steps.output_size, n), dtype)
        for s in range(directions):
            half = slice(s * steps.output_size, (s + 1) * steps.output_size)
            dh[:, s] = places[s].get(dy[..., half]).transpose(0, 2, 1)
            # No gradient comes from past a sequence's end: there all that follows is 0.
            places[s].clear(dh[:, s].transpose(0, 2, 1))
        d = backend.empty(trace.gates.shape, dtype)
        local = steps.empty(steps.local_shapes, length, n)
        # A sequence brings the gradient of its final state when the loop comes to its end.
        arriving = _arrivals(packing, segment)
        if not ending:
            arriving = {stop: columns for stop, columns in arriving.items() if stop == length}
        carried = [xp.zeros((*array.shape[:2], n), dtype) for array in dstate]
        go_back = steps.backward_loop(n, keep)
        step_bytes = directions * cell.blocks * steps.hidden * n * dtype.itemsize
        with backend.stepping(steps.operations(n)):
            for chunk in reversed(_cut(_chunks(backend, length, step_bytes), arriving)):
                if chunk.stop in arriving:
                    columns = arriving[chunk.stop]
                    for array, full in zip(carried, dstate, strict=True):
                        array[..., columns] = full[..., columns]
                local_ = {name: array[chunk] for name, array in local.items()}
                go_back(dh[chunk], trace.steps(chunk), d[chunk], local_, carried)
        for array, full in zip(carried, dstate, strict=True):
            full[..., :n] = array
        for s in range(directions):
            # The order of dx itself, where nothing is written yet, or room of its own.
            in_place = s == 0 and not packing.ragged
            shape = (length * n, x.shape[-1])
            out = dx.reshape(shape) if in_place else backend.empty(shape, dtype)
            with backend.multiplying(2 * steps.weights.input[s].size * length * n):
                inputs = places[s].get(x)
                weight_gradients(steps, s, inputs, trace, dh, d, local, gradients, out)
            if not in_place:
                # In real time the other direction's segments lie elsewhere, and overlap with this.
                places[s].set(dx, places[s].get(dx) + out.reshape(length, n, -1))
        if keep:
            kept.insert(0, SegmentGradient(segment, d, steps.state_gradients(dh, local)))
    return dx, gradients, kept


def weight_gradients(
    steps: Steps,
    s: int,
    x: Array,
    trace: SegmentTrace,
    dh: Array,
    d: Array,
    local: dict[str, Array],
    total: Weights,
    dx: Array,
) -> None:
    """Add a segment's share of the weights' gradients in direction s, and write its ``dx``.

    Steps and sequences become one axis, so that each gradient is a single product: ``x``
    (K, n, D), ``dx`` (K · n, D); ``dh``, ``d`` and ``local`` are what the loop over time left.
    """
    columns, rows = as_columns(steps.backend, d[:, s]), steps.rows(steps.cell.input_blocks)
    steps.add_gradients(total, s, columns, trace, dh, d, local)
    total.bias[s] += columns.sum(axis=1)
    fed = steps.input_gradient(d, local)
    if fed is not d:
        columns = as_columns(steps.backend, fed[:, s])
    inputs = contiguous(steps.backend, x).reshape(dx.shape)
    total.input[s] += columns[rows] @ inputs
    steps.backend.xp.matmul(columns[rows].T, steps.weights.input[s], out=dx)
