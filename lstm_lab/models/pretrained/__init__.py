"""The models that come with the book; ``python -m lstm_lab.models.pretrained`` makes them again."""

from __future__ import annotations

from pathlib import Path

from ..._validation import checked_choice
from ..language import LanguageModel

__all__ = ["SHIPPED", "shipped"]

FOLDER = Path(__file__).parent

# A recipe is a module here; it makes the file of its name.
RECIPES = tuple(sorted(each.stem for each in FOLDER.glob("[!_]*.py")))

#: The files by the models' names.
SHIPPED = {name: FOLDER / f"{name}.safetensors" for name in RECIPES}


def shipped(name: str = "python_source") -> LanguageModel:
    """A model that comes with the book; ``about`` says what it is.

    Parameters
    ----------
    name : {"python_source", "topics"}
        Of the Python standard library's own files, or of the English of its help topics.
    """
    return LanguageModel.load(SHIPPED[checked_choice(name, "name", tuple(SHIPPED))], "numpy")
