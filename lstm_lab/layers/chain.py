"""Steps with more links than a product and a cell.

A step is a chain of links, each a function of the step's arrays by name; going back runs through
their adjoints in the opposite order. Every link stands for itself, so that options meet freely.
What needs no recurrence, above all each matrix's gradient, is computed once for many steps, as in
`steps.Steps`.

The names are those of the cells' own arguments (`lstm_lab.cells`), and besides ``dbefore``: the
gradient of the hidden state before, as far as it came through U.
"""

from __future__ import annotations

from collections.abc import Callable

from ..backends import Array, Pointwise
from .steps import Arrays, Steps, as_rows

Slots = dict[str, Array]
Link = Callable[[Slots], None]


class Chain(Steps):
    """A step as a chain of links. Parameters are those of `Steps`."""

    def forward_loop(self, n: int, steps: int) -> Callable[..., None]:
        cell, weights = self.cell, self._folded_recurrent
        first, second = self._parts_of_u
        shared = self._shared_peepholes([p * 0.5 for p in self.weights.peephole], n)
        shared["recurrent"] = self._room((len(range(cell.blocks)[cell.recurrent_blocks]),), n)
        links = [self._product(weights[:, first], "hidden_before", "recurrent")]
        if cell.reset:
            shared |= {"reset_hidden": self._room((), n), "inner": self._room((), n)}
            links += [
                self._pointwise(cell.reset.forward),
                self._product(weights[:, second], "reset_hidden", "inner"),
            ]
        links.append(self._pointwise(cell.forward))

        def advance(gates: Array, before: Arrays, after: Arrays, kept: Arrays) -> None:
            arrays = self._by_name(gates, before, after, kept)
            for k in range(len(gates)):
                slots = shared | {name: array[k] for name, array in arrays.items()}
                for link in links:
                    link(slots)

        return advance

    def backward_loop(self, n: int) -> Callable[..., None]:
        cell = self.cell
        first, second = self._parts_of_u
        transposed = self._recurrent.transpose(0, 2, 1)
        derive = self._pointwise(cell.derivatives)
        shared = self._shared_peepholes(self.weights.peephole, n)
        shared["dbefore"] = self._room((), n)
        links = [_add("arriving", "dhidden"), self._pointwise(cell.backward)]
        through = self._back(transposed[..., first], cell.recurrent_blocks, "dbefore")
        if cell.reset:
            shared["dreset"] = self._room((), n)
            links += [
                self._back(transposed[..., second], cell.reset.blocks, "dreset"),
                self._pointwise(cell.reset.backward),
                through,
                _add("dreset", "dbefore"),
            ]
        else:
            links.append(through)
        links.append(_add("dbefore", "dhidden") if cell.direct else _set("dbefore", "dhidden"))

        def go_back(
            arriving: Array,
            gates: Array,
            before: Arrays,
            after: Arrays,
            kept: Arrays,
            d: Array,
            carried: Arrays,
        ) -> None:
            arrays = self._by_name(gates, before, after, kept)
            arrays |= {"d": d, "arriving": arriving}
            arrays |= {
                name: self.backend.empty(arriving.shape, self.dtype) for name in self._factors
            }
            derive(arrays)
            state = dict(zip((f"d{name}" for name in cell.states), carried, strict=True))
            for k in reversed(range(len(gates))):
                slots = shared | state | {name: array[k] for name, array in arrays.items()}
                for link in links:
                    link(slots)

        return go_back

    def recurrent_gradient(self, s: int, columns: Array, gates: Array, hidden: Array) -> Array:
        cell, before = self.cell, as_rows(self.backend, hidden[:, s])
        parts = [columns[self.rows(cell.recurrent_blocks)] @ before]
        if cell.reset:
            reset = as_rows(self.backend, gates[:, s, cell.reset.gate])
            parts.append(columns[self.rows(cell.reset.blocks)] @ (reset * before))
        return self.backend.xp.concatenate(parts)

    # What links are made of

    @property
    def _parts_of_u(self) -> tuple[slice, slice]:
        """The rows of U that act on the state before, and on what a reset gate leaves of it."""
        rows = self.rows(self.cell.recurrent_blocks)
        first = rows.stop - rows.start
        return slice(first), slice(first, None)

    @property
    def _factors(self) -> list[str]:
        """What ``derivatives`` leaves for ``backward`` beside d."""
        names = [name for name, _ in self.cell.derivatives.arrays]
        return names[names.index("d") + 1 :]

    def _by_name(self, gates: Array, before: Arrays, after: Arrays, kept: Arrays) -> Slots:
        """The arrays of many steps under the names that the cell's functions have for them."""
        states = self.cell.states
        names = ["gates", *(f"{name}_before" for name in states), *states, *self.cell.kept_names]
        return dict(zip(names, (gates, *before, *after, *kept), strict=True))

    def _room(self, blocks: tuple[int, ...], n: int) -> Array:
        return self.backend.empty((self.directions, *blocks, self.hidden, n), self.dtype)

    def _shared_peepholes(self, weights: list[Array], n: int) -> Slots:
        return dict(zip(["peepholes"], self.peepholes(weights, n), strict=False))

    def _pointwise(self, function: Pointwise) -> Link:
        call = self.backend.pointwise(function, self.dtype)
        names = [name for name, _ in function.arrays]
        return lambda slots: call(*[slots[name] for name in names])

    def _product(self, weights: Array, source: str, out: str) -> Link:
        """``out = weights @ source``, for weights (S, rows, ·)."""
        matmul = self.backend.xp.matmul

        def link(slots: Slots) -> None:
            product = slots[out]
            matmul(weights, slots[source], out=product.reshape(*weights.shape[:2], -1))

        return link

    def _back(self, transposed: Array, blocks: slice, out: str) -> Link:
        """The gradient of a product's source: ``out``, from these blocks of d."""
        matmul, rows = self.backend.xp.matmul, self.rows(blocks)

        def link(slots: Slots) -> None:
            d = slots["d"]
            columns = d.reshape(self.directions, -1, d.shape[-1])[:, rows]
            matmul(transposed, columns, out=slots[out])

        return link


def _add(source: str, target: str) -> Link:
    def link(slots: Slots) -> None:
        slots[target] += slots[source]

    return link


def _set(source: str, target: str) -> Link:
    def link(slots: Slots) -> None:
        slots[target][...] = slots[source]

    return link
