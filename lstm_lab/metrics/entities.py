"""Entities in tagged sequences: which are found, and how many of them are right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .._validation import check_kind, checked_bool, described

__all__ = ["EntityScores", "Score", "entities", "entity_scores", "illegal_transitions"]


@dataclass(frozen=True)
class Score:
    """What was found of one type of entity, or of all.

    Attributes
    ----------
    right, found, actual : int
        Entities that are right, that the model found, and that there are. Right is one whose first
        word, last word and type are.
    """

    right: int
    found: int
    actual: int

    @property
    def precision(self) -> float:
        """The share of what was found that is right; 0 where nothing was found."""
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """The share of what there is that was found; 0 where there is nothing."""
        return self.right / self.actual if self.actual else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        precision, recall = self.precision, self.recall
        return 2.0 * precision * recall / (precision + recall or 1.0)


@dataclass(frozen=True)
class EntityScores(Score):
    """All entities together ("micro"), and each type alone.

    Attributes
    ----------
    types : dict of str to Score
    """

    types: dict[str, Score]

    def __str__(self) -> str:
        rows = [(name, score) for name, score in self.types.items()]
        wide = max(len("all"), *(len(name) for name, _ in rows)) if rows else len("all")
        lines = [f"{'':{wide}}  precision  recall     F1  entities"]
        for name, score in [*rows, ("all", self)]:
            lines.append(
                f"{name:{wide}}  {score.precision:9.3f}  {score.recall:6.3f}  {score.f1:5.3f}  "
                f"{score.actual:8,}"
            )
        return "\n".join(lines)


def entities(tags: Sequence[str], *, strict: bool = False) -> list[tuple[str, int, int]]:
    """The entities of one sequence of BIO tags.

    Parameters
    ----------
    tags : sequence of str
        "O", "B-type" or "I-type".
    strict : bool
        What becomes of an I- that goes on with nothing of its type: with False it begins an
        entity, as in the CoNLL shared tasks' own program; with True it belongs to none (IOB2).

    Returns
    -------
    list of (type, start, stop)
        The words ``start`` to ``stop - 1``.
    """
    return _entities(_checked(tags, "tags"), checked_bool(strict, "strict"))


def entity_scores(
    truth: Iterable[Sequence[str]], predicted: Iterable[Sequence[str]], *, strict: bool = False
) -> EntityScores:
    """Precision, recall and F1 of whole entities.

    Equal to seqeval's ``precision_score``, ``recall_score`` and ``f1_score``; with ``strict``, to
    the same with ``mode="strict", scheme=IOB2``.

    Parameters
    ----------
    truth, predicted : sequences of sequences of str
        BIO tags, word for word equally many.
    strict : bool
        As in `entities`.

    Notes
    -----
    Tjong Kim Sang & De Meulder 2003, doi:10.3115/1119176.1119195, section 2.3; their program,
    conlleval, is what the default follows.
    """
    strict = checked_bool(strict, "strict")
    right: Counter[str] = Counter()
    found: Counter[str] = Counter()
    actual: Counter[str] = Counter()
    for wanted, said in _aligned(truth, predicted):
        here, there = set(_entities(wanted, strict)), set(_entities(said, strict))
        actual.update(kind for kind, _, _ in here)
        found.update(kind for kind, _, _ in there)
        right.update(kind for kind, _, _ in here & there)
    types = {kind: Score(right[kind], found[kind], actual[kind]) for kind in sorted(actual | found)}
    return EntityScores(right.total(), found.total(), actual.total(), types)


def illegal_transitions(sequences: Iterable[Sequence[str]]) -> int:
    """How many I- tags go on with nothing: no B- or I- of their type stands before them."""
    check_kind(sequences, "sequences", Iterable, "a sequence of sequences of tags")
    return sum(
        tag[0] == "I" and before[2:] != tag[2:]
        for k, tags in enumerate(sequences)
        for before, tag in zip(["O", *tags], _checked(tags, f"sequences[{k}]"), strict=False)
    )


def _entities(tags: Sequence[str], strict: bool) -> list[tuple[str, int, int]]:
    found: list[tuple[str, int, int]] = []
    start, kind = 0, ""  # of the entity that is open; "" is none
    for k, tag in enumerate([*tags, "O"]):
        its = tag[2:]
        if tag[0] == "I" and its == kind:
            continue
        if kind:
            found.append((kind, start, k))
        begins = tag[0] == "B" or (tag[0] == "I" and not strict)
        start, kind = k, its if begins else ""
    return found


def _checked(tags: Any, name: str) -> list[str]:
    if isinstance(tags, str):
        raise TypeError(f"{name} must be a sequence of tags, got the string {described(tags)}")
    check_kind(tags, name, Iterable, "a sequence of tags")
    tags = list(tags)
    for k, tag in enumerate(tags):
        if not isinstance(tag, str) or not (tag == "O" or (tag[:2] in ("B-", "I-") and tag[2:])):
            raise ValueError(f'{name}[{k}] must be "O", "B-type" or "I-type", not {described(tag)}')
    return tags


def _aligned(truth: Any, predicted: Any) -> list[tuple[list[str], list[str]]]:
    sides = []
    for name, side in (("truth", truth), ("predicted", predicted)):
        if isinstance(side, str):
            raise TypeError(f"{name} must be a sequence of sequences of tags, got {side!r}")
        check_kind(side, name, Iterable, "a sequence of sequences of tags")
        sides.append([_checked(tags, f"{name}[{k}]") for k, tags in enumerate(side)])
    if len(sides[0]) != len(sides[1]):
        raise ValueError(
            f"truth and predicted must be equally many sequences; got {len(sides[0])} and "
            f"{len(sides[1])}"
        )
    for k, (wanted, said) in enumerate(zip(*sides, strict=True)):
        if len(wanted) != len(said):
            raise ValueError(
                f"truth[{k}] has {len(wanted)} tags and predicted[{k}] has {len(said)}: there must "
                "be one of each for every word"
            )
    return list(zip(*sides, strict=True))
