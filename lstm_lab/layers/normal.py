"""Layer normalisation of feature-major arrays (Ba, Kiros & Hinton 2016, arXiv:1607.06450)."""

from __future__ import annotations

from typing import Any

from ..backends import Array

EPSILON = 1e-5
"""Added to the variance, as in torch and in the authors' code; the paper's equations have none."""


def normalise(xp: Any, values: Array, scale: Array) -> None:
    """(z - mean) / standard deviation over the features, in place.

    Parameters
    ----------
    values : array (..., R, n)
        R features; becomes the normalised values.
    scale : array (..., 1, n)
        Becomes what they were multiplied by, which `normalise_backward` needs.
    """
    values -= values.mean(axis=-2, keepdims=True)
    scale[...] = 1 / xp.sqrt((values * values).mean(axis=-2, keepdims=True) + EPSILON)
    values *= scale


def normalise_backward(d: Array, normal: Array, scale: Array) -> None:
    """Turn the gradient of the normalised values into that of the values, in place."""
    along = (d * normal).mean(axis=-2, keepdims=True)
    d -= d.mean(axis=-2, keepdims=True)
    d -= normal * along
    d *= scale
