"""What an ONNX LSTM, GRU or RNN node says: its attributes, its inputs and outputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .files import onnx_package, stored_array

DIRECTIONS = {"forward": 1, "reverse": 1, "bidirectional": 2}


@dataclass(frozen=True)
class Operator:
    """One of ONNX's recurrent operators, as its specification names things.

    Attributes
    ----------
    inputs, outputs : tuple of str
    activations : tuple of str
        The default ones, which are those that this library's cells have.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    activations: tuple[str, ...]


_SHARED = ("X", "W", "R", "B", "sequence_lens", "initial_h")
OPERATORS = {
    "LSTM": Operator(
        (*_SHARED, "initial_c", "P"), ("Y", "Y_h", "Y_c"), ("Sigmoid", "Tanh", "Tanh")
    ),
    "GRU": Operator(_SHARED, ("Y", "Y_h"), ("Sigmoid", "Tanh")),
    "RNN": Operator(_SHARED, ("Y", "Y_h"), ("Tanh",)),
}


@dataclass(frozen=True)
class RecurrentNode:
    """A node, read.

    Attributes
    ----------
    label : str
        What to call it in a message.
    op : str
        "LSTM", "GRU" or "RNN".
    direction : str
    hidden_size : int or None
        None: the file leaves it to the shapes.
    layout : int
        0: X is (T, B, D). 1: (B, T, D).
    input_forget, linear_before_reset : bool
    inputs, outputs : dict of str to str
        The operator's own names to the graph's, of those that the node has.
    """

    label: str
    op: str
    direction: str
    hidden_size: int | None
    layout: int
    input_forget: bool
    linear_before_reset: bool
    inputs: dict[str, str]
    outputs: dict[str, str]

    @property
    def directions(self) -> int:
        """2 if bidirectional, else 1."""
        return DIRECTIONS[self.direction]


def described(proto: Any) -> str:
    """What to call a node in a message: its operator, and its name or what it makes."""
    made = next(filter(None, proto.output), "nothing")
    return f"the {proto.op_type} node " + (repr(proto.name) if proto.name else f"of {made!r}")


def attributes_of(proto: Any) -> dict[str, Any]:
    """A node's attributes by name, text as str, and tensors as arrays.

    Raises
    ------
    ValueError
        If a text is no UTF-8, or an array is damaged.
    """
    get = onnx_package().helper.get_attribute_value
    return {attribute.name: _plain(get(attribute)) for attribute in proto.attribute}


def read_node(proto: Any) -> RecurrentNode:
    """A recurrent node of a checked model.

    Raises
    ------
    ValueError
        If this library has no such cell; the message names the attribute, its value and what is
        supported.
    """
    label, operator = described(proto), OPERATORS[proto.op_type]
    attributes = attributes_of(proto)

    def choice(name: str, default: Any, supported: Callable[[Any], bool], words: str) -> Any:
        value = attributes.pop(name, default)
        if not supported(value):
            raise ValueError(f"{label}: {name}={value!r} is not supported; supported: {words}")
        return value

    direction = choice(
        "direction", "forward", DIRECTIONS.__contains__, ", ".join(map(repr, DIRECTIONS))
    )
    wanted = [name.lower() for name in operator.activations * DIRECTIONS[direction]]
    choice(
        "activations",
        wanted,
        lambda names: [name.lower() for name in names] == wanted,
        f"{', '.join(operator.activations)} in each direction, the default",
    )
    for name in ("activation_alpha", "activation_beta"):
        choice(name, [], lambda values: not values, "none: the default activations take none")
    choice("clip", None, lambda value: value is None, "no clip")
    node = RecurrentNode(
        label,
        proto.op_type,
        direction,
        choice("hidden_size", None, lambda size: size is None or size > 0, "1 and more"),
        choice("layout", 0, (0, 1).__contains__, "0 and 1"),
        bool(choice("input_forget", 0, (0, 1).__contains__, "0 and 1")),
        bool(choice("linear_before_reset", 0, (0, 1).__contains__, "0 and 1")),
        {slot: name for slot, name in zip(operator.inputs, proto.input, strict=False) if name},
        {slot: name for slot, name in zip(operator.outputs, proto.output, strict=False) if name},
    )
    for name, value in attributes.items():
        raise ValueError(f"{label}: {name}={value!r} is not supported")
    return node


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, onnx_package().TensorProto):
        return stored_array(value)
    return [_plain(each) for each in value] if isinstance(value, (list, tuple)) else value
