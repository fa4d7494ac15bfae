"""Floor 5: models, each a few dozen lines on the layers."""

from .tagger import Tagger, is_bio, word_features

__all__ = ["Tagger", "is_bio", "word_features"]
