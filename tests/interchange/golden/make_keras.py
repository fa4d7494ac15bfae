"""Make Keras' golden file again: ``python -m tests.interchange.golden.make_keras``.

Keras is no dependency; any environment with NumPy, Keras and one of its backends will do, with
``KERAS_BACKEND=jax`` where that is JAX.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("keras.npz")
STEPS, BATCH, INPUT, HIDDEN = 5, 3, 2, 4
LENGTHS = (3, 5, 1)
KINDS = ("LSTM", "GRU", "SimpleRNN")

CASES = {
    f"{kind}-{layers}layers-{'both' if both else 'forward'}": (kind, layers, both)
    for kind, layers, both in itertools.product(KINDS, (1, 2), (False, True))
}
"""The networks; each is run on its input in full, and with a mask after ``LENGTHS``."""


def run(name: str) -> dict[str, np.ndarray]:
    """What Keras says: ``layer/number`` of each array, the input, the output in full and masked.

    Keras' arrays are sequences first, (B, T, D). All are float32: only on TensorFlow does Keras
    compute in float64 throughout.
    """
    import keras

    kind, count, both = CASES[name]
    rng = np.random.default_rng(list(name.encode()))
    x = rng.normal(size=(BATCH, STEPS, INPUT)).astype("float32")
    mask = np.arange(STEPS) < np.array(LENGTHS)[:, None]
    out, full, masked = {"x": x}, x, x
    for number in range(count):
        layer = getattr(keras.layers, kind)(
            HIDDEN, return_sequences=True, zero_output_for_mask=True
        )
        layer = keras.layers.Bidirectional(layer) if both else layer
        layer.build(full.shape)
        layer.set_weights([rng.normal(size=array.shape) / 2 for array in layer.get_weights()])
        out.update({f"{number}/{k}": array for k, array in enumerate(layer.get_weights())})
        full = layer(full)
        masked = layer(masked, mask=mask)
    return out | {"y": np.asarray(full), "y_masked": np.asarray(masked)}


if __name__ == "__main__":
    import keras

    arrays = {f"{name}/{key}": value for name in CASES for key, value in run(name).items()}
    np.savez_compressed(FILE, **arrays, made_with=f"Keras {keras.__version__}")
    print(f"{FILE}: {len(CASES)} networks, {FILE.stat().st_size / 1024:.0f} KiB")
