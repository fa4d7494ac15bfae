"""Real addresses in which a hand has labelled every word; they lie in the package."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from importlib import resources

__all__ = ["Tagged", "addresses"]

FILE = "addresses.tsv.gz"


@dataclass(frozen=True)
class Tagged:
    """Sequences of words, each word with its tag.

    Attributes
    ----------
    words, tags : tuple of tuples of str
        One inner tuple for each sequence; a sequence's words and tags are equally many.
    name, source, licence : str
    """

    words: tuple[tuple[str, ...], ...]
    tags: tuple[tuple[str, ...], ...]
    name: str
    source: str
    licence: str

    def __len__(self) -> int:
        return len(self.words)

    def __repr__(self) -> str:
        count = sum(map(len, self.words))
        kinds = len({tag for tags in self.tags for tag in tags})
        return (
            f"<Tagged {self.name}: {len(self)} sequences, {count} words, {kinds} tags; "
            f"{self.licence}>"
        )


def addresses() -> Tagged:
    """Addresses of the United States, every word labelled by hand with what it is.

    The training data ``training/labeled.xml`` of usaddress 0.5.16, in its order: 1,513 addresses,
    10,722 words, 29 tags such as AddressNumber, StreetName and ZipCode. A comma belongs to the
    word before it. Some addresses are there twice. The MIT licence's text is at the file's
    head; ``python -m lstm_lab.data.make_addresses`` makes the file.

    Source: https://github.com/datamade/usaddress
    """
    packed = resources.files(__package__).joinpath(FILE).read_bytes()
    lines = gzip.decompress(packed).decode("utf-8").splitlines()
    body = "\n".join(line for line in lines if not line.startswith("# "))
    words, tags = [], []
    for block in body.strip("\n").split("\n\n"):
        pairs = [line.split("\t") for line in block.splitlines()]
        words.append(tuple(word for word, _ in pairs))
        tags.append(tuple(tag for _, tag in pairs))
    return Tagged(
        words=tuple(words),
        tags=tuple(tags),
        name="Addresses",
        source="usaddress 0.5.16, training/labeled.xml; The Atlanta Journal Constitution, 2014",
        licence="MIT",
    )
