"""A reader's own files: what is read, and by which line and column a fault is named."""

from __future__ import annotations

import pytest

from lstm_lab.data import Pairs, Tagged, read_conll, read_pairs, read_text, readers


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
@pytest.mark.parametrize("read", [read_text, read_pairs, read_conll])
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
