"""Whole sequences in one kernel: the numbers, the meeting of the blocks, and what fits.

Without a GPU the kernels run on the emulated device, with so little of everything that a few units
already take several blocks; with one, the same tests run on it too.
"""

from __future__ import annotations

import inspect
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_lab import GRU, LSTM, RNN, LastStep, Linear, Sequential
from lstm_lab.backends import Backend, CupyBackend, NumbaBackend, get_backend
from lstm_lab.backends.kernels import persistent
from lstm_lab.backends.kernels.tiling import COLUMNS, Limits, Loop, tile
from lstm_lab.cells import LSTM_CELL
from lstm_lab.data import Standardizer, load, split, windows
from lstm_lab.losses import mse
from lstm_lab.optim import Adam
from lstm_lab.training import fit, predict

from .. import tolerance
from ..strict import StrictBackend
from .cuda_on_cpu import EmulatedBackend, KernelFailed

ROOT = Path(__file__).resolve().parents[2]
SMALL = Limits(processors=40, shared_bytes=12_000, cooperative=True, threads=64)
LARGE = Limits(processors=3, shared_bytes=60_000, cooperative=False, threads=96)
H100 = Limits(processors=132, shared_bytes=232_448, cooperative=True)
A100 = Limits(processors=108, shared_bytes=166_912, cooperative=True)

KINDS = {
    "LSTM": (LSTM, {}),
    "GRU": (GRU, {}),
    "RNN": (RNN, {}),
    "peepholes": (LSTM, {"peepholes": True}),
    "1997": (LSTM, {"forget_gate": False}),
    "coupled, peepholes": (LSTM, {"coupled": True, "peepholes": True}),
}


@dataclass(frozen=True)
class Run:
    """One layer over one batch."""

    hidden: int
    lengths: tuple[int, ...]
    bidirectional: bool = False
    layers: int = 1

    @property
    def roundings(self) -> int:
        """In a row, in float32: see `tests.tolerance`."""
        return tolerance.of_steps(
            max(self.lengths), len(self.lengths), 3, self.hidden, self.layers,
            1 + self.bidirectional,
        )  # fmt: skip


RUNS = [
    Run(1, (1,)),
    Run(4, (3,) * 4),
    Run(13, (6,) * 9, bidirectional=True),
    Run(6, (7, 7, 4, 2, 1, 5, 3), bidirectional=True, layers=2),
]


@pytest.fixture
def emulated(require):
    require("g++", "a C++ compiler: apt install g++, or Xcode's command line tools")
    return EmulatedBackend


@pytest.fixture(params=["small", "large", pytest.param("cupy", marks=pytest.mark.gpu)])
def device(request, emulated):
    """``device(persistent)``: a backend that runs CUDA kernels."""
    if request.param == "cupy":
        return lambda persistent: CupyBackend(persistent=persistent)
    limits = {"small": SMALL, "large": LARGE}[request.param]
    return lambda persistent: emulated(limits, persistent)


def watch(backend, monkeypatch) -> list[str]:
    """The names of the loops that the backend takes over, as it does."""
    taken = []
    for name in ("forward_loop", "backward_loop"):
        original = getattr(backend, name)

        def spy(*args, original=original, name=name):
            loop = original(*args)
            taken.append(name if loop else f"no {name}")
            return loop

        monkeypatch.setattr(backend, name, spy)
    return taken


def answers(kind: str, run: Run, dtype: str, backend) -> list[np.ndarray]:
    """Output, final state, and every gradient."""
    layer_of, options = KINDS[kind]
    options = {"bidirectional": run.bidirectional, "dtype": dtype, "seed": 0, **options}
    layer = layer_of(3, run.hidden, run.layers, backend=backend, **options)
    backend = layer.backend
    rng = np.random.default_rng(0)
    steps, batch = max(run.lengths), len(run.lengths)
    x, dy = (rng.normal(size=(steps, batch, width)) for width in (3, layer.output_size))
    state = rng.normal(size=(run.layers * (1 + run.bidirectional), batch, run.hidden))
    several = layer_of is LSTM
    state, dstate = ([backend.asarray(a.astype(dtype))] * 2 for a in (state, -state))
    state, dstate = (tuple(s) if several else s[0] for s in (state, dstate))
    x, dy = (backend.asarray(a.astype(dtype)) for a in (x, dy))
    y, trace = layer.forward(x, state=state, lengths=run.lengths)
    grad = layer.backward(dy, trace, dstate=dstate)
    alone, _ = layer.forward(x, state=state, lengths=run.lengths, trace=False)
    states = [s for pair in (trace.state, grad.state) for s in (pair if several else (pair,))]
    return [backend.to_numpy(a) for a in (y, alone, grad.x, *states, *grad.params.values())]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"H{run.hidden}n{len(run.lengths)}")
def test_the_kernels_are_the_time_loop(device, monkeypatch, kind, run):
    backend = device(persistent=True)
    taken = watch(backend, monkeypatch)
    ours = answers(kind, run, "float64", backend)
    assert set(taken) == {"forward_loop", "backward_loop"}
    for a, b in zip(ours, answers(kind, run, "float64", "numpy"), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)


def test_in_float32(device):
    ours = answers("LSTM", RUNS[2], "float32", device(persistent=True))
    for a, b in zip(ours, answers("LSTM", RUNS[2], "float32", "numpy"), strict=True):
        assert a.dtype == np.float32
        tolerance.assert_close(a, b, RUNS[2].roundings)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_a_kernel_a_step_is_the_time_loop(device, kind):
    ours = answers(kind, RUNS[2], "float64", device(persistent=False))
    for a, b in zip(ours, answers(kind, RUNS[2], "float64", "numpy"), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)


@pytest.mark.parametrize("whole", [True, False], ids=["whole sequences", "a kernel a step"])
def test_a_chapters_model_learns_as_on_numpy(device, whole):
    """Chapter 10's network on the sea's temperature, 20 training steps."""
    series = load("el_nino")
    parts = split(series.values, 96, 120, context=24)
    x, truth = windows(Standardizer.fit(parts[0])(parts[0]), 24)
    hidden, batch = 32, 32
    backend = device(whole)
    if isinstance(backend, EmulatedBackend):  # each thread costs its turn
        x, truth, hidden, batch = x[-6:, :80], truth[:80], 9, 4
    x, truth = x[:, : 20 * batch], truth[: 20 * batch]
    results = []
    for each in (get_backend("numpy"), backend):
        options = {"dtype": "float64", "backend": each}
        model = Sequential(
            encoder=LSTM(1, hidden, seed=0, **options),
            last=LastStep(**options),
            head=Linear(hidden, 1, seed=0, **options),
        )
        history = fit(
            model, x, truth, loss=mse, optimizer=Adam(0.005),
            epochs=1, batch_size=batch, clip_norm=1.0, seed=0, progress=False,
        )  # fmt: skip
        forecast = predict(model, x[:, :8])
        results.append([history.loss, forecast, *map(each.to_numpy, model.params.values())])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-9)


@pytest.mark.skipif(sys.platform != "linux", reason="guards memory with Linux's own calls")
@pytest.mark.parametrize("where", ["begin", "end"])
def test_nothing_outside_the_arrays_is_touched(emulated, where):
    command = [sys.executable, "-m", "tests.backends.run_guarded", where]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and "nothing was touched" in done.stdout, done.stderr


# Where it does not fit


def test_without_room_each_step_is_a_kernel(emulated, monkeypatch):
    cramped = Limits(processors=2, shared_bytes=3_000, cooperative=True, threads=64)
    backend = emulated(cramped)
    taken = watch(backend, monkeypatch)
    ours = answers("LSTM", RUNS[2], "float64", backend)
    assert set(taken) == {"no forward_loop", "no backward_loop"}
    assert set(backend.xp.launched) == {"lstm_forward", "lstm_derivatives", "lstm_backward"}
    for a, b in zip(ours, answers("LSTM", RUNS[2], "float64", "numpy"), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)


def test_where_the_compiled_kernel_needs_more_than_planned(emulated):
    backend = emulated(SMALL)
    backend.xp.room = 0
    answers("LSTM", RUNS[1], "float64", backend)
    assert set(backend.xp.launched) == {"lstm_forward", "lstm_derivatives", "lstm_backward"}


def test_where_the_truncated_gradient_carries_nothing(emulated, monkeypatch):
    backend = emulated(SMALL)
    taken = watch(backend, monkeypatch)
    layer = LSTM(2, 5, forget_gate=False, truncated=True, backend=backend, dtype="float64", seed=0)
    y, trace = layer.forward(backend.asarray(np.ones((3, 2, 2))))
    layer.backward(y, trace)
    assert taken == ["forward_loop"]


def test_where_the_state_is_smaller_than_the_gates(emulated):
    """Six units, projected to three."""
    backend, weights = emulated(SMALL), np.zeros((1, 24, 3))
    assert backend.forward_loop(LSTM_CELL.forward, weights, 4, 5) is None
    assert backend.backward_loop(LSTM_CELL.backward, weights, 4, slice(0, 24), False) is None


def test_an_old_gpu_has_a_kernel_a_step(emulated):
    loops = persistent.PersistentLoops(emulated(SMALL).xp)
    assert loops._limits(0) == Limits(40, 12_000, True)
    loops._cupy.cuda.Device(0).compute_capability = "61"
    loops._limits.cache_clear()
    assert tile(loops._limits(0), Loop(8, 1, 4, 8, 4), 4) is None


# The meeting of the blocks


def mutants():
    """Each barrier and each fence of the kernels left out."""
    for word in ("__syncthreads();", "__threadfence();\n        atomicAdd"):
        for k in range(persistent.LIBRARY.count(word)):
            parts = persistent.LIBRARY.split(word)
            kept = word.removeprefix("__syncthreads();").removeprefix("__threadfence();")
            text = word.join(parts[: k + 1]) + kept + word.join(parts[k + 1 :])
            yield f"{word[:13]} {k}", text
    for word in ("while ((int)", "atomicAdd(counter, 1u);"):
        yield f"no {word}", persistent.LIBRARY.replace(word, f"if (0) {word}")
    yield "one step behind", persistent.LIBRARY.replace("MEMBERS * count", "MEMBERS * (count - 1)")
    yield "too early", persistent.LIBRARY.replace("MEMBERS * count", "MEMBERS * count - 1")


@pytest.mark.parametrize("library", [pytest.param(text, id=name) for name, text in mutants()])
def test_a_missing_barrier_is_noticed(emulated, monkeypatch, library):
    assert library != persistent.LIBRARY
    expected = answers("LSTM", RUNS[2], "float64", "numpy")
    monkeypatch.setattr(persistent, "LIBRARY", library)
    backend = emulated(SMALL)
    try:
        ours = answers("LSTM", RUNS[2], "float64", backend)
    except KernelFailed:
        return
    pairs = zip(ours, expected, strict=True)
    assert not all(np.allclose(a, b, rtol=0, atol=1e-9) for a, b in pairs)


def test_blocks_that_are_not_under_way_together_are_noticed(emulated, monkeypatch):
    backend = emulated(SMALL)
    kernel_of = backend.xp.RawKernel
    monkeypatch.setattr(
        backend.xp, "RawKernel",
        lambda *args, enable_cooperative_groups: kernel_of(*args), raising=False,
    )  # fmt: skip
    with pytest.raises(KernelFailed, match="deadlock"):
        answers("LSTM", RUNS[2], "float64", backend)


def test_other_blocks_values_are_read_past_the_l1_cache():
    """The emulator has no cache that could be stale: the text must say it."""
    body = persistent.LIBRARY.split("void multiply")[1]
    assert "__ldcg(matrix + " in body and body.count("matrix") == 2


# What fits


@pytest.mark.parametrize(
    ("limits", "hidden", "n", "members"),
    [
        (H100, 64, 32, 1),
        (H100, 256, 64, 8),
        (H100, 512, 128, 32),
        (H100, 1024, 32, 128),
        (H100, 2048, 32, None),
        (A100, 64, 4096, 1),
        (A100, 256, 64, 13),
        (A100, 512, 128, None),
        (replace(H100, cooperative=False), 256, 64, None),
        (replace(H100, cooperative=False), 64, 32, 1),
    ],
)
def test_what_fits_on_known_gpus(limits, hidden, n, members):
    for loop in (Loop(hidden, 1, 4, hidden, 4), Loop(hidden, 1, 1, 4 * hidden, 4)):
        tiling = tile(limits, loop, n)
        assert (tiling and tiling.members) == members


@given(
    limits=st.builds(
        Limits,
        processors=st.integers(1, 150),
        shared_bytes=st.integers(1_000, 230_000),
        cooperative=st.booleans(),
        threads=st.sampled_from([64, 256, 512]),
    ),
    hidden=st.integers(1, 1100),
    rows=st.sampled_from([1, 3, 4]),
    directions=st.integers(1, 2),
    itemsize=st.sampled_from([4, 8]),
    n=st.integers(1, 5000),
    forward=st.booleans(),
)
def test_a_tiling_covers_everything_within_the_limits(
    limits, hidden, rows, directions, itemsize, n, forward
):
    depth = hidden if forward else rows * hidden
    loop = Loop(hidden, directions, rows if forward else 1, depth, itemsize)
    tiling = tile(limits, loop, n)
    if tiling is None:
        return
    squares = loop.rows * tiling.units * tiling.columns // 16
    assert tiling.units % 4 == 0 and tiling.columns in COLUMNS
    assert tiling.members * tiling.units >= hidden > (tiling.members - 1) * tiling.units
    assert tiling.groups(loop, n) * tiling.columns >= directions * n
    assert tiling.threads == squares * tiling.slices <= 1.25 * limits.threads
    assert tiling.threads >= tiling.units * tiling.columns
    assert 0 < tiling.chunk <= depth
    resident = depth * loop.rows * tiling.units
    work = max(tiling.chunk * tiling.columns, 16 * tiling.threads)
    assert (resident + work) * itemsize == tiling.shared_bytes <= limits.shared_bytes
    if tiling.members > 1:
        assert limits.cooperative
        assert tiling.members * tiling.groups(loop, n) <= limits.processors


def test_a_ragged_batch_needs_few_kernels():
    """Its segments have all kinds of widths, and each layout is compiled."""
    for hidden in (64, 256):
        loop = Loop(hidden, 2, 4, hidden, 4)
        assert len({tile(H100, loop, n) for n in range(1, 65)}) <= 7


# The contract


@pytest.mark.parametrize("kind", [CupyBackend, NumbaBackend, StrictBackend])
def test_overrides_have_the_signatures_of_the_base(kind):
    overridden = set(vars(kind)) & set(vars(Backend)) - {"__init__", "__module__", "__doc__"}
    for name in overridden:
        ours, base = getattr(kind, name), getattr(Backend, name)
        if callable(base):
            ours, base = (list(inspect.signature(each).parameters) for each in (ours, base))
            assert ours == base, name


def test_an_array_of_another_gpu_is_refused(emulated):
    backend = emulated(SMALL)
    array = SimpleNamespace(device=SimpleNamespace(id=1))
    backend.owns = lambda array: True
    with pytest.raises(ValueError, match=r"x lies on GPU 1, but .* is 0; .*with cupy.cuda.Device"):
        CupyBackend.require(backend, array, "x")


# On a GPU alone


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["LSTM", "GRU", "peepholes"])
@pytest.mark.parametrize(
    ("hidden", "batch"), [(64, 32), (256, 64), (250, 61), (512, 128), (1024, 32)]
)
def test_large_layers_on_a_gpu(hidden, batch, kind, dtype):
    """Many blocks that meet; where a size does not fit, both runs are the same."""
    lengths = tuple(np.random.default_rng(0).integers(1, 13, batch))
    run = Run(hidden, (12, *lengths[1:]), bidirectional=hidden == 256)
    expected = answers(kind, run, "float64", "numpy")
    for tier in (2, 1):
        ours = answers(kind, run, dtype, CupyBackend(persistent=tier == 2))
        for a, b in zip(ours, expected, strict=True):
            if dtype == "float32":
                tolerance.assert_close(a, b, run.roundings)
            else:
                np.testing.assert_allclose(a, b, rtol=0, atol=1e-11 * max(1, abs(b).max()))


@pytest.mark.gpu
def test_a_persistent_kernel_gives_the_same_bits_each_time():
    """Blocks meet in another order every time; what they add up they add in one order."""
    run = Run(256, (40,) * 32)
    backend = CupyBackend()
    first = answers("LSTM", run, "float32", backend)
    for _ in range(20):
        for a, b in zip(answers("LSTM", run, "float32", backend), first, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.gpu
def test_products_are_not_tf32():
    backend = get_backend("cupy")
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=(512, 512)).astype("float32") for _ in range(2))
    out = backend.xp.empty((512, 512), "float32")
    backend.matmul(*map(backend.asarray, (a, b)), out)
    # TF32 has ten bits of mantissa, and is off by 0.03 and more; the bound is 0.001.
    tolerance.assert_close(backend.to_numpy(out), a.astype("float64") @ b, 512)
