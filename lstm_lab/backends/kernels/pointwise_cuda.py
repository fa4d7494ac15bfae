"""The CUDA source of a pointwise function: plain text, so that it compiles without a GPU."""

from __future__ import annotations

from ..base import Pointwise

THREADS = 256
"""Threads in a block; the kernels stride over the grid, so any grid is right."""

_TEMPLATE = """\
extern "C" __global__ void {name}(
    {parameters},
    long long block, long long units)
{{
    typedef {real} T;
    const long long stride = (long long)gridDim.x * blockDim.x;
    for (long long unit = (long long)blockIdx.x * blockDim.x + threadIdx.x; unit < units;
         unit += stride) {{
        const long long lead = unit / block, inner = unit % block;
{defines}
{body}
{undefines}
    }}
}}
"""

REAL = {"float32": "float", "float64": "double"}


def kernel_source(function: Pointwise, dtype: str) -> str:
    """The whole CUDA kernel around ``function.unit``.

    The kernel's arguments are the arrays' pointers, the values in one (H, n) block, and the
    number of units altogether: the product of all axes of an array with a single block.
    """
    names = [name for name, _ in function.arrays]
    return _TEMPLATE.format(
        name=function.name,
        real=REAL[dtype],
        parameters=",\n    ".join(f"{REAL[dtype]}* __restrict__ {name}_" for name in names),
        defines="\n".join(
            f"        #define {name}(k) {name}_[(lead * {blocks} + (k)) * block + inner]"
            for name, blocks in function.arrays
        ),
        body="\n".join("        " + line for line in function.unit.strip().splitlines()),
        undefines="\n".join(f"        #undef {name}" for name in names),
    )
