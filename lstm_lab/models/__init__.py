"""Floor 5: models, each a few dozen lines on the layers, with ``fit``, ``save`` and ``load``.

`Seq2Seq` translates: `EncoderDecoder` is its network, with the vocabularies of both sides.
"""

from .encoder_decoder import EncoderDecoder

__all__ = ["EncoderDecoder"]
