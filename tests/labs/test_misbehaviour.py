"""A student's function that misbehaves gets a sentence, and leaves the session as it was."""

import builtins
import os
import random
import signal
import sys
import threading
import warnings
import weakref

import numpy as np
import pytest
from IPython.core.autocall import ExitAutocall

from lstm_lab.labs import guard

from .typed import SIGMOID, notebook


def sigmoid(body: str, *cells: str, **names):
    """A function of this body, in a notebook."""
    lines = "\n".join("    " + line for line in body.splitlines())
    return notebook(*cells, f"def sigmoid(z):\n{lines}", **names)["sigmoid"]


RIGHT = "return 0.5 + 0.5 * np.tanh(0.5 * z)"


# --- it does not end ---------------------------------------------------------------------------

LOOP = "while True:\n    z = z + 1\n    z = z - 1"
SLEEP = "import time\ntime.sleep(1e6)"
SWALLOWS = "while True:\n    try: z = z + 1\n    except: pass"


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(guard, "SECONDS", 0.3)


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (LOOP, "while True:"),
        (SWALLOWS, "while True:"),
        ("for k in iter(int, 1):\n    while k == 0: z = z * 1", "for k in iter(int, 1):"),
    ],
    ids=["loop", "swallows", "nested"],
)
def test_an_endless_loop_is_stopped_and_shown(fresh_lab, impatient, body, line):
    told = {fresh_lab.check(sigmoid(body)) for _ in range(2)}
    (result,) = told
    assert (result.id, result.line) == ("too_long", line)
    assert "Stopped after 0.3 seconds" in result.message
    assert "Does this loop ever end?" in result.message


def test_a_loop_in_a_helper_is_told_once_with_the_helpers_name(fresh_lab, impatient):
    names = notebook(
        f"def sigmoid(z):\n    {LOOP}".replace("\n    z", "\n        z"),
        "def forget_gate(x, h, weights):\n    return sigmoid(x)",
    )
    result = fresh_lab.check(names["forget_gate"])
    assert (result.id, result.line) == ("too_long", "while True:")
    assert "in `sigmoid`, which your `forget_gate` calls" in result.message


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="nothing wakes what sleeps here")
def test_what_sleeps_is_woken(fresh_lab, impatient):
    result = fresh_lab.check(sigmoid(SLEEP))
    assert (result.id, result.line) == ("too_long", "time.sleep(1e6)")
    assert "loop" not in result.message


def test_without_an_alarm_a_thread_stops_the_loop(fresh_lab, impatient, monkeypatch):
    monkeypatch.delattr(signal, "setitimer", raising=False)
    for body in (LOOP, SWALLOWS):
        assert fresh_lab.check(sigmoid(body)).id == "too_long"


def test_in_another_thread_than_the_main_one_it_is_stopped_as_well(fresh_lab, impatient):
    results = []
    thread = threading.Thread(target=lambda: results.append(fresh_lab.check(sigmoid(LOOP))))
    thread.start()
    thread.join()
    assert results[0].id == "too_long"


@pytest.mark.parametrize("body", [LOOP, RIGHT, "raise ValueError", "raise KeyboardInterrupt"])
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no alarm here")
def test_an_alarm_of_somebody_elses_is_as_before(fresh_lab, impatient, body):
    handler = signal.signal(signal.SIGALRM, lambda *_: None)
    mine = signal.getsignal(signal.SIGALRM)
    before = signal.setitimer(signal.ITIMER_REAL, 1000, 7)
    try:
        fresh_lab.check(sigmoid(body))
        left, interval = signal.getitimer(signal.ITIMER_REAL)
        assert signal.getsignal(signal.SIGALRM) is mine
        assert 0 < left <= 1000 and interval == 7
    finally:
        signal.setitimer(signal.ITIMER_REAL, *before)
        signal.signal(signal.SIGALRM, handler)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no alarm here")
def test_nothing_rings_afterwards(fresh_lab, impatient):
    fresh_lab.check(sigmoid(LOOP))
    fresh_lab.check(sigmoid(RIGHT))
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0 or "pytest_timeout" in sys.modules


def test_the_readers_own_stop_ends_the_check_without_a_verdict(fresh_lab):
    assert fresh_lab.check(sigmoid(RIGHT))
    result = fresh_lab.check(sigmoid("while True:\n    raise KeyboardInterrupt"))
    assert (result.id, result.status, result.line) == ("stopped", "todo", "while True:")
    assert "You have stopped" in result.message and "seconds" not in result.message
    assert fresh_lab.progress().done == 1, "what was found out before holds"


@pytest.mark.skipif(os.name == "nt", reason="os.kill ends the process there")
def test_a_stop_from_outside_is_no_time_limit(fresh_lab):
    body = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nwhile True: pass"
    # A shell starts what runs in its background without ears for Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert fresh_lab.check(sigmoid(body)).id == "stopped"
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return sigmoid(z)", "`sigmoid` calls itself"),
        ("return helper(z)", "`helper` and `sigmoid` call one another"),
        ("import sys\nsys.setrecursionlimit(3000)\nreturn sigmoid(z)", "`sigmoid` calls itself"),
        ("return (lambda f: f(f))(lambda f: f(f))", "calls itself"),
    ],
)
def test_recursion_without_end_is_told_with_those_who_call(fresh_lab, body, said):
    limit = sys.getrecursionlimit()
    function = sigmoid(body, "def helper(z):\n    return sigmoid(z)")
    told = {fresh_lab.check(function) for _ in range(3)}
    (result,) = told
    assert result.id == "endless" and said in result.message
    assert sys.getrecursionlimit() == limit


# --- it ends Python, asks, prints --------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "exit()",
        "quit()",
        "exit(1)",
        "import sys; sys.exit()",
        "raise SystemExit(3)",
        "exit(True)",
    ],
)
def test_python_is_not_ended(fresh_lab, body):
    result = fresh_lab.check(sigmoid(body))
    assert result.id == "exit"
    assert not sys.stdin.closed


@pytest.mark.parametrize("word", ["exit", "quit"])
def test_ipythons_own_exit_does_not_end_the_kernel(fresh_lab, word):
    class Shell:
        asked = False

        def ask_exit(self):
            self.asked = True

    shell = Shell()
    leave = ExitAutocall(shell)
    function = sigmoid(f"{word}()\n{RIGHT}", **{word: leave})
    assert fresh_lab.check(function).id == "exit"
    assert not shell.asked
    assert function.__globals__[word] is leave


def test_nobody_is_asked_for_input(fresh_lab):
    own = builtins.input
    result = fresh_lab.check(
        sigmoid("while True:\n    try: return float(input('z?'))\n    except Exception: pass")
    )
    assert result.id == "input" and "`z`" in result.message
    assert builtins.input is own


def test_a_flood_of_prints_is_cut_by_its_length_too(fresh_lab, capsys):
    body = f"for k in range(300): print('x' * 1000)\nprint('y' * 10**6, end='')\n{RIGHT}"
    result = fresh_lab.check(sigmoid(body))
    assert result
    assert len(result.printed) < 1000 and result.printed.endswith("...")
    assert capsys.readouterr() == ("", "")


def test_errors_logs_and_warnings_are_caught_like_prints(fresh_lab, capsys):
    body = (
        "import sys, warnings, logging\nprint('to stderr', file=sys.stderr)\n"
        "warnings.simplefilter('always')\nfor k in range(50): warnings.warn('flood')\n"
        f"logging.getLogger('student').warning('log')\n{RIGHT}"
    )
    before = list(warnings.filters)
    result = fresh_lab.check(sigmoid(body))
    assert result and "to stderr" in result.printed
    assert capsys.readouterr() == ("", "")
    assert warnings.filters == before


# --- it changes the session --------------------------------------------------------------------


@pytest.mark.parametrize("name", ["np.exp", "np.allclose", "np.tanh", "np.linalg.norm", "np.pi"])
def test_a_numpy_that_was_changed_before_is_told_and_nothing_is_marked(
    fresh_lab, monkeypatch, name
):
    module, _, attribute = name.rpartition(".")
    monkeypatch.setattr(np.linalg if "linalg" in module else np, attribute, lambda *a, **k: True)
    for body in (RIGHT, "return z"):
        result = fresh_lab.check(sigmoid(body))
        assert result.id == "changed_numpy" and f"`{name}`" in result.message
    assert fresh_lab.progress().done == 0


@pytest.mark.parametrize("name", ["exp", "allclose", "isfinite", "asarray", "errstate"])
def test_a_numpy_that_the_function_changes_is_mended(fresh_lab, name):
    own = getattr(np, name)
    result = fresh_lab.check(sigmoid(f"np.{name} = lambda *a, **k: True\n{RIGHT}"))
    assert getattr(np, name) is own
    assert result.id == "changed_numpy" and f"`np.{name}`" in result.message


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("np = 5", "an int"),
        ("import math as np", "a module"),
        ("np = np.random", "a module"),
        ("np = [1, 2]", "a list"),
    ],
)
def test_another_np_is_told(fresh_lab, cell, said):
    result = fresh_lab.check(sigmoid("return 1 / (1 + np.exp(-z))", cell))
    assert result.id == "overwritten_name"
    assert "`np`" in result.message and "not NumPy any more" in result.message
    assert said in result.message


def test_the_session_is_as_before(fresh_lab):
    body = (
        "import random, sys\nnp.random.seed(0)\nrandom.seed(0)\nnp.seterr(all='raise')\n"
        "np.seterrcall(print)\nnp.set_printoptions(precision=2)\nsys.setrecursionlimit(5000)\n"
        f"sys.stdout = sys.stderr = None\n{RIGHT}"
    )
    np.random.seed(7)
    random.seed(7)
    wanted = np.random.random(), random.random()
    np.random.seed(7)
    random.seed(7)
    before = np.geterr(), np.geterrcall(), np.get_printoptions(), sys.getrecursionlimit()
    streams = sys.stdout, sys.stderr
    assert fresh_lab.check(sigmoid(body))
    assert (np.geterr(), np.geterrcall(), np.get_printoptions(), sys.getrecursionlimit()) == before
    assert (sys.stdout, sys.stderr) == streams
    assert (np.random.random(), random.random()) == wanted


# --- what it returns or raises -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "diagnosis", "said"),
    [
        ("return np.broadcast_to(1.0, (10**6, 10**6))", "too_large", "(1000000, 1000000)"),
        ("return np.zeros(10**6)", "too_large", "(1000000,)"),
        ("return [0.0] * 10**6", "too_large", "1000000"),
        ("return np.ones((10**9, 10**9))", "memory", "more memory"),
        ("return (k for k in iter(int, 1))", "type", "a generator"),
        ("yield z", "type", "a generator"),
        ("a = []; a.append(a); return a", "type", "a list"),
        ("return iter", "type", "a builtin_function"),
        ("return ''", "type", "a str"),
        ("return np.ma.masked", "type", "of the type MaskedConstant"),
        ("import sys; sys.stdout.close(); sys.stderr.close(); print(1); return 'a'", "type", "str"),
        ("raise GeneratorExit", "exception", "GeneratorExit"),
        ("raise BaseException('no')", "exception", "BaseException: no"),
        ("raise ValueError('x' * 10**6)", "exception", "xxx ..."),
        ("class E(Exception):\n    def __str__(self): 1 / 0\nraise E", "exception", "E: ("),
        ("raise NameError", "exception", "NameError"),
        ("class T(tuple):\n    def __iter__(self): 1 / 0\nreturn T((1, 2))", "exception", "Zero"),
        ("class L(list):\n    def __len__(self): return -1\nreturn L()", "exception", "ValueError"),
        ("class A:\n    def __array__(self, *_, **__): 1 / 0\nreturn A()", "type", "an A"),
        ("return 0.5 + 0.5 * np.tanh(0.5 * z.astype(np.longdouble))", "precision", "more digits"),
        ("return 0.5 + 0.5 * np.tanh(0.5 * z) + 0j", "type", "complex"),
        ("return 1 / (1 + np.exp(-z)) + 1j", "type", "complex"),
        ("return np.full(z.shape, 'a')", "type", "<U1"),
        ("return z > 0", "threshold", "switch"),
    ],
)
def test_whatever_comes_is_told_in_true_words(fresh_lab, body, diagnosis, said):
    if np.dtype(np.longdouble).itemsize == 8 and "longdouble" in body:
        pytest.skip("no more digits here")
    result = fresh_lab.check(sigmoid(body))
    assert result.id == diagnosis and said in result.message, str(result)
    assert len(result.message) < 700
    assert "digits are lost" not in result.message


def test_a_coroutine_is_closed(fresh_lab, recwarn):
    function = notebook("async def sigmoid(z):\n    return z")["sigmoid"]
    assert fresh_lab.check(function).id == "type"
    assert not recwarn.list


def test_what_helpers_forbid_is_told_of_the_helper(fresh_lab):
    names = notebook(
        "def sigmoid(z):\n    return input()",
        "def forget_gate(x, h, weights):\n    W, U, b = weights\n"
        "    return sigmoid(x @ W.T + h @ U.T + b)",
        SIGMOID.replace("sigmoid", "unused"),
    )
    assert fresh_lab.check(names["forget_gate"]).id == "inherited"


def test_what_failed_does_not_fill_the_memory(fresh_lab):
    held = weakref.WeakSet()

    class Large:
        """Stands for an array of a gigabyte."""

    def sigmoid(z):
        large = Large()
        held.add(large)
        most.append(len(held))
        raise ValueError

    most = []
    assert fresh_lab.check(sigmoid).id == "exception"
    assert len(most) > 50 and max(most) < 20
