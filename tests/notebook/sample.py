"""It does nothing; show_source is tried on it."""

# Why it is so.
LIMIT = 3


class Thing:
    """It does little."""

    @property
    def size(self):
        """It does this."""
        # Why it is so.
        return LIMIT
