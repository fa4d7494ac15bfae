"""Floor 5: models of text, character by character, and what is held beside them.

`CharModel` is a network with its alphabet, `ngram` the honest baseline, `probes` says what single
cells follow, and `shipped` is the model that comes with the book. ``python -m lstm_lab.text``
makes that one again.
"""

from .model import CharModel, load, shipped

__all__ = ["CharModel", "load", "shipped"]
