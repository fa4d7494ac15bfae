"""ONNX files: read and checked as protobuf, and the arrays stored in them."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

OLDEST = 7
"""The first opset whose LSTM, GRU and RNN are those of today."""


def onnx_package() -> ModuleType:
    """The package ``onnx``, imported when first needed.

    Raises
    ------
    ModuleNotFoundError
        If it is not installed.
    """
    try:
        import onnx
    except ImportError as error:
        raise ModuleNotFoundError(
            "ONNX files need the package onnx, which is not installed; "
            'install it with: python -m pip install -e ".[onnx]"'
        ) from error
    return onnx


def read_model(source: Any, name: str = "source") -> Any:
    """The model in a file or in its bytes, checked.

    Parameters
    ----------
    source : path or bytes
        Arrays that a file keeps in others are read if they lie in its folder or below.
    name : str
        What the caller calls it, for the message.

    Returns
    -------
    onnx.ModelProto

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    TypeError
        If ``source`` is neither a path nor bytes.
    ValueError
        If it is cut off or is no ONNX model, or its opset is older than 7, or it names data
        outside its folder.
    """
    onnx = onnx_package()
    if isinstance(source, (bytes, bytearray, memoryview)):
        label, data, folder = "the model", bytes(source), None
    elif isinstance(source, (str, os.PathLike)):
        path = Path(source)
        if not path.is_file():
            raise FileNotFoundError(f"there is no file {path}")
        label, data, folder = str(path), path.read_bytes(), path.parent
    else:
        raise TypeError(
            f"{name}: expected a path or the bytes of a model, got {type(source).__name__}"
        )
    try:
        model = onnx.load_model_from_string(data)
    except Exception as error:  # protobuf's own, which is not onnx' to name
        raise ValueError(f"{label} is no ONNX model; it may be cut off ({error})") from error
    for tensor in _tensors(model.graph):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            _fetch(tensor, folder)
    try:
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, ValueError) as error:
        raise ValueError(f"{label} is no valid ONNX model: {error}") from error
    for opset in model.opset_import:
        if opset.domain in ("", "ai.onnx") and opset.version < OLDEST:
            raise ValueError(
                f"{label} has opset {opset.version}; {OLDEST} is the oldest that is supported"
            )
    return model


def stored_array(tensor: Any) -> np.ndarray:
    """The array in a TensorProto.

    Raises
    ------
    ValueError
        If there is no such dtype, or its data and its shape contradict each other.
    """
    try:
        return onnx_package().numpy_helper.to_array(tensor)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"the array {tensor.name!r} in the file is damaged: {error}") from error


def _tensors(graph: Any) -> list[Any]:
    constants = [
        attribute.t
        for node in graph.node
        for attribute in node.attribute
        if attribute.name == "value" and attribute.HasField("t")
    ]
    return [*graph.initializer, *constants]


def _fetch(tensor: Any, folder: Path | None) -> None:
    """Read a tensor's data from the file that it names, if that lies in ``folder``."""
    from onnx.external_data_helper import load_external_data_for_tensor

    location = next((e.value for e in tensor.external_data if e.key == "location"), "")
    described = f"the array {tensor.name!r} is kept in another file, {location!r}"
    if folder is None:
        raise ValueError(f"{described}: pass the model's path, not its bytes")
    file, root = (folder / location).resolve(), folder.resolve()
    if not location or not file.is_relative_to(root) or file == root:
        raise ValueError(f"{described}, which is outside the model's folder; it is not read")
    if not file.is_file():
        raise FileNotFoundError(f"{described}, and there is no file {file}")
    try:
        load_external_data_for_tensor(tensor, str(root))
    except Exception as error:  # onnx raises several kinds, and they are all about this file
        raise ValueError(f"{described}, which does not hold it: {error}") from error
    tensor.data_location = onnx_package().TensorProto.DEFAULT
    del tensor.external_data[:]
