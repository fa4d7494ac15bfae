"""A reader's own files: what is read, and by which line and column a fault is named."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_lab.data import (
    Pairs,
    Series,
    Tagged,
    read_conll,
    read_pairs,
    read_series,
    read_text,
    readers,
)


@pytest.fixture
def file(tmp_path):
    """Write a file, and see at the end that nobody changed it."""
    written = {}

    def write(content: str | bytes, name: str = "own.txt"):
        path = tmp_path / name
        content = content.encode("utf-8") if isinstance(content, str) else content
        path.write_bytes(content)
        written[path] = content
        return path

    yield write
    assert all(path.read_bytes() == content for path, content in written.items())
    assert set(tmp_path.iterdir()) == set(written)


@pytest.mark.parametrize(
    ("content", "encoding", "text"),
    [
        ("Ä\n b\n", "utf-8", "Ä\n b\n"),
        (b"\xef\xbb\xbfa\r\nb\rc", "utf-8", "a\nb\nc"),
        ("é".encode("latin-1"), "latin-1", "é"),
        ("é\n”".encode("utf-16"), "utf-16", "é\n”"),
    ],
)
def test_a_text(file, content, encoding, text):
    path = file(content)
    assert read_text(path, encoding=encoding) == text
    assert read_text(str(path), encoding=encoding) == text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"abc\r\nd\xc3\xa9\xe9f", r"own\.txt, line 2, column 3: byte 0xe9 is not utf-8.*cp1252"),
        (b"\xff", "line 1, column 1: byte 0xff"),
        (b"a\nb\0c", "line 2, column 2: byte 0"),
        ("é".encode("utf-16"), 'UTF-16: pass encoding="utf-16"'),
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"PK\x03\x04...", "packed, as an Excel workbook is"),
        (b"\x1f\x8b...", "packed with gzip"),
        (b"%PDF-1.7", "a PDF"),
    ],
)
@pytest.mark.parametrize("read", [read_text, read_pairs, read_conll, read_series])
def test_what_is_no_text(file, read, content, message):
    with pytest.raises(ValueError, match=message):
        read(file(content))


def test_a_file_that_is_not_there(file, tmp_path):
    path = file("a", "novel.txt")
    with pytest.raises(FileNotFoundError, match=r"nowel\.txt; did you mean 'novel\.txt'\?"):
        read_text(path.with_name("nowel.txt"))
    with pytest.raises(FileNotFoundError, match="no file"):
        read_text(tmp_path / "no folder" / "x")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        read_text(tmp_path)


def test_a_file_that_is_too_large(file, monkeypatch):
    monkeypatch.setattr(readers, "LARGEST", 3)
    assert read_text(file("abc")) == "abc"
    with pytest.raises(ValueError, match="take a part of it"):
        read_text(file("abcd"))


@pytest.mark.parametrize("encoding", ["utf-9", "base64", ""])
def test_an_encoding_that_is_none(file, encoding):
    with pytest.raises(ValueError, match="encoding must be"):
        read_text(file("a"), encoding=encoding)


# Pairs


def test_pairs_parted_by_tabs(file):
    path = file('go\tva\tCC-BY\n\n"hi"\t “salut” \n', "own.tsv")
    assert read_pairs(path) == Pairs(("go", '"hi"'), ("va", "“salut”"), ("1", "3"))
    assert read_pairs(path, columns=(2, 1)).sources == ("va", "“salut”")


def test_pairs_parted_by_commas(file):
    path = file('en,fr\n"a, ""b""",c\n\n"two\nlines",d\ne,f\n', "own.csv")
    found = read_pairs(path, header=True)
    assert found == Pairs(('a, "b"', "two lines", "e"), ("c", "d", "f"), ("2", "4", "6"))
    assert read_pairs(file("a;b\n", "semi.csv"), delimiter=";")[0] == ("a", "b")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("own.tsv", "a\tb\nc\n", r"own\.tsv, line 2: 1 column where column 2 is wanted"),
        ("own.tsv", "a,b\n", r"it holds ',': pass delimiter=','\?"),
        ("own.csv", "a;b\n", r"it holds ';': pass delimiter=';'\?"),
        ("own.csv", "a\tb\n", r"parted by ','; it holds '\\t'"),
        ("own.tsv", "a\tb\n\n \tc\n", "line 3, column 1: there is no text"),
        ("own.csv", 'a,b\nc,""\n', "line 2, column 2: there is no text"),
        ("own.csv", 'a,b\n\n"c,d\ne,f\n', "record that begins at line 3"),
        ("own.csv", 'a,b\n"c"d,e\n', "record that begins at line 2.*written twice"),
    ],
)
def test_faults_of_pairs_are_named_by_line_and_column(file, name, content, message):
    with pytest.raises(ValueError, match=message):
        read_pairs(file(content, name))


def test_a_table_of_a_header_alone(file):
    with pytest.raises(ValueError, match="holds no pairs"):
        read_pairs(file("en\tfr\n"), header=True)


# Tagged words

CONLL = """-DOCSTART- -X- O O

EU NNP I-NP I-ORG
rejects VBZ I-VP O
German JJ I-NP I-MISC
British JJ I-NP B-MISC
lamb NN I-NP I-MISC

Peter NNP I-NP I-PER
"""


def test_tagged_words_of_2003(file):
    found = read_conll(file(CONLL), scheme="IOB1")
    assert found == Tagged(
        words=(("EU", "rejects", "German", "British", "lamb"), ("Peter",)),
        tags=(("B-ORG", "O", "B-MISC", "B-MISC", "I-MISC"), ("B-PER",)),
    )
    speech = read_conll(file(CONLL), scheme="any", tags=2)
    assert speech.tags[1] == ("NNP",)


def test_tagged_words_parted_by_tabs(file):
    """A word may hold a blank then, and any file other kinds of space."""
    path = file("New York\tB-LOC\r\n,\tO\r\n\t\r\n10\u202f000\tO", "own.conll")
    assert read_conll(path).words == (("New York", ","), ("10\u202f000",))
    assert read_conll(file("10\u202f000  O \n")).words == (("10\u202f000",),)
    assert read_conll(file("O x\n"), words=2, tags=1).words == (("x",),)


def test_bio_and_iob1_agree_where_both_may_be_meant(file):
    path = file("a B-x\nb I-x\nc O\nd B-y\n")
    assert read_conll(path) == read_conll(path, scheme="IOB1") == read_conll(path, scheme="any")


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("a B-x\nb I-y\n", {}, r"own\.txt, line 2, column 2: 'I-y' goes on.*scheme=\"IOB1\""),
        ("a I-x\n", {}, "line 1, column 2: 'I-x' goes on with nothing, for 'O' is before it"),
        ("a O\n\nb I-x\n", {}, "line 3, column 2"),
        ("a O\nb S-x\n", {}, "line 2, column 2: 'S-x' is not \"O\""),
        ("a NN O\nb NN B-\n", {"scheme": "IOB1"}, "line 2, column 3: 'B-'"),
        ("a O\n\nb NN O\n", {}, "line 3: 3 columns, but line 1 has 2"),
        ("\nword\n", {}, "line 2: 1 column; a word and its tag are wanted"),
        ("a O\n", {"tags": 4}, "line 1: 2 columns, and tags=4 is asked"),
        ("a\tO\n\tO\n", {}, "line 2, column 1: there is nothing"),
        ("a\tx\tO\nb\tx\t \n", {}, "line 2: 2 columns|line 2, column 3: there is nothing"),
        ("-DOCSTART- O\n\n", {}, "holds no tagged words"),
    ],
)
def test_faults_of_tagged_words_are_named_by_line_and_column(file, content, options, message):
    with pytest.raises(ValueError, match=message):
        read_conll(file(content), **options)


# Series


def test_a_series_with_dates(file):
    path = file("month,sold,price\n2023-11,3,1\n2023-12,4.5,1\n\n2024-01,-2e1,1\n", "own.csv")
    series = read_series(path, column="sold", time="month", unit="pieces")
    assert isinstance(series, Series)
    assert (series.name, series.unit, series.source) == ("sold", "pieces", "own.csv")
    np.testing.assert_array_equal(series.values, [3, 4.5, -20])
    np.testing.assert_allclose(series.times, [2023 + 10 / 12, 2023 + 11 / 12, 2024], rtol=1e-15)
    assert repr(series) == "<Series sold: 3 values, 2023–2024, in pieces>"
    assert read_series(path, column=2, time=1).checksum == series.checksum
    assert read_series(path, column="price").times.tolist() == [1, 2, 3]


def test_a_series_with_days_and_hours(file):
    days = "t,x\n2024-02-28,1\n2024-02-29,2\n2024-03-01,3\n2024-03-02,4\n"
    times = read_series(file(days, "own.csv"), time="t").times
    assert times[2] == pytest.approx(2024 + 2 / 12, rel=1e-15) and (np.diff(times) > 0).all()
    hours = "t,x\n2024-01-01 00:00,1\n2024-01-01T12:00:00,2\n2024-01-02,3\n"
    times = read_series(file(hours, "own.csv"), time=1).times
    np.testing.assert_allclose(np.diff(times), 0.5 / 31 / 12, rtol=1e-9)


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ("year;x\n1999;1,5\n2000;2\n", {"decimal": ","}),
        ("year\tx\n1999\t1.5\n2000\t2\n", {}),
        ('year,x\n1999,"1,5"\n2000,2\n', {"decimal": ",", "delimiter": ";"}),
        ('"year","x, in all"\n1999,1.5\n2000,2\n', {}),
        ("year|x\n1999|+1.5\n2000|2.\n", {"delimiter": "|"}),
    ],
)
def test_marks_of_a_series(file, content, options):
    if options == {"decimal": ",", "delimiter": ";"}:
        with pytest.raises(ValueError, match="time must be"):
            read_series(file(content), time="year", **options)
        return
    series = read_series(file(content), time=1, **options)
    assert series.values.tolist() == [1.5, 2] and series.times.tolist() == [1999, 2000]


def test_a_column_alone_needs_no_name(file):
    assert read_series(file("x\n1\n\n2\n")).values.tolist() == [1, 2]
    assert read_series(file("a,x\n1,5\n2,6\n"), time="a").values.tolist() == [5, 6]
    assert (
        read_series(file("t,x\n1950.08,\u22121\n1950.17,2\n1950.25,3\n"), time="t").values[0] == -1
    )


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("t,x\n1,2\n2,\n", {"time": 1}, r"own\.csv, line 3, column 2 \(x\): there is no number"),
        ("t,x\n1,2\n\n2,NA\n", {"time": 1}, r"line 4, column 2 \(x\).*'NA'; a series has no gaps"),
        ("t,x\n1,nan\n", {"time": 1}, "line 2, column 2.*no gaps"),
        ("t,x\n1,1e999\n", {"time": 1}, "line 2, column 2.*is no number"),
        ("t;x\n1;2,5\n", {"time": 1}, "line 2, column 2.*'2,5' is no number.*decimal=','"),
        ("t;x\n1;2.5\n", {"time": 1, "decimal": ","}, r"'2\.5' is no number.*decimal='\.'"),
        ("t;x\n1;1.234,5\n", {"time": 1, "decimal": ","}, "nothing between thousands"),
        ('t,x\n1,"1,234.5"\n', {"time": 1}, "'1,234.5' is no number"),
        (
            "t,x\n1,2,5\n",
            {"time": 1},
            "line 2: 3 columns, but the first line names 2.*decimal comma",
        ),
        ("t,x\n1,2\n", {"time": 1, "decimal": ","}, "decimal and delimiter are both ','"),
        ("t;x, all\n1;2\n", {}, "holds ',' and ';'; pass delimiter="),
        ("t,x\n1,2\n2,3\n4,4\n", {"time": "t"}, "line 4: t takes another step"),
        ("t,x\n1,2\n2,3\n2,4\n3,5\n4,6\n", {"time": "t"}, "line 4: t stands still or goes back"),
        ("t,x\n3,2\n2,3\n1,4\n", {"time": "t"}, "does not go forward; the oldest"),
        ("t,x\n2024-01,2\n2024-02,3\n2024-04,4\n", {"time": "t"}, "line 4: t takes another step"),
        (
            "t,x\n2024-01,2\n2025,3\n",
            {"time": "t"},
            "line 3: t is a number here, and a date in line 2",
        ),
        (
            "t,x\n31.12.2023,2\n",
            {"time": "t"},
            r"line 2, column 1 \(t\): '31\.12\.2023' is neither",
        ),
        ("t,x\n2023-13,2\n", {"time": "t"}, "'2023-13' is neither"),
        ("t,x\n,2\n", {"time": "t"}, "'' is neither"),
        ("t,x,y\n1,2,3\n", {}, "has the columns 't', 'x', 'y'; pass column="),
        ("t,x\n1,2\n", {"column": "z"}, "column must be"),
        ("t,x\n1,2\n", {"column": 3}, "has 2 columns, and column=3 is asked"),
        ("x,x\n1,2\n", {"column": "x"}, "has 2 columns 'x'; pass column= as a number"),
        ("1,2\n3,4\n", {"column": 1}, "line 1: there are numbers where the columns' names"),
        ("t,x\n", {"column": 1}, "holds no values"),
        ('t,x\n"1,2\n', {"column": 1}, "record that begins at line 2"),
    ],
)
def test_faults_of_a_series_are_named_by_line_and_column(file, content, options, message):
    with pytest.raises(ValueError, match=message):
        read_series(file(content, "own.csv"), **options)
