"""A planning problem: routes (a parcel by a tool), years, limits, targets and pairs."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panhuo.core.problems import PanhuoError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Routes:
    """The routes, one entry each in every column. A parcel takes at most one route, in one year.

    cost_wan: public money spent; benefit_wan: net present value gained against doing nothing; area_m2: land it puts
    right; bond_wan, staff_days: what it draws of the quota and of the office; ease: order of the easy-first rule.
    """

    parcel_id: Sequence[str]
    tool_id: Sequence[str]
    division: Sequence[str]
    area_m2: Floats
    cost_wan: Floats
    benefit_wan: Floats
    bond_wan: Floats
    staff_days: Floats
    ease: Floats
    measures: Sequence[frozenset[str]]

    def __len__(self) -> int:
        return len(self.parcel_id)

    def take(self, chosen: Ints) -> "Routes":
        """Some of the routes."""

        def picked(column: Any) -> Any:
            return column[chosen] if isinstance(column, np.ndarray) else [column[i] for i in chosen]

        return Routes(**{f.name: picked(getattr(self, f.name)) for f in fields(self)})


@dataclass(frozen=True, slots=True)
class Target:
    """At least `least_m2` of land put right. division: prefix; measure: tool, class or batch; year: 0 means all."""

    least_m2: float
    division: str = ""
    measure: str = ""
    year: int = 0

    @property
    def id(self) -> str:
        """A name for the row."""
        return f"target[{self.division or '*'},{self.measure or '*'},{self.year or '*'}]"


@dataclass(frozen=True)
class PlanProblem:
    """Routes and limits. A limit given as one number holds over all years, as a list year by year; None: no limit.

    exclusive: pairs of parcels of which at most one may be taken; needs: (parcel, other) where the first may be taken
    only when the other has been, in the same year or before.
    """

    routes: Routes
    years: int
    budget_wan: float | Sequence[float] | None = None
    bond_quota_wan: float | Sequence[float] | None = None
    staff_days: float | Sequence[float] | None = None
    targets: Sequence[Target] = ()
    exclusive: Sequence[tuple[str, str]] = ()
    needs: Sequence[tuple[str, str]] = ()
    discount_rate: float = 0.0
    parcels: dict[str, Ints] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.years < 1:
            raise PanhuoError(
                "计划年数至少为 1 (a plan needs at least one year)", where=f"years = {self.years}"
            )
        if not 0 <= self.discount_rate <= 1:
            raise PanhuoError(
                "折现率须在 0–1 之间 (discount rate must lie in 0–1)", where=str(self.discount_rate)
            )
        for name in ("cost_wan", "bond_wan", "staff_days", "area_m2"):
            column = getattr(self.routes, name)
            if len(column) and (not np.isfinite(column).all() or column.min() < 0):
                raise PanhuoError(f"{name} 须为非负数 (must not be negative)", where="routes")
        for name in ("budget_wan", "bond_quota_wan", "staff_days"):
            self._check_limit(name, getattr(self, name))
        rows: dict[str, list[int]] = {}
        for n, parcel in enumerate(self.routes.parcel_id):
            rows.setdefault(parcel, []).append(n)
        object.__setattr__(self, "parcels", {k: np.array(v, dtype=np.int64) for k, v in rows.items()})

    def _check_limit(self, name: str, limit: Any) -> None:
        values = by_year(limit, self.years)
        if any(not np.isfinite(v) or v < 0 for v in values):
            raise PanhuoError(f"{name} 须为非负数 (must not be negative)", where=str(limit))
        if len(values) not in (0, self.years):
            raise PanhuoError(
                f"{name} 须每年一个数 (one number a year)", where=f"{len(values)} ≠ {self.years}"
            )

    @cached_property
    def parcel_numbers(self) -> Ints:
        """The number of each route's parcel, in the order of `parcels`."""
        numbers = np.empty(len(self.routes), dtype=np.int64)
        for number, routes in enumerate(self.parcels.values()):
            numbers[routes] = number
        return numbers

    def of_routes(self, chosen: Ints) -> "PlanProblem":
        """The same problem of some routes alone."""
        return replace(self, routes=self.routes.take(chosen), parcels={})

    @property
    def size(self) -> int:
        """Number of 0–1 variables: routes × years."""
        return len(self.routes) * self.years

    def columns(self, routes: Ints, year: int) -> Ints:
        """Variables of `routes` in `year` (1-based): route × years + year − 1."""
        return routes * self.years + (year - 1)

    def values(self) -> Floats:
        """Benefit of each variable [万元], later years discounted."""
        factors = (1 + self.discount_rate) ** -np.arange(self.years, dtype=np.float64)
        return (self.routes.benefit_wan[:, None] * factors[None, :]).ravel()


@dataclass(frozen=True)
class Rows:
    """Rows lower ≤ A x ≤ upper in coordinate form; `groups` names each row for people."""

    groups: tuple[str, ...]
    lower: Floats
    upper: Floats
    row: Ints
    col: Ints
    value: Floats

    @classmethod
    def of(cls, items: Sequence[tuple[str, float, float, Ints, Floats]]) -> "Rows":
        """Rows from (group, lower, upper, columns, values) items."""
        empty_i, empty_f = np.empty(0, dtype=np.int64), np.empty(0)
        return cls(
            tuple(item[0] for item in items),
            np.array([item[1] for item in items], dtype=np.float64),
            np.array([item[2] for item in items], dtype=np.float64),
            np.concatenate(
                [np.full(len(item[3]), n, dtype=np.int64) for n, item in enumerate(items)] or [empty_i]
            ),
            np.concatenate([item[3] for item in items] or [empty_i]),
            np.concatenate([item[4] for item in items] or [empty_f]),
        )


def by_year(limit: float | Sequence[float] | None, years: int) -> list[float]:
    """A limit as numbers: none for no limit, the same for every year when one number is given."""
    if limit is None:
        return []
    return [float(limit)] * years if isinstance(limit, (int, float)) else [float(v) for v in limit]


def limit_rows(
    problem: PlanProblem, name: str, limit: float | Sequence[float] | None, weights: Floats
) -> Rows:
    """Rows Σ weight · x ≤ limit: one over all years for a single number, one a year for a list."""
    if limit is None:
        return Rows.of([])
    routes = np.flatnonzero(weights)
    if isinstance(limit, (int, float)):
        cols = (routes[:, None] * problem.years + np.arange(problem.years)[None, :]).ravel()
        return Rows.of([(name, -np.inf, float(limit), cols, np.repeat(weights[routes], problem.years))])
    return Rows.of(
        [
            (f"{name}[{year}]", -np.inf, float(most), problem.columns(routes, year), weights[routes])
            for year, most in enumerate(limit, 1)
        ]
    )
