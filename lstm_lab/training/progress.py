"""What can be seen of a running training, and what stops it: the bar and Ctrl-C."""

from __future__ import annotations

import signal
import threading
import warnings
from typing import Any

from .history import History

__all__ = ["Bar", "Interrupt"]


class Bar:
    """A tqdm bar over all steps; nothing at all if it is not wanted or tqdm is not there."""

    def __init__(self, wanted: bool, total: int, done: int) -> None:
        self._bar = None
        if wanted and (tqdm := _tqdm()):
            self._bar = tqdm(total=total, initial=done, unit="step", dynamic_ncols=True)

    def __enter__(self) -> Bar:
        return self

    def step(self, epoch: int, epochs: int, history: History) -> None:
        """One step further."""
        if self._bar is None:
            return
        self._bar.set_description(f"epoch {epoch}/{epochs}", refresh=False)
        shown = {"loss": f"{(history.loss or history.step_loss)[-1]:.3g}"}
        if history.validation_loss:
            shown["validation"] = f"{history.validation_loss[-1]:.3g}"
        self._bar.set_postfix(shown, refresh=False)
        self._bar.update()

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if self._bar is None:
            return
        done, start = self._bar.n, self._bar.start_t
        if error is None and 0 < done < self._bar.total:
            # Ended early is not failed. Only reset() tells the notebook's bar of a new total;
            # without one it would turn red.
            self._bar.reset(total=done)
            self._bar.start_t = start
            self._bar.update(done)
        self._bar.close()


def _tqdm() -> Any:
    try:
        with warnings.catch_warnings():
            # Without ipywidgets tqdm falls back to text by itself, and need not say so.
            warnings.simplefilter("ignore")
            from tqdm.auto import tqdm
    except ImportError:
        return None
    return tqdm


class Interrupt:
    """Within it, the first Ctrl-C (or ■ in Jupyter) only sets ``requested``; the next one breaks.

    Python allows signal handlers in the main thread only; elsewhere this does nothing.
    """

    def __init__(self) -> None:
        self.requested = False
        self._previous: Any = None

    def __enter__(self) -> Interrupt:
        in_main = threading.current_thread() is threading.main_thread()
        # A handler that ignores SIGINT, or one set outside Python, is left in charge.
        if in_main and callable(signal.getsignal(signal.SIGINT)):
            self._previous = signal.signal(signal.SIGINT, self._handle)
        return self

    def _handle(self, number: int, frame: Any) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)
