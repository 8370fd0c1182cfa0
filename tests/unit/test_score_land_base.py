"""The land a firm's figures are divided by: owned, rented in, let out, for its days of the year, shared."""

from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from panhuo.rulebook.scheme_schema import LandRule
from panhuo.score.land_base import land_bases

OCCUPANCY = {
    "parcel_id": "P",
    "enterprise_id": "E",
    "kind": "own",
    "area_m2": 1000.0,
    "from_on": None,
    "until_on": None,
}


def base(
    rows: list[dict[str, Any]], parcels: list[dict[str, Any]] | None = None, year: int = 2023, **rule: Any
) -> Any:
    held = pa.Table.from_pylist(
        rows,
        schema=pa.schema(
            {
                "parcel_id": pa.string(),
                "enterprise_id": pa.string(),
                "kind": pa.string(),
                "area_m2": pa.float64(),
                "from_on": pa.date32(),
                "until_on": pa.date32(),
            }
        ),
    )
    plots = pa.Table.from_pylist(parcels) if parcels else None
    table, problems = land_bases(held, plots, year, LandRule(far_floor=1.0, **rule))
    return {row["enterprise_id"]: row for row in table.to_pylist()}, problems


def test_land_is_own_plus_rented_in_less_rented_out() -> None:
    rows = [
        OCCUPANCY,
        {**OCCUPANCY, "parcel_id": "Q", "area_m2": 500.0},
        {**OCCUPANCY, "parcel_id": "R", "kind": "lease_in", "area_m2": 900.0},
        {**OCCUPANCY, "kind": "lease_out", "area_m2": 300.0},
    ]
    plots = [
        {"parcel_id": "R", "area_m2": 1000.0, "floor_area_m2": 3000.0},
        {"parcel_id": "P", "area_m2": 1000.0, "floor_area_m2": 500.0},
    ]
    got, _ = base(rows, plots)
    assert got["E"]["land_m2"] == pytest.approx(1000 + 500 + 900 / 3 - 300)


def test_unknown_far_counts_floor_as_land_or_refuses() -> None:
    rows = [OCCUPANCY, {**OCCUPANCY, "parcel_id": "R", "kind": "lease_in", "area_m2": 900.0}]
    assert base(rows)[0]["E"]["land_m2"] == pytest.approx(1900) and base(rows)[0]["E"]["far_unknown"]
    refused, problems = base(rows, unknown_far="refuse")
    assert refused["E"]["land_m2"] is None and problems[0].type == "occupancy_area_unknown"


@pytest.mark.parametrize(
    ("year", "from_on", "until_on", "days", "length"),
    [
        (2023, date(2023, 7, 1), None, 184, 365),
        (2024, date(2024, 2, 29), date(2024, 3, 1), 2, 366),
        (2023, date(2022, 12, 31), date(2023, 1, 1), 1, 365),
        (2023, None, None, 365, 365),
    ],
)
def test_land_counts_for_its_days_of_the_year(
    year: int, from_on: Any, until_on: Any, days: int, length: int
) -> None:
    got, _ = base([{**OCCUPANCY, "from_on": from_on, "until_on": until_on}], year=year)
    assert got["E"]["land_m2"] == pytest.approx(1000 * days / length)


def test_use_that_ended_the_year_before_does_not_count() -> None:
    assert base([{**OCCUPANCY, "until_on": date(2022, 12, 31)}])[0] == {}


def test_several_firms_on_a_parcel_share_what_is_left() -> None:
    plots = [{"parcel_id": "P", "area_m2": 1000.0, "floor_area_m2": None}]
    rows = [
        {**OCCUPANCY, "enterprise_id": e, "area_m2": a} for e, a in (("A", 400.0), ("B", None), ("C", None))
    ]
    got, problems = base(rows, plots)
    assert [got[e]["land_m2"] for e in "ABC"] == pytest.approx([400, 300, 300]) and problems == []
    _, problems = base([{**OCCUPANCY, "area_m2": 1011.0}], plots)
    assert [p.type for p in problems] == ["occupancy_exceeds_parcel"]


def test_a_holder_without_occupancy_rows_owns_its_parcels() -> None:
    plots = [{"parcel_id": p, "area_m2": 700.0, "holder_uscc": "H", "floor_area_m2": None} for p in "PQ"]
    assert base([], plots)[0]["H"]["land_m2"] == pytest.approx(1400)


def test_a_use_of_unsaid_kind_is_the_holders_own_and_anothers_is_unknown_land() -> None:
    plots = [{"parcel_id": p, "area_m2": 700.0, "holder_uscc": "H", "floor_area_m2": None} for p in "PQ"]
    unsaid = {**OCCUPANCY, "enterprise_id": "H", "kind": None, "area_m2": None}
    assert base([unsaid], plots)[0]["H"]["land_m2"] == pytest.approx(1400)
    stated = {**OCCUPANCY, "enterprise_id": "H", "parcel_id": "X", "area_m2": 100.0}
    assert base([unsaid, stated], plots)[0]["H"]["land_m2"] == pytest.approx(800)
    got, problems = base([{**unsaid, "enterprise_id": "E", "area_m2": 500.0}], plots)
    assert got["E"]["land_m2"] is None and [p.type for p in problems] == ["occupancy_area_unknown"]
