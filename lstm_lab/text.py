"""Where the models of text were at first: code that was written then is told their new place."""

raise ImportError(
    "lstm_lab.text has moved to lstm_lab.models: CharModel is LanguageModel there (its alphabet is "
    "model.vocabulary), ngram.bits_per_character is NGram, load is LanguageModel.load, and shipped "
    "is models.shipped. Files that CharModel wrote are still read."
)
