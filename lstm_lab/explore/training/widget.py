"""A training in the background, and what becomes of loss, gradient and gates while it runs."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from ..._validation import plain_array
from ..core.base import Explorable, choice, control, flag, floats
from ..core.bundle import module, styles
from ..core.lstm import CELL_LEVELS
from .serialize import POINTS, packed, thinned
from .trainer import TASKS, Diverged, Task, Training, classic, readers

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ...layers import Layer

HERE = Path(__file__).parent

MOST = 20_000

LEVELS = ("", "cell", *(f"cell/{path}" for path in CELL_LEVELS))


class TrainingExplorer(Explorable):
    """A real training, in the background: the library's own forward, backward and optimiser.

    While it runs, other cells of the notebook run too: it takes at most half of a core. It rests
    when no page has shown it for `PATIENCE` seconds, and ends with `stop`, with `close` and with
    the kernel.

    Parameters
    ----------
    model : Layer, optional
        The reader's own. A copy of it is trained: ``explorer.model``.
    x, target : array_like, optional
        The reader's own examples, (T, N, ...) and (N, ...) or (T, N, ...), as
        `lstm_lab.training.fit` takes them; needed with ``model``. A batch is 32 of them.
    loss : callable, optional
        ``loss(prediction, target) -> (value, gradient)``. `cross_entropy` if the targets are
        whole numbers, else `mse`.
    lengths : array_like (N,), optional
    task : {"temporal order", "first symbol", "adding"}
        See `lstm_lab.tasks`. Every batch is drawn anew, so that no sequence is seen twice.
    length : int
        Steps of a sequence, 24 to 120; it may change while the training runs.
    hidden : int
        Units H, 1 to 32. This and the next five begin a new training.
    init : {"forget bias", "chrono"}
        How the gates' biases begin: alike in all units, the forget gates' at ``forget_bias`` and
        the input gates' at ``input_bias``; or chrono, for memories up to ``length`` steps (Tallec
        & Ollivier 2018), where the two have no effect.
    forget_bias, input_bias : float
    optimizer : {"Adam", "SGD"}
    seed : int
        Of weights and examples.
    learning_rate : float
        May change while the training runs, as ``clip`` and ``clipping``.
    clip : float
        The longest gradient, over all parameters together.
    clipping : bool
        Whether gradients are clipped at all.
    example, unit, step : int
        The probe's sequence that is shown, the unit whose memory is drawn, the step that is read.

    Raises
    ------
    traitlets.TraitError
        A value that is not finite or out of its range.
    TypeError, ValueError
        A model or examples that do not fit each other, and why.
    """

    title = "A training, live"
    levels = LEVELS
    _esm = module(HERE / "widget.js")
    _css = Explorable._css + styles(HERE / "widget.css")

    #: Seconds without a sign of life from a page after which the training rests.
    PATIENCE = 10.0

    task = choice((*TASKS, "own"))
    length = control(60, 24, 120, 4, whole=True)
    init = choice(("forget bias", "chrono"))
    forget_bias = control(1.0, -3, 8)
    input_bias = control(0.0, -8, 3)
    hidden = control(8, 1, 32, 1, whole=True)
    optimizer = choice(("Adam", "SGD"))
    seed = control(0, 0, 99, 1, whole=True)
    learning_rate = control(0.02, 0.0005, 100, 0.0005)
    clipping = flag(True)
    clip = control(1.0, 0.001, 100, 0.001)
    example = control(1, 1, 32, 1, whole=True, view=True)
    unit = control(1, 1, 32, 1, whole=True, view=True)
    step = control(12, 1, 132, 1, whole=True, view=True)

    _run = traitlets.Bytes(b"").tag(sync=True)
    _past = traitlets.Bytes(b"").tag(sync=True)
    _told = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        model: Layer | None = None,
        x: ArrayLike | None = None,
        target: ArrayLike | None = None,
        loss: Callable | None = None,
        lengths: ArrayLike | None = None,
        **settings: Any,
    ):
        given = {"model": model, "x": x, "target": target, "loss": loss, "lengths": lengths}
        self._given = {n: value for n, value in given.items() if value is not None}
        self._lock, self._thread, self._halt = threading.RLock(), None, threading.Event()
        self._heard, self._sent, self._training = 0.0, 0.0, None
        if self._given:
            self._check_given()
        super().__init__(
            **settings,
            _defaults={"task": "own"} if self._given else {},
            _arguments=list(self._given),
        )
        self._begin()
        names = ["task", "hidden", "init", "forget_bias", "input_bias", "optimizer", "seed"]
        self.observe(lambda _: self._begin(), names)
        self.observe(lambda _: self._relength(), ["length"])
        self.observe(lambda _: self._publish(), ["example"])
        self.on_msg(lambda _, content, buffers: self._hear(content))

    # ------------------------------------------------------------------------------ for Python

    @property
    def model(self) -> Layer:
        """What is being trained."""
        return self._training.model

    @property
    def updates(self) -> int:
        """Updates made so far."""
        return self._training.updates

    @property
    def losses(self) -> list[float]:
        """The loss of every update so far, before it."""
        return list(self._training.losses)

    @property
    def status(self) -> str:
        """Ready, running, paused, resting, diverged or finished."""
        return self._told["status"]

    def options(self, name: str) -> Sequence[str]:
        if name == "task":
            return ("own",) if self._given else TASKS
        return super().options(name)

    def start(self) -> None:
        """Train in the background; nothing happens if it does already."""
        if self._thread is not None and self._thread.is_alive():
            return
        if self.status in ("diverged", "finished"):
            return
        self._heard = time.monotonic()
        self._halt.clear()
        self._tell("running")
        self._thread = threading.Thread(target=self._work, daemon=True, name="TrainingExplorer")
        self._thread.start()

    def stop(self) -> None:
        """End the training in the background, and wait until it has ended."""
        self._halt.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        self._thread = None
        if self._told.get("status") in ("running", "resting"):
            self._tell("paused")

    def train(self, updates: int) -> None:
        """So many updates, here and now."""
        with self._lock:
            for _ in range(updates):
                if not self._update():
                    break
            if updates and self.status == "ready":
                self._tell("paused")
            self._publish()

    def restart(self) -> None:
        """Start again, with this setting; a training that runs goes on from there."""
        self._begin()

    def values(self) -> dict[str, Any]:
        """The present numbers: those that the picture shows.

        Returns
        -------
        dict
            ``updates``; ``loss``, ``right`` (share of the probe's sequences that are answered
            right), ``shut`` and ``open`` (3,), of forget, input and output gate, on the probe;
            ``baseline``, where it is known; ``losses``, ``norms``, ``clipped``, of every update.
        """
        with self._lock:
            run, seen = self._training, self._training.seen
            known = {} if math.isnan(run.task.baseline) else {"baseline": run.task.baseline}
            return {
                "updates": run.updates,
                "loss": seen.loss,
                "right": seen.right,
                "shut": seen.shut,
                "open": seen.open,
                "losses": np.array(run.losses),
                "norms": np.array(run.norms),
                "clipped": np.array(run.clipped),
            } | known

    # ------------------------------------------------------------------------------ a training

    def _check_given(self) -> None:
        from ... import losses
        from ...layers import Layer

        given = self._given
        for name in ("model", "x", "target"):
            if name not in given:
                raise ValueError(f"{name}: model, x and target come together, and it is missing")
        model = given["model"]
        if not isinstance(model, Layer):
            raise TypeError(f"model: expected a layer, got {type(model).__name__}")
        if not model.params:
            raise ValueError("model: has no parameters, so there is nothing to train")
        for name, array in model.params.items():
            if not bool(model.backend.xp.isfinite(array).all()):
                raise ValueError(f"model: {name} holds NaN or infinity")
        whole = plain_array(given["target"], "target").dtype.kind in "iu"
        self._loss = given.get("loss") or (losses.cross_entropy if whole else losses.mse)
        if not callable(self._loss):
            raise TypeError(f"loss: expected a function such as losses.mse, got {self._loss!r}")
        try:
            Training(self._own_model(), self._own_task(0), None, 1)
        except (TypeError, ValueError) as error:
            raise type(error)(f"model, x and target do not fit each other: {error}") from error

    def _own_model(self) -> Layer:
        model = self._given["model"]
        return model.to(model.backend)

    def _own_task(self, seed: int) -> Task:
        given = self._given
        return readers(
            given["model"], given["x"], given["target"], given.get("lengths"), self._loss, seed
        )

    def _new(self) -> Training:
        from ... import optim
        from ...layers import LSTM, LastStep, Linear, Sequential

        optimizer = getattr(optim, self.optimizer)(self.learning_rate)
        if self._given:
            return Training(
                self._own_model(), self._own_task(self.seed), optimizer, 1, seed=self.seed
            )
        task, features, answers = classic(self.task, self.seed)
        start = {"forget_bias": self.forget_bias}
        if self.init == "chrono":
            start = {"init": "chrono", "chrono_length": self.length}
        lstm = LSTM(features, self.hidden, seed=self.seed, backend="numpy", **start)
        if self.init != "chrono":
            lstm.gate("input_gate").bias[:] = self.input_bias
        model = Sequential(
            lstm=lstm,
            last=LastStep(backend="numpy"),
            head=Linear(self.hidden, answers, seed=self.seed + 1, backend="numpy"),
        )
        return Training(model, task, optimizer, self.length, seed=self.seed)

    def _begin(self) -> None:
        """A training at its beginning; the one before becomes the ghost."""
        with self._lock:
            old = self._training
            if old is not None and old.updates > 9:
                self._past = floats([old.updates, *thinned(old.losses, POINTS)])
                self._before = self._words
            self._training, self._words = self._new(), self._in_words()
            running = self._thread is not None and self._thread.is_alive()
            self._tell("running" if running else "ready")
            self._publish()

    def _in_words(self) -> str:
        """What a curve of this training is called."""
        if self._given:
            return f"{self.optimizer}, seed {self.seed}"
        start = "chrono"
        if self.init != "chrono":
            start = f"forget bias {self.forget_bias:g}, input bias {self.input_bias:g}"
        return f"{start}, H = {self.hidden}, {self.optimizer}"

    def _relength(self) -> None:
        with self._lock:
            if not self._given:
                self._training.set_length(self.length)
            self._publish()

    def _update(self) -> bool:
        """One update; False if there are to be no more."""
        if self.status in ("diverged", "finished"):
            return False
        try:
            self._training.update(self.learning_rate, self.clip if self.clipping else math.inf)
        except Diverged as error:
            rate = f"{self.learning_rate:g}"
            advice = "a lower one" if self.clipping else "a lower one, or clip the gradient"
            self._tell("diverged", f"{error}. The learning rate is {rate}: try {advice}.")
            return False
        except Exception as error:
            # The reader's own loss or model: what is wrong with it is said, not lost in a thread.
            self._tell("diverged", f"{type(error).__name__}: {error}")
            return False
        if self.updates >= MOST:
            self._tell("finished", f"That is {MOST:,} updates, and enough.")
            return False
        return True

    def _work(self) -> None:
        while not self._halt.is_set():
            begin = time.monotonic()
            with self._lock:
                more = self._update()
                if not more or begin - self._sent > 0.05:
                    self._publish()
            if not more:
                return
            if time.monotonic() - self._heard > self.PATIENCE:
                self._tell("resting")
                return
            # As long a pause as the work took: half of a core, and the lock is free in it.
            self._halt.wait(max(0.001, time.monotonic() - begin))
        with self._lock:
            self._publish()

    def _hear(self, content: Any) -> None:
        """What a page sends: a sign of life, and what its buttons want."""
        if not isinstance(content, dict):
            return
        self._heard = time.monotonic()
        match content.get("do"):
            case "start":
                self.start()
            case "pause":
                self.stop()
            case "step":
                self.stop()
                self.train(1)
            case "again":
                self.restart()
            case _:
                if self.status == "resting":
                    self.start()

    # ---------------------------------------------------------------------------- to the page

    def _tell(self, status: str, said: str = "") -> None:
        now = {"status": status, "said": said, "words": getattr(self, "_words", "")}
        now |= {"before": getattr(self, "_before", ""), "answers": list(self._answers())}
        if now != self._told:
            self._told = now

    def _answers(self) -> Sequence[str]:
        return self._training.task.words if self._training is not None else ()

    def _publish(self) -> None:
        """Everything that is drawn, in one buffer."""
        with self._lock:
            self._sent = time.monotonic()
            self._run = packed(self._training, self.example)
