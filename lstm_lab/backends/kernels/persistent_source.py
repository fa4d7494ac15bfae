"""The CUDA source of a whole sequence in one kernel: plain text, made from a cell's own equations.

The recurrent weights stay in shared memory, the carried states in registers; the hidden state goes
from block to block by way of the L2 cache. In each step a group of blocks meets once, by counting
up a number in global memory: the barrier of NVIDIA's cooperative groups, without their headers,
which a compiler at run time would have to find first.

`tiling` says how the work is shared out.
"""

from __future__ import annotations

import re

from ..base import Pointwise
from .pointwise_cuda import REAL
from .tiling import Loop, Tiling

LIBRARY = """\
extern __shared__ double2 dynamic_shared[];

template <typename T> struct alignas(16) Four { T x[4]; };

// All of a group's blocks have come this far `count` times over when the counter says so. What
// they wrote to global memory before `arrive` can be read after `wait`.
template <int MEMBERS> __device__ void arrive(unsigned* counter)
{
    __syncthreads();
    if (MEMBERS > 1 && threadIdx.x == 0) {
        __threadfence();
        atomicAdd(counter, 1u);
    }
}

template <int MEMBERS> __device__ void wait(unsigned* counter, long long count)
{
    if (MEMBERS == 1) return;
    if (threadIdx.x == 0) {
        // The counter may overflow; its distance from the goal is small.
        const unsigned goal = (unsigned)(MEMBERS * count);
        while ((int)(*(volatile unsigned*)counter - goal) < 0) __nanosleep(20);
        __threadfence();
    }
    __syncthreads();
}

// weights (DEPTH, ROWS) in shared memory times matrix (DEPTH, COLUMNS) in global memory, whose rows
// lie n apart and of which `columns` columns are there. Leaves in `work` the sums (SLICES, ROWS,
// COLUMNS), each over a part of DEPTH.
template <typename T, int ROWS, int COLUMNS, int DEPTH, int CHUNK, int SLICES>
__device__ void multiply(const T* weights, const T* matrix, long long n, int columns, T* work)
{
    constexpr int ACROSS = COLUMNS / 4, SQUARES = ROWS / 4 * ACROSS, THREADS = SQUARES * SLICES;
    const int slice = threadIdx.x / SQUARES, square = threadIdx.x % SQUARES;
    const int row = square / ACROSS * 4, column = square % ACROSS * 4;
    T sum[4][4] = {};
    for (int first = 0; first < DEPTH; first += CHUNK) {
        const int depth = CHUNK < DEPTH - first ? CHUNK : DEPTH - first;
        if (first) __syncthreads();
        #pragma unroll 4
        for (int i = threadIdx.x; i < depth * COLUMNS; i += THREADS) {
            const int k = i / COLUMNS, j = i % COLUMNS;
            // Past the L1 cache, which would not notice what other blocks have written.
            work[i] = j < columns ? __ldcg(matrix + (first + k) * n + j) : T(0);
        }
        __syncthreads();
        #pragma unroll 4
        for (int k = slice; k < depth; k += SLICES) {
            const Four<T> w = *(const Four<T>*)(weights + (first + k) * ROWS + row);
            const Four<T> x = *(const Four<T>*)(work + k * COLUMNS + column);
            #pragma unroll
            for (int a = 0; a < 4; ++a)
                #pragma unroll
                for (int b = 0; b < 4; ++b) sum[a][b] += w.x[a] * x.x[b];
        }
    }
    __syncthreads();
    #pragma unroll
    for (int a = 0; a < 4; ++a)
        #pragma unroll
        for (int b = 0; b < 4; ++b)
            work[((slice * ROWS + row + a) * COLUMNS) + column + b] = sum[a][b];
    __syncthreads();
}

template <typename T, int ROWS, int COLUMNS, int SLICES>
__device__ T total(const T* work, int row, int column)
{
    T sum = 0;
    #pragma unroll 4
    for (int slice = 0; slice < SLICES; ++slice)
        sum += work[(slice * ROWS + row) * COLUMNS + column];
    return sum;
}
"""

_KERNEL = """\
extern "C" __global__ void __launch_bounds__({threads}, 1) {name}(
    const {real}* weights_, {parameters}, unsigned* counters, long long n, long long steps)
{{
    typedef {real} T;
    constexpr int HIDDEN = {hidden}, DIRECTIONS = {directions};
    constexpr int UNITS = {units}, COLUMNS = {columns}, MEMBERS = {members};
    constexpr int ROWS = {rows} * UNITS, DEPTH = {depth}, CHUNK = {chunk}, SLICES = {slices};
    T* const resident = (T*)dynamic_shared;
    T* const work = resident + DEPTH * ROWS;
    const int direction = blockIdx.y % DIRECTIONS, first_unit = blockIdx.x * UNITS;
    const long long first_column = (long long)(blockIdx.y / DIRECTIONS) * COLUMNS;
    const int columns = (int)(n - first_column < COLUMNS ? n - first_column : COLUMNS);
    unsigned* const counter = counters + blockIdx.y * {apart};
    for (int i = threadIdx.x; i < DEPTH * ROWS; i += blockDim.x) {{
{resident}
    }}
    // Each thread has one unit of one sequence as its own, or none.
    const int own_row = threadIdx.x / COLUMNS, own_column = threadIdx.x % COLUMNS;
    const bool mine = own_row < UNITS && first_unit + own_row < HIDDEN && own_column < columns;
    const long long size = HIDDEN * n;
    const long long place = (first_unit + own_row) * n + first_column + own_column;
    T {registers};
    if (mine) {{
{enter}
    }}
    const auto load = [&](long long lead) {{
        if (mine) {{
{load}
        }}
    }};
{steps}
}}
"""

_FORWARD_STEPS = """\
    for (long long step = 0; step < steps; ++step) {{
        const long long lead = step * DIRECTIONS + direction;
        load(lead);
        if (step) wait<MEMBERS>(counter, step);
        multiply<T, ROWS, COLUMNS, DEPTH, CHUNK, SLICES>(
            resident, hidden_before_ + lead * size + first_column, n, columns, work);
        if (mine) {{
{sums}
            {{
{equations}
            }}
{store}
{carry}
        }}
        arrive<MEMBERS>(counter);
    }}
"""

_BACKWARD_STEPS = """\
    load((steps - 1) * DIRECTIONS + direction);
    for (long long step = steps - 1; step >= 0; --step) {{
        const long long lead = step * DIRECTIONS + direction;
        if (mine) {{
            dhidden_0 += arriving_0;
            {{
{equations}
            }}
{store}
        }}
        arrive<MEMBERS>(counter);
        if (step) load(lead - DIRECTIONS);
        wait<MEMBERS>(counter, steps - step);
        multiply<T, ROWS, COLUMNS, DEPTH, CHUNK, SLICES>(
            resident, d_ + (lead * {blocks} + {first_block}) * size + first_column, n, columns,
            work);
        if (mine) {{
            dhidden_0 = {direct}total<T, ROWS, COLUMNS, SLICES>(work, own_row, own_column);
        }}
    }}
    if (mine) {{
{leave}
    }}
"""

# A step's rows of U, transposed, and a unit's columns of it.
_FORWARD_RESIDENT = """\
        const int k = i % DEPTH, row = i / DEPTH, unit = first_unit + row % UNITS;
        const long long line = direction * {rows} * HIDDEN + row / UNITS * HIDDEN + unit;
        resident[k * ROWS + row] = unit < HIDDEN ? weights_[line * HIDDEN + k] : T(0);"""
_BACKWARD_RESIDENT = """\
        const int k = i / UNITS, unit = first_unit + i % UNITS;
        const long long line = (long long)direction * DEPTH + k;
        resident[i] = unit < HIDDEN ? weights_[line * HIDDEN + unit] : T(0);"""

APART = 32
"""Counters lie in cache lines of their own."""


def forward_source(function: Pointwise, dtype: str, loop: Loop, tiling: Tiling) -> tuple[str, str]:
    """The name and the text of a kernel that takes a cell's ``forward`` through all steps.

    Grid (members, groups). Arguments: weights (S, rows, H); those of ``function``, less
    ``recurrent``; a counter at 0 for each group, `APART` numbers from the next; n; the steps.
    """
    text = _Text(function, skip=("recurrent",))
    # What a step leaves, the next one finds in its registers.
    carried = [pair for pair in function.before if (pair[0], 0) in text.read]
    old = [before for before, _ in carried]
    steps = _FORWARD_STEPS.format(
        sums=_lines(
            12,
            (
                f"recurrent_{k} = total<T, ROWS, COLUMNS, SLICES>"
                f"(work, {k} * UNITS + own_row, own_column);"
                for k in range(loop.rows)
            ),
        ),
        equations=text.equations(),
        store=text.stores(text.written, 12),
        carry=_lines(12, (f"{before}_0 = {after}_0;" for before, after in carried)),
    )
    inputs = [e for e in text.read if e[0] not in (*old, *function.shared)]
    return _kernel(
        text, dtype, loop, tiling, steps, _FORWARD_RESIDENT,
        enter=[
            *(f"{name}_0 = {name}_[direction * size + place];" for name in old),
            *text.loads([e for e in text.read if e[0] in function.shared and e[0] != "recurrent"]),
        ],
        load=text.loads(inputs),
        more=[f"recurrent_{k}" for k in range(loop.rows)],
    )  # fmt: skip


def backward_source(
    function: Pointwise, dtype: str, loop: Loop, tiling: Tiling, first_block: int, direct: bool
) -> tuple[str, str]:
    """The same for a cell's ``backward``, from the last step to the first.

    Arguments: weights; the gradient that arrives from the output; those of ``function``; counters,
    n and steps. ``first_block`` is the first block of d that the weights act on.
    """
    text = _Text(function, also=("arriving",))
    gradients = [(name, 0) for name in function.carried]
    steps = _BACKWARD_STEPS.format(
        equations=text.equations(),
        store=text.stores([e for e in text.written if e not in gradients], 12),
        leave=text.stores(gradients, 8),
        blocks=text.blocks["d"],
        first_block=first_block,
        direct="dhidden_0 + " * direct,
    )
    inputs = [e for e in text.read if e[0] not in text.without_steps]
    return _kernel(
        text, dtype, loop, tiling, steps, _BACKWARD_RESIDENT,
        enter=text.loads([*gradients, *(e for e in text.read if e[0] in function.shared)]),
        load=["arriving_0 = arriving_[lead * size + place];", *text.loads(inputs)],
        more=["arriving_0", *(f"{name}_{k}" for name, k in gradients)],
    )  # fmt: skip


class _Text:
    """A function's equations, in which ``name(k)`` has become the register ``name_k``."""

    def __init__(self, function: Pointwise, skip=(), also=()):
        self.name, self.blocks = function.name, dict(function.arrays)
        self.without_steps = (*function.carried, *function.shared)
        self.parameters = [*also, *(name for name in self.blocks if name not in skip)]
        pattern = rf"\b({'|'.join(self.blocks)})\((\d+)\)"
        self.text = re.sub(pattern, r"\1_\2", function.unit.strip())
        found = [
            ((m[1], int(m[2])), m[3]) for m in re.finditer(pattern + r"\s*(=|\W=|)", function.unit)
        ]
        self.used = list(dict.fromkeys(element for element, _ in found))
        self.written = list(dict.fromkeys(e for e, sign in found if sign.endswith("=")))
        first = dict(reversed(found))
        self.read = [element for element in self.used if first[element] != "="]

    def equations(self) -> str:
        return _lines(16, self.text.splitlines())

    def at(self, element: tuple[str, int]) -> str:
        """Where in global memory it lies; what all steps share has no axis of steps."""
        name, k = element
        lead = "direction" if name in self.without_steps else "lead"
        return f"{name}_[({lead} * {self.blocks[name]} + {k}) * size + place]"

    def loads(self, elements) -> list[str]:
        return [f"{e[0]}_{e[1]} = {self.at(e)};" for e in elements]

    def stores(self, elements, indent: int) -> str:
        return _lines(indent, (f"{self.at(e)} = {e[0]}_{e[1]};" for e in elements))


def _kernel(
    text: _Text,
    dtype: str,
    loop: Loop,
    tiling: Tiling,
    steps: str,
    resident: str,
    enter: list[str],
    load: list[str],
    more: list[str],
) -> tuple[str, str]:
    name = (
        f"{text.name}_{dtype}_{loop.hidden}x{loop.directions}_{tiling.units}"
        f"_{tiling.columns}_{tiling.slices}_{tiling.chunk}"
    )
    registers = dict.fromkeys([f"{name}_{k}" for name, k in text.used] + more)
    source = _KERNEL.format(
        name=name,
        real=REAL[dtype],
        threads=tiling.threads,
        parameters=", ".join(f"{REAL[dtype]}* {p}_" for p in text.parameters),
        hidden=loop.hidden,
        directions=loop.directions,
        units=tiling.units,
        columns=tiling.columns,
        members=tiling.members,
        rows=loop.rows,
        depth=loop.depth,
        chunk=tiling.chunk,
        slices=tiling.slices,
        apart=APART,
        resident=resident.format(rows=loop.rows),
        registers=", ".join(f"{register} = 0" for register in registers),
        enter=_lines(8, enter),
        load=_lines(12, load),
        steps=steps,
    )
    return name, source


def _lines(indent: int, lines) -> str:
    return "\n".join(" " * indent + line for line in lines)
