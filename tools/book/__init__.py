"""The book as data: what is made in it, and the lint. ``python -m tools.book``."""
