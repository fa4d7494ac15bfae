"""Weight files: safetensors, which cannot run code. What the layer is stands in the header."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from .._validation import check_kind, checked_path
from ..backends import Backend
from ..files import write_whole
from ..layers import (
    CRF,
    GRU,
    LSTM,
    RNN,
    Attention,
    BiLSTM,
    Dropout,
    Embedding,
    FeatureEmbedding,
    LastStep,
    Layer,
    Linear,
    Reverse,
    Sequential,
    TimeDelay,
    WordDropout,
    write_params,
)

KEY = "lstm_lab"
NOTES = "notes"
CLASSES = {
    c.__name__: c
    for c in (
        *(LSTM, BiLSTM, GRU, RNN, Reverse, LastStep, Attention),
        *(Linear, Embedding, FeatureEmbedding, Dropout, WordDropout, CRF, TimeDelay),
    )
}


def save(layer: Layer, path: str | os.PathLike, notes: dict[str, Any] | None = None) -> Path:
    """Write a layer to a file: its parameters, and what it takes to build it again.

    The file is written whole or not at all: a crash leaves the old one.

    Parameters
    ----------
    layer : Layer
        One of this library's, or a `Sequential` of such: `load` builds no other class.
    path : path
        By custom it ends in ``.safetensors``.
    notes : dict, optional
        What else is to stand in the file, as JSON can hold it; `read_notes` gives it back.

    Raises
    ------
    FileExistsError
        If ``path`` is there and is not a weight file of this library: nothing else is replaced.
    TypeError
        If the layer, or one inside it, is of a class of its own.
    ValueError
        If the layer's options were changed after it was made, so that its parameters are those
        of another one.
    """
    from safetensors.numpy import save as serialise

    check_kind(layer, "layer", Layer, "a layer")
    _check_class(layer, "layer")
    path = checked_path(path, "path")
    notes = {} if notes is None else notes
    check_kind(notes, "notes", dict, "a dict of what JSON can hold")
    try:
        written = json.dumps(notes)
    except (TypeError, ValueError) as error:
        raise TypeError(f"notes must be a dict of what JSON can hold: {error}") from error
    if path.exists():
        try:
            _header(path)
        except ValueError as error:
            raise FileExistsError(
                f"{path} is there already and is not a weight file of lstm_lab; nothing was written"
            ) from error
    header: dict[str, Any] = {
        "class": type(layer).__name__,
        "config": layer.config,
        "dtype": layer.dtype.name,
    }
    arrays = {
        name: np.ascontiguousarray(layer.backend.to_numpy(array))
        for name, array in layer.params.items()
    }
    try:
        _check_shapes(header, arrays)
        _built(header["class"], header["config"], header["dtype"], "numpy")
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"layer: {error}; these are not the parameters of {layer!r}, or no such layer can be "
            "made. Was an option changed after it was made?"
        ) from error
    metadata = {KEY: json.dumps(header), NOTES: written}
    write_whole(path, serialise(arrays, metadata=metadata))
    return path


def load(path: str | os.PathLike, backend: str | Backend | None = None) -> Layer:
    """The layer that `save` wrote.

    Parameters
    ----------
    path : path
    backend : {"numpy", "numba", "cupy"} or None

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is truncated, is not a weight file of this library, or its header and its arrays
        contradict each other. Nothing in a file is ever executed, and no memory is taken on its
        word alone.
    """
    from safetensors import safe_open

    path = checked_path(path, "path")
    header = _header(path)
    with safe_open(path, framework="numpy") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    try:
        _check_shapes(header, arrays)
        layer = _built(header["class"], header["config"], header["dtype"], backend)
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise ValueError(f"{path} does not describe a layer of lstm_lab: {error}") from error
    write_params(layer.params, arrays, layer.backend)
    return layer


def read_notes(path: str | os.PathLike) -> dict[str, Any]:
    """The notes that `save` put into the file; empty if there were none.

    Raises
    ------
    FileNotFoundError, ValueError
        As `load` does.
    """
    path = checked_path(path, "path")
    _header(path)
    notes = json.loads(_metadata(path).get(NOTES, "{}"))
    if not isinstance(notes, dict):
        raise ValueError(f"{path} has notes that are no mapping")
    return notes


def _check_class(layer: Layer, label: str) -> None:
    """Refuse what `load` would not build, or would build as something else."""
    if type(layer) is Sequential:
        for name, part in layer.layers.items():
            _check_class(part, f"{label}.{name}")
    elif CLASSES.get(type(layer).__name__) is not type(layer):
        names = ", ".join([*CLASSES, "Sequential"])
        raise TypeError(
            f"{label} is a {type(layer).__name__}, a class that a weight file cannot name; it may "
            f"name {names}. Write its arrays, layer.params, with safetensors.numpy.save_file, and "
            "give them to its own from_params"
        )


def _metadata(path: Path) -> dict[str, str]:
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        return file.metadata() or {}


def _header(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError

    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        header = json.loads(_metadata(path)[KEY])
    except KeyError as error:
        raise ValueError(f"{path} was not written by lstm_lab.interchange.save") from error
    except (SafetensorError, ValueError, OSError, RecursionError) as error:
        raise ValueError(
            f"{path} is no readable weight file; it may be cut off ({error})"
        ) from error
    if not isinstance(header, dict) or not {"class", "config", "dtype"} <= header.keys():
        raise ValueError(f"{path} has an incomplete header")
    return header


def _check_shapes(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Hold the header's word against the arrays before anything is allocated."""
    wanted = _shapes(header["class"], header["config"], most=len(arrays))
    for name in sorted(wanted.keys() | arrays.keys()):
        found = arrays[name].shape if name in arrays else "nothing"
        if found != wanted.get(name):
            raise ValueError(f"{name!r}: expected {wanted.get(name, 'nothing')}, found {found}")
        if arrays[name].dtype != header["dtype"]:
            raise ValueError(f"{name!r} is {arrays[name].dtype}, not {header['dtype']}")


def _shapes(kind: str, config: dict[str, Any], most: int) -> dict[str, tuple[int, ...]]:
    if not isinstance(config, dict):
        raise TypeError(f"config is {config!r}, not a mapping")
    if kind == "Sequential":
        return {
            f"{name}.{key}": shape
            for name, part in config.items()
            for key, shape in _shapes(*_part(part), most).items()
        }
    if kind not in CLASSES:
        raise ValueError(f"unknown layer {kind!r}")
    if config.get("num_layers", 0) > most:
        raise ValueError(f"num_layers is {config['num_layers']}, but it holds {most} arrays")
    return CLASSES[kind].param_shapes(config)


def _part(part: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Class and configuration of a layer in a Sequential's configuration."""
    kind, own = part["class"], {key: value for key, value in part.items() if key != "class"}
    return kind, own["layers"] if kind == "Sequential" else own


def _built(kind: str, config: dict[str, Any], dtype: str, backend: str | Backend | None) -> Layer:
    if kind == "Sequential":
        return Sequential(
            **{name: _built(*_part(part), dtype, backend) for name, part in config.items()}
        )
    return CLASSES[kind](**config, dtype=dtype, backend=backend)
