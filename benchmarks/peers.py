"""Peers of the recurrent layers, each where it can be imported; None where it cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .recurrent import Call, Case


def torch_layer(case: Case, device: str = "cpu") -> tuple[Call, Call] | None:
    """``torch.nn``: forward, and forward + backward. Ragged batches are packed."""
    try:
        import torch
        from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
    except ImportError:
        return None
    x, dy = (torch.tensor(array, device=device) for array in case.arrays())
    inputs, hidden = case.shape[2:]
    layer = getattr(torch.nn, case.kind)(inputs, hidden, bidirectional=case.bidirectional)
    layer.to(device)
    x.requires_grad_()
    lengths = None if case.lengths is None else torch.tensor(case.lengths)

    def forward() -> Any:
        if lengths is None:
            return layer(x)[0]
        packed = pack_padded_sequence(x, lengths, enforce_sorted=False)
        return pad_packed_sequence(layer(packed)[0], total_length=len(x))[0]

    def both() -> None:
        layer.zero_grad()
        x.grad = None
        forward().backward(dy)

    return forward, both


def jax_scan(case: Case) -> tuple[Call, Call] | None:
    """An LSTM in one direction as ``jax.lax.scan``, the input's product outside the scan."""
    if case.kind != "LSTM" or case.bidirectional:
        return None
    try:
        import jax
        import jax.numpy as jnp
    except ImportError:
        return None
    x, dy = map(jnp.asarray, case.arrays())
    inputs, hidden = case.shape[2:]
    keys = jax.random.split(jax.random.key(0), 2)
    weights = (
        jax.random.normal(keys[0], (inputs, 4 * hidden)) * hidden**-0.5,
        jax.random.normal(keys[1], (hidden, 4 * hidden)) * hidden**-0.5,
        jnp.zeros(4 * hidden),
    )

    def run(weights: Any, x: Any) -> Any:
        w, u, b = weights

        def step(state: Any, entered: Any) -> Any:
            h, c = state
            o, i, f, g = jnp.split(entered + h @ u, 4, axis=-1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        zero = jnp.zeros((x.shape[1], hidden))
        return jax.lax.scan(step, (zero, zero), x @ w + b)[1]

    forward = jax.jit(run)
    both = jax.jit(lambda weights, x, dy: jax.vjp(run, weights, x)[1](dy))
    return (
        lambda: forward(weights, x).block_until_ready(),
        lambda: jax.block_until_ready(both(weights, x, dy)),
    )


def onnxruntime_session(case: Case, threads: int) -> tuple[Call, None] | None:
    """The layer exported to ONNX, forward alone: onnxruntime's CPU provider does not train."""
    if case.ragged:
        return None
    try:
        import onnxruntime

        from lstm_lab.interchange import to_onnx
    except ImportError:
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    model = to_onnx(case.layer("numpy"))
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    x = case.arrays()[0]
    return lambda: session.run(None, {"x": x}), None
