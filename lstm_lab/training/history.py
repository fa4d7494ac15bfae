"""What a training leaves behind beside a better network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["History"]


@dataclass
class History:
    """How a training went.

    Attributes
    ----------
    loss : list of float
        Mean training loss of each finished epoch, as seen on the way: the network changes while
        it is taken, and dropout is on.
    validation_loss : list of float
        After each epoch, without dropout; empty if there was no validation set.
    gradient_norm : list of float
        Mean over each epoch's steps, before clipping.
    learning_rate : list of float
        Of each epoch's last step.
    step_loss, step_gradient_norm, step_learning_rate : list of float
        The same for every single step, those of an unfinished epoch included. A step's loss
        is NaN where nothing in its batch counted.
    ending : str
        "running", "finished", "out of patience" or "interrupted".
    """

    loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    gradient_norm: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    step_loss: list[float] = field(default_factory=list)
    step_gradient_norm: list[float] = field(default_factory=list)
    step_learning_rate: list[float] = field(default_factory=list)
    ending: str = "running"

    @property
    def epochs(self) -> int:
        """Finished epochs."""
        return len(self.loss)

    @property
    def best_epoch(self) -> int | None:
        """The epoch, counted from 0, with the lowest validation loss (the first, if tied)."""
        losses = self.validation_loss
        return losses.index(min(losses)) if losses else None

    def __repr__(self) -> str:
        def plural(count: int, noun: str) -> str:
            return f"{count} {noun}" if count == 1 else f"{count} {noun}s"

        parts = [f"{plural(self.epochs, 'epoch')}, {plural(len(self.step_loss), 'step')}"]
        if self.loss:
            parts.append(f"loss {self.loss[0]:.3g} → {self.loss[-1]:.3g}")
        if self.validation_loss:
            lowest = min(self.validation_loss)
            best = self.validation_loss.index(lowest) + 1
            parts.append(f"best validation loss {lowest:.3g} (epoch {best})")
        return f"<History: {'; '.join(parts)}; {self.ending}>"

    def plot(self) -> Any:
        """Loss by epoch, and gradient norm by step, as a matplotlib figure.

        Raises
        ------
        ValueError
            If no epoch was finished.
        """
        if not self.loss:
            raise ValueError("no epoch was finished: there is nothing to draw yet")
        from matplotlib import pyplot

        figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
        # Grey reads on white and on black; the text's colour follows the reader's theme.
        ink = pyplot.rcParams["text.color"]
        epochs = range(1, self.epochs + 1)
        marker = "o" if self.epochs == 1 else None
        left.plot(epochs, self.loss, color="#808080", marker=marker, label="training")
        if self.validation_loss:
            lowest = min(self.validation_loss)
            best = self.validation_loss.index(lowest) + 1
            left.plot(epochs, self.validation_loss, "--", color=ink, label="validation")
            left.plot(best, lowest, "*", color=ink, markersize=11, label="best")
        left.set(xlabel="epoch", ylabel="loss", title="Loss")
        left.legend()
        _log_if_wide(left, self.loss + self.validation_loss)

        steps = range(1, len(self.step_gradient_norm) + 1)
        right.plot(steps, self.step_gradient_norm, color="#808080", linewidth=0.8)
        right.set(xlabel="step", ylabel="norm before clipping", title="Gradient")
        _log_if_wide(right, self.step_gradient_norm)
        return figure


def _log_if_wide(axis: Any, values: list[float]) -> None:
    """A logarithmic axis where the values span more than a factor of ten."""
    if not 0 < 10 * min(values) < max(values):
        return
    from matplotlib.ticker import LogLocator, NullFormatter

    axis.set_yscale("log")
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.yaxis.set_major_formatter("{x:g}")
    if max(values) < 1000 * min(values):
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
