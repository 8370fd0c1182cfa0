"""A cluster summed from its firms: a figure only where it is known of all of them."""

from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from panhuo.inventory.spec import dataset_spec
from panhuo.measure.cluster import cluster_sums
from panhuo.rulebook.scheme_schema import LandRule

RULE = LandRule(rented_area="floor", far_floor=1.0)
FIRMS = [{"enterprise_id": firm, "year": 2024, "tax_wan": 100.0, "output_wan": None} for firm in ("E", "F")]
PARCELS = [
    {"parcel_id": "P", "area_m2": 10_000.0, "floor_area_m2": 12_000.0},
    {"parcel_id": "Q", "area_m2": 5_000.0, "floor_area_m2": 10_000.0},
]
OWN = [
    {"parcel_id": "P", "enterprise_id": "E", "kind": "own"},
    {"parcel_id": "Q", "enterprise_id": "F", "kind": "own"},
]


def table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=dataset_spec(name).arrow_schema())


def sums(
    uses: list[dict[str, Any]], parcels: list[dict[str, Any]] = PARCELS
) -> dict[str, tuple[float | None, int]]:
    return cluster_sums(
        table("enterprises", FIRMS), table("occupancies", uses), table("parcels", parcels), 2024, RULE
    )


def test_land_floor_and_money_of_all_firms() -> None:
    got = sums(OWN)
    assert got["land_m2"] == (15_000.0, 2)
    assert got["floor_m2"] == (22_000.0, 2)
    assert got["tax_wan"] == (200.0, 2)
    assert got["output_wan"] == (None, 0)


OTHER = {"parcel_id": "Q", "enterprise_id": "X", "kind": "lease_in", "area_m2": 1_000.0}
RENTED = {"parcel_id": "R", "enterprise_id": "F", "kind": "lease_in", "area_m2": 3_000.0}


@pytest.mark.parametrize(
    ("uses", "floor"),
    [
        ([OWN[0]], (None, 1)),
        ([*OWN, OTHER], (None, 1)),
        ([*OWN, OTHER | {"until_on": date(2023, 12, 31)}], (22_000.0, 2)),
        ([*OWN, OTHER | {"until_on": date(2024, 1, 1)}], (None, 1)),
        ([*OWN, OWN[1] | {"kind": "lease_out", "area_m2": 10.0}], (None, 1)),
        ([OWN[0], RENTED], (15_000.0, 2)),
        ([OWN[0], RENTED | {"area_m2": None}], (None, 1)),
        ([OWN[0], RENTED | {"from_on": date(2024, 1, 2)}], (None, 1)),
    ],
)
def test_floor_that_is_shared_let_or_unmeasured_is_unknown(uses: list[dict[str, Any]], floor: Any) -> None:
    assert sums(uses)["floor_m2"] == floor


def test_a_holder_owns_its_parcel_and_a_parcel_without_floor_leaves_the_sum_unknown() -> None:
    held = [PARCELS[0] | {"holder_uscc": "E"}, PARCELS[1] | {"holder_uscc": "F"}]
    assert sums([], held)["floor_m2"] == (22_000.0, 2)
    assert sums(OWN, [PARCELS[0], PARCELS[1] | {"floor_area_m2": None}])["floor_m2"] == (None, 1)
