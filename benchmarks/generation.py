"""What is drawn from a model of Python source, in numbers: the tables of chapter 12.

``python -m benchmarks.generation [--seeds N] [--characters N] [--to FILE] [--limits FILE]``

The shipped LSTM and an n-gram model (interpolated Kneser-Ney, five characters of context) that has
counted the same files go on after the same places of files that neither has seen, each place the
beginning of a top-level statement; seed k is the k-th place, with uniform numbers of its own. Each
row of the first file is one such text at one setting, and what can be measured of it; rows of the
writer "a person" are how the file itself goes on.

The second file is on what such a model cannot do, and what it can where counting cannot. There a
row says how often an answer was right, and of how many:

- "quote", "bracket": the kind of mark that closes a string or a bracket of a held-out file, when it
  is known that one of them comes, by the distance to the one that opened it (the largest distance
  of the class); one place at most of each class in a thousand characters.
- "name": which of two names, both made up and as long, one of them an argument of the function.
  By the number of lines between.
- "closing": n brackets are open; n are closed by the end of the line, no more and no fewer.

Takes about ten minutes on one processor core.
"""

from __future__ import annotations

import argparse
import ast
import bisect
import csv
import io
import re
import textwrap
import tokenize
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from lstm_lab import decoding
from lstm_lab.data import python_source
from lstm_lab.models import LanguageModel, NGram, shipped

BOOK = Path(__file__).parents[1] / "book"
FILE, LIMITS = BOOK / "12-generation.csv", BOOK / "12-limits.csv"
SETTINGS: tuple[dict[str, float], ...] = (
    {"temperature": 0},
    {"temperature": 0.25},
    {"temperature": 0.5},
    {"temperature": 0.75},
    {"temperature": 1},
    {"temperature": 1.25},
    {"top_k": 5},
    {"top_k": 20},
    {"top_p": 0.5},
    {"top_p": 0.8},
    {"top_p": 0.9},
    {"top_p": 0.95},
)
COUNTED = ({"temperature": 0.5}, {"temperature": 1}, {"top_p": 0.9})
MEASURES = ("functions", "lines", "brackets", "deeper", "distinct", "copied", "longest")
COLUMNS = ("writer", "temperature", "top_k", "top_p", "seed", *MEASURES)
LIMIT_COLUMNS = ("test", "size", "writer", "right", "n")
BEFORE, ORDER, COPIED = 300, 5, 30
SIZES = (10, 15, 20, 25, 30, 40, 50, 60, 80, 100, 150, 200, 300)
NEAR = (4, 16, 64, 256)


# ------------------------------------------------------------------------------ writing


def places(texts: tuple[str, ...], count: int, characters: int) -> list[tuple[str, str]]:
    """What stands before and after the beginnings of top-level statements, a file once."""
    found = []
    for text in texts:
        starts = [m.end() for m in re.finditer(r"\n\n\n(?=(?:def|class) )", text)]
        starts = [k for k in starts if BEFORE <= k < len(text) - characters]
        if starts:
            at = starts[len(starts) // 2]
            found.append((text[at - BEFORE : at], text[at : at + characters]))
    if len(found) < count:
        raise ValueError(f"the held-out files have {len(found)} such places, expected {count}")
    return found[:count]


def by_network(
    model: LanguageModel, before: list[str], uniform: np.ndarray, **setting: Any
) -> list[str]:
    """All texts side by side, each gone on with by one of the columns of `uniform`."""
    layers, backend = model.network.layers.values(), model.network.backend
    ids = np.stack([model.vocabulary.encode(text)[0] for text in before], axis=1)
    state = None

    def after(ids: np.ndarray) -> np.ndarray:
        nonlocal state
        x = backend.asarray(np.atleast_2d(ids))
        for layer in layers:
            if layer is model.lstm:
                x, trace = layer.forward(x, state, trace=False)
                state = trace.state
            else:
                x, _ = layer.forward(x)
        return backend.to_numpy(x)[-1]

    drawn = decoding.generate(after(ids), after, uniform, **setting)
    return [model.vocabulary.decode(column) for column in drawn.T]


def by_counting(model: NGram, before: str, uniform: np.ndarray, **setting: Any) -> str:
    text, size = before[-ORDER:], len(before[-ORDER:])
    known: dict[str, np.ndarray] = {}  # contexts come again and again

    def after(context: str) -> np.ndarray:
        if context not in known:
            known[context] = model.next_after(context)
        return known[context]

    for number in uniform:
        chosen = decoding.sample(after(text[-ORDER:]), number, **setting)
        text += model.vocabulary.symbols[int(chosen)]
    return text[size:]


# ------------------------------------------------------------------------------ measuring


def measures(text: str) -> dict[str, float | None]:
    """What can be said of a text alone; the rest is `copying`'s."""
    lines = text.split("\n")[:-1]  # the last one was cut off
    pieces = [text[k : k + 10] for k in range(len(text) - 9)]
    return {
        "functions": fraction(map(parses, functions(lines))),
        "lines": fraction(map(line_parses, filter(str.strip, lines))),
        "brackets": brackets(text),
        "deeper": fraction(deeper(lines)),
        "distinct": len(set(pieces)) / len(pieces),
    }


def fraction(answers: Iterable[bool]) -> float | None:
    """The fraction of right answers; None where there was no question."""
    answers = list(answers)
    return sum(answers) / len(answers) if answers else None


def functions(lines: list[str]) -> Iterator[str]:
    """Each function, from its ``def`` to the next line that stands no further to the right.

    The one that was cut off at the end is left out.
    """
    for k, line in enumerate(lines):
        if not re.match(r" *def\b", line):
            continue
        for n, after in enumerate(lines[k + 1 :], k + 1):
            if after.strip() and indent(after) <= indent(line) and after.strip()[0] not in ")]}":
                yield textwrap.dedent("\n".join(lines[k:n]))
                break


def parses(source: str) -> bool:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def line_parses(line: str) -> bool:
    """Whether a line is Python when it stands alone, with a body where it needs one."""
    line = line.strip()
    body = f"{line} pass" if line.endswith(":") else line
    head = re.match(r"(else|elif|except|finally)\b", line)
    start = ""
    if head:
        start = "if x: pass\n" if head[1].startswith("el") else "try: pass\n"
    inside = textwrap.indent(f"{start}{body}", "  ")
    return parses(f"async def f():\n while x:\n{inside}\n")


def brackets(text: str) -> float | None:
    """The fraction of brackets, strings and comments aside, that meet their partner."""
    code = re.sub(
        r"('''|\"\"\").*?(\1|\Z)|'(?:\\.|[^'\\\n])*'?|\"(?:\\.|[^\"\\\n])*\"?|#[^\n]*",
        "",
        text,
        flags=re.S,
    )
    opened, met, count = [], 0, 0
    for mark in re.findall(r"[()\[\]{}]", code):
        count += 1
        if mark in "([{":
            opened.append(mark)
        elif opened and opened[-1] + mark in ("()", "[]", "{}"):
            opened.pop()
            met += 2
    return met / count if count else None


def deeper(lines: list[str]) -> Iterator[bool]:
    """Whether the line after each that opens a block stands further to the right."""
    lines = [line for line in lines if line.strip()]
    for line, after in pairwise(lines):
        opens = r"\s*(def|class|if|elif|else|for|while|try|except|finally|with)\b.*:$"
        if re.match(opens, line):
            yield indent(after) > indent(line)


def indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def copying(texts: list[str], training: str) -> list[dict[str, float | None]]:
    """How much of each text stands in the training text, word for word.

    ``copied``: the fraction of its pieces of 30 characters that do. ``longest``: the largest of
    `SIZES` at which a piece does. Blanks and line breaks that follow each other count as one: runs
    of blanks as long as a line are no quotation.
    """
    texts, training = [re.sub(r"\s+", " ", text) for text in texts], re.sub(r"\s+", " ", training)
    owner, joined = np.repeat(np.arange(len(texts)), list(map(len, texts))), Pieces("".join(texts))
    found, learnt = [{"copied": 0.0, "longest": 0.0} for _ in texts], Pieces(training)
    for size in SIZES:
        hashes, there = joined.of(size), learnt.of(size)
        whole = owner[: len(hashes)] == owner[size - 1 :]
        asked = np.unique(hashes[whole])
        place = np.minimum(np.searchsorted(asked, there), len(asked) - 1)
        known = np.zeros(len(asked), bool)
        known[place[asked[place] == there]] = True
        hit = whole & known[np.minimum(np.searchsorted(asked, hashes), len(asked) - 1)]
        for k, each in enumerate(found):
            own = owner[: len(hashes)] == k
            if hit[own].any():
                each["longest"] = size
            if size == COPIED:
                each["copied"] = fraction(hit[own & whole])
    return found


class Pieces:
    """A number of 64 bits for every piece of a text, the same for the same piece (Rabin & Karp)."""

    def __init__(self, text: str):
        codes = np.frombuffer(text.encode("latin-1"), "uint8").astype("uint64")
        codes = (codes + np.uint64(1)) * np.uint64(0xBF58476D1CE4E5B9)
        codes ^= codes >> np.uint64(31)
        # Modulo 2^64 every odd number has an inverse: hashes are differences of one running sum.
        base, size = 0x9E3779B97F4A7C15, len(text) + 1
        inverse = np.full(size, pow(base, -1, 2**64), "uint64")
        self.powers = np.full(size, base, "uint64")
        inverse[0] = self.powers[0] = 1
        self.powers = self.powers.cumprod(dtype="uint64")
        self.sums = np.zeros(size, "uint64")
        self.sums[1:] = (codes * inverse.cumprod(dtype="uint64")[:-1]).cumsum(dtype="uint64")

    def of(self, size: int) -> np.ndarray:
        value = (self.sums[size:] - self.sums[:-size]) * self.powers[: len(self.sums) - size]
        return value ^ (value >> np.uint64(29))


# ------------------------------------------------------------------------------ limits


def closers(text: str) -> Iterator[tuple[str, int, int]]:
    """(test, distance to the mark that opened it, place) of what closes a string or a bracket."""
    starts = np.cumsum([0, *(len(line) + 1 for line in text.split("\n"))])
    opened: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        begin, end = (int(starts[row - 1]) + at for row, at in (token.start, token.end))
        if token.type == tokenize.STRING and not token.string.endswith(("'''", '"""')):
            yield "quote", end - 1 - begin, end - 1
        elif token.type == tokenize.OP and token.string in "([{":
            opened.append(begin)
        elif token.type == tokenize.OP and token.string in ")]}" and opened:
            yield "bracket", begin - opened.pop(), begin


MARKS = {"quote": "'\"", "bracket": ")]}"}


def kinds(texts: tuple[str, ...], writers: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """How often the right kind of mark is the likeliest of its kind."""
    right = {(t, near, w): [] for t in MARKS for near in (*NEAR, 9999) for w in writers}
    for text in texts:
        taken, asked = set(), []
        try:
            for test, distance, place in closers(text):
                near = (*NEAR, 9999)[bisect.bisect_left(NEAR, distance)]
                if (key := (test, near, place // 1000)) not in taken:
                    taken.add(key)
                    asked.append((test, near, place))
        except (SyntaxError, tokenize.TokenError):
            continue
        for writer, model in writers.items():
            said = None if isinstance(model, NGram) else model.read(text)
            for test, near, place in asked:
                if said is None:
                    row = model.next_after(text[max(0, place - ORDER) : place])
                else:
                    row = said.log_probabilities[place]
                marks = model.vocabulary.encode(MARKS[test])[0]
                best = MARKS[test][int(np.argmax(row[marks]))]
                right[test, near, writer].append(best == text[place])
    for (test, near, writer), answers in right.items():
        yield limit(test, near, writer, answers)


def names(models: dict[str, Any], count: int = 200) -> Iterator[dict[str, Any]]:
    """Which of two names: one is an argument of the function, the other is new."""
    filler = "        if self.closed:\n            raise ValueError('closed')\n"
    for between in (0, 2, 6):
        rng, answers = np.random.default_rng(between), {name: [] for name in models}
        for _ in range(count):
            one, other, third = invented(rng), invented(rng), invented(rng)
            before = (
                f"    def update(self, {one}, {third}):\n{filler * (between // 2)}"
                f"        self._value = "
            )
            for name, model in models.items():
                costs = [cost(model, before, word) for word in (one, other)]
                answers[name].append(costs[0] < costs[1])
        for name, given in answers.items():
            yield limit("name", between, name, given)


def invented(rng: np.random.Generator) -> str:
    """A name of three syllables that is no word, such as "kosuli"."""
    return "".join(rng.choice(list(letters)) for letters in ("bdfgklmnprstvz", "aeiou") * 3)


def cost(model: Any, before: str, word: str) -> float:
    return float(model.surprise(before + word)[len(before) :].sum())


def closing(models: dict[str, Any], count: int = 100) -> Iterator[dict[str, Any]]:
    """Whether n open brackets are closed by the end of the line, at temperature ½."""
    functions = ("len", "str", "list", "int", "sorted", "tuple", "set", "repr", "max", "sum")
    for depth in (1, 2, 3, 4, 5, 6, 8):
        rng, answers = np.random.default_rng(depth), {name: [] for name in models}
        for _ in range(count):
            calls = "".join(f"{name}(" for name in rng.choice(functions, depth))
            before, draws = f"\n    def size(self):\n        return {calls}self.", rng.random(60)
            for name, model in models.items():
                if isinstance(model, NGram):
                    text = by_counting(model, before, draws, temperature=0.5)
                else:
                    text = by_network(model, [before], draws[:, None], temperature=0.5)[0]
                answers[name].append(closed(text.split("\n")[0], depth))
        for name, given in answers.items():
            yield limit("closing", depth, name, given)


def closed(line: str, depth: int) -> bool:
    for mark in line:
        depth += (mark in "([{") - (mark in ")]}")
        if depth < 0:
            return False
    return depth == 0


def limit(test: str, size: int, writer: str, answers: list[bool]) -> dict[str, Any]:
    return {
        "test": test, "size": size, "writer": writer, "right": sum(answers), "n": len(answers)
    }  # fmt: skip


# ------------------------------------------------------------------------------ the tables


def rows(seeds: int, characters: int, writers: dict[str, Any], corpus: Any) -> list[dict[str, Any]]:
    found, texts = [], []
    starts = places(corpus.test + corpus.validation, seeds, characters)
    before = [text for text, _ in starts]
    uniform = np.stack([np.random.default_rng(k).random(characters) for k in range(seeds)], axis=1)

    def add(writer: str, setting: dict[str, float], written: list[str]) -> None:
        for seed, text in enumerate(written):
            row = {"writer": writer, "seed": seed, **setting, **measures(text)}
            found.append(row)
            texts.append(text)
        print(writer, setting, flush=True)

    add("a person", {}, [text for _, text in starts])
    for setting in SETTINGS:
        add("LSTM", setting, by_network(writers["LSTM"], before, uniform, **setting))
    for setting in COUNTED:
        counted = writers["counting"]
        written = [
            by_counting(counted, text, uniform[:, k], **setting) for k, text in enumerate(before)
        ]
        add("counting", setting, written)
    for row, more in zip(found, copying(texts, "".join(corpus.train)), strict=True):
        row |= more
    return found


def write(path: Path, columns: tuple[str, ...], found: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, columns, lineterminator="\n")
        out.writeheader()
        for row in found:
            out.writerow({k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()})


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.generation")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--characters", type=int, default=2000)
    parser.add_argument("--to", type=Path, default=FILE)
    parser.add_argument("--limits", type=Path, default=LIMITS)
    options = parser.parse_args()
    corpus = python_source()
    model = shipped()
    writers = {
        "LSTM": model,
        "counting": NGram(model.vocabulary, ORDER).fit(corpus.train),
    }
    write(options.to, COLUMNS, rows(options.seeds, options.characters, writers, corpus))
    limits = [*kinds(corpus.test, writers), *names(writers), *closing(writers)]
    write(options.limits, LIMIT_COLUMNS, limits)


if __name__ == "__main__":
    main()
