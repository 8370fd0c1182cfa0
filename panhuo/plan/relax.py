"""The relaxation of a large plan by its parcels: prices on the few shared limits, each parcel its best route at them.

Only limits, targets and pairs tie parcels together. At a price for each of them every parcel chooses alone, in one pass
over all routes, and what they come to bounds every plan from above (the Lagrangian bound, here equal to the linear
relaxation's). The prices are those of a small linear programme over the answers so far, of some blocks of parcels each
(Dantzig and Wolfe 1960), asked again until bound and programme meet.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import highspy
import numpy as np
from scipy.sparse import csr_matrix, vstack

from panhuo.plan.problem import Floats, Ints

BLOCKS: Final = 24
"""Parcels answer in blocks: more blocks need fewer rounds, and make each a larger programme."""
ROUNDS: Final = 200
CLOSE: Final = 1e-7
"""How near bound and programme come: at looser prices the parcels that are sure of their choice overrun a limit."""
SHORT: Final = 1e-4
"""Share of a limit by which every plan falls short where its targets cannot hold."""
DEAR: Final = 100.0
"""Falling short by a hundredth of a limit costs as much as the best plan without limits is worth."""


@dataclass(frozen=True)
class Relaxed:
    """bound_wan: no plan is worth more; prices of the rows (≥ 0); `short`: whether the targets cannot hold.

    best: of each parcel the variable it chooses at the prices, −1 for none; margin: what choosing otherwise loses.
    """

    bound_wan: float
    prices: Floats
    short: bool
    best: Ints
    margin: Floats


@dataclass(frozen=True)
class Parcels:
    """Variables by the parcel they belong to: `order` sorts them so, `starts` where each parcel begins."""

    order: Ints
    starts: Ints
    of_sorted: Ints

    @classmethod
    def of(cls, parcel: Ints) -> "Parcels":
        """parcel: the number of each variable's parcel, every number from 0 on."""
        order = np.argsort(parcel, kind="stable")
        of_sorted = parcel[order]
        return cls(order, np.flatnonzero(np.r_[True, of_sorted[1:] != of_sorted[:-1]]), of_sorted)

    def choose(self, worth: Floats) -> tuple[Ints, Floats, Floats]:
        """Each parcel's best variable (−1 where none is worth anything), its worth, and by how much it is the best."""
        sorted_worth = worth[self.order]
        best = np.maximum.reduceat(sorted_worth, self.starts)
        hits = np.flatnonzero(sorted_worth == best[self.of_sorted])
        first = hits[np.r_[True, self.of_sorted[hits][1:] != self.of_sorted[hits][:-1]]]
        rest = sorted_worth.copy()
        rest[first] = -np.inf
        second = np.maximum(np.maximum.reduceat(rest, self.starts), 0.0)
        chosen = np.where(best > 0, self.order[first], -1)
        return chosen, np.maximum(best, 0.0), np.where(best > 0, best - second, -best)


def at_most(rows: Any, lower: Floats, upper: Floats) -> tuple[Any, Floats, Ints, Floats]:
    """Rows lower ≤ A x ≤ upper as A x ≤ b: the matrix, b, and of each row which it came from and with which sign."""
    above, below = np.flatnonzero(np.isfinite(upper)), np.flatnonzero(np.isfinite(lower))
    matrix = vstack([rows[above], -rows[below]]).tocsc()
    sign = np.r_[np.ones(len(above)), -np.ones(len(below))]
    return matrix, np.r_[upper[above], -lower[below]], np.r_[above, below], sign


def relax(rows: Any, limits: Floats, worth: Floats, parcel: Ints, *, seconds: float) -> Relaxed:
    """Prices for rows · x ≤ limits under which parcels, each choosing alone, come to the bound.

    worth [万元] and parcel of each variable. Stops after `seconds`; the bound then holds, only less tightly.
    """
    parcels, end = Parcels.of(parcel), time.monotonic() + seconds
    block = (np.arange(len(parcels.starts)) * BLOCKS // max(len(parcels.starts), 1)).astype(np.int64)
    programme = _Programme(limits, float(parcels.choose(worth)[1].sum()))
    prices = np.zeros(len(limits))
    bound, kept = np.inf, None
    for _ in range(ROUNDS):
        chosen, best, margin = parcels.choose(worth - rows.T @ prices)
        asked = float(prices @ limits + best.sum())
        if asked < bound or kept is None:
            bound, kept = asked, (prices, chosen, margin)
        programme.add(*_answers(rows, worth, chosen, block))
        reached, prices, short = programme.solve()
        if bound - reached <= CLOSE * max(abs(bound), 1.0) or time.monotonic() > end:
            break
    assert kept is not None
    return Relaxed(bound, kept[0], short > SHORT, kept[1], kept[2])


def _answers(rows: Any, worth: Floats, chosen: Ints, block: Ints) -> tuple[Floats, Floats]:
    """What the parcels' choices are worth and use of each row, by block: (blocks,) and (rows, blocks)."""
    taken = chosen >= 0
    variable, where = chosen[taken], block[taken]
    into = csr_matrix(
        (np.ones(len(variable)), (np.arange(len(variable)), where)), shape=(len(variable), BLOCKS)
    )
    return np.bincount(where, worth[variable], BLOCKS).astype(np.float64), np.asarray(
        (rows[:, variable] @ into).todense()
    )


class _Programme:
    """max Σ θ worth, Σ θ use − shortfall ≤ limits, Σ θ = 1 in each block; grows by columns, goes on where it was.

    `most`, what the best plan without limits is worth, and the limits themselves are its units.
    """

    def __init__(self, limits: Floats, most: float) -> None:
        self.rows, self.scale, self.most = len(limits), np.maximum(np.abs(limits), 1.0), max(most, 1.0)
        self.highs = highspy.Highs()  # type: ignore[no-untyped-call]
        self.highs.setOptionValue("output_flag", False)
        self.highs.setOptionValue("threads", 1)
        self.highs.setOptionValue("dual_feasibility_tolerance", 1e-10)
        self.highs.setOptionValue("primal_feasibility_tolerance", 1e-10)
        self.highs.changeObjectiveSense(highspy.ObjSense.kMaximize)
        for limit, scale in zip(limits, self.scale, strict=True):
            self.highs.addRow(-highspy.kHighsInf, limit / scale, 0, [], [])
        for _ in range(BLOCKS):
            self.highs.addRow(1.0, 1.0, 0, [], [])
        for row in range(self.rows):
            self._column(-DEAR, [row], [-1.0])
        for number in range(BLOCKS):
            self._column(0.0, [self.rows + number], [1.0])

    def _column(self, worth: float, index: Sequence[int], value: Sequence[float]) -> None:
        self.highs.addCol(
            worth, 0.0, highspy.kHighsInf, len(index), np.array(index, np.int32), np.array(value, np.float64)
        )

    def add(self, worth: Floats, use: Floats) -> None:
        """One more answer of every block."""
        for number in range(BLOCKS):
            index = [*np.flatnonzero(use[:, number]), self.rows + number]
            value = [*(use[:, number] / self.scale)[index[:-1]], 1.0]
            self._column(float(worth[number]) / self.most, index, value)

    def solve(self) -> tuple[float, Floats, float]:
        """What the mix of answers is worth, the price of each row, and the largest shortfall as a share of a limit."""
        self.highs.run()
        solution = self.highs.getSolution()
        prices = np.abs(np.array(solution.row_dual)[: self.rows]) / self.scale * self.most
        short = np.array(solution.col_value)[: self.rows]
        worth = float(self.highs.getInfo().objective_function_value) * self.most
        return worth, prices, float(short.max(initial=0.0))
