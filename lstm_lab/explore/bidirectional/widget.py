"""Which inputs each output of an LSTM has seen, in one direction and in both."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import traitlets

from ..._validation import plain_array
from ..core.base import Explorable, choice, control, floats
from ..core.bundle import module, styles
from .influence import influence

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ...layers import LSTM

HERE = Path(__file__).parent

MOST = 4
LONGEST = 60

# Multiplications for all Jacobians of one sequence that the browser does within a frame or two.
WORK = 20_000_000

SENTENCES = (
    "he sat down on the bank of the river",
    "the bank raised its interest rates again last week",
    "rivers flood their banks in spring and in autumn",
)
BOTH, FORWARD = "both directions", "forward only"
OWN_END, PADDING = "its own end", "the end of the padding"


class BidirectionalExplorer(Explorable):
    """The influence of every input on every output, ‖∂y_t/∂x_s‖, of a batch of sequences.

    In one direction an output has seen the past alone, and the map is a triangle; in both it has
    seen everything. The sequences differ in length: what stands in the padding has no influence,
    unless the reverse direction is made to start there, the classic mistake.

    Parameters
    ----------
    layer : LSTM or BiLSTM, optional
        A network of the reader's, with one layer. Without one, a small one with random weights
        reads three sentences: what is shown is what it can see, not what it has learnt.
    x : array_like, optional
        Its input, (T, B, D) or (T, D), up to 60 steps and 4 sequences.
    lengths : sequence of int, optional
        Each sequence's length; None: all have T.
    direction : {"both directions", "forward only"}
    reverse_starts : {"its own end", "the end of the padding"}
        Where the reverse direction begins to read.
    padding : float
        What stands in the padding, -3 to 3.
    sequence : int
        Which sequence of the batch is shown, from 1.
    length_1, length_2, length_3, length_4 : int
        The lengths.
    output, input : int
        The pair of steps that is read, from 1; past the end, the last one is read.
    path : {"", "output", "output/entry"}
        The level: the map, one output, one entry.

    Raises
    ------
    traitlets.TraitError
        A value that is not finite or out of its range, here or in a later assignment.
    TypeError, ValueError
        A setting that does not exist; a layer or an input that cannot be shown, and why.
    """

    title: ClassVar[str] = "What each output has seen"
    levels: ClassVar[tuple[str, ...]] = ("", "output", "output/entry")
    _esm = module(HERE / "widget.js")
    _css = Explorable._css + styles(HERE / "widget.css")

    direction = choice((BOTH, FORWARD))
    reverse_starts = choice((OWN_END, PADDING))
    padding = control(0.0, -3, 3)
    sequence = control(1, 1, MOST, 1, whole=True)
    length_1 = control(9, 1, LONGEST, 1, whole=True)
    length_2 = control(6, 1, LONGEST, 1, whole=True)
    length_3 = control(4, 1, LONGEST, 1, whole=True)
    length_4 = control(1, 1, LONGEST, 1, whole=True)
    output = control(6, 1, LONGEST, 1, whole=True, view=True)
    input = control(9, 1, LONGEST, 1, whole=True, view=True)

    _shape = traitlets.Dict().tag(sync=True)
    _net = traitlets.Bytes(b"").tag(sync=True)
    _x = traitlets.Bytes(b"").tag(sync=True)
    _words = traitlets.List().tag(sync=True)

    def __init__(
        self,
        layer: LSTM | None = None,
        x: ArrayLike | None = None,
        lengths: Sequence[int] | None = None,
        **settings: Any,
    ):
        given = {"layer": layer, "x": x, "lengths": lengths}
        if (layer is None) != (x is None):
            missing, there = ("x", "layer") if x is None else ("layer", "x")
            raise ValueError(f"{missing}: a {there} of your own needs an {missing} beside it")
        if layer is None and lengths is not None:
            raise ValueError("lengths: they belong to a layer and an x of your own")
        own: dict[str, Any] = {}
        words: list[list[str]] = []
        if layer is None:
            layer, array = _small_network()
            words = [sentence.split() for sentence in SENTENCES]
        else:
            array = _checked_input(x)
            layer = _checked_layer(layer, array)
            own = _lengths(lengths, array) | {
                "direction": BOTH if layer.bidirectional else FORWARD,
                "output": (len(array) + 1) // 2,
                "input": len(array),
            }
        self._layer, self._array = layer, array
        steps, batch, features = array.shape
        names = ("weight_x", "weight_h", "bias")
        suffixes = ("_l0", "_l0_reverse")[: layer.directions]
        weights = [layer.params[name + suffix] for suffix in suffixes for name in names]
        super().__init__(
            _defaults=own,
            _arguments=[name for name, value in given.items() if value is not None],
            **settings,
            _shape={
                "T": steps,
                "B": batch,
                "D": features,
                "H": layer.hidden_size,
                "directions": layer.directions,
            },
            _net=b"".join(map(floats, weights)),
            _x=floats(array),
            _words=words,
        )

    def options(self, name: str) -> Sequence[str]:
        """What a choice may be; a layer that only reads forward leaves nothing to choose."""
        if name == "direction" and not self._layer.bidirectional:
            return (FORWARD,)
        return super().options(name)

    def shown(self) -> tuple[int, int]:
        """Index and length of the sequence that is shown."""
        steps, batch, _ = self._array.shape
        which = min(self.sequence, batch) - 1
        return which, min(getattr(self, f"length_{which + 1}"), steps)

    def values(self) -> dict[str, Any]:
        """The picture's numbers, by the library's own backward pass in float64.

        Returns
        -------
        dict
            ``y`` (n, H) or (n, 2H); ``forward`` and, in both directions, ``reverse``: (T, T), the
            norms ‖∂h_t/∂x_s‖ of that half of the output in row t and column s; ``influence``
            (T, T), ‖∂y_t/∂x_s‖ of both halves; ``seen``, its entry at ``output`` and ``input``;
            ``gap``, the largest difference between these outputs and those of the right lengths.
        """
        which, length = self.shown()
        layer, x = self._layer, self._array[:, which].copy()
        x[length:] = self.padding
        if layer.bidirectional and self.direction == FORWARD:
            layer = _forward_half(layer)
        padded = layer.bidirectional and self.reverse_starts == PADDING
        found = influence(layer, x, length, padded=padded)
        both = np.hypot(found["forward"], found.get("reverse", 0))
        right = influence(layer, x, length)["y"] if padded else found["y"]
        at = min(self.output, length) - 1, min(self.input, len(x)) - 1
        return found | {
            "influence": both,
            "seen": float(both[at]),
            "gap": float(abs(found["y"] - right).max()),
        }


def _small_network() -> tuple[LSTM, np.ndarray]:
    """A BiLSTM with random weights, and each word of the sentences as a random vector."""
    from ...layers import BiLSTM

    rng = np.random.default_rng(4)
    layer = BiLSTM(3, 5, dtype="float64", backend="numpy")
    for array in layer.params.values():
        array[...] = rng.normal(0, 0.7, array.shape)
    for direction in ("forward", "reverse"):
        layer.gate("forget_gate", direction=direction).bias += 1.5
    vectors: dict[str, np.ndarray] = {}
    rows = [sentence.split() for sentence in SENTENCES]
    for word in (word for row in rows for word in row):
        vectors.setdefault(word, rng.normal(0, 1, 3))
    array = np.array([[vectors[word] for word in row] for row in rows]).transpose(1, 0, 2)
    return _copied(layer), array.astype("float32").astype("float64")


def _copied(layer: LSTM) -> LSTM:
    """The layer in float64 on the host, with its weights rounded as the browser gets them."""
    from ...layers import LSTM

    options = layer.config | {"backend": "numpy", "dtype": "float64"}
    host = {name: layer.backend.to_numpy(array) for name, array in layer.params.items()}
    return LSTM.from_params({n: a.astype("float32") for n, a in host.items()}, **options)


def _forward_half(layer: LSTM) -> LSTM:
    from ...layers import LSTM

    options = layer.config | {"bidirectional": False, "backend": "numpy", "dtype": "float64"}
    forward = {n: a for n, a in layer.params.items() if not n.endswith("_reverse")}
    return LSTM.from_params(forward, **options)


def _checked_input(x: ArrayLike) -> np.ndarray:
    """x as (T, B, D) float64, rounded to float32."""
    array = plain_array(x, "x")
    if array.dtype.kind not in "biuf":
        raise TypeError(f"x: expected numbers, got dtype {array.dtype}")
    if array.ndim == 2:
        array = array[:, None]
    fits = array.ndim == 3 and 0 not in array.shape
    if not fits or len(array) > LONGEST or array.shape[1] > MOST:
        raise ValueError(
            f"x: expected shape (T, B, D) or (T, D) with T from 1 to {LONGEST} and B from 1 to "
            f"{MOST}, got {np.shape(x)}"
        )
    if not np.isfinite(array).all():
        raise ValueError("x: expected finite numbers, got NaN or infinity")
    return array.astype("float32").astype("float64")


def _checked_layer(layer: Any, x: np.ndarray) -> LSTM:
    from ...layers import LSTM

    if not isinstance(layer, LSTM):
        raise TypeError(f"layer: expected an LSTM or BiLSTM, got {type(layer).__name__}")
    if layer.num_layers != 1:
        raise ValueError(f"layer: expected a single layer, got num_layers={layer.num_layers}")
    sizes = ("input_size", "hidden_size", "bidirectional")
    standard = LSTM.param_shapes({name: getattr(layer, name) for name in sizes})
    if {name: array.shape for name, array in layer.params.items()} != standard:
        raise ValueError(f"layer: expected an LSTM of the standard equations, got {layer!r}")
    if layer.input_size != x.shape[2]:
        raise ValueError(
            f"x: expected {layer.input_size} features a step, as the layer takes, got {x.shape[2]}"
        )
    copy = _copied(layer)
    for name, array in copy.params.items():
        if not np.isfinite(array).all():
            raise ValueError(f"layer: {name} holds NaN or infinity")
    steps, hidden = len(x), layer.hidden_size
    work = layer.directions * steps * (steps + 1) // 2 * 4 * hidden * hidden * layer.input_size
    if work > WORK:
        raise ValueError(
            f"layer: all pairs of {steps} steps of {hidden} units take {work:,} multiplications; "
            f"expected at most {WORK:,}, so that the picture follows the hand: pass fewer steps"
        )
    return copy


def _lengths(lengths: Any, x: np.ndarray) -> dict[str, int]:
    from ...layers.packing import Packing

    checked = Packing(lengths, *x.shape[:2]).lengths
    return {f"length_{b + 1}": int(n) for b, n in enumerate(checked)}
