"""Sums over pairs of rows that many tiles found, without laying out the pairs of a province together."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from panhuo.inventory.geometry import Bools, Floats, Ints
from panhuo.inventory.overlay_rings import compiled


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of `rows` rows with a value of `least` or more; parts: (first, second, value) as each tile found them.

    A row's sum runs over the pairs it is first in, in the order of the tiles, then over those it is second in.
    """

    parts: list[tuple[Ints, Ints, Floats]]
    rows: int
    least: float = 0.0

    def once(self) -> Iterator[tuple[Ints, Ints]]:
        """(first, second), a part at a time."""
        for first, second, value in self.parts:
            keep = value >= self.least
            yield first[keep], second[keep]

    def sum(self, value: Callable[[Ints, Ints, Floats], Floats]) -> Floats:
        """By row the sum of `value` over its pairs, called with the row, the other and the pair's own value."""
        total = np.zeros(self.rows)
        for me, other, own in self._sides():
            _add(total, me, value(me, other, own))
        return total

    def any(self, test: Callable[[Ints, Ints], Bools]) -> Bools:
        """Which rows have a pair that passes a test of the row and the other."""
        found = np.zeros(self.rows, bool)
        for me, other, _ in self._sides():
            found[me[test(me, other)]] = True
        return found

    def count(self) -> Ints:
        """How many pairs each row has."""
        return self.sum(lambda me, _, __: np.ones(len(me))).astype(np.int64)

    def _sides(self) -> Iterator[tuple[Ints, Ints, Floats]]:
        for turned in (False, True):
            for first, second, value in self.parts:
                keep = value >= self.least
                me, other = (second, first) if turned else (first, second)
                yield me[keep], other[keep], value[keep]


@compiled
def _add(total: Floats, rows: Ints, values: Floats) -> None:
    for at in range(len(rows)):
        total[rows[at]] += values[at]
