"""The extracts in the package: their licences, how they are made, and how a lost one is told."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pytest

from lstm_lab.data import extracts, load, make_addresses, make_digits, make_emoji, make_names
from lstm_lab.data.extracts import CHECKSUMS, body

FOLDER = Path(extracts.__file__).parent
LICENCES = {
    "addresses.tsv.gz": ("The MIT License", "Copyright (c) 2014 The Atlanta Journal"),
    "digits.tsv.gz": ("E. Alpaydin and C. Kaynak, 1998", "CC BY 4.0", "BSD 3-Clause License"),
    "emoji.tsv.gz": ("UNICODE LICENSE V3", "Copyright © 2004-2026 Unicode, Inc."),
    "names.tsv.gz": ("The MIT License", "Copyright (c) 2014 The Atlanta Journal"),
}


def test_there_are_no_others():
    assert {path.name for path in FOLDER.glob("*.gz")} == CHECKSUMS.keys() == LICENCES.keys()


@pytest.mark.parametrize("file", CHECKSUMS)
def test_an_extract_is_small_and_brings_its_licence(file):
    packed = (FOLDER / file).read_bytes()
    assert len(packed) < 60_000
    text = gzip.decompress(packed)
    assert hashlib.sha256(text).hexdigest() == CHECKSUMS[file]
    head = [line for line in text.decode("utf-8").splitlines() if line.startswith("# ")]
    for words in LICENCES[file]:
        assert any(words in line for line in head)
    assert not any(line in body(file) for line in head if line.strip("# "))


XML = """<Collection>
  <String><AddressNumber>12</AddressNumber> <StreetName>Älm
  </StreetName></String>
  <String><OccupancyType>#</OccupancyType></String>
</Collection>"""
LINES = ["12\tAddressNumber", "Älm\tStreetName", "", "#\tOccupancyType"]


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def addresses(folder: Path) -> tuple:
    write(folder / "training" / "labeled.xml", XML)
    write(folder / "LICENSE", "Free.\n\n# Really.")
    return make_addresses, [folder], ["", *LINES]


def names(folder: Path) -> tuple:
    for kind in make_names.KINDS:
        write(folder / "name_data" / "labeled" / f"{kind}_labeled.xml", XML)
    write(folder / "LICENSE", "Free.\n\n# Really.")
    one = [["", kind, *LINES[:2], "", kind, LINES[3]] for kind in make_names.KINDS]
    return make_names, [folder], sum(one, [])


def digits(folder: Path) -> tuple:
    packed = folder / "sklearn" / "datasets" / "data" / "digits.csv.gz"
    packed.parent.mkdir(parents=True)
    rows = [[*range(17), *[0] * 47, 7], [16] * 64 + [0]]
    text = "\n".join(",".join(map(str, map(float, row))) for row in rows)
    packed.write_bytes(gzip.compress(text.encode("ascii")))
    write(folder / "sklearn-1.dist-info" / "licenses" / "COPYING", "Free.\n\n# Really.")
    shades = make_digits.SHADES
    return make_digits, [folder], [f"7\t{shades}{'a' * 47}", f"0\t{'q' * 64}"]


def emoji(folder: Path) -> tuple:
    """ "#" is a name's own sign, not the licence's; flags and what has no name are left out."""
    tables = {
        "annotations": {"#": "hash", "🌇": "sunset", "🇫🇷": "flag: France", "x": None},
        "annotationsDerived": {"🏴\U000e0067\U000e0062": "flag: England", "👍🏽": "thumb"},
    }
    for kind, table in tables.items():
        entries = {key: {"tts": [name]} if name else {} for key, name in table.items()}
        text = json.dumps({kind: {"annotations": entries}})
        for language in make_emoji.LANGUAGES:
            write(folder / kind / "package" / kind / language / "annotations.json", text)
        write(folder / kind / "package" / "LICENSE", "Free.\n\n# Really.")
    lines = ["#\thash\thash", "🌇\tsunset\tsunset", "👍🏽\tthumb\tthumb"]
    return make_emoji, [folder / kind for kind in tables], lines


@pytest.mark.parametrize("sources", [addresses, digits, emoji, names])
def test_an_extract_can_be_made_again(sources, tmp_path, monkeypatch, capsys):
    module, folders, expected = sources(tmp_path / "source")
    target = tmp_path / f"{sources.__name__}.tsv.gz"
    arguments = [*map(str, folders), str(target)]
    assert module.main(arguments) == 0
    before = target.read_bytes()
    text = gzip.decompress(before)
    assert "# Free.\n# \n# # Really.\n" in text.decode("utf-8")
    assert hashlib.sha256(text).hexdigest() in capsys.readouterr().out
    monkeypatch.setattr(extracts.resources, "files", lambda package: tmp_path)
    monkeypatch.setitem(CHECKSUMS, target.name, hashlib.sha256(text).hexdigest())
    assert body(target.name) == expected
    assert module.main(arguments) == 1
    assert "exists" in capsys.readouterr().err
    assert target.read_bytes() == before
    assert module.main([]) == 2
    assert "python -m lstm_lab.data.make_" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", ["<A><B>two words</B></A>", "<A><B/></A>", "<A><B>x</B>y</A>"])
def test_a_string_with_anything_but_tagged_words_is_refused(wrong):
    with pytest.raises(ValueError, match="address 0 has"):
        make_addresses.as_text(f"<C>{wrong}</C>", "")


@pytest.mark.parametrize("row", ["0,1", ",".join(["17"] * 64 + ["0"]), "0," * 64 + "10"])
def test_a_row_that_is_no_digit_is_refused(row):
    with pytest.raises(ValueError, match="row 0 is no image of 64 pixels"):
        make_digits.as_text([row], "")


def test_a_name_with_a_tab_is_refused():
    with pytest.raises(ValueError, match="tab or a line break"):
        make_emoji.as_text({"en": {"x": "a\tb"}, "fr": {"x": "c"}}, "")


@pytest.mark.parametrize("name", ["addresses", "contacts", "digits", "emoji", "names"])
@pytest.mark.parametrize("damage", ["missing", "cut", "changed", "no gzip"])
def test_what_is_lost_or_damaged_says_so_in_one_sentence(name, damage, tmp_path, monkeypatch):
    for file in CHECKSUMS:
        packed = (FOLDER / file).read_bytes()
        changed = gzip.compress(gzip.decompress(packed) + b"x\ty\n")
        made = {"cut": packed[:-9], "changed": changed, "no gzip": b"<html>"}.get(damage)
        if made:
            (tmp_path / file).write_bytes(made)
    monkeypatch.setattr(extracts.resources, "files", lambda package: tmp_path)
    with pytest.raises((FileNotFoundError, ValueError)) as caught:
        load(name)
    assert isinstance(caught.value, FileNotFoundError if damage == "missing" else ValueError)
    said = str(caught.value)
    assert said.startswith("lstm_lab/data/") and ".tsv.gz is " in said
    assert "git checkout lstm_lab/data" in said and "pip install" in said
    assert "\n" not in said and caught.value.__suppress_context__ | (damage != "missing")
