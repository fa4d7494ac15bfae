"""Steps that do more than a product and a cell.

The options meet freely in one step, and going back takes its lines in the opposite order:

    h before → mask → U → normalise → cell → normalise c → project → h

What needs no recurrence, above all each matrix's gradient, is computed once for many steps, as in
`steps.Steps`.

The names are those of the cells' own arguments (`lstm_lab.cells`), and besides

``source``
    What U is multiplied by: the hidden state before, or what a mask leaves of it; ``dsource`` is
    its gradient.
``unprojected``
    The cell's output where the hidden state is a projection of it.
``normal_x``, ``normal_h``, ``normal_c``
    W x, U h and c, normalised; ``scale_x`` and so on are what they were multiplied by to that end.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from ..backends import Array, Backend
from ..cells import Cell
from .normal import normalise, normalise_backward
from .steps import Arrays, Named, Steps, Weights, as_columns, as_rows
from .trace import SegmentTrace


class StepsWithOptions(Steps):
    """Steps with a projection, layer normalisation, recurrent dropout or a second product.

    Parameters
    ----------
    cell, backend, weights, truncated
        As of `Steps`. Weights that are there bring their option: ``projection``, and the gains
        and the bias of layer normalisation.
    mask : array (S, P, B) or None
        What the hidden state is multiplied by wherever U acts on it, at every step.
    """

    def __init__(
        self,
        cell: Cell,
        backend: Backend,
        weights: Weights,
        truncated: bool = False,
        mask: Array | None = None,
    ):
        super().__init__(cell, backend, weights, truncated)
        self.mask = mask
        self.projected, self.normal = bool(weights.projection), bool(weights.gain_h)
        rows = self.rows(cell.recurrent_blocks)
        # The rows of U that act on the source itself, and on what a reset gate leaves of it.
        whole = rows.stop - rows.start
        self._first, self._second = slice(whole), slice(whole, None)

    # Forward

    @property
    def saved_shapes(self) -> dict[str, tuple[int, ...]]:
        shapes, gates = super().saved_shapes, self.cell.blocks * self.hidden
        if self.projected:
            shapes["unprojected"] = (self.hidden,)
        if self.normal:
            shapes |= {"normal_x": (gates,), "normal_h": (gates,), "normal_c": (self.hidden,)}
            shapes |= {"scale_x": (1,), "scale_h": (1,), "scale_c": (1,)}
        return shapes

    def fold(self, weights: Array, *blocks: slice) -> Array:
        # Where W x and U h are normalised, it is the gains that are folded.
        return weights if self.normal else super().fold(weights, *blocks)

    def input_product(self, x: list[Array], gates: Array, saved: Named) -> None:
        if not self.normal:
            super().input_product(x, gates, saved)
            return
        self.multiply_input(x, gates, self.backend.xp.zeros_like(self.folded_bias))
        flat = _flat(gates)
        normalise(self.backend.xp, flat, saved["scale_x"])
        saved["normal_x"][...] = flat
        flat *= self._folded_gain(self.weights.gain_x)
        gates += self.folded_bias

    def input_step(self, gates: Array, saved: Named) -> Callable[[Array], None]:
        if not self.normal:
            return super().input_step(gates, saved)
        return lambda x: self.input_product([x], gates, saved)

    def forward_loop(self, n: int, steps: int) -> Callable[..., None]:
        return self.step_by_step(n)

    def step_by_step(self, n: int) -> Callable[..., None]:
        step = self._forward_step(n)

        def advance(gates: Array, before: Arrays, after: Arrays, saved: Named) -> None:
            for t in range(len(gates)):
                step(gates[t], _at(t, before), _at(t, after), _at_named(t, saved))

        return advance

    def _forward_step(self, n: int) -> Callable[..., None]:
        cell, backend, xp, hidden = self.cell, self.backend, self.backend.xp, self.hidden
        u, peepholes = self._folded_recurrent, self.peepholes(self.folded_peepholes, n)
        multiply = backend.product(u[:, self._first], n)
        forward = backend.pointwise(cell.forward, self.dtype)
        recurrent = self.workspace(n, self._first.stop // hidden, hidden)
        if self.mask is not None:
            mask, masked = self.mask[..., :n], self.workspace(n, self.output_size)
        if self.normal:
            gain_h = self._folded_gain(self.weights.gain_h)
            gain_c, bias_c = self._columns(self.weights.gain_c), self._columns(self.weights.bias_c)
            output_gate = cell.gates["output_gate"]
        if cell.reset:
            multiply_reset = backend.product(u[:, self._second], n)
            reset = backend.pointwise(cell.reset.forward, self.dtype)
            reset_hidden, inner = self.workspace(n, hidden), self.workspace(n, hidden)
        if self.projected:
            project = backend.product(self._projection, n)

        def step(gates: Array, before: Arrays, after: Arrays, saved: Named) -> None:
            source = before[0] if self.mask is None else xp.multiply(before[0], mask, out=masked)
            if self.normal:
                multiply(source, saved["normal_h"])
                normalise(xp, saved["normal_h"], saved["scale_h"])
                xp.multiply(saved["normal_h"], gain_h, out=_flat(recurrent))
            else:
                multiply(source, _flat(recurrent))
            if cell.reset:
                reset(gates, recurrent, source, reset_hidden)
                multiply_reset(reset_hidden, inner)
                forward(gates, inner, before[0], after[0])
                return
            # The output is not yet the hidden state where that is a projection of it.
            output = saved["unprojected"] if self.projected else after[0]
            h_before = output if self.projected else before[0]
            left = [saved[name] for name in cell.forward.saved]
            forward(gates, recurrent, h_before, *before[1:], output, *after[1:], *left, *peepholes)
            if self.normal:  # h = o * tanh(LN(c)), in place of o * tanh(c)
                saved["normal_c"][...] = after[1]
                normalise(xp, saved["normal_c"], saved["scale_c"])
                xp.multiply(saved["normal_c"], gain_c, out=saved["tanh_cell"])
                saved["tanh_cell"] += bias_c
                xp.tanh(saved["tanh_cell"], out=saved["tanh_cell"])
                xp.multiply(gates[:, output_gate], saved["tanh_cell"], out=output)
            if self.projected:
                project(output, after[0])

        return step

    # Backward

    @property
    def local_shapes(self) -> dict[str, tuple[int, ...]]:
        shapes = super().local_shapes
        if self.normal:
            shapes |= dict.fromkeys(("dinput", "drecurrent"), (self.cell.blocks * self.hidden,))
            shapes["dcell_whole"] = (self.hidden,)
        return shapes

    def backward_loop(self, n: int, keep: bool) -> Callable[..., None]:
        cell, backend, mask = self.cell, self.backend, self.mask
        derive = backend.pointwise(cell.derivatives, self.dtype)
        step = self._backward_step(n)
        if self.normal:
            gain_x = self._columns(self.weights.gain_x)

        def go_back(
            dh: Array,
            steps: tuple[Array, Arrays, Arrays, Named],
            d: Array,
            local: Named,
            carried: Arrays,
        ) -> None:
            gates, before, after, saved = steps
            output = saved["unprojected"] if self.projected else after[0]
            h_before = output if self.projected else before[0]
            if cell.reset and mask is not None:
                h_before = h_before * mask[..., :n]
            left = [saved[name] for name in cell.forward.saved]
            derivatives = [local[name] for name in cell.derivatives.saved]
            states = (h_before, *before[1:], output, *after[1:])
            derive(gates, *states, *left, d, *derivatives)
            for t in reversed(range(len(d))):
                step(dh[t], gates[t], _at_named(t, saved), d[t], _at_named(t, local), carried)
            if self.normal:
                local["dinput"][...] = _flat(d) * gain_x
                normalise_backward(local["dinput"], saved["normal_x"], saved["scale_x"])

        return go_back

    def _backward_step(self, n: int) -> Callable[..., None]:
        cell, backend, xp = self.cell, self.backend, self.backend.xp
        transposed = self._recurrent.transpose(0, 2, 1)
        peepholes = self.peepholes(self.weights.peephole, n)
        multiply = backend.product(transposed if self.normal else transposed[..., self._first], n)
        backward = backend.pointwise(cell.backward, self.dtype)
        rows, dsource = self.rows(cell.recurrent_blocks), self.workspace(n, self.output_size)
        mask = None if self.mask is None else self.mask[..., :n]
        if self.projected:
            project_back = backend.product(self._projection.transpose(0, 2, 1), n)
            dunprojected = self.workspace(n, self.hidden)
        if self.normal:
            gain_h = self._columns(self.weights.gain_h)
            gain_c = self._columns(self.weights.gain_c)
        if cell.direct:
            past = self.workspace(n, self.hidden)
        if cell.reset:
            multiply_reset = backend.product(transposed[..., self._second], n)
            reset = backend.pointwise(cell.reset.backward, self.dtype)
            reset_rows, dreset = self.rows(cell.reset.blocks), self.workspace(n, self.hidden)

        def step(
            dh: Array, gates: Array, saved: Named, d: Array, local: Named, carried: Arrays
        ) -> None:
            dh_carried, *carry = carried
            dh += dh_carried
            doutput = dh
            if self.projected:
                project_back(dh, dunprojected)
                doutput = dunprojected
            if cell.direct:  # what of dh reaches the state before past the products
                past[...] = doutput
                doutput = past
            derivatives = [local[name] for name in cell.derivatives.saved]
            if self.normal:
                dnormal = local["dcell"]
                dnormal *= doutput
                dc = dnormal * gain_c
                normalise_backward(dc, saved["normal_c"], saved["scale_c"])
                carry[0] += dc
                # All that reaches c by way of h is in the carry already.
                local["dcell_whole"][...] = 0
                derivatives = [local["dcell_whole"]]
            backward(d, *derivatives, gates, doutput, *carry, *peepholes)
            drecurrent = _flat(d)[:, rows]
            if self.normal:
                xp.multiply(_flat(d), gain_h, out=local["drecurrent"])
                normalise_backward(local["drecurrent"], saved["normal_h"], saved["scale_h"])
                drecurrent = local["drecurrent"]
            if cell.reset:
                multiply_reset(_flat(d)[:, reset_rows], dreset)
                reset(d, gates, dreset)
            if self.truncated:
                dsource[...] = 0
            else:
                multiply(drecurrent, dsource)
            if cell.reset:
                xp.add(dsource, dreset, out=dsource)
            if mask is not None:
                xp.multiply(dsource, mask, out=dsource)
            if cell.direct:
                xp.add(dsource, past, out=dh_carried)
            else:
                dh_carried[...] = dsource

        return step

    def state_gradients(self, dh: Array, local: Named) -> tuple[Array, ...]:
        if self.normal:
            return dh, local["dcell_whole"]
        return super().state_gradients(dh, local)

    def input_gradient(self, d: Array, local: Named) -> Array:
        return local["dinput"] if self.normal else d

    def add_gradients(
        self,
        total: Weights,
        s: int,
        columns: Array,
        trace: SegmentTrace,
        dh: Array,
        d: Array,
        local: Named,
    ) -> None:
        super().add_gradients(total, s, columns, trace, dh, d, local)
        saved = trace.saved
        if self.projected:
            unprojected = as_rows(self.backend, saved["unprojected"][:, s])
            total.projection[s] += as_columns(self.backend, dh[:, s]) @ unprojected
        if self.normal:
            flat, dnormal_c = _flat(d)[:, s], local["dcell"][:, s]
            total.gain_x[s] += (flat * saved["normal_x"][:, s]).sum(axis=(0, 2))
            total.gain_h[s] += (flat * saved["normal_h"][:, s]).sum(axis=(0, 2))
            total.gain_c[s] += (dnormal_c * saved["normal_c"][:, s]).sum(axis=(0, 2))
            total.bias_c[s] += dnormal_c.sum(axis=(0, 2))

    def _recurrent_gradient(
        self, s: int, columns: Array, trace: SegmentTrace, local: Named
    ) -> Array:
        cell, source = self.cell, trace.states[0][:-1, s]
        if self.mask is not None:
            source = source * self.mask[s, :, : source.shape[-1]]
        source = as_rows(self.backend, source)
        if self.normal:
            return as_columns(self.backend, local["drecurrent"][:, s]) @ source
        parts = [columns[self.rows(cell.recurrent_blocks)] @ source]
        if cell.reset:
            reset = as_rows(self.backend, trace.gates[:, s, cell.reset.gate])
            parts.append(columns[self.rows(cell.reset.blocks)] @ (reset * source))
        return self.backend.xp.concatenate(parts)

    # Arrays

    @cached_property
    def _projection(self) -> Array:
        return self.backend.xp.stack(self.weights.projection)

    def _folded_gain(self, gains: list[Array]) -> Array:
        return self._columns([self.cell.fold(g, self.hidden, slice(None)) for g in gains])

    def _columns(self, vectors: list[Array]) -> Array:
        """A vector of each direction as (S, ·, 1)."""
        return self.backend.xp.stack(vectors)[:, :, None]


def _flat(gates: Array) -> Array:
    """(..., G, H, n) as (..., G · H, n)."""
    return gates.reshape(*gates.shape[:-3], -1, gates.shape[-1])


def _at(t: int, arrays: Arrays) -> Arrays:
    """The arrays of one step."""
    return [array[t] for array in arrays]


def _at_named(t: int, arrays: Named) -> Named:
    return {name: array[t] for name, array in arrays.items()}
