"""The loop over time, forward and back.

Written once for every cell and every backend. The cells bring the pointwise part, the backends the
matrix product: `steps` puts both here, `sequence` brings the batches.

Shapes: K steps, S directions, G blocks of gates, H hidden units, n sequences that are running.
Both directions advance together, each in its own order of steps. Arrays with an entry for each
step have K as their first axis.
"""

from __future__ import annotations


def forward(multiply, step, gates, product, before, after, saved, weights):
    """From each hidden state to the next.

    Parameters
    ----------
    multiply : callable
        ``multiply(h, out)``: ``out`` = U h, for both directions.
    step : callable
        The cell's ``forward``.
    gates : array (K, S, G, H, n)
        W x + b on entry, the gates on return.
    product : array (S, blocks, H, n)
        Room for U h.
    before, after : list of arrays (K, S, H, n)
        The states before and after each step, h first: ``before`` is ``after``, one step earlier.
    saved : iterable of arrays (K, S, ...)
        What the cell leaves for the backward pass.
    weights : list of arrays
        Peepholes, or nothing.
    """
    flat = product.reshape(product.shape[0], -1, product.shape[-1])
    for gates_t, h_before, *states_t in zip(gates, *before, *after, *saved, strict=True):
        multiply(h_before, flat)
        step(gates_t, product, h_before, *states_t, *weights)


def backward(multiply, step, d, rows, local, gates, dh, dh_carried, carry, weights):
    """From each step's gradients to those of the step before, the last step first.

    Parameters
    ----------
    multiply : callable
        ``multiply(d, out)``: ``out`` = Uᵀ d, what reaches the hidden state before.
    step : callable
        The cell's ``backward``.
    d : array (K, S, G, H, n)
        Local derivatives on entry, ∂L/∂a of every pre-activation on return.
    rows : array (K, S, ·, n)
        The part of d that U carries back, as rows.
    local : iterable of arrays (K, S, H, n)
        ∂h/∂c on entry, ∂L/∂c on return; nothing where there is no cell state.
    gates : array (K, S, G, H, n)
    dh : array (K, S, H, n)
        What each step's output sends on entry, all of ∂L/∂h on return.
    dh_carried : array (S, H, n)
        What the step after sends to h, in the end what reaches the initial state.
    carry : list of arrays (S, H, n)
        The same for c.
    weights : list of arrays
        Peepholes, or nothing.
    """
    steps = zip(*(array[::-1] for array in (rows, dh, d, *local, gates)), strict=True)
    for rows_t, dh_t, *step_t in steps:
        dh_t += dh_carried
        step(*step_t, dh_t, *carry, *weights)
        multiply(rows_t, dh_carried)
