"""Floor 5: models, each a few dozen lines on the layers, and what is held beside them.

`LanguageModel` predicts the next character or word; `NGram` does by counting, and
`compressed_bits` says what a compressor makes of the same text. `probes` says what single cells
follow, and `shipped` is the model that comes with the book. `Seq2Seq`, an
`EncoderDecoder` with its vocabularies, translates. `Tagger` gives every word of a line a tag.
`Recogniser` writes down what it hears.
"""

from .compression import compressed_bits
from .encoder_decoder import EncoderDecoder
from .language import LanguageModel, Reading
from .ngram import NGram
from .pretrained import shipped
from .recogniser import Recogniser
from .seq2seq import Looked, Seq2Seq
from .tagger import Tagger, TagScores, is_bio, tag_scores, word_features
from .vocabulary import Vocabulary

__all__ = [
    "EncoderDecoder",
    "LanguageModel",
    "Looked",
    "NGram",
    "Reading",
    "Recogniser",
    "Seq2Seq",
    "TagScores",
    "Tagger",
    "Vocabulary",
    "compressed_bits",
    "is_bio",
    "shipped",
    "tag_scores",
    "word_features",
]
