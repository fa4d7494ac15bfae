"""Checkpoints: a training's whole state in one safetensors file, written beside and renamed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .._validation import checked_path
from ..files import write_whole

__all__ = ["CheckpointError", "differences", "read", "write"]

FORMAT = "lstm_lab training 1"


class CheckpointError(ValueError):
    """A checkpoint cannot be read, or belongs to another training."""


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ModuleNotFoundError(
            "checkpoint= needs safetensors; install it with: pip install safetensors"
        ) from error
    return safetensors


def check_path(path: Any) -> Path:
    """Refuse a place where no checkpoint can be written, before hours are spent on it.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, ModuleNotFoundError
    """
    _safetensors()
    path = checked_path(path, "checkpoint")
    if path.is_dir():
        raise IsADirectoryError(f"checkpoint is the folder {path}; expected the name of a file")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"checkpoint is to be in {path.parent}, which is no folder")
    return path


def write(path: Path, tensors: Mapping[str, np.ndarray], state: Mapping[str, Any]) -> None:
    """Write the file, or leave the one that is there as it was.

    Parameters
    ----------
    tensors : mapping of str to numpy.ndarray
    state : mapping
        What JSON can hold.
    """
    metadata = {"format": FORMAT, "state": json.dumps(state)}
    plain = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    write_whole(path, _safetensors().numpy.save(plain, metadata=metadata))


def read(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """What ``write`` was given.

    Raises
    ------
    CheckpointError
        If it is no complete checkpoint.
    """
    open_file = _safetensors().safe_open
    try:
        with open_file(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        ours = metadata.get("format") == FORMAT
        state = dict(json.loads(metadata["state"])) if ours else {}
    # Whatever a truncated or hostile file provokes in the reader, the answer is the same.
    except Exception as error:
        raise CheckpointError(
            f"{path} cannot be read as a checkpoint: it is damaged, incomplete or another kind "
            f"of file ({type(error).__name__}: {error}). It was left as it is; "
            "move it away to train from the start"
        ) from error
    if not ours:
        raise CheckpointError(
            f"{path} is a safetensors file, but no checkpoint of a training; it was left as it is"
        )
    return tensors, state


def differences(there: Any, here: Any, name: str = "") -> list[str]:
    """Each leaf in which two nested settings differ, as "name: this there, that here"."""
    if isinstance(there, dict) and isinstance(here, dict):
        return [
            line
            for key in dict.fromkeys([*there, *here])
            for line in differences(there.get(key), here.get(key), f"{name}.{key}" if name else key)
        ]
    return [] if there == here else [f"{name}: {there} there, {here} here"]
