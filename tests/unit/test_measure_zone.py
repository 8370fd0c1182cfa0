"""Development zones: each indicator as written, degrees on both sides of the ideal, types at their bars."""

from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from panhuo.measure.zone import zone_indicators, zone_types
from panhuo.rulebook import Rulebook
from panhuo.rulebook.scheme import scheme
from panhuo.rulebook.scheme_schema import ZoneScheme

RULE = scheme(Rulebook.load(), ZoneScheme, "tdt_1029", date(2025, 1, 1))
MU = 2000 / 3
ZONE = {
    "zone_id": "z",
    "supplied_m2": 900 * MU,
    "built_m2": 720 * MU,
    "ready_m2": 280 * MU,
    "industrial_m2": 360 * MU,
    "floor_m2": 864 * MU,
    "base_m2": 288 * MU,
    "industrial_floor_m2": 468 * MU,
    "industrial_base_m2": 150 * MU,
    "yard_m2": 30 * MU,
    "industrial_assets_wan": 144_000.0,
    "industrial_tax_wan": 7_200.0,
    "idle_m2": 18 * MU,
}
BY_HAND = {
    "supply_rate": 0.9,
    "built_rate": 0.8,
    "industrial_share": 0.5,
    "far": 1.2,
    "density": 0.4,
    "industrial_far": 1.3,
    "industrial_coverage": 0.5,
    "assets_per_mu": 400.0,
    "tax_per_mu": 20.0,
    "idle_rate": 0.02,
}


def found(zone: dict[str, Any], ideals: dict[str, float] | None = None) -> dict[str, dict[str, Any]]:
    bars = None if ideals is None else pa.table({"indicator": [*ideals], "ideal": [*ideals.values()]})
    rows = zone_indicators(pa.Table.from_pylist([zone]), RULE, bars).to_pylist()
    return {row["indicator"]: row for row in rows}


def test_every_indicator_as_written() -> None:
    assert {name: row["value"] for name, row in found(ZONE).items()} == pytest.approx(BY_HAND)


@pytest.mark.parametrize(
    ("name", "ideal", "degree"),
    [
        ("far", 1.5, 0.8),
        ("far", 1.2, 1.0),
        ("far", 1.0, 1.0),
        ("idle_rate", 0.01, 0.5),
        ("idle_rate", 0.05, 1.0),
    ],
)
def test_degree_on_both_sides_of_the_ideal(name: str, ideal: float, degree: float) -> None:
    assert found(ZONE, {name: ideal})[name]["degree"] == pytest.approx(degree)


def test_missing_figures_and_ideals_stay_unknown() -> None:
    rows = found({**ZONE, "yard_m2": None, "supplied_m2": 0.0}, {"far": 1.5})
    assert rows["industrial_coverage"]["value"] is None and rows["built_rate"]["value"] is None
    assert rows["density"]["degree"] is None and rows["far"]["degree"] is not None
    assert (rows["industrial_coverage"]["missing"], rows["far"]["missing"]) == ("yard_m2", "")


@pytest.mark.parametrize(
    ("industry", "housing", "kind"),
    [
        (0.31, 0.24, "industry_led"),
        (0.30, 0.24, "other"),
        (0.31, 0.25, "other"),
        (0.30, 0.25, "mixed"),
        (None, 0.25, None),
        (0.31, None, None),
    ],
)
def test_types_at_their_bars(industry: float | None, housing: float, kind: str | None) -> None:
    def area(share: float | None) -> float | None:
        return None if share is None else share * ZONE["built_m2"]

    zone = {**ZONE, "industrial_m2": area(industry), "housing_m2": area(housing)}
    assert zone_types(pa.Table.from_pylist([zone]), RULE)["type"].to_pylist() == [kind]
