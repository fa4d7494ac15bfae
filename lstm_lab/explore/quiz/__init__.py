"""Questions that answer on click, and explain each wrong choice."""

from .widget import Question, Quiz

__all__ = ["Question", "Quiz"]
