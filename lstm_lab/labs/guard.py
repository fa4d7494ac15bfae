"""What keeps a student's function within bounds: time, output, and the session that it runs in.

A function may run for ever, end Python, ask for input, print without end or put other functions in
the place of NumPy's. Nothing of that may reach the page, the check, or the cells that come after.
"""

from __future__ import annotations

import builtins
import contextlib
import ctypes
import io
import operator
import random
import signal
import sys
import threading
import time
from collections.abc import Iterator, MutableMapping
from typing import Any

import numpy as np

SECONDS = 10.0
"""How long a student's function may run in one check, all its calls together."""

PRINTED_LINES, PRINTED_CHARACTERS = 8, 600
"""How much of what a function prints is shown."""

LARGEST = 100_000
"""How many numbers a function may return: a check keeps what all its calls have returned."""


class Refused(BaseException):
    """What a student's function must not do; no ``except Exception`` of theirs catches it."""


class TooLong(Refused):
    """It does not come to an end."""


class AsksForInput(Refused):
    """It calls `input`."""


class ChangesNumPy(Refused):
    """It puts something else in the place of a function of NumPy."""


class TooLarge(Refused):
    """It returns more numbers than can be looked at."""


# --- Time --------------------------------------------------------------------------------------


class Clock:
    """Stops what runs too long, by raising `TooLong` in it.

    One check has one clock. ``running`` is true exactly while the student's own code runs, so that
    nothing is ever raised in the code that marks it.
    """

    def __init__(self, seconds: float | None = None):
        self.left = SECONDS if seconds is None else seconds
        self.running = self.rung = False
        by_signal = hasattr(signal, "setitimer") and (
            threading.current_thread() is threading.main_thread()
        )
        self._alarm = _Signal(self) if by_signal else _Thread(self)

    def start(self) -> None:
        self.rung, self._started = False, time.monotonic()
        self._alarm.set(max(self.left, 0.001))

    def stop(self) -> None:
        """Disarm; whatever is raised late, while the student's code has ended, is dropped."""
        while True:
            try:
                self.running = False
                self._alarm.clear()
                break
            except TooLong:
                continue
        self.left -= time.monotonic() - self._started


class _Signal:
    """The operating system's alarm clock; it wakes even what sleeps. For the main thread."""

    def __init__(self, clock: Clock):
        self._clock = clock

    def _ring(self, number: int, frame: Any) -> None:
        if self._clock.running:
            self._clock.rung = True
            raise TooLong

    def set(self, seconds: float) -> None:
        self._at = time.monotonic()
        self._handler = signal.signal(signal.SIGALRM, self._ring) or signal.SIG_DFL
        # It rings again and again: a bare `except:` may catch the first.
        self._before = signal.setitimer(signal.ITIMER_REAL, seconds, 0.05)

    def clear(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._handler)
        left, interval = self._before
        if left:  # somebody else's alarm, as pytest's: it rings when it should have rung
            left = max(left - (time.monotonic() - self._at), 0.001)
            signal.setitimer(signal.ITIMER_REAL, left, interval)


class _Thread:
    """An exception sent from a second thread: for Windows, and for other threads than the main."""

    def __init__(self, clock: Clock):
        self._clock, self._lock = clock, threading.Lock()
        self._target = ctypes.c_ulong(threading.get_ident())

    def _ring(self) -> None:
        with self._lock:
            if self._clock.running:
                self._clock.rung = True
                self._send(ctypes.py_object(TooLong))
                self._arm(0.05)

    def _send(self, what: Any) -> None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(self._target, what)

    def _arm(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._ring)
        self._timer.daemon = True
        self._timer.start()

    def set(self, seconds: float) -> None:
        self._arm(seconds)

    def clear(self) -> None:
        with self._lock:
            self._timer.cancel()
            if self._clock.rung:
                self._send(None)


# --- Output ------------------------------------------------------------------------------------


class Printed(io.StringIO):
    """Keeps the beginning of what is printed, and forgets the rest."""

    cut = False

    def write(self, text: str) -> int:
        room = PRINTED_CHARACTERS - self.tell()
        super().write(text[:room])
        self.cut = self.cut or len(text) > room
        return len(text)

    def close(self) -> None:
        """Stay open: a student may close the standard output."""

    def shown(self) -> str:
        """Return what there is room for, in lines; "..." at its end where something is missing."""
        lines = self.getvalue().splitlines()
        cut = self.cut or len(lines) > PRINTED_LINES
        return "\n".join(lines[:PRINTED_LINES] + ["..."] * cut)


# --- The session -------------------------------------------------------------------------------

_NUMPY = {
    prefix: (vars(module), {n: v for n, v in vars(module).items() if not n.startswith("_")})
    for prefix, module in (("np.", np), ("np.linalg.", np.linalg), ("np.random.", np.random))
}


def changed_numpy() -> list[str]:
    """Name what is not NumPy's own any more, as in ``np.exp``."""
    return [
        prefix + name
        for prefix, (names, own) in _NUMPY.items()
        if not all(map(operator.is_, map(names.get, own), own.values()))
        for name, value in own.items()
        if names.get(name) is not value
    ]


def restore_numpy() -> None:
    """Give NumPy its own functions back."""
    for names, own in _NUMPY.values():
        names.update(own)


def _ask(*_: Any) -> str:
    raise AsksForInput


def _leave(*_: Any) -> None:
    raise SystemExit


@contextlib.contextmanager
def same_session(names: MutableMapping[str, Any]) -> Iterator[None]:
    """Keep the session as it is, whatever a student's functions do in it.

    Parameters
    ----------
    names : the notebook's names. `exit` and `quit` of IPython, which end the kernel without an
        exception, are replaced there for the time being, and so are Python's own, which close the
        standard input.
    """
    old_state = np.random.get_state(), random.getstate(), sys.getrecursionlimit()  # noqa: NPY002
    own = {"exit": _leave, "quit": _leave}
    ipythons = {n: own[n] for n in own if type(names.get(n)).__module__.startswith("IPython")}
    try:
        with (
            in_place_of(vars(builtins), {"input": _ask, **own}),
            in_place_of(names, ipythons),
            np.printoptions(),
        ):
            yield
    finally:
        np.random.set_state(old_state[0])  # noqa: NPY002
        random.setstate(old_state[1])
        sys.setrecursionlimit(old_state[2])


@contextlib.contextmanager
def in_place_of(names: MutableMapping[str, Any], others: dict[str, Any]) -> Iterator[None]:
    """For a while, let other values be found under these names."""
    kept = {name: names[name] for name in others if name in names}
    names.update(others)
    try:
        yield
    finally:
        names.update(kept)
        for name in others.keys() - kept.keys():
            names.pop(name, None)
