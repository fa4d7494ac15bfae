"""``python -m lstm_lab.text``: make the shipped model of Python source text again.

Trains on the standard library's own files, measures the model on files that it never saw, beside
n-grams that saw the same, asks what its cells follow, and writes all of it into one weight file.
About twelve minutes on one processor core with numba.
"""

from __future__ import annotations

import argparse
import json
import platform
from pathlib import Path

from ..data import ALPHABET, python_source
from . import recipe
from .model import SHIPPED, CharModel


def main() -> None:
    """Train, measure and write the model, as the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m lstm_lab.text",
        description="Make the shipped model of Python source text again.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--out", type=Path, default=SHIPPED, help="where the model goes")
    parser.add_argument("--cells", type=int, default=128, help="cells of the LSTM")
    parser.add_argument("--epochs", type=int, default=20, help="times that every text is read")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--backend", default="numba", help="numba, numpy or cupy")
    parser.add_argument("--checkpoint", type=Path, help="keep the training here, and go on from it")
    options = parser.parse_args()

    corpus = python_source()
    print(corpus)
    new = {"hidden_size": options.cells, "seed": options.seed, "backend": options.backend}
    model = CharModel.new(ALPHABET, **new)
    about = {
        "name": f"an LSTM of {options.cells} cells that has read Python source",
        "corpus": corpus.source,
        "licence": corpus.licence,
        "python": platform.python_version(),
        "seed": options.seed,
        "epochs": options.epochs,
        "command": f"python -m lstm_lab.text --cells {options.cells} --epochs {options.epochs} "
        f"--seed {options.seed}",
        "training": recipe.train(
            model, corpus, epochs=options.epochs, seed=options.seed, checkpoint=options.checkpoint
        ),
    }
    about |= recipe.measure(model, corpus)
    about["probes"] = recipe.probe(model, CharModel.new(ALPHABET, **new), corpus)
    model.about = about
    model.save(options.out)
    shown = {key: about[key] for key in ("test_bits", "ngram_bits", "characters")}
    print(json.dumps(shown, indent=1))
    for name, answer in about["probes"]["properties"].items():
        best = max(range(options.cells), key=answer["cells"].__getitem__)
        print(
            f"{name:12s} cell {best:3d} {answer['held_out'][best]:.2f}, chance "
            f"{answer['chance']:.2f}, untrained {answer['untrained']:.2f}, all cells together "
            f"{answer['together']:.2f}"
        )


if __name__ == "__main__":
    main()
