"""Steps with more links than a product and a cell.

A step is a chain of links, each a function of the step's arrays by name; going back runs through
their adjoints in the opposite order. Every link stands for itself, so that options meet freely:

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

from collections.abc import Callable, Iterable
from functools import cached_property

from ..backends import Array, Backend, Pointwise
from ..cells import Cell
from .normal import normalise, normalise_backward
from .steps import Arrays, Block, Named, Steps, Weights, as_columns, as_rows

Link = Callable[[Named], None]


class Chain(Steps):
    """A step as a chain of links.

    Parameters
    ----------
    cell, backend, weights, truncated
        As of `Steps`. Weights that are there make their links: ``projection``, and the gains and
        the bias of layer normalisation.
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
    def kept_shapes(self) -> dict[str, tuple[int, ...]]:
        shapes, gates = super().kept_shapes, self.cell.blocks * self.hidden
        if self.projected:
            shapes["unprojected"] = (self.hidden,)
        if self.normal:
            shapes |= {"normal_x": (gates,), "normal_h": (gates,), "normal_c": (self.hidden,)}
            shapes |= {"scale_x": (1,), "scale_h": (1,), "scale_c": (1,)}
        return shapes

    def fold(self, weights: Array, *blocks: slice) -> Array:
        # Where W x and U h are normalised, it is the gains that are folded.
        return weights if self.normal else super().fold(weights, *blocks)

    def enter(self, x: list[Array], gates: Array, kept: Named) -> None:
        if not self.normal:
            super().enter(x, gates, kept)
            return
        self.input_product(x, gates, self.backend.xp.zeros_like(self.folded_bias))
        flat = self._flat(gates)
        normalise(self.backend.xp, flat, kept["scale_x"])
        kept["normal_x"][...] = flat
        flat *= self._folded_gain(self.weights.gain_x)
        gates += self.folded_bias

    def forward_loop(self, n: int, steps: int) -> Callable[..., None]:
        links, shared = self._forward_links(n)

        def advance(gates: Array, before: Arrays, after: Arrays, kept: Named) -> None:
            arrays = self._by_name(gates, before, after, kept)
            _run(links, range(len(gates)), arrays, shared)

        return advance

    def _forward_links(self, n: int) -> tuple[list[Link], Named]:
        """The links of a step in their order, and the arrays that all steps share."""
        cell, u = self.cell, self._folded_recurrent
        shared = self._shared(self.folded_peepholes, n)
        shared["recurrent"] = self._room(n, self._first.stop // self.hidden, self.hidden)
        links = []
        if self.mask is not None:
            shared["source"] = self._room(n, self.output_size)
            links.append(self._multiply("hidden_before", self.mask[..., :n], "source"))
        if self.normal:
            links += [self._product(n, u, "source", "normal_h"), self._normalise_product()]
        else:
            links.append(self._product(n, u[:, self._first], "source", "recurrent"))
        if cell.reset:
            shared |= {name: self._room(n, self.hidden) for name in ("reset_hidden", "inner")}
            links += [
                self._pointwise(cell.reset.forward, hidden_before="source"),
                self._product(n, u[:, self._second], "reset_hidden", "inner"),
            ]
        links.append(self._pointwise(cell.forward, **self._called))
        if self.normal:
            links.append(self._normalise_cell())
        if self.projected:
            links.append(self._product(n, self._projection, "unprojected", "hidden"))
        return links, shared

    # Backward

    @property
    def factor_shapes(self) -> dict[str, tuple[int, ...]]:
        shapes = super().factor_shapes
        if self.normal:
            shapes |= dict.fromkeys(("dinput", "drecurrent"), (self.cell.blocks * self.hidden,))
        return shapes

    def backward_loop(self, n: int) -> Callable[..., None]:
        cell, mask = self.cell, self.mask
        called = {"hidden_before": "source"} if cell.reset else self._called
        derive = self._pointwise(cell.derivatives, **called)
        links, shared = self._backward_links(n)

        def go_back(
            arriving: Array,
            steps: tuple[Array, Arrays, Arrays, Named],
            d: Array,
            factors: Named,
            carried: Arrays,
        ) -> None:
            arrays = self._by_name(*steps) | factors | {"d": d, "arriving": arriving}
            if cell.reset and mask is not None:
                arrays["source"] = arrays["source"] * mask[..., :n]
            derive(arrays)
            states = dict(zip((f"d{name}" for name in cell.states), carried, strict=True))
            _run(links, reversed(range(len(d))), arrays, shared | states)
            if self.normal:
                dinput = factors["dinput"]
                dinput[...] = self._flat(d) * _columns(self.backend, self.weights.gain_x)
                normalise_backward(dinput, arrays["normal_x"], arrays["scale_x"])

        return go_back

    def _backward_links(self, n: int) -> tuple[list[Link], Named]:
        """The adjoints of `_forward_links`, in the opposite order."""
        cell, transposed = self.cell, self._recurrent.transpose(0, 2, 1)
        shared = self._shared(self.weights.peephole, n)
        shared["dsource"] = self._room(n, self.output_size)
        links = []
        if self.projected:
            shared["dunprojected"] = self._room(n, self.hidden)
            # `arriving` becomes the whole gradient of h, of which the projection's is made.
            links.append(_add("dhidden", "arriving"))
            back = self._projection.transpose(0, 2, 1)
            links.append(self._product(n, back, "arriving", "dunprojected"))
        else:
            links.append(_add("arriving", "dhidden"))
        if self.normal:
            shared["nothing"] = self._room(n, self.hidden)
            links.append(self._normalise_cell_backward())
            links.append(self._pointwise(cell.backward, **self._called, dh_dc="nothing"))
            links.append(self._normalise_product_backward())
            through = self._product(n, transposed, "drecurrent", "dsource")
        else:
            links.append(self._pointwise(cell.backward, **self._called))
            back = transposed[..., self._first]
            through = self._back(n, back, cell.recurrent_blocks, "dsource")
        if cell.reset:
            shared["dreset"] = self._room(n, self.hidden)
            links += [
                self._back(n, transposed[..., self._second], cell.reset.blocks, "dreset"),
                self._pointwise(cell.reset.backward),
                through,
                _add("dreset", "dsource"),
            ]
        elif self.truncated:
            shared["dsource"][...] = 0
        else:
            links.append(through)
        if self.mask is not None:
            links.append(self._multiply("dsource", self.mask[..., :n], "dsource"))
        links.append(_add("dsource", "dhidden") if cell.direct else _set("dsource", "dhidden"))
        return links, shared

    def entered(self, d: Array, factors: Named) -> Array:
        return factors["dinput"] if self.normal else d

    def add_gradients(
        self,
        total: Weights,
        s: int,
        columns: Array,
        block: Block,
        arriving: Array,
        d: Array,
        factors: Named,
    ) -> None:
        super().add_gradients(total, s, columns, block, arriving, d, factors)
        kept = block.kept
        if self.projected:
            unprojected = as_rows(self.backend, kept["unprojected"][:, s])
            total.projection[s] += as_columns(self.backend, arriving[:, s]) @ unprojected
        if self.normal:
            flat, dnormal_c = self._flat(d)[:, s], factors["dh_dc"][:, s]
            total.gain_x[s] += (flat * kept["normal_x"][:, s]).sum(axis=(0, 2))
            total.gain_h[s] += (flat * kept["normal_h"][:, s]).sum(axis=(0, 2))
            total.gain_c[s] += (dnormal_c * kept["normal_c"][:, s]).sum(axis=(0, 2))
            total.bias_c[s] += dnormal_c.sum(axis=(0, 2))

    def _recurrent_gradient(self, s: int, columns: Array, block: Block, factors: Named) -> Array:
        cell, source = self.cell, block.states[0][:-1, s]
        if self.mask is not None:
            source = source * self.mask[s, :, : source.shape[-1]]
        source = as_rows(self.backend, source)
        if self.normal:
            return as_columns(self.backend, factors["drecurrent"][:, s]) @ source
        parts = [columns[self.rows(cell.recurrent_blocks)] @ source]
        if cell.reset:
            reset = as_rows(self.backend, block.gates[:, s, cell.reset.gate])
            parts.append(columns[self.rows(cell.reset.blocks)] @ (reset * source))
        return self.backend.xp.concatenate(parts)

    # Arrays

    @property
    def _called(self) -> dict[str, str]:
        """What the cell's functions call by another name: its output is not the hidden state.

        An LSTM's functions take the hidden state before as well, but look at its shape alone.
        """
        if not self.projected:
            return {}
        names = dict.fromkeys(("hidden", "hidden_before"), "unprojected")
        return names | {"dhidden": "dunprojected"}

    @cached_property
    def _projection(self) -> Array:
        return self.backend.xp.stack(self.weights.projection)

    def _folded_gain(self, gains: list[Array]) -> Array:
        return _columns(
            self.backend, [self.cell.fold(gain, self.hidden, slice(None)) for gain in gains]
        )

    def _by_name(self, gates: Array, before: Arrays, after: Arrays, kept: Named) -> Named:
        """The arrays of many steps under the names that the links have for them."""
        states = self.cell.states
        named = {"gates": gates, "source": before[0], **kept}
        named |= {f"{name}_before": array for name, array in zip(states, before, strict=True)}
        return named | dict(zip(states, after, strict=True))

    def _room(self, n: int, *shape: int) -> Array:
        return self.backend.empty((self.directions, *shape, n), self.dtype)

    def _shared(self, peepholes: list[Array], n: int) -> Named:
        """What all steps share: so far, the peepholes."""
        return dict(zip(["peepholes"], self.peepholes(peepholes, n), strict=False))

    def _flat(self, gates: Array) -> Array:
        """(..., G, H, n) as (..., G · H, n)."""
        return gates.reshape(*gates.shape[:-3], -1, gates.shape[-1])

    # Links

    def _pointwise(self, function: Pointwise, **called: str) -> Link:
        """A cell's function; ``called`` says which of its arguments have another name here."""
        call = self.backend.pointwise(function, self.dtype)
        names = [called.get(name, name) for name, _ in function.arrays]
        return lambda slots: call(*[slots[name] for name in names])

    def _product(self, n: int, weights: Array, source: str, out: str) -> Link:
        """``out = weights @ source``, for weights (S, rows, ·) and n sequences."""
        multiply, shape = self.backend.product(weights, n), (*weights.shape[:2], n)

        def link(slots: Named) -> None:
            multiply(slots[source], slots[out].reshape(shape))

        return link

    def _back(self, n: int, transposed: Array, blocks: slice, out: str) -> Link:
        """The gradient of a product's source: ``out``, from these blocks of d."""
        multiply, rows = self.backend.product(transposed, n), self.rows(blocks)
        return lambda slots: multiply(self._flat(slots["d"])[:, rows], slots[out])

    def _multiply(self, source: str, factor: Array, out: str) -> Link:
        multiply = self.backend.xp.multiply
        return lambda slots: multiply(slots[source], factor, out=slots[out])

    def _normalise_product(self) -> Link:
        xp, gain = self.backend.xp, self._folded_gain(self.weights.gain_h)

        def link(slots: Named) -> None:
            normalise(xp, slots["normal_h"], slots["scale_h"])
            xp.multiply(slots["normal_h"], gain, out=self._flat(slots["recurrent"]))

        return link

    def _normalise_product_backward(self) -> Link:
        xp, gain = self.backend.xp, _columns(self.backend, self.weights.gain_h)

        def link(slots: Named) -> None:
            xp.multiply(self._flat(slots["d"]), gain, out=slots["drecurrent"])
            normalise_backward(slots["drecurrent"], slots["normal_h"], slots["scale_h"])

        return link

    def _normalise_cell(self) -> Link:
        """h = o * tanh(LN(c)), in place of the cell's own o * tanh(c)."""
        xp, gate = self.backend.xp, self.cell.gates["output_gate"]
        gain, bias = (_columns(self.backend, w) for w in (self.weights.gain_c, self.weights.bias_c))
        hidden = self._called.get("hidden", "hidden")

        def link(slots: Named) -> None:
            normal, tanh_cell = slots["normal_c"], slots["tanh_cell"]
            normal[...] = slots["cell"]
            normalise(xp, normal, slots["scale_c"])
            xp.multiply(normal, gain, out=tanh_cell)
            tanh_cell += bias
            xp.tanh(tanh_cell, out=tanh_cell)
            xp.multiply(slots["gates"][:, gate], tanh_cell, out=slots[hidden])

        return link

    def _normalise_cell_backward(self) -> Link:
        """What reaches c by way of h, so that the cell's own function has nothing to add."""
        gain = _columns(self.backend, self.weights.gain_c)
        dhidden = self._called.get("dhidden", "dhidden")

        def link(slots: Named) -> None:
            dnormal = slots["dh_dc"]
            dnormal *= slots[dhidden]
            dcell = dnormal * gain
            normalise_backward(dcell, slots["normal_c"], slots["scale_c"])
            slots["dcell"] += dcell
            slots["nothing"][...] = 0

        return link


def _run(links: list[Link], steps: Iterable[int], arrays: Named, shared: Named) -> None:
    """Every link at every step; ``arrays`` have the steps as their first axis."""
    for k in steps:
        slots = {name: array[k] for name, array in arrays.items()} | shared
        for link in links:
            link(slots)


def _columns(backend: Backend, vectors: list[Array]) -> Array:
    """A vector of each direction as (S, ·, 1)."""
    return backend.xp.stack(vectors)[:, :, None]


def _add(source: str, target: str) -> Link:
    def link(slots: Named) -> None:
        slots[target] += slots[source]

    return link


def _set(source: str, target: str) -> Link:
    def link(slots: Named) -> None:
        slots[target][...] = slots[source]

    return link
