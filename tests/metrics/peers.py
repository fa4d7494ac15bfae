"""What sacrebleu and seqeval say of the cases in golden.json; and the command that makes it again.

python -m pip install --target peers sacrebleu==2.6.0 seqeval==1.2.2
PYTHONPATH=peers:. python -m tests.metrics.peers
"""

from __future__ import annotations

import json
import random
import warnings
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).with_name("golden.json")
WORDS = [
    "a",
    "b",
    "cat",
    "(hi)",
    "dog,",
    "x.",
    "l’été",
    "\u202f:",
    "日本",
    "…",
    "-",
    "dark",
    "👍🏽",
]
TAGS = ["O", "O", "O", "B-x", "I-x", "B-y", "I-y", "B-a-b", "I-a-b"]
EDGES = [
    ([""], [["a b c d"]]),
    (["a b c d"], [[""]]),
    ([""], [[""]]),
    (["cat"], [["cat"]]),
    (["cat"], [["dog"]]),
    (["a b c d e"], [["a b c d e"]]),
    (["a  b\tc \n d"], [["a b c d"]]),
    (["   "], [["a"]]),
    (["a b c"], [["a b c d e f"], ["a b"]]),
    (["a b c d"], [["a b"], ["a b c d e f"]]),
    (["a a a a a"], [["a a"], ["a a a"]]),
    (["cat cat", "", "b b b b"], [["cat", "a", "b b b b"]]),
    (["a b c d e f g h i j"], [["a b c d e f g h i k"]]),
    (["!x !!", "(", "a-b."], [["!x !", ")", "a-b ."]]),
]


def corpora() -> list[tuple[list[str], list[list[str]]]]:
    """Hypotheses and rows of references: odd ones, and drawn ones that resemble each other."""
    rng, made = random.Random(0), list(EDGES)
    for _ in range(30):
        lines, rows = rng.randint(1, 4), rng.randint(1, 3)
        wanted = [
            [" ".join(rng.choices(WORDS, k=rng.choice([0, 1, 3, 9]))) for _ in range(lines)]
            for _ in range(rows)
        ]
        said = []
        for k in range(lines):
            words = rng.choice(wanted)[k].split(" ")
            said.append(
                " ".join(word for word in words for _ in range(rng.choice([0, 1, 1, 1, 2])))
            )
        made.append((said, wanted))
    return made


def tagged() -> list[tuple[list[list[str]], list[list[str]]]]:
    """True and predicted tags, legal and not."""
    rng, made = random.Random(1), [([["O"]], [["O"]]), ([["B-x"]], [["O"]]), ([["O"]], [["I-x"]])]
    for _ in range(25):
        true = [rng.choices(TAGS, k=rng.randint(1, 9)) for _ in range(rng.randint(1, 4))]
        said = [[t if rng.random() < 0.7 else rng.choice(TAGS) for t in row] for row in true]
        made.append((true, said))
    return made


def translation_scores(said: list[str], wanted: list[list[str]]) -> dict[str, Any]:
    from sacrebleu import sentence_bleu, sentence_chrf
    from sacrebleu.metrics import BLEU, CHRF

    first = [row[0] for row in wanted]
    scores = {
        f"bleu {smoothing} {effective} {order}": BLEU(
            tokenize="none",
            smooth_method=smoothing,
            effective_order=bool(effective),
            max_ngram_order=order,
        )
        .corpus_score(said, wanted)
        .score
        for smoothing in ("exp", "floor", "none")
        for effective in (0, 1)
        for order in (2, 4)
    }
    for words in (0, 2):
        for beta in (1, 2):
            made = CHRF(word_order=words, beta=beta).corpus_score(said, wanted).score
            scores[f"chrf {words} {beta}"] = made
    scores["sentence bleu"] = sentence_bleu(said[0], first, tokenize="none").score
    scores["sentence chrf"] = sentence_chrf(said[0], first).score
    return scores


def entity_scores(true: list[list[str]], said: list[list[str]]) -> dict[str, Any]:
    from seqeval.metrics import f1_score, precision_score, recall_score
    from seqeval.scheme import IOB2

    scores = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is divided by nothing
        for mode, options in (("default", {}), ("strict", {"mode": "strict", "scheme": IOB2})):
            each = (precision_score, recall_score, f1_score)
            scores[mode] = [float(score(true, said, **options)) for score in each]
    return scores


def main() -> None:
    cases = {
        "translation": [[*case, translation_scores(*case)] for case in corpora()],
        "entities": [[*case, entity_scores(*case)] for case in tagged()],
    }
    lines = [
        f'"{name}": [\n' + ",\n".join(json.dumps(case, ensure_ascii=False) for case in made) + "\n]"
        for name, made in cases.items()
    ]
    GOLDEN.write_text("{" + ",\n".join(lines) + "}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
