"""Demands and land: each project to a plot on area, use, services, chain and division, with its reasons.

A criterion is true, false or unknown. Area, use and division that fail rule a pair out; services and chain only weigh.
All pairs are judged, then plots are assigned so that the sum of scores is greatest, one plot to a project.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from panhuo.core.ids import division_stem
from panhuo.rulebook.book import Rulebook

RULING: Final = ("area", "use", "division")
PRODUCTION: Final = ("industrial", "warehouse")
MAKING: Final = range(6, 47)
"""Divisions of GB/T 4754 that extract, make or supply goods (sections B, C, D)."""
LAND: Final = pa.schema(
    [("parcel_id", pa.string()), ("area_m2", pa.float64()), ("building_vacant_m2", pa.float64()),
     ("planned_class", pa.string()), ("land_class", pa.string()), ("division", pa.string()), ("services", pa.string()),
     ("park_industries", pa.string())]
)  # fmt: skip
"""What is read of a plot; a column that is not there is unknown. park_industries: two-digit divisions, as words."""

Truths = Mapping[str, pa.Array]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Fit:
    """One project on one plot: score 0–1 and the truth of each criterion (None: unknown)."""

    demand_id: str
    parcel_id: str
    score: float
    criteria: Mapping[str, bool | None]

    def as_dict(self) -> dict[str, Any]:
        """The pair with its reasons."""
        unknown = [name for name, truth in self.criteria.items() if truth is None]
        return {
            "demand_id": self.demand_id,
            "parcel_id": self.parcel_id,
            "score": self.score,
            "criteria": dict(self.criteria),
            "to_verify": unknown,
        }


def land_table(plots: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Plots as the table that demands are held against (LAND)."""
    return pa.Table.from_pylist([{name: plot.get(name) for name in LAND.names} for plot in plots], LAND)


def criteria(demand: Mapping[str, Any], land: pa.Table) -> dict[str, pa.Array]:
    """The truth of each criterion for a project (dataset `demands`) on every plot (LAND); null is unknown.

    `services` compares the words of `needs` (separated by 、，,; or space) with those of the plot's `services`.
    `chain`: a firm of the same division of industry already works on the plot or in its park (`park_industries`).
    """
    return {
        "area": _area(demand, land),
        "use": _use(demand, land),
        "division": _division(demand, land),
        "services": _services(demand, land),
        "chain": _chain(demand, land),
    }


def _of(land: pa.Table, name: str) -> pa.Array:
    """A column of the plots, all unknown where there is none."""
    if name not in land.column_names:
        return pa.nulls(land.num_rows, LAND.field(name).type)
    return land[name].cast(LAND.field(name).type).combine_chunks()


def _all(truth: bool | None, land: pa.Table) -> pa.Array:
    return (
        pa.array(np.full(land.num_rows, truth)) if truth is not None else pa.nulls(land.num_rows, pa.bool_())
    )


def _known(truths: pa.Array, where: pa.Array) -> pa.Array:
    """The truths where something is known, null elsewhere."""
    return pc.if_else(where, truths, pa.scalar(None, pa.bool_()))


def _area(demand: Mapping[str, Any], land: pa.Table) -> pa.Array:
    least, most, floor = (demand.get(name) for name in ("area_m2_min", "area_m2_max", "floor_area_m2"))
    if least is None and most is None:
        return _all(True, land) if floor is None else pc.greater_equal(_of(land, "building_vacant_m2"), floor)
    area = _of(land, "area_m2")
    low = _known(_all(True, land), pc.is_valid(area)) if least is None else pc.greater_equal(area, least)
    return low if most is None else pc.and_(low, pc.less_equal(area, most))


def _use(demand: Mapping[str, Any], land: pa.Table) -> pa.Array:
    industry = division_of(demand.get("industry"))
    if industry is None:
        return _all(None, land)
    use = pc.coalesce(_of(land, "planned_class"), _of(land, "land_class"))
    makes = pc.is_in(use, pa.array(PRODUCTION))
    return _known(makes if industry in MAKING else pc.invert(makes), pc.is_valid(use))


def _division(demand: Mapping[str, Any], land: pa.Table) -> pa.Array:
    prefix = demand.get("division")
    if not prefix:
        return _all(True, land)
    where = _of(land, "division")
    return _known(pc.starts_with(where, division_stem(prefix)), pc.greater(pc.utf8_length(where), 0))


def _services(demand: Mapping[str, Any], land: pa.Table) -> pa.Array:
    wanted = words(demand.get("needs"))
    return _holding(wanted, _of(land, "services")) if wanted else _all(True, land)


def _chain(demand: Mapping[str, Any], land: pa.Table) -> pa.Array:
    industry = division_of(demand.get("industry"))
    here = _of(land, "park_industries")
    return _all(None, land) if industry is None else _holding(frozenset([f"{industry:02}"]), here)


def _holding(wanted: frozenset[str], cells: pa.Array) -> pa.Array:
    """Whether the words of each cell hold all that is wanted; each distinct cell is read once."""
    coded = cells.dictionary_encode()
    held = pa.array([wanted <= words(cell) for cell in coded.dictionary.to_pylist()], pa.bool_())
    return held.take(coded.indices)


def words(text: str | None) -> frozenset[str]:
    """The separate words of a cell."""
    plain = text or ""
    for mark in "、，,；;/ ":
        plain = plain.replace(mark, "|")
    return frozenset(w for w in plain.split("|") if w)


def division_of(industry: str | None) -> int | None:
    """The two-digit division of a GB/T 4754 code such as C3240 or 32; None when there is none."""
    digits = (industry or "").lstrip("ABCDEFGHIJKLMNOPQRST")[:2]
    return int(digits) if len(digits) == 2 and digits.isdigit() else None


def score(truths: Truths, weights: Mapping[str, float], unknown: float) -> Floats:
    """Weighted share of the criteria that hold on each plot, an unknown in part; NaN where a ruling one fails."""
    whole = sum(float(w) for w in weights.values())
    worth = sum(
        float(w) * pc.fill_null(truths[name].cast(pa.float64()), unknown).to_numpy()
        for name, w in weights.items()
    )
    failed = np.any(
        [~pc.fill_null(truths[name], True).to_numpy(zero_copy_only=False) for name in RULING], axis=0
    )
    return np.where(failed, np.nan, np.round(worth / whole, 6))


def place(
    demands: Sequence[Mapping[str, Any]],
    land: pa.Table,
    book: Rulebook,
    on: date,
    place_code: str = "",
    most: int = 3,
) -> list[dict[str, Any]]:
    """For each demand the plot assigned and its best `most` candidates, or what ruled every plot out.

    land: plots (LAND). Weights are those of `place_code` on `on` (law/parameters/placing.yaml).
    """
    weights = book.parameter("placing.weights", on, place_code).value
    unknown = float(book.parameter("placing.unknown_share", on, place_code).value)
    ids = _of(land, "parcel_id")
    best: list[list[Fit]] = []
    ruled_out = []
    for demand in demands:
        truths = criteria(demand, land)
        worth = score(truths, weights, unknown)
        ruled_out.append({name: pc.sum(pc.invert(truths[name])).as_py() or 0 for name in RULING})
        # A project never needs more plots to choose from than there are projects that could take one before it.
        rows = _first(worth, ids, max(most, len(demands)))
        best.append([_fit(demand, ids, worth, truths, row) for row in rows])
    taken = _assigned(best)
    return [
        {
            "demand_id": demand["demand_id"],
            "name": demand.get("name"),
            "assigned": taken[number].as_dict() if number in taken else None,
            "candidates": [fit.as_dict() for fit in best[number][:most]],
            "ruled_out": ruled_out[number],
        }
        for number, demand in enumerate(demands)
    ]


def _fit(demand: Mapping[str, Any], ids: pa.Array, worth: Floats, truths: Truths, row: int) -> Fit:
    told = {name: truth[row].as_py() for name, truth in truths.items()}
    return Fit(str(demand["demand_id"]), ids[row].as_py(), float(worth[row]), told)


def _first(worth: Floats, ids: pa.Array, most: int) -> list[int]:
    """The rows of the best plots, the best first; of equals the first by id."""
    rows = np.flatnonzero(~np.isnan(worth))
    table = pa.table({"worth": worth[rows], "id": ids.take(pa.array(rows)), "row": rows})
    order = pc.select_k_unstable(table, k=most, sort_keys=[("worth", "descending"), ("id", "ascending")])
    found: list[int] = table["row"].take(order).to_pylist()
    return found


def _assigned(best: Sequence[Sequence[Fit]]) -> dict[int, Fit]:
    """The fit of each project that gets a plot, so that as many as can get one and the sum of scores is greatest."""
    plots = sorted({fit.parcel_id for fits in best for fit in fits})
    column = {plot: number for number, plot in enumerate(plots)}
    table = np.zeros((len(best), len(plots)))
    for number, fits in enumerate(best):
        for fit in fits:
            table[number, column[fit.parcel_id]] = 1 + fit.score
    if not plots:
        return {}
    pairs = zip(*(a.tolist() for a in linear_sum_assignment(-table)), strict=True)
    named = {(number, column[fit.parcel_id]): fit for number, fits in enumerate(best) for fit in fits}
    return {number: named[number, plot] for number, plot in pairs if (number, plot) in named}
