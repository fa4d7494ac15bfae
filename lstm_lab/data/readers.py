"""A reader's own files: a text, pairs, tagged words, a series. They are read, never written."""

from __future__ import annotations

import calendar
import codecs
import csv
import difflib
import io
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from .._validation import (
    check_kind,
    checked_bool,
    checked_choice,
    checked_path,
    checked_size,
    checked_text,
    described,
)
from .pairs import Pairs
from .parts import checksum
from .series import Series
from .tagged import Tagged

__all__ = ["read_conll", "read_pairs", "read_series", "read_text"]

LARGEST = 200_000_000
"""Bytes that are read at most: more does not fit what the book's models learn in a day."""

_PACKED = {
    b"\x1f\x8b": "packed with gzip",
    b"PK\x03\x04": "packed, as an Excel workbook is",
    b"%PDF": "a PDF",
}
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)
_MISSING = {"", "-", "–", ".", "?", "na", "n/a", "nan", "null", "none", "missing"}
_MONTH = re.compile(r"\d{4}-\d{2}", re.ASCII)
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: Any, *, encoding: str = "utf-8") -> str:
    r"""A text file as one string.

    Parameters
    ----------
    path : path of the file
    encoding : str
        How its characters are written: "utf-8" (with or without a mark at its beginning),
        "latin-1", "cp1252", "utf-16", …

    Returns
    -------
    str
        Line breaks are ``\n``, whatever the file has.

    Raises
    ------
    OSError
        If the file is not there or cannot be read.
    ValueError
        If it is empty, larger than 200 MB or no text; if a byte is not of the encoding, with its
        line and column.
    """
    return _text(path, encoding)[1]


def read_pairs(
    path: Any,
    *,
    delimiter: str | None = None,
    columns: Sequence[int] = (1, 2),
    header: bool = False,
    encoding: str = "utf-8",
) -> Pairs:
    """A table of texts and their translations, one pair a line.

    Parameters
    ----------
    path : path of the file
    delimiter : str, optional
        What parts the columns. By default a comma in a ``.csv`` file, where fields may be quoted,
        and a tab in every other, where a quotation mark is one like any other sign.
    columns : two of int
        Which columns hold the source and the target, counted from 1. Others are left out.
    header : bool
        Whether the first line names the columns.
    encoding : str
        As in `read_text`.

    Returns
    -------
    Pairs
        In the file's order; ``keys`` are its line numbers. Empty lines are left out, blanks
        around a text too.

    Raises
    ------
    OSError
        If the file is not there or cannot be read.
    ValueError
        With line and column, where a row has too few columns or an empty one; else as `read_text`.
    """
    if delimiter is not None and len(checked_text(delimiter, "delimiter")) != 1:
        raise ValueError(f"delimiter must be one character, got {delimiter!r}")
    if isinstance(columns, str):
        raise TypeError(f"columns must be two whole numbers, got the string {columns!r}")
    check_kind(columns, "columns", Sequence, "two whole numbers")
    if len(columns) != 2:
        raise ValueError(f"columns must be two whole numbers, got {described(columns)}")
    wanted = [checked_size(column, "columns", why="they count from 1") for column in columns]
    header = checked_bool(header, "header")
    file, text = _text(path, encoding)
    mark = delimiter or ("," if file.suffix.lower() == ".csv" else "\t")
    rows: list[tuple[str, str, str]] = []
    for line, fields in _records(file, text, mark, quoted=mark != "\t"):
        if header:
            header = False
            continue
        if len(fields) < max(wanted):
            other = [each for each in "\t;," if each != mark and any(each in f for f in fields)]
            meant = f"; it holds {other[0]!r}: pass delimiter={other[0]!r}?" if other else ""
            count = "1 column" if len(fields) == 1 else f"{len(fields)} columns"
            raise ValueError(
                f"{file}, line {line}: {count} where column {max(wanted)} is wanted, parted by "
                f"{mark!r}{meant}"
            )
        for column in wanted:
            if not fields[column - 1].strip():
                raise ValueError(f"{file}, line {line}, column {column}: there is no text")
        source, target = (" ".join(fields[column - 1].split("\n")).strip() for column in wanted)
        rows.append((source, target, str(line)))
    if not rows:
        raise ValueError(f"{file} holds no pairs")
    return Pairs(*map(tuple, zip(*rows, strict=True)))


def read_conll(
    path: Any,
    *,
    scheme: str = "BIO",
    words: int = 1,
    tags: int = -1,
    encoding: str = "utf-8",
) -> Tagged:
    """Tagged words in the form of the CoNLL shared tasks.

    One word a line, with its tag in another column; an empty line ends a sentence; lines that
    begin with ``-DOCSTART-`` are left out. Columns are parted by tabs or, in a line without any,
    by blanks.

    Parameters
    ----------
    path : path of the file
    scheme : {"BIO", "IOB1", "any"}
        How the tags are meant. "BIO": each entity begins with B-; that it does is checked.
        "IOB1", as in the data of 2003: B- only parts an entity from one of the same type just
        before it; tags are turned into BIO. "any": they are taken as they are, such as parts of
        speech.
    words, tags : int
        Which columns, counted from 1; −1 is the last one.
    encoding : str
        As in `read_text`.

    Returns
    -------
    Tagged

    Raises
    ------
    OSError
        If the file is not there or cannot be read.
    ValueError
        With the line and column, for a line that has another number of columns than the first,
        and for a tag that is none of the scheme; else as `read_text`.

    Notes
    -----
    Ramshaw & Marcus 1995, https://aclanthology.org/W95-0107, for IOB1; Tjong Kim Sang & De
    Meulder 2003, doi:10.3115/1119176.1119195, for the file's form.
    """
    checked_choice(scheme, "scheme", ("BIO", "IOB1", "any"))
    places = {"words": words, "tags": tags}
    for name, place in places.items():
        if place != -1:
            places[name] = checked_size(place, name, why="columns count from 1; -1 is the last")
    file, text = _text(path, encoding)
    sentences: list[tuple[list[str], list[str]]] = [([], [])]
    count, first = 0, 0
    for line, row in enumerate(text.split("\n"), start=1):
        row = row.rstrip(" ")
        if not row.strip("\t") or row.startswith("-DOCSTART-"):
            if sentences[-1][0]:
                sentences.append(([], []))
            continue
        # Only tabs and plain blanks part columns: a word may hold other kinds of space.
        fields = row.split("\t") if "\t" in row else [each for each in row.split(" ") if each]
        if not count:
            count, first = len(fields), line
            _check_columns(file, line, count, places)
        if len(fields) != count:
            raise ValueError(
                f"{file}, line {line}: {len(fields)} columns, but line {first} has {count}"
            )
        word, tag = (fields[place - 1 if place > 0 else -1].strip(" ") for place in places.values())
        column = places["tags"] if places["tags"] > 0 else count
        if not word or not tag:
            column = column if word else places["words"] if places["words"] > 0 else count
            raise ValueError(f"{file}, line {line}, column {column}: there is nothing")
        if scheme != "any":
            before = sentences[-1][1][-1] if sentences[-1][1] else "O"
            tag = _as_bio(tag, before, scheme, f"{file}, line {line}, column {column}")
        sentences[-1][0].append(word)
        sentences[-1][1].append(tag)
    if not sentences[-1][0]:
        sentences.pop()
    if not sentences:
        raise ValueError(f"{file} holds no tagged words")
    return Tagged(
        words=tuple(tuple(its_words) for its_words, _ in sentences),
        tags=tuple(tuple(its_tags) for _, its_tags in sentences),
    )


def read_series(
    path: Any,
    *,
    column: str | int | None = None,
    time: str | int | None = None,
    delimiter: str | None = None,
    decimal: str = ".",
    unit: str = "",
    encoding: str = "utf-8",
) -> Series:
    """One column of a table, as a series with one value after another.

    The first line names the columns. Times, if there are any, go forward in equal steps: what
    differs from the usual step by half of it is a gap, and refused. So are missing values.

    Parameters
    ----------
    path : path of the file
    column : str or int, optional
        The values: a column's name, or its number counted from 1. By default the only one beside
        ``time``.
    time : str or int, optional
        The times: numbers, or dates as ISO 8601 writes them (2024-03, 2024-03-31, with or without
        a time of day), which become years and fractions of a year. By default steps are counted
        from 1.
    delimiter : str, optional
        What parts the columns. By default the comma, semicolon or tab that the first line holds.
    decimal : {".", ","}
        The mark before the fraction of a number.
    unit : str
        The unit of the values, for the axis of a figure.
    encoding : str
        As in `read_text`.

    Returns
    -------
    Series
        Its name is the column's, its source the file's name.

    Raises
    ------
    OSError
        If the file is not there or cannot be read.
    ValueError
        With line and column, where there is no number or no time, or times leave a gap; where
        ``column`` or ``time`` is none of the file's; else as `read_text`.
    """
    if delimiter is not None and len(checked_text(delimiter, "delimiter")) != 1:
        raise ValueError(f"delimiter must be one character, got {delimiter!r}")
    checked_choice(decimal, "decimal", (".", ","))
    unit = checked_text(unit, "unit")
    for name, place in (("column", column), ("time", time)):
        if place is not None and not isinstance(place, str):
            checked_size(place, name, why="columns count from 1")
    file, text = _text(path, encoding)
    mark = delimiter or _mark(file, text)
    if mark == decimal:
        raise ValueError(f"decimal and delimiter are both {mark!r}: a number would be two columns")
    rows = _records(file, text, mark, quoted=True)
    line, names = next(rows)
    names = [each.strip() for each in names]
    if all(_number(each, decimal) is not None for each in names):
        raise ValueError(f"{file}, line {line}: there are numbers where the columns' names belong")
    when = None if time is None else _column(file, names, time, "time")
    what = _column(file, names, column, "column", other=when)
    values, times, lines = [], [], []
    for line, fields in rows:
        if len(fields) != len(names):
            meant = "; a decimal comma would part a number in two" if mark == "," else ""
            raise ValueError(
                f"{file}, line {line}: {len(fields)} columns, but the first line names "
                f"{len(names)}, parted by {mark!r}{meant}"
            )
        where = f"{file}, line {line}, column {what + 1} ({names[what]})"
        values.append(_value(fields[what].strip(), decimal, where))
        lines.append(line)
        if when is not None:
            where = f"{file}, line {line}, column {when + 1} ({names[when]})"
            times.append(_moment(fields[when].strip(), decimal, where))
    if not values:
        raise ValueError(f"{file} holds no values")
    if when is not None:
        _check_times(file, lines, times, names[when])
    found = np.array(values)
    moments = np.array([at for at, _ in times]) if times else np.arange(1.0, len(found) + 1)
    return Series(
        values=found,
        times=moments,
        name=names[what],
        unit=unit,
        source=file.name,
        licence="",
        description=f"Column {what + 1} of {file.name}.",
        checksum=checksum(found, moments),
    )


def _mark(file: Path, text: str) -> str:
    """What parts the columns, by the first line that holds anything."""
    first = next(line for line in text.split("\n") if line.strip())
    there = [each for each in ",;\t" if each in first]
    if len(there) > 1:
        raise ValueError(
            f"{file}: its first line holds {' and '.join(map(repr, there))}; pass delimiter= to "
            "say what parts the columns"
        )
    return there[0] if there else "\t"


def _column(
    file: Path, names: list[str], place: str | int | None, asked: str, other: int | None = None
) -> int:
    """Which column is meant, from 0."""
    if place is None:
        left = [k for k in range(len(names)) if k != other]
        if len(left) == 1:
            return left[0]
        raise ValueError(
            f"{file} has the columns {', '.join(map(repr, names))}; pass {asked}= to say which "
            "holds the values"
        )
    if isinstance(place, str):
        if names.count(place) > 1:
            raise ValueError(
                f"{file} has {names.count(place)} columns {place!r}; pass {asked}= as a number"
            )
        return names.index(checked_choice(place, asked, tuple(names)))
    if place > len(names):
        raise ValueError(f"{file} has {len(names)} columns, and {asked}={place} is asked")
    return int(place) - 1


def _number(field: str, decimal: str) -> float | None:
    """The number that is written there; None if there is none."""
    plain = field.strip().replace("\u2212", "-")
    if decimal == ",":
        if "." in plain:
            return None
        plain = plain.replace(",", ".")
    return float(plain) if _NUMBER.fullmatch(plain) else None


def _value(field: str, decimal: str, where: str) -> float:
    value = _number(field, decimal)
    if value is not None and np.isfinite(value):
        return value
    if field.lower() in _MISSING:
        raise ValueError(
            f"{where}: there is no number, but {field!r}; a series has no gaps: fill it, or take "
            "a part of the file without one"
        )
    other = "," if decimal == "." else "."
    meant = f"; pass decimal={other!r}?" if _number(field, other) is not None else ""
    raise ValueError(
        f"{where}: {field!r} is no number with {decimal!r} before its fraction and nothing between "
        f"thousands{meant}"
    )


def _moment(field: str, decimal: str, where: str) -> tuple[float, bool]:
    """A time, dates in years, and whether it is a date."""
    number = _number(field, decimal)
    if number is not None and np.isfinite(number):
        return number, False
    try:
        day = datetime.fromisoformat(f"{field}-01" if _MONTH.fullmatch(field) else field)
    except ValueError:
        raise ValueError(
            f"{where}: {field!r} is neither a number nor a date as ISO 8601 writes it, such as "
            "2024-03-31 or 2024-03 (31.03.2024 and 03/04/2024 are not read: who knows which is "
            "the month?)"
        ) from None
    share = (day.hour + day.minute / 60 + day.second / 3600) / 24
    through = (day.day - 1 + share) / calendar.monthrange(day.year, day.month)[1]
    return day.year + (day.month - 1 + through) / 12, True


def _check_times(file: Path, lines: list[int], times: list[tuple[float, bool]], name: str) -> None:
    """Refuse times that go back, leave a gap, or are partly dates and partly numbers."""
    for line, (_, date) in zip(lines, times, strict=True):
        if date != times[0][1]:
            kinds = ("a date", "a number") if date else ("a number", "a date")
            raise ValueError(
                f"{file}, line {line}: {name} is {kinds[0]} here, and {kinds[1]} in line {lines[0]}"
            )
    apart = np.diff([at for at, _ in times])
    # Of two steps the shorter one is the usual one: a gap makes a step longer.
    usual = float(np.sort(apart)[(len(apart) - 1) // 2]) if len(apart) else 1.0
    if not usual > 0:
        raise ValueError(f"{file}: {name} does not go forward; the oldest value comes first")
    # Months have 28 to 31 days, and a time may be rounded; where one is missing, it is twice that.
    wrong = np.flatnonzero((apart < 0.5 * usual) | (apart > 1.5 * usual))
    if wrong.size:
        k = int(wrong[0])
        what = "stands still or goes back" if apart[k] <= 0 else "takes another step than usual"
        raise ValueError(
            f"{file}, line {lines[k + 1]}: {name} {what} ({apart[k]:.4g} after line {lines[k]}, "
            f"where {usual:.4g} is usual); a series goes on in equal steps"
        )


def _check_columns(file: Path, line: int, count: int, places: dict[str, int]) -> None:
    if count < 2:
        raise ValueError(
            f"{file}, line {line}: 1 column; a word and its tag are wanted, parted by a tab or a "
            "blank"
        )
    for name, place in places.items():
        if place > count:
            raise ValueError(f"{file}, line {line}: {count} columns, and {name}={place} is asked")


def _as_bio(tag: str, before: str, scheme: str, where: str) -> str:
    if tag != "O" and not (tag[:2] in ("B-", "I-") and tag[2:]):
        raise ValueError(
            f'{where}: {tag!r} is not "O", "B-type" or "I-type"; scheme="any" takes all tags'
        )
    begins = tag[0] == "I" and before[2:] != tag[2:]
    if begins and scheme == "BIO":
        raise ValueError(
            f"{where}: {tag!r} goes on with nothing, for {before!r} is before it; if the file is "
            'written in IOB1, pass scheme="IOB1"'
        )
    return f"B{tag[1:]}" if begins else tag


def _records(file: Path, text: str, mark: str, *, quoted: bool) -> Iterator[tuple[int, list[str]]]:
    """The line that each record begins at, and its fields; empty lines are left out."""
    if not quoted:
        for line, row in enumerate(text.split("\n"), start=1):
            if row.strip():
                yield line, row.split(mark)
        return
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=mark, strict=True)
    line = 1
    try:
        for fields in reader:
            if any(field.strip() for field in fields):
                yield line, fields
            line = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(
            f"{file}: in the record that begins at line {line}, {error}; a quotation mark within a "
            'quoted field is written twice: ""'
        ) from None


def _text(path: Any, encoding: str) -> tuple[Path, str]:
    """The file, and its text with line breaks of one kind."""
    file = checked_path(path, "path")
    try:
        codec = codecs.lookup(checked_text(encoding, "encoding"))
        "".encode(encoding)  # a codec of bytes, such as "base64", is none of text
    except LookupError:
        raise ValueError(
            f'encoding must be the name of one, such as "utf-8" or "latin-1", not {encoding!r}'
        ) from None
    if not file.exists():
        folder = file.parent
        names = [each.name for each in folder.iterdir()] if folder.is_dir() else []
        near = difflib.get_close_matches(file.name, names, 1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise FileNotFoundError(f"there is no file {file}{meant}")
    if file.is_dir():
        raise IsADirectoryError(f"{file} is a folder; the path of one file is wanted")
    size = file.stat().st_size
    if size > LARGEST:
        raise ValueError(
            f"{file} has {size / 1e6:,.0f} MB; at most {LARGEST / 1e6:,.0f} MB are read: take a "
            "part of it"
        )
    packed = file.read_bytes()
    for start, what in _PACKED.items():
        if packed.startswith(start):
            raise ValueError(f"{file} is no text file: it is {what}")
    if codec.name == "utf-8":
        if packed.startswith(_UTF16):
            raise ValueError(f'{file} is written in UTF-16: pass encoding="utf-16"')
        packed = packed.removeprefix(codecs.BOM_UTF8)
    try:
        text = packed.decode(codec.name)
    except UnicodeDecodeError as error:
        line, column = _place(packed[: error.start].decode(codec.name))
        raise ValueError(
            f"{file}, line {line}, column {column}: byte 0x{packed[error.start]:02x} is not "
            f'{codec.name}; if the file is older or from Windows, try encoding="cp1252"'
        ) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        line, column = _place(text[: text.index("\0")])
        raise ValueError(f"{file}, line {line}, column {column}: byte 0; this is no text file")
    if not text.strip():
        raise ValueError(f"{file} is empty")
    return file, text


def _place(before: str) -> tuple[int, int]:
    """Line and column, from 1, of what comes after."""
    before = before.replace("\r\n", "\n").replace("\r", "\n")
    return before.count("\n") + 1, len(before) - before.rfind("\n")
