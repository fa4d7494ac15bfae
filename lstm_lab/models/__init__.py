"""Floor 5: models, each a few dozen lines on the layers."""

from .tagger import Tagger, TagScores, is_bio, tag_scores, word_features

__all__ = ["TagScores", "Tagger", "is_bio", "tag_scores", "word_features"]
