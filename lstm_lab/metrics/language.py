"""How well a text was predicted: perplexity, bits a character."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._validation import checked_size, plain_array

__all__ = ["bits_per_character", "perplexity"]


def perplexity(log_probabilities: Any) -> float:
    """Among how many equally likely symbols the model was left to choose, on average.

    Parameters
    ----------
    log_probabilities : array_like (N,)
        The natural logarithm of the probability that each symbol of the text had before it came,
        at most 0.

    Returns
    -------
    float
        exp(−mean); 1 for a text that was known, the alphabet's size for uniform guesses, infinity
        where a symbol that came had been given no chance.

    Notes
    -----
    Jelinek, Mercer, Bahl & Baker 1977, doi:10.1121/1.2016299.
    """
    mean = -_logs(log_probabilities).mean()
    return math.exp(mean) if mean < 700 else math.inf


def bits_per_character(log_probabilities: Any, characters: int | None = None) -> float:
    """How many bits a character of the text costs whoever codes it with the model.

    Parameters
    ----------
    log_probabilities : array_like (N,)
        The natural logarithm of the probability that each symbol had before it came, at most 0.
    characters : int, optional
        How many characters the N symbols are; N by default. For a model of words, the characters
        of the whole text with its spaces: so models of words and of characters are comparable.
    """
    logs = _logs(log_probabilities)
    count = len(logs) if characters is None else checked_size(characters, "characters")
    return float(-logs.sum() / (count * math.log(2)))


def _logs(values: Any) -> np.ndarray:
    logs = plain_array(values, "log_probabilities", "float64")
    if logs.ndim != 1 or not len(logs):
        raise ValueError(
            f"log_probabilities must be one row of numbers (N,), got shape {logs.shape}"
        )
    wrong = np.flatnonzero(~(logs <= 0))
    if wrong.size:
        k = wrong[0]
        raise ValueError(
            f"log_probabilities[{k}] is {logs[k]}; the logarithm of a probability is at most 0"
        )
    return logs
