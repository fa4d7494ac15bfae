"""The Python source of compiled loops: plain text, so that it can be made without numba.

`Pointwise.unit` is C. Its assignments become Python once declarations are taken apart and
``name(k)`` is an element of block ``k``. So the very equations that run on a GPU are compiled
for the CPU, in a single pass over the units and without temporary arrays.

Each source is one function, ``loop``. What it calls: ``T``, the floating-point type; ``tanh``;
``empty``, NumPy's; and ``multiply(matrix, right, out, blocks)``, ``out[:] = matrix @ right``.
"""

from __future__ import annotations

import re
from textwrap import indent

from ..base import Pointwise

_POINTWISE = """\
def loop({parameters}):
    units = {single}.shape[-2] * {single}.shape[-1]
    {flat}
    for lead in range({single}.size // units):
        {blocks}
        for unit in range(units):
            {equations}
"""

_FORWARD = """\
def loop(weights, blocks, {parameters}):
    steps, directions, rows, sequences = hidden.shape
    units = rows * sequences
    {flat}
    for direction in range(directions):
        product = recurrent[direction].reshape(-1, sequences)
        for step in range(steps):
            multiply(weights[direction], hidden_before[step, direction], product, blocks)
            lead = step * directions + direction
            {blocks}
            for unit in range(units):
                {equations}
"""

_BACKWARD = """\
def loop(weights, blocks, first_row, rows, arriving, {parameters}):
    steps, directions, size, sequences = arriving.shape
    units = size * sequences
    through = empty((size, sequences), arriving.dtype)
    through_flat = through.reshape(-1)
    arriving_flat = arriving.reshape(-1)
    {flat}
    for direction in range(directions):
        for step in range(steps - 1, -1, -1):
            lead = step * directions + direction
            arrived = arriving_flat[lead * units :][:units]
            {blocks}
            for unit in range(units):
                dhidden_0[unit] += arrived[unit]
                {equations}
            columns = d[step, direction].reshape(-1)[first_row * sequences :][: rows * sequences]
            multiply(weights[direction], columns.reshape(rows, sequences), through, blocks)
            for unit in range(units):
                dhidden_0[unit] = {direct}through_flat[unit]
"""


def pointwise_source(function: Pointwise) -> str:
    """A function with the arguments of ``function.numpy``, all of them contiguous."""
    single = next(name for name, blocks in function.arrays if blocks == 1)
    return _filled(_POINTWISE, function, single=single)


def forward_source(function: Pointwise) -> str:
    """All steps of a cell's ``forward``.

    Arguments: the weights (S, ...), as ``multiply`` takes them, and its ``blocks``; then those of
    ``function``, which have their steps first unless they are shared.
    """
    return _filled(_FORWARD, function, function.shared)


def backward_source(function: Pointwise, direct: bool) -> str:
    """All steps of a cell's ``backward``, from the last to the first.

    Arguments: the transposed weights (S, ...), as ``multiply`` takes them, and its ``blocks``; the
    rows of ``d`` that they act on, the first and how many; the gradient that arrives from the
    output; then those of ``function``, which have their steps first unless they are carried or
    shared.
    """
    without = (*function.carried, *function.shared)
    return _filled(_BACKWARD, function, without, direct="dhidden_0[unit] + " * direct)


def _filled(
    template: str, function: Pointwise, without_steps: tuple[str, ...] = (), **words: str
) -> str:
    """The template with the equations in it; some arrays have no axis of steps."""
    blocks = dict(function.arrays)
    equations = re.sub(rf"\b({'|'.join(blocks)})\((\d+)\)", r"\1_\2[unit]", function.unit)
    used = sorted(set(re.findall(r"\b((\w+)_(\d+))\[unit\]", equations)))
    lines = {
        "flat": [f"{name}_flat = {name}.reshape(-1)" for name in blocks],
        "blocks": [
            f"{view} = {name}_flat[({'direction' if name in without_steps else 'lead'}"
            f" * {blocks[name]} + {k}) * units :][:units]"
            for view, name, k in used
        ],
        "equations": _statements(equations),
    }
    words["parameters"] = ", ".join(blocks)
    for field, text in lines.items():
        template = re.sub(
            rf"^( *)\{{{field}\}}$",
            lambda line, text=text: indent("\n".join(text), line[1]),
            template,
            flags=re.M,
        )
    return template.format(**words)


def _statements(text: str) -> list[str]:
    """Assignments in C as assignments in Python, with every number of the type ``T``."""
    # An integer beside a float32 would be a float64 in numba.
    text = re.sub(r"(?<!T\()(?<![\w.\[])\d+(?![\w.])", r"T(\g<0>)", text)
    statements = []
    for part in text.split(";"):
        declared = part.strip().removeprefix("const T ")
        statements += re.split(r",\s*(?=\w+ = )", declared) if declared else []
    for statement in statements:
        if not re.match(r"[\w\[\]]+ [-+*/]?= [^={}?]+$", statement):
            raise ValueError(f"not an assignment that Python would understand: {statement!r}")
    return statements
