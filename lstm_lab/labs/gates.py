"""Lab 01: the gates of an LSTM, from the sigmoid to a whole step.

One time step, for a batch of B sequences, D inputs and H cells (Hochreiter & Schmidhuber 1997,
doi:10.1162/neco.1997.9.8.1735, with the forget gate of Gers, Schmidhuber & Cummins 2000,
doi:10.1162/089976600300015015). The right answers come from the library's own `LSTM`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np

from .cases import GATES, LARGEST, Step, Weights, extreme_steps, step, steps
from .engine import Lab
from .exercise import Exercise, Misconception, Probe, Value

__all__ = ["check", "hint", "progress"]


# --- sigmoid -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Numbers:
    """An array to squash."""

    z: np.ndarray

    @property
    def label(self) -> str:
        return f"z of the shape {self.z.shape}"


def _numbers(rng: np.random.Generator) -> list[_Numbers]:
    shapes = ((3, 4), (3, 4), (1,), (7,), (1, 1), (2, 3, 4), ())

    def numbers(shape: tuple[int, ...]) -> np.ndarray:
        z = np.asarray(rng.uniform(-1, 1, size=shape))
        return np.asarray(rng.uniform(0.5, LARGEST) / abs(z).max() * z)

    return [_Numbers(numbers(shape)) for shape in shapes]


_ALL_SIZES = "large and small z of both signs in one array"


def _limits(rng: np.random.Generator) -> dict[str, _Numbers]:
    large = rng.uniform(900, 1000, size=(3, 4))
    sizes = np.array([0, 1e-9, 1e-3, 1, 10, 30, 100, 400, 720, 1000])
    both = np.concatenate([sizes, -sizes])
    return {
        "z equal to 0": _Numbers(np.zeros((3, 4))),
        "z around -1000": _Numbers(-large),
        "z around 1000": _Numbers(large),
        _ALL_SIZES: _Numbers(rng.permutation(both).reshape(4, 5)),
    }


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return np.tanh(z / 2) / 2 + 0.5


def _softmax(z: np.ndarray, axis: int | None) -> np.ndarray:
    powers = np.exp(z - z.max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


SIGMOID = Exercise(
    name="sigmoid",
    arguments=("z",),
    returns=(Value("s", "the shape of z"),),
    cases=_numbers,
    extremes=_limits,
    given=lambda n: (n.z,),
    truth=lambda n: (_sigmoid(n.z),),
    answer=_sigmoid,
    insight="Every number lands between 0 and 1, with no warning on the way.",
    hints=(
        "Write the formula first, for ordinary numbers. NumPy's functions work on every number "
        "of an array at once, so there is no loop.",
        "Which number goes into the exponential when z is very negative? Can you arrange things "
        "so that the exponential never gets a large positive number?",
        "There is a squashing function in NumPy that never overflows. It has the same S shape, "
        "but runs from -1 to 1, and is twice as steep. Stretch it, shrink it, shift it.",
    ),
    misconceptions=(
        Misconception(
            "mirrored",
            lambda n: _sigmoid(-n.z),
            "Your curve is the mirror image: it falls where it should rise. It gives nearly 1 for "
            "very negative z. Look at the signs.",
        ),
        Misconception(
            "tanh",
            lambda n: np.tanh(n.z),
            "This is tanh: it runs from -1 to 1. A gate needs a curve from 0 to 1.",
        ),
        Misconception(
            "too_steep",
            lambda n: np.tanh(n.z) / 2 + 0.5,
            "The curve runs from 0 to 1, as it should, but twice too steeply. What goes into the "
            "squashing function has to be scaled as well.",
        ),
        Misconception(
            "threshold",
            lambda n: np.where(n.z > 0, 1.0, 0.0),
            "This is a switch: nothing but 0 and 1 comes out. A sigmoid is soft. It gives "
            "every number in between, and that is what lets a network learn.",
        ),
        Misconception(
            "softmax",
            lambda n: _softmax(n.z, None),
            "Your numbers add up to 1 over the whole array: that is softmax, where the numbers "
            "compete. Here each number is squashed by itself.",
        ),
        Misconception(
            "softmax",
            lambda n: _softmax(n.z, -1),
            "Your numbers add up to 1 in each row: that is softmax, where the numbers "
            "compete. Here each number is squashed by itself.",
        ),
        Misconception(
            "brackets",
            lambda n: 1 + np.exp(-n.z),
            "Look at the order of operations: division binds more tightly than addition. What "
            "comes out here is larger than 1.",
        ),
        Misconception(
            "no_exponential",
            lambda n: 1 / (1 - n.z),
            "There is a fraction, but no exponential in it.",
        ),
        Misconception(
            "derivative",
            lambda n: _sigmoid(n.z) * _sigmoid(-n.z),
            "This is the slope of the sigmoid, a hump of at most 0.25. The value itself is asked "
            "for.",
        ),
    ),
    probes=(
        Probe("z is 0", lambda rng: _Numbers(np.zeros((3, 4)))),
        Probe("z is positive", lambda rng: _Numbers(rng.uniform(0.5, 4, (3, 4)))),
        Probe("z is negative", lambda rng: _Numbers(rng.uniform(-4, -0.5, (3, 4)))),
    ),
    overflows={
        frozenset({"z around -1000", _ALL_SIZES}): (
            "overflow",
            "The values are right. But for very negative z the exponential grows past the "
            "largest number that a computer holds, about 1e308, and NumPy warns of an overflow. "
            "A stable sigmoid never asks for the exponential of a large positive number.",
        ),
        frozenset({"z around -1000", "z around 1000", _ALL_SIZES}): (
            "both_branches",
            "The values are right, and you have seen the danger: two formulas for two signs. But "
            "both are computed for every z, and only then is one of them chosen: the "
            "unused one still overflows. Let the exponential see only what it can bear.",
        ),
        frozenset({_ALL_SIZES}): (
            "one_formula_for_all",
            "The values are right. But one formula is chosen for the whole array at once: where "
            "large numbers of both signs come together, it overflows for one of the signs. "
            "Choose for each number by itself.",
        ),
    },
)


# --- What can go wrong in any gate -------------------------------------------------------------

_TRIPLE = ("W", "U", "b")


def _pre_activation(s: Step, gate: str) -> np.ndarray:
    """What a gate, or the candidate, squashes."""
    W, U, b = s.weights[gate]
    return s.x @ W.T + s.h @ U.T + b


def _with_tanh(s: Step, gate: str) -> np.ndarray:
    return s.but(weights=s.weights | {"g": s.weights[gate]}).g


def _with_sigmoid(s: Step, gate: str) -> np.ndarray:
    return s.but(weights=s.weights | {"i": s.weights[gate]}).i


def _only(part: str):
    """A change of weights that lets W, U or b alone speak."""
    at = _TRIPLE.index(part)
    return lambda *weights: [w if k == at else 0 * w for k, w in enumerate(weights)]


def _without(part: str):
    """A change of weights that silences W, U or b."""
    at = _TRIPLE.index(part)
    return lambda *weights: [0 * w if k == at else w for k, w in enumerate(weights)]


def _gate_mistakes(gate: str, name: str, of: str, prefix: str = "") -> tuple[Misconception, ...]:
    """The mistakes that are the same in every gate, and in the candidate.

    Most of them are right answers to the wrong question: the library's, with other weights.
    """

    def value(s: Step) -> np.ndarray:
        return getattr(s, gate)

    def changed(change):
        return lambda s: value(s.with_weights(change, gate))

    nothing_warns = "the shapes fit all the same, and nothing warns you."
    mistakes = (
        ("no_bias", changed(_without("b")), f"Your {name} leaves out the bias b."),
        (
            "no_recurrence",
            changed(_without("U")),
            f"Your {name} looks at the input alone. It also has to see what the network said one "
            "step ago, the hidden state h.",
        ),
        (
            "no_input",
            changed(_without("W")),
            f"Your {name} looks at the hidden state alone, never at the input x.",
        ),
        (
            "swapped_matrices",
            changed(lambda W, U, b: (U, W, b)),
            f"In your {name} the two matrices have changed places: W belongs to the input, U to "
            f"the hidden state. With D = H {nothing_warns}",
        ),
        (
            "transposed",
            changed(lambda W, U, b: (W.T, U.T, b)),
            f"In your {name} both matrices stand the wrong way round. Each *row* of W and of U "
            f"holds the weights of one cell. With D = H {nothing_warns}",
        ),
        (
            "transposed_recurrence",
            changed(lambda W, U, b: (W, U.T, b)),
            f"In your {name} U stands the wrong way round. It is square, so {nothing_warns} Each "
            "*row* of U holds the weights of one cell.",
        ),
        (
            "transposed_input",
            changed(lambda W, U, b: (W.T, U, b)),
            f"In your {name} W stands the wrong way round. Each *row* of W holds the weights of "
            f"one cell. With D = H {nothing_warns}",
        ),
        (
            "not_squashed",
            lambda s: _pre_activation(s, gate),
            f"Your {name} has the right sum, but leaves it as it is: it can be any number. Send "
            "it through the squashing function.",
        ),
        (
            "bias_outside",
            lambda s: changed(_without("b"))(s) + s.weights[gate][2],
            f"In your {name} the bias comes too late: it is added after the squashing, and pushes "
            "the result out of its range.",
        ),
        (
            "squashed_apart",
            lambda s: (
                changed(_only("W"))(s) + value(s.with_weights(lambda W, U, b: (0 * W, U, b), gate))
            ),
            f"Your {name} squashes what the input says and what the hidden state says one by one, "
            "and then adds. It is one sum, squashed once.",
        ),
    )
    return tuple(Misconception(prefix + id, answer, text, of) for id, answer, text in mistakes)


def _valve_mistakes(gate: str, name: str, of: str, prefix: str = "") -> tuple[Misconception, ...]:
    """The mistakes of the three gates, which the candidate does not share."""
    mistakes = (
        (
            "tanh",
            lambda s: _with_tanh(s, gate),
            f"Your {name} can be negative: it runs from -1 to 1. A gate is a valve, between 0 "
            "(closed) and 1 (open). Which squashing function does that?",
        ),
        (
            "binary",
            lambda s: (getattr(s, gate) > 0.5) * 1.0,
            f"Your {name} is a switch: only 0 and 1 come out. Gates are soft. Every number in "
            "between is wanted, for it says *how much*, and a network cannot learn through a "
            "switch.",
        ),
        (
            "upside_down",
            lambda s: 1 - getattr(s, gate),
            f"Your {name} is upside down: it is nearly 0 where it should be nearly 1. An open gate "
            "is 1.",
        ),
        (
            "softmax",
            lambda s: _softmax(_pre_activation(s, gate), 1),
            f"The cells of your {name} add up to 1 in each row: that is softmax, where cells "
            "compete. Each cell has a valve of its own.",
        ),
    )
    return (
        *(Misconception(prefix + id, answer, text, of) for id, answer, text in mistakes),
        *_gate_mistakes(gate, name, of, prefix),
    )


def _fixed(gate: str, bias: float):
    """A change of a step: this gate is fully open (bias 1000) or shut (bias -1000)."""
    return lambda s: s.with_weights(lambda W, U, b: (0 * W, 0 * U, 0 * b + bias), gate)


def _probe(when: str, change) -> Probe:
    return Probe(when, lambda rng: change(step(rng, 3, 4, 5)))


_ONE_VOICE = (
    _probe("only the bias speaks (W and U are zero)", lambda s: s.with_weights(_only("b"))),
    _probe("only the input speaks (U and b are zero)", lambda s: s.with_weights(_only("W"))),
    _probe("only the hidden state speaks (W and b are zero)", lambda s: s.with_weights(_only("U"))),
)
_EMPTY = _probe("the memory starts empty (c is 0)", lambda s: s.but(c=0 * s.c))
_NOTHING_KEPT = _probe("nothing is kept (the forget gate is 0)", _fixed("f", -1000))
_NOTHING_WRITTEN = _probe("nothing is written (the input gate is 0)", _fixed("i", -1000))
_OPEN = _probe("the output gate is fully open (1)", _fixed("o", 1000))
_SHUT = _probe("the output gate is shut (0)", _fixed("o", -1000))


def _library(x: np.ndarray, h: np.ndarray, c: np.ndarray | None = None, **given: Weights) -> Step:
    """The library's step with the gates that are given; the others have weights of zero."""
    some = next(iter(given.values()))
    silent = tuple(np.zeros_like(part) for part in some)
    return Step(x, h, np.zeros_like(h) if c is None else c, dict.fromkeys(GATES, silent) | given)


# --- forget gate -------------------------------------------------------------------------------

FORGET_GATE = Exercise(
    name="forget_gate",
    arguments=("x", "h", "weights"),
    parts={"weights": _TRIPLE},
    returns=(Value("f", "(B, H)"),),
    cases=steps,
    extremes=extreme_steps,
    given=lambda s: (s.x, s.h, s.weights["f"]),
    truth=lambda s: (s.f,),
    answer=lambda x, h, weights: _library(x, h, f=weights).f,
    uses=("sigmoid",),
    insight="A soft valve for every cell of every sequence: how much of the memory stays.",
    hints=(
        "Take the formula apart: what the input says, what the hidden state says, the bias. Add "
        "the three, and squash the sum once, with the function that you have written above.",
        "Follow the shapes. x is (B, D) and W is (H, D); (B, H) has to come out. `@` wants the "
        "two inner sizes to be equal, and `.T` turns a matrix round.",
        "U goes the same way as W. The bias is (H,), and NumPy adds it to every row of a (B, H) "
        "array by itself.",
    ),
    misconceptions=_valve_mistakes("f", "forget gate", "f"),
    probes=_ONE_VOICE,
)


# --- input gate and candidate ------------------------------------------------------------------

INPUT_AND_CANDIDATE = Exercise(
    name="input_and_candidate",
    arguments=("x", "h", "weights_i", "weights_g"),
    parts={"weights_i": _TRIPLE, "weights_g": _TRIPLE},
    returns=(Value("i", "(B, H)"), Value("g", "(B, H)")),
    cases=steps,
    extremes=extreme_steps,
    given=lambda s: (s.x, s.h, s.weights["i"], s.weights["g"]),
    truth=lambda s: (s.i, s.g),
    answer=lambda x, h, weights_i, weights_g: (
        (s := _library(x, h, i=weights_i, g=weights_g)).i,
        s.g,
    ),
    uses=("sigmoid",),
    insight="One array says what to write, from -1 to 1; the other says how much, from 0 to 1.",
    hints=(
        "Both begin with the same kind of sum as the forget gate. Each has its own weights.",
        "The two differ in the last step: one is a valve, the other is a value that may be "
        "positive or negative.",
        "NumPy has the squashing function from -1 to 1 ready made. Return both arrays, the "
        "gate first, with a comma between them.",
    ),
    misconceptions=(
        Misconception(
            "swapped_return",
            lambda s: (s.g, s.i),
            "Both arrays are right, but they come back in the wrong order: the input gate first, "
            "then the candidate.",
        ),
        Misconception(
            "swapped_weights",
            lambda s: ((t := s.permuted("gfoi")).i, t.g),
            "Your input gate works with the candidate's weights, and your candidate with the input "
            "gate's.",
        ),
        Misconception(
            "both_sigmoid",
            lambda s: _with_sigmoid(s, "g"),
            "Your candidate is squashed into 0 to 1, like a gate. So nothing could ever be taken "
            "away from the memory. The candidate may be negative.",
            of="g",
        ),
        Misconception(
            "candidate_with_gate_weights",
            lambda s: _with_tanh(s, "i"),
            "Your candidate works with the input gate's weights. It has weights of its own.",
            of="g",
        ),
        Misconception(
            "gate_with_candidate_weights",
            lambda s: _with_sigmoid(s, "g"),
            "Your input gate works with the candidate's weights. It has weights of its own.",
            of="i",
        ),
        Misconception(
            "already_gated",
            lambda s: s.i * s.g,
            "Your candidate has passed the input gate already. Here the two come back apart; they "
            "meet in the next exercise.",
            of="g",
        ),
        Misconception(
            "relu",
            lambda s: np.maximum(_pre_activation(s, "g"), 0),
            "Your candidate is never negative, and has no upper end. It is squashed into -1 to 1.",
            of="g",
        ),
        *_valve_mistakes("i", "input gate", "i", "i_"),
        *_gate_mistakes("g", "candidate", "g", "g_"),
    ),
    probes=_ONE_VOICE,
)


# --- cell update -------------------------------------------------------------------------------


def _cell_mistakes() -> tuple[Misconception, ...]:
    mistakes = (
        (
            "gates_swapped",
            lambda s: s.f * s.g + s.i * s.c,
            "Your forget gate multiplies the candidate, and your input gate the old memory. The "
            "names say where each belongs.",
        ),
        (
            "no_input_gate",
            lambda s: s.f * s.c + s.g,
            "The candidate is written in full, whatever the input gate says. The gate decides how "
            "much of it goes in.",
        ),
        (
            "no_forget_gate",
            lambda s: s.c + s.i * s.g,
            "The old memory is kept in full, whatever the forget gate says. (So it was in the LSTM "
            "of 1997; the forget gate came in 2000.)",
        ),
        ("no_gates", lambda s: s.c + s.g, "Neither gate does anything: both valves are missing."),
        (
            "product",
            lambda s: s.f * s.c * s.i * s.g,
            "You multiply what is kept by what is written. The memory is a *sum*: that is what "
            "lets it last.",
        ),
        (
            "coupled",
            lambda s: s.f * s.c + (1 - s.f) * s.g,
            "Here the forget gate decides alone: what it does not keep is filled with the "
            "candidate, and the input gate is never asked. (There is such a variant, with coupled "
            "gates; this LSTM has two gates of their own.)",
        ),
        (
            "forget_upside_down",
            lambda s: (1 - s.f) * s.c + s.i * s.g,
            "You use the forget gate upside down. In spite of its name it says how much is *kept*: "
            "1 keeps all, 0 forgets all.",
        ),
        (
            "gate_added",
            lambda s: s.f * s.c + s.i + s.g,
            "The input gate is added to the candidate. A gate is a valve: it multiplies.",
        ),
        (
            "forgets_the_new",
            lambda s: s.f * (s.c + s.i * s.g),
            "Your forget gate also dampens what is being written just now. It is there for the old "
            "memory only.",
        ),
        (
            "squashed_memory",
            lambda s: s.f * np.tanh(s.c) + s.i * s.g,
            "The old memory is squashed before it is kept. Squashed at every step, it would fade. "
            "The memory itself passes unsquashed.",
        ),
        (
            "squashed_result",
            lambda s: np.tanh(s.f * s.c + s.i * s.g),
            "The new memory is squashed. Squashed at every step, it would fade. It is squashed "
            "only on its way out, in the next exercise.",
        ),
        (
            "old_memory",
            lambda s: s.c,
            "The memory that you return is the one from before the step.",
        ),
    )
    return tuple(Misconception(id, answer, text, "c_new") for id, answer, text in mistakes)


CELL_UPDATE = Exercise(
    name="cell_update",
    arguments=("c", "f", "i", "g"),
    returns=(Value("c_new", "(B, H)"),),
    cases=steps,
    extremes=extreme_steps,
    given=lambda s: (s.c, s.f, s.i, s.g),
    truth=lambda s: (s.c_new,),
    answer=lambda c, f, i, g: f * c + i * g,
    insight="Kept plus written. This one sum is why an LSTM can remember for long.",
    hints=(
        "Every cell looks after itself: cell number 3 never touches cell number 4. So the products "
        "are element by element.",
        "Two things come together: what is left of the old memory, and what is newly written. "
        "Which gate belongs to which?",
        "The forget gate is the valve of the old memory, the input gate that of the candidate. "
        "Give the result a name of its own, so that c stays as it was.",
    ),
    misconceptions=(
        *_cell_mistakes(),
        Misconception(
            "matrix_product",
            lambda s: s.f @ s.c + s.i @ s.g,
            "`@` mixes the cells and the sequences with one another. Gates work element by "
            "element: every cell has its own valve.",
        ),
    ),
    probes=(_NOTHING_KEPT, _NOTHING_WRITTEN, _EMPTY),
)


# --- output gate and hidden state --------------------------------------------------------------


def _hidden_mistakes() -> tuple[Misconception, ...]:
    mistakes = (
        (
            "no_tanh",
            lambda s: s.o * s.c_new,
            "The output gate scales the memory as it is. The memory can be any number; it is "
            "squashed into -1 to 1 first.",
        ),
        (
            "tanh_outside",
            lambda s: np.tanh(s.o * s.c_new),
            "You squash after the gate. First the memory is squashed, then the gate scales it.",
        ),
        (
            "sigmoid_of_memory",
            lambda s: s.o * _sigmoid(s.c_new),
            "The memory is squashed into 0 to 1, so its sign is lost. Use the squashing function "
            "that keeps the sign.",
        ),
        (
            "no_gate",
            lambda s: np.tanh(s.c_new),
            "The squashed memory goes out in full, whatever the output gate says.",
        ),
        (
            "old_hidden",
            lambda s: s.o * np.tanh(s.h),
            "You let out the old hidden state. What is let out is the memory.",
        ),
        (
            "old_hidden",
            lambda s: s.o * s.h,
            "You let out the old hidden state. What is let out is the memory.",
        ),
        (
            "gate_added",
            lambda s: s.o + np.tanh(s.c_new),
            "The output gate is added. A gate is a valve: it multiplies.",
        ),
        (
            "gate_alone",
            lambda s: s.o,
            "What you give as the hidden state is the output gate itself. The gate is only the "
            "valve; the memory has to go through it. Look also at the order in which a function "
            "returns two arrays.",
        ),
    )
    return tuple(Misconception(id, answer, text, "h_new") for id, answer, text in mistakes)


HIDDEN_STATE = Exercise(
    name="hidden_state",
    arguments=("x", "h", "c_new", "weights"),
    parts={"weights": _TRIPLE},
    returns=(Value("o", "(B, H)"), Value("h_new", "(B, H)")),
    cases=steps,
    extremes=extreme_steps,
    given=lambda s: (s.x, s.h, s.c_new, s.weights["o"]),
    truth=lambda s: (s.o, s.h_new),
    answer=lambda x, h, c_new, weights: (
        o := _library(x, h, o=weights).o,
        o * np.tanh(c_new),
    ),
    uses=("sigmoid",),
    insight="The memory keeps its full size inside. What others see of it is squashed and gated.",
    hints=(
        "The output gate is built like the forget gate, with weights of its own.",
        "The hidden state is the memory, made ready for others to see: squashed into -1 to 1, "
        "then scaled by the gate.",
        "The gate looks at x and at the old h. The new memory comes in only afterwards. Return "
        "both arrays, the gate first.",
    ),
    misconceptions=(
        Misconception(
            "swapped_return",
            lambda s: (s.h_new, s.o),
            "Both arrays are right, but they come back in the wrong order: the output gate first, "
            "then the hidden state.",
        ),
        Misconception(
            "gate_from_memory",
            lambda s: s.but(h=s.c_new).o,
            "Your output gate looks at the memory where it should look at the old hidden state h.",
            of="o",
        ),
        *_valve_mistakes("o", "output gate", "o", "o_"),
        *_hidden_mistakes(),
    ),
    probes=(*_ONE_VOICE, _OPEN, _SHUT),
)


# --- a whole step ------------------------------------------------------------------------------

_NAMES = {"i": "input gate", "f": "forget gate", "o": "output gate", "g": "candidate"}


def _mixed_gates() -> tuple[Misconception, ...]:
    """Gates with one another's weights: every exchange of two, and every single slip.

    To exchange i and f is the same as to exchange what they multiply: it has its own words.
    """

    def mixed(order: str) -> Misconception:
        slips = [
            f"your {_NAMES[gate]} works with the weights of the {_NAMES[other]}"
            for gate, other in zip(GATES, order, strict=True)
            if gate != other
        ]
        return Misconception(
            "mixed_gates",
            lambda s: ((t := s.permuted(order)).h_new, t.c_new),
            f"The letters are mixed up: {', and '.join(slips)}.",
        )

    right = dict(zip(GATES, GATES, strict=True))
    exchanges = [(a, b) for a, b in combinations(GATES, 2) if {a, b} != {"i", "f"}]
    slips = permutations(GATES, 2)
    orders = [right | {a: b, b: a} for a, b in exchanges] + [right | {a: b} for a, b in slips]
    return tuple(mixed("".join(order.values())) for order in orders)


def _hidden_first(s: Step) -> tuple[np.ndarray, np.ndarray]:
    h = s.o * np.tanh(s.c)
    return h, s.but(h=h).c_new


LSTM_STEP = Exercise(
    name="lstm_step",
    arguments=("x", "h", "c", "weights"),
    parts={"weights": _TRIPLE},
    returns=(Value("h_new", "(B, H)"), Value("c_new", "(B, H)")),
    cases=steps,
    extremes=extreme_steps,
    given=lambda s: (s.x, s.h, s.c, s.weights),
    truth=lambda s: (s.h_new, s.c_new),
    answer=lambda x, h, c, weights: ((s := Step(x, h, c, weights)).h_new, s.c_new),
    uses=("sigmoid", "forget_gate", "input_and_candidate", "cell_update", "hidden_state"),
    insight="This is a whole LSTM step. All that is left is to repeat it.",
    hints=(
        "You have all the parts. The step only calls them, in an order in which each finds what "
        "it needs.",
        "The memory cannot be updated before its gates are there, and the hidden state cannot be "
        "computed before the new memory is. All gates look at the *old* h.",
        'The weights of each part stand under its letter: `weights["f"]` is the triple of the '
        "forget gate. A function that returns two arrays needs two names on the left.",
    ),
    misconceptions=(
        Misconception(
            "swapped_return",
            lambda s: (s.c_new, s.h_new),
            "Both states are right, but they come back in the wrong order: the hidden state first, "
            "then the memory.",
        ),
        Misconception(
            "hidden_first",
            _hidden_first,
            "The hidden state is computed too early: from the old memory, and before the other "
            "gates have looked at the old h. First the memory, then the hidden state.",
        ),
        Misconception(
            "old_memory_read",
            lambda s: (s.o * np.tanh(s.c), s.c_new),
            "Your hidden state lets out the old memory. The new one is there already.",
        ),
        Misconception(
            "gates_from_memory",
            lambda s: ((t := s.but(h=s.c)).h_new, t.c_new),
            "Your gates look at the memory c. They should look at the hidden state h: the memory "
            "stays private.",
        ),
        Misconception(
            "output_from_memory",
            lambda s: (s.but(h=s.c_new).o * np.tanh(s.c_new), s.c_new),
            "Your output gate looks at the new memory. Like the other gates it looks at the old "
            "hidden state h.",
        ),
        Misconception(
            "input_and_forget_swapped",
            lambda s: ((t := s.permuted("fiog")).h_new, t.c_new),
            "Input gate and forget gate have changed places. Either each works with the other's "
            "letter, or each multiplies what belongs to the other.",
        ),
        *_mixed_gates(),
        *_cell_mistakes(),
        *_hidden_mistakes(),
    ),
    probes=(_EMPTY, _NOTHING_KEPT, _NOTHING_WRITTEN, _OPEN),
)


LAB = Lab(
    SIGMOID,
    FORGET_GATE,
    INPUT_AND_CANDIDATE,
    CELL_UPDATE,
    HIDDEN_STATE,
    LSTM_STEP,
    solved="labs/solved/01-gates.ipynb",
)
check, hint, progress = LAB.check, LAB.hint, LAB.progress
