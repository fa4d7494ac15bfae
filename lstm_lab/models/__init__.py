"""Floor 5: models, each a few dozen lines on the layers, with ``fit``, ``save`` and ``load``.

`Seq2Seq` translates: an `EncoderDecoder`, and the symbols that it reads and writes.
"""

from .encoder_decoder import EncoderDecoder
from .seq2seq import Looked, Seq2Seq

__all__ = ["EncoderDecoder", "Looked", "Seq2Seq"]
