"""Demands and land: each project to a plot on area, use, services, chain and division, with its reasons.

A criterion is true, false or unknown. Area, use and division that fail rule a pair out; services and chain only weigh.
All pairs are judged, then plots are assigned so that the sum of scores is greatest, one plot to a project.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from panhuo.rulebook.book import Rulebook

RULING: Final = ("area", "use", "division")
PRODUCTION: Final = ("industrial", "warehouse")
MAKING: Final = range(6, 47)
"""Divisions of GB/T 4754 that extract, make or supply goods (sections B, C, D)."""


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


def criteria(demand: Mapping[str, Any], land: Mapping[str, Any]) -> dict[str, bool | None]:
    """The truth of each criterion for a project (dataset `demands`) and a plot (facts).

    `services` compares the words of `needs` (separated by 、，,; or space) with those of the plot's `services`.
    `chain`: a firm of the same division of industry already works on the plot or in its park (`park_industries`).
    """
    return {
        "area": _area(demand, land),
        "use": _use(demand, land),
        "division": _starts(land.get("division"), demand.get("division")),
        "services": _services(demand, land),
        "chain": _chain(demand, land),
    }


def _area(demand: Mapping[str, Any], land: Mapping[str, Any]) -> bool | None:
    least, most, area = demand.get("area_m2_min"), demand.get("area_m2_max"), land.get("area_m2")
    floor, vacant = demand.get("floor_area_m2"), land.get("building_vacant_m2")
    if least is None and most is None:
        if floor is None:
            return True
        return None if vacant is None else vacant >= floor
    if area is None:
        return None
    return (least is None or area >= least) and (most is None or area <= most)


def _use(demand: Mapping[str, Any], land: Mapping[str, Any]) -> bool | None:
    industry, use = division_of(demand.get("industry")), land.get("planned_class") or land.get("land_class")
    if industry is None or use is None:
        return None
    return (use in PRODUCTION) == (industry in MAKING)


def _starts(value: str | None, prefix: str | None) -> bool | None:
    if not prefix:
        return True
    return None if not value else value.startswith(prefix.rstrip("0") or prefix)


def _services(demand: Mapping[str, Any], land: Mapping[str, Any]) -> bool | None:
    wanted = words(demand.get("needs"))
    if not wanted:
        return True
    offered = land.get("services")
    return None if offered is None else wanted <= words(offered)


def _chain(demand: Mapping[str, Any], land: Mapping[str, Any]) -> bool | None:
    industry, here = division_of(demand.get("industry")), land.get("park_industries")
    return None if industry is None or here is None else industry in here


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


def score(truths: Mapping[str, bool | None], weights: Mapping[str, float], unknown: float) -> float | None:
    """Weighted share of the criteria that hold; an unknown counts in part; None when a ruling one fails."""
    if any(truths[name] is False for name in RULING):
        return None
    worth = {True: 1.0, False: 0.0, None: unknown}
    whole = sum(float(w) for w in weights.values())
    return round(sum(float(w) * worth[truths[name]] for name, w in weights.items()) / whole, 6)


def place(
    demands: Sequence[Mapping[str, Any]],
    land: Sequence[Mapping[str, Any]],
    book: Rulebook,
    on: date,
    place_code: str = "",
    most: int = 3,
) -> list[dict[str, Any]]:
    """For each demand the plot assigned and its best `most` candidates, or what ruled every plot out.

    Weights are those of `place_code` on `on` (law/parameters/placing.yaml).
    """
    weights = book.parameter("placing.weights", on, place_code).value
    unknown = float(book.parameter("placing.unknown_share", on, place_code).value)
    fits: dict[tuple[int, int], Fit] = {}
    ruled_out: list[dict[str, int]] = [dict.fromkeys(RULING, 0) for _ in demands]
    table = np.full((len(demands), len(land)), 0.0)
    for i, demand in enumerate(demands):
        for j, plot in enumerate(land):
            truths = criteria(demand, plot)
            worth = score(truths, weights, unknown)
            if worth is None:
                for name in RULING:
                    ruled_out[i][name] += truths[name] is False
                continue
            fits[i, j] = Fit(str(demand["demand_id"]), str(plot["parcel_id"]), worth, truths)
            table[i, j] = 1 + worth
    pairs = dict(zip(*(a.tolist() for a in linear_sum_assignment(-table)), strict=True)) if land else {}
    return [
        {
            "demand_id": demand["demand_id"],
            "name": demand.get("name"),
            "assigned": fits[i, pairs[i]].as_dict() if (i, pairs.get(i, -1)) in fits else None,
            "candidates": [f.as_dict() for f in _best(fits, i, most)],
            "ruled_out": ruled_out[i],
        }
        for i, demand in enumerate(demands)
    ]


def _best(fits: Mapping[tuple[int, int], Fit], demand: int, most: int) -> list[Fit]:
    mine = [fit for (i, _), fit in fits.items() if i == demand]
    return sorted(mine, key=lambda f: (-f.score, f.parcel_id))[:most]
