"""What moves axes between the recurrent nodes of an ONNX graph, followed without any data.

Exporters surround recurrent nodes with transposes, squeezes and reshapes, and with arithmetic on
shapes. Here every value of a graph is one of

numpy.ndarray
    Numbers that are stored in the file, or a shape; an unknown size in a shape is a str.
`Flow`
    What goes from a graph's input through recurrent nodes: its axes, but no values.
`Final`
    Final states, in any arrangement.
ZERO
    An array of zeros.

`OPERATIONS` maps an operator to a function from such values, and its attributes, to such values.
What it cannot follow raises `Unfollowed`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from math import prod
from typing import Any

import numpy as np

LARGEST = 64
"""Entries in the largest shape that is computed with: no file makes this take memory."""


WHOLE = (6, 7)  # onnx.TensorProto.INT32 and INT64


class Unfollowed(ValueError):
    """A value is computed in a way that is not followed; the message says what is."""


class Token(Enum):
    """Arrays of which no more than this is known."""

    ZERO = "zeros"


ZERO = Token.ZERO
END = 2**31 - 1
"""Where a cut to the end stops, at the least: exporters write the largest whole number."""


@dataclass(frozen=True)
class Axis:
    """An axis that keeps its name wherever it is moved to, and its size if that is known."""

    name: str
    size: int | str


@dataclass(frozen=True)
class Flow:
    """What goes from a graph's input through recurrent nodes.

    Attributes
    ----------
    source : str
        The graph's input.
    axes : tuple of Axis
    depth : int
        How many recurrent nodes it has passed.
    rows : tuple of (int, int) or None
        The part of its first axis that was cut out of the input; None: all of it.
    last : str or None
        The axis of which only the last entry is left.
    own : bool
        Whether that is each sequence's own last entry, whatever stands behind it.
    """

    source: str
    axes: tuple[Axis, ...]
    depth: int = 0
    rows: tuple[int, int] | None = None
    last: str | None = None
    own: bool = False


@dataclass(frozen=True)
class Final:
    """Final states.

    Attributes
    ----------
    last : Flow or None
        What their last entry along the first axis is, if it is the output's last step.
    single : bool
        Whether that entry is the only one.
    """

    last: Flow | None = None
    single: bool = False


def _identity(inputs: list, attributes: Mapping[str, Any]) -> Any:
    return inputs[0]


def _cast(inputs: list, attributes: Mapping[str, Any]) -> Any:
    if attributes["to"] not in WHOLE:
        raise Unfollowed("only casts to whole numbers, those of lengths and shapes, are followed")
    return inputs[0]


def _transpose(inputs: list, attributes: Mapping[str, Any]) -> Any:
    if not isinstance(inputs[0], Flow):
        return _token(inputs)
    axes = inputs[0].axes
    order = attributes.get("perm", range(len(axes))[::-1])
    if sorted(order) != list(range(len(axes))):
        raise Unfollowed(f"perm={list(order)} does not fit {len(axes)} axes")
    return replace(inputs[0], axes=tuple(axes[k] for k in order))


def _axes_of(inputs: list, attributes: Mapping[str, Any], rank: int) -> list[int]:
    """The axes that a node names, by its attribute (before opset 13) or its second input."""
    axes = attributes.get("axes")
    if axes is None:
        if len(inputs) < 2:
            raise Unfollowed("it must name its axes")
        axes = _numbers(inputs[1])
    if any(not -rank <= axis < rank for axis in axes):
        raise Unfollowed(f"axes {list(axes)} do not fit {rank} axes")
    return [axis % rank for axis in axes]


def _squeeze(inputs: list, attributes: Mapping[str, Any]) -> Any:
    value = inputs[0]
    if _is_array(value):
        return value.reshape(-1)
    if isinstance(value, Final) and value.single and value.last:
        first = _axes_of(inputs, attributes, 1 + len(value.last.axes)) == [0]
        return value.last if first else Final()
    if not isinstance(value, Flow):
        return _token(inputs[:1])
    gone = _axes_of(inputs, attributes, len(value.axes))
    for k in gone:
        if value.axes[k].size != 1:
            raise Unfollowed(f"axis {k} has size {value.axes[k].size!r}, and only 1 can be removed")
    return replace(value, axes=tuple(a for k, a in enumerate(value.axes) if k not in gone))


def _unsqueeze(inputs: list, attributes: Mapping[str, Any]) -> Any:
    value = inputs[0]
    return value.reshape(-1) if _is_array(value) else _token(inputs[:1])


def _reshape(inputs: list, attributes: Mapping[str, Any]) -> Any:
    value, target = inputs[0], _shape(inputs[1])
    if _is_array(value):
        return value.reshape(-1)
    if not isinstance(value, Flow):
        return _token(inputs[:1])
    # The one that joins recurrent nodes: directions and units, the last two axes, become one.
    sizes = [axis.size for axis in value.axes]
    if [axis.name for axis in value.axes[-2:]] != ["directions", "units"]:
        raise Unfollowed(f"from {sizes} to {target}; only directions and units can be joined")
    wanted = [*sizes[:-2], prod(sizes[-2:])]
    if not attributes.get("allowzero"):
        target = [size if entry == 0 else entry for entry, size in zip(target, sizes, strict=False)]
    # One entry may be -1: the others tell what it is.
    differing = [entry for entry, own in zip(target, wanted, strict=False) if entry != own]
    if len(target) != len(wanted) or differing not in ([], [-1]):
        raise Unfollowed(f"from {sizes} to {target}; only directions and units can be joined")
    return replace(value, axes=(*value.axes[:-2], Axis("units", wanted[-1])))


def _shape_of(inputs: list, attributes: Mapping[str, Any]) -> Any:
    value = inputs[0]
    if not isinstance(value, Flow):
        raise Unfollowed("only the shape of a sequence is followed")
    sizes = [axis.size for axis in value.axes]
    return np.array(sizes, object)[attributes.get("start", 0) : attributes.get("end")]


def _gather(inputs: list, attributes: Mapping[str, Any]) -> Any:
    value, axis = inputs[0], attributes.get("axis", 0)
    if isinstance(value, (Flow, Final)):
        return _last_of(value, axis, _numbers(inputs[1]), keep=inputs[1].ndim > 0)
    values, (k,) = _shape(value), _numbers(inputs[1])
    if not -len(values) <= k < len(values):
        raise Unfollowed(f"there is no entry {k} in {list(values)}")
    return np.array([values[k]], object)


def _last_of(value: Flow | Final, axis: int, places: list[int], keep: bool) -> Flow | Final:
    """The last entry of one axis, which is kept with size 1 or goes."""
    if isinstance(value, Final):
        if axis != 0 or places != [-1] or value.last is None:
            raise Unfollowed(
                "of final states only the hidden state of the last layer, h[-1], can be picked, "
                "and of one that reads forward alone"
            )
        return replace(value, single=True) if keep else value.last
    rank = len(value.axes)
    if not value.depth or value.last or places != [-1] or not -rank <= axis < rank:
        raise Unfollowed(
            "of a sequence only the last step, y[-1], can be picked, once, and behind the "
            f"recurrent nodes; this picks {places} of axis {axis}"
        )
    axis %= rank
    picked = value.axes[axis]
    kept = (Axis(picked.name, 1),) if keep else ()
    axes = (*value.axes[:axis], *kept, *value.axes[axis + 1 :])
    return replace(value, axes=axes, last=picked.name)


def _slice(inputs: list, attributes: Mapping[str, Any]) -> Any:
    value = inputs[0]
    # Attributes before opset 10.
    if "starts" in attributes:
        starts, stops = attributes["starts"], attributes["ends"]
        axes, steps = attributes.get("axes", list(range(len(starts)))), [1]
    else:
        starts, stops = map(_numbers, inputs[1:3])
        axes = _numbers(inputs[3]) if len(inputs) > 3 else list(range(len(starts)))
        steps = _numbers(inputs[4]) if len(inputs) > 4 else [1]
    if len(starts) != 1 or len(stops) != 1 or len(axes) != 1 or steps != [1]:
        raise Unfollowed("only one axis can be cut at once, and in steps of 1")
    (start,), (stop,), (axis,) = starts, stops, axes
    if start == -1 and stop >= END and (isinstance(value, Final) or getattr(value, "depth", 0)):
        return _last_of(value, axis, [-1], keep=True)
    if axis != 0:
        raise Unfollowed("only the first axis can be cut, or the last step be picked")
    if _is_array(value):
        return np.array(_shape(value), object)[start:stop]
    return _cut(value, start, stop) if isinstance(value, Flow) else _token(inputs[:1])


def _cut(value: Flow, start: int, stop: int) -> Flow:
    first, *rest = value.axes
    if not isinstance(first.size, int) or value.depth or value.rows:
        raise Unfollowed("only an input of known size can be cut, and once")
    start, stop, _ = slice(start, stop).indices(first.size)
    return replace(value, axes=(Axis(first.name, stop - start), *rest), rows=(start, stop))


def _split(inputs: list, attributes: Mapping[str, Any]) -> Any:
    value = inputs[0]
    if not isinstance(value, Flow):
        return _token(inputs[:1])
    if attributes.get("axis", 0) != 0:
        raise Unfollowed("only the first axis can be cut")
    sizes = attributes.get("split") or (_numbers(inputs[1]) if len(inputs) > 1 else None)
    if sizes is None:
        raise Unfollowed("it must name the sizes of its parts")
    ends = np.cumsum(sizes).tolist()
    return [_cut(value, end - size, end) for size, end in zip(sizes, ends, strict=True)]


def _concat(inputs: list, attributes: Mapping[str, Any]) -> Any:
    if all(map(_is_array, inputs)):
        return np.array([entry for value in inputs for entry in _shape(value)], object)
    if attributes["axis"] == 0 and all(isinstance(value, Final) for value in inputs):
        return replace(inputs[-1], single=len(inputs) == 1)
    return _token(inputs)


def _product(inputs: list, attributes: Mapping[str, Any]) -> Any:
    factors = [_numbers(value) for value in inputs]
    if any(len(factor) != 1 for factor in factors):
        raise Unfollowed("only single numbers are multiplied")
    return np.array([prod(factor[0] for factor in factors)], object)


def _constant_of_shape(inputs: list, attributes: Mapping[str, Any]) -> Any:
    if np.any(attributes.get("value", 0)):
        raise Unfollowed("only zeros are followed")
    return ZERO


def _expand(inputs: list, attributes: Mapping[str, Any]) -> Any:
    value = inputs[0]
    return _constant_of_shape([], {"value": value}) if _is_array(value) else _token(inputs[:1])


def _constant(inputs: list, attributes: Mapping[str, Any]) -> Any:
    ((name, value),) = attributes.items()
    if name not in ("value", "value_int", "value_ints", "value_float", "value_floats"):
        raise Unfollowed(f"{name} is not followed")
    return np.asarray(value)


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def _shape(value: Any) -> list[int | str]:
    """The entries of a shape, or of whole numbers that are stored."""
    if not _is_array(value) or value.dtype.kind not in "iuO" or value.size > LARGEST:
        raise Unfollowed("it needs a shape or stored whole numbers")
    return value.reshape(-1).tolist()


def _numbers(value: Any) -> list[int]:
    """Whole numbers that are known."""
    entries = _shape(value)
    if not entries or any(isinstance(entry, str) for entry in entries):
        raise Unfollowed(f"{entries} are not known numbers")
    return entries


def _token(values: list) -> Token | Final:
    """What an arrangement of zeros, or of final states, is."""
    kinds = {type(value) for value in values if isinstance(value, (Token, Final))}
    if len(kinds) != 1 or any(isinstance(value, Flow) for value in values):
        raise Unfollowed("only final states, and zeros, can be arranged so")
    return ZERO if kinds == {Token} else Final()


OPERATIONS: dict[str, Callable[[list, Mapping[str, Any]], Any]] = {
    "Cast": _cast,
    "Concat": _concat,
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "Expand": _expand,
    "Gather": _gather,
    "Identity": _identity,
    "Mul": _product,
    "Reshape": _reshape,
    "Shape": _shape_of,
    "Slice": _slice,
    "Split": _split,
    "Squeeze": _squeeze,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
