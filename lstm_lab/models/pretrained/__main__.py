"""``python -m lstm_lab.models.pretrained NAME``: make a model that comes with the book again.

Trains on texts that every Python has, measures the model on texts that it never saw, beside n-grams
that saw the same, and writes all of it into one weight file. About twelve minutes for Python source
on one processor core with numba.
"""

from __future__ import annotations

import argparse
import json
import platform
from importlib import import_module
from pathlib import Path

from ..language import LanguageModel
from . import FOLDER, RECIPES


def main() -> None:
    """Train, measure and write the model, as the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m lstm_lab.models.pretrained",
        description="Make a model that comes with the book again.",
    )
    parser.add_argument("name", choices=RECIPES, help="which")
    parser.add_argument("--out", type=Path, help="where the model goes")
    parser.add_argument("--cells", type=int, help="cells of the LSTM")
    parser.add_argument("--epochs", type=int, help="times that every text is read")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--backend", default="numba", help="numba, numpy or cupy")
    parser.add_argument("--checkpoint", type=Path, help="keep the training here, and go on from it")
    options = parser.parse_args()

    recipe = import_module(f".{options.name}", __package__)
    cells, epochs = options.cells or recipe.CELLS, options.epochs or recipe.EPOCHS
    corpus = recipe.corpus()
    print(corpus)
    new = {"hidden_size": cells, "seed": options.seed, "backend": options.backend}
    model = LanguageModel.new(recipe.VOCABULARY, **new)
    model.about = {
        "name": recipe.NAME.format(cells=cells),
        "corpus": corpus.source,
        "licence": corpus.licence,
        "python": platform.python_version(),
        "seed": options.seed,
        "epochs": epochs,
        "command": f"python -m lstm_lab.models.pretrained {options.name} --cells {cells} "
        f"--epochs {epochs} --seed {options.seed}",
        "training": recipe.train(
            model, corpus, epochs=epochs, seed=options.seed, checkpoint=options.checkpoint
        ),
    }
    model.about |= recipe.about(model, LanguageModel.new(recipe.VOCABULARY, **new), corpus)
    model.save(options.out or FOLDER / f"{options.name}.safetensors")
    shown = {key: model.about[key] for key in ("test_bits", "ngram_bits", "characters")}
    print(json.dumps(shown, indent=1))
    for name, answer in model.about.get("probes", {}).get("properties", {}).items():
        best = max(range(cells), key=answer["cells"].__getitem__)
        print(
            f"{name:12s} cell {best:3d} {answer['held_out'][best]:.2f}, chance "
            f"{answer['chance']:.2f}, untrained {answer['untrained']:.2f}, all cells together "
            f"{answer['together']:.2f}"
        )


if __name__ == "__main__":
    main()
