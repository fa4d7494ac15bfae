"""A short LSTM, there and back through time: what `BPTTExplorer` shows, by the library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.backprop import step_gradients
from ..core.lstm import QUANTITIES
from ..core.signals import noise
from ..core.user_layer import float64_copy

if TYPE_CHECKING:
    from ...layers import LSTM

TARGET, RATE = 0.7, 0.5
HIDDEN, SEEDS, LONGEST = (1, 2, 3), 8, 12


def lesson(task: str, length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Input x (T, 1), target (T,) and mask (T,), 1 where a step counts, of a task.

    Raises
    ------
    ValueError
        If there is no such task.
    """
    x, target, mask = np.zeros((3, length))
    pattern = np.round(10 * noise(length)) / 10
    match task:
        case "remember":
            x[0], target[-1], mask[-1] = 1, TARGET, 1
        case "echo":
            x, target[1:], mask[1:] = pattern, pattern[:-1], 1
        case "mean":
            x, target = pattern, np.cumsum(pattern) / np.arange(1, length + 1)
            mask[:] = 1
        case _:
            raise ValueError(f"task: there is no task called {task!r}")
    return x[:, None], target, mask


def small_net(features: int, hidden: int, seed: int, forget_bias: float = 1.0) -> LSTM:
    """An untrained LSTM."""
    from ...layers import LSTM

    sizes = {"input_size": features, "hidden_size": hidden}
    return float64_copy(LSTM(**sizes, seed=seed, forget_bias=forget_bias, backend="numpy"))


def packed_nets(features: int) -> bytes:
    """W, U, b of the small networks of every size and seed as float32, for unroll.js."""
    nets = (small_net(features, hidden, seed) for hidden in HIDDEN for seed in range(SEEDS))
    return b"".join(a.astype("<f4").tobytes() for net in nets for a in net.params.values())


def loss_of(h: np.ndarray, target: np.ndarray, mask: np.ndarray) -> tuple[float, np.ndarray]:
    """Mean squared error over the units and the steps that count, and dL/dh (T, H)."""
    from ...losses import mse

    every = np.broadcast_to(target[:, None], h.shape).copy()
    loss, gradient = mse(h[:, None], every[:, None], mask[:, None])
    return loss, gradient[:, 0]


def learn(net: LSTM, x: np.ndarray, target: np.ndarray, mask: np.ndarray, updates: int) -> LSTM:
    """A copy after so many steps of gradient descent, learning rate `RATE`."""
    from ...optim import SGD

    net, descent = float64_copy(net), SGD(RATE)
    for _ in range(updates):
        y, trace = net.forward(x[:, None])
        _, dy = loss_of(y[:, 0], target, mask)
        descent.update(net.params, net.backward(dy[:, None], trace).params)
    return net


def there_and_back(
    net: LSTM, x: np.ndarray, target: np.ndarray, mask: np.ndarray
) -> dict[str, Any]:
    """All that is computed in the forward and in the backward pass.

    Returns
    -------
    dict
        ``x`` (T, D); ``i, f, o, g, c, h`` (T, H); ``loss`` (T,) and ``total``; ``dh, dc`` (T, H),
        dL/dh_t and dL/dc_t, everything included; ``da`` (T, 4H), the δ_t, with respect to the
        pre-activations; ``dx`` (T, D); ``dW`` (4H, D), ``dU`` (4H, H), ``db`` (4H,), the whole
        gradients.
    """
    y, trace = net.forward(x[:, None])
    total, dy = loss_of(y[:, 0], target, mask)
    _, steps = step_gradients(net, x, dy)
    grad = net.backward(dy[:, None], trace)
    scale = net.hidden_size * mask.sum()
    return {
        "x": x,
        **{q: getattr(trace, name)[:, 0] for q, name in QUANTITIES.items()},
        "loss": (mask[:, None] * (y[:, 0] - target[:, None]) ** 2).sum(axis=1) / scale,
        "total": total,
        "dh": steps.hidden,
        "dc": steps.cell,
        "da": steps.delta,
        "dx": steps.x,
        **{f"d{k}": grad.params[f"{name}_l0"]
           for k, name in {"W": "weight_x", "U": "weight_h", "b": "bias"}.items()},
    }  # fmt: skip
