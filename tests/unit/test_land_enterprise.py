"""Parcels and enterprises linked; leases checked."""

from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from panhuo.inventory.land_enterprise import links, plain_name, to_confirm, to_own
from panhuo.inventory.leases import check_leases, unmatched_leases, vacant_plants
from panhuo.rulebook import Rulebook
from panhuo.rulebook.scheme import scheme
from panhuo.rulebook.scheme_schema import LeaseScheme

RULE = scheme(Rulebook.load(), LeaseScheme, "lease", date(2025, 1, 1))
FIRMS = pa.table(
    {
        "enterprise_id": ["U1", "U2", "U3", "U4"],
        "name": ["湖南南方博云新材料股份有限公司", "长沙某某科技有限公司", "甲公司", "甲公司"],
    }
)


def plots(*rows: tuple[str, str | None, str | None]) -> pa.Table:
    return pa.table(
        {
            k: pa.array([r[i] for r in rows], pa.string())
            for i, k in enumerate(("parcel_id", "holder", "holder_uscc"))
        }
    )


@pytest.mark.parametrize(
    ("holder", "uscc", "firm", "how", "sure"),
    [
        ("任意名称", "U1", "U1", "code", True),
        ("长沙某某科技有限公司", None, "U2", "name", True),
        ("长沙某某科技有限公司 ", "不是代码", "U2", "name", True),
        ("湖南南方博云新材料有限公司（长沙）", None, "U1", "near_name", False),
        ("湖南南方搏云新材料股份公司", None, "U1", "near_name", False),
    ],
)
def test_links_by_code_name_and_likeness(
    holder: str, uscc: str | None, firm: str, how: str, sure: bool
) -> None:
    got = links(plots(("p", holder, uscc)), FIRMS).to_pylist()
    assert [(r["enterprise_id"], r["how"], r["confirmed"]) for r in got] == [(firm, how, sure)]


def test_unlike_and_empty_names_are_not_linked() -> None:
    assert links(plots(("p", "衡阳另一家机械厂", None), ("q", None, None)), FIRMS).num_rows == 0


def test_a_name_two_firms_bear_is_only_proposed() -> None:
    got = links(plots(("p", "甲公司", None)), FIRMS)
    assert got["confirmed"].to_pylist() == [False, False] and to_confirm(got).num_rows == 2


def test_the_confirm_list_settles_denies_and_adds() -> None:
    parcels = plots(("p", "湖南南方搏云新材料", None), ("q", "甲公司", None), ("r", "无名", None))
    settled = pa.table(
        {"parcel_id": ["p", "q", "r"], "enterprise_id": ["U1", "U3", "U2"], "confirmed": [True, False, True]}
    )
    got = {
        (r["parcel_id"], r["enterprise_id"]): (r["how"], r["confirmed"])
        for r in links(parcels, FIRMS, settled).to_pylist()
    }
    assert got == {
        ("p", "U1"): ("near_name", True),
        ("q", "U4"): ("name", False),
        ("r", "U2"): ("list", True),
    }


def used(*rows: tuple[str, str, str]) -> pa.Table:
    return pa.table({k: [r[i] for r in rows] for i, k in enumerate(("parcel_id", "enterprise_id", "kind"))})


def test_only_confirmed_links_become_land() -> None:
    found = links(plots(("p", "x", "U1"), ("q", "甲公司", None)), FIRMS)
    assert to_own(found).to_pylist() == [{"parcel_id": "p", "enterprise_id": "U1", "kind": "own"}]
    assert to_own(found, used(("p", "U1", "lease_in"))).num_rows == 0
    assert to_own(found, used(("p", "U1", "lease_out"))).num_rows == 1, "who lets a plant owns it"
    waiting = to_confirm(found, used(("q", "U3", "own")))
    assert waiting["enterprise_id"].to_pylist() == ["U4"], "what stands in the occupancies is settled"


def test_a_parcel_that_others_own_waits_for_a_person() -> None:
    parcels = plots(("p", None, "U1"), ("q", "长沙某某科技有限公司", None))
    uses = used(("p", "U2", "own"), ("q", "U2", "own"), ("q", "U3", "own"))
    sure = {r["parcel_id"]: r["confirmed"] for r in links(parcels, FIRMS, None, uses).to_pylist()}
    assert sure == {"p": False, "q": True}
    yes = pa.table({"parcel_id": ["p"], "enterprise_id": ["U1"], "confirmed": [True]})
    assert to_own(links(parcels, FIRMS, yes, uses), uses)["parcel_id"].to_pylist() == ["p"]
    assert links(parcels, FIRMS, None, used(("p", "U2", "lease_in")))["confirmed"].to_pylist() == [True, True]


def test_plain_names_differ_when_the_firms_do() -> None:
    assert plain_name("甲（长沙）有限公司") == plain_name("甲有限责任公司") != plain_name("乙有限公司")


def lease(**fields: Any) -> dict[str, str]:
    """Status of each check of one lease, with defaults that break none."""
    row = {
        "from_on": date(2020, 1, 1),
        "until_on": date(2030, 1, 1),
        "area_m2": 1000.0,
        "rent": 12.0,
        "sublet": 0.0,
        "tax_wan": 100.0,
        "floor_area_m2": 5000.0,
        "term_end": date(2050, 1, 1),
        **fields,
    }
    rows = [
        {
            "parcel_id": "p",
            "enterprise_id": "t",
            "kind": "lease_in",
            "area_m2": row["area_m2"],
            "rent": row["rent"],
            "from_on": row["from_on"],
            "until_on": row["until_on"],
        }
    ]
    rows += [
        {**rows[0], "parcel_id": f"o{k}", "enterprise_id": f"n{k}", "area_m2": 1000.0, "rent": 12.0}
        for k in range(2)
    ]
    if row["sublet"]:
        rows.append({**rows[0], "kind": "lease_out", "area_m2": row["sublet"]})
    tables = {
        "occupancies": pa.Table.from_pylist(rows),
        "parcels": pa.table(
            {
                "parcel_id": ["p"],
                "area_m2": [2500.0],
                "floor_area_m2": [row["floor_area_m2"]],
                "term_end": [row["term_end"]],
            }
        ),
        "enterprises": pa.table(
            {"enterprise_id": ["t"], "year": [2024], "tax_wan": pa.array([row["tax_wan"]], pa.float64())}
        ),
    }
    return {
        r["check"]: r["status"] for r in check_leases(tables, RULE).to_pylist() if r["enterprise_id"] == "t"
    }


def test_a_sound_lease_breaks_nothing() -> None:
    assert set(lease().values()) == {"no"}


@pytest.mark.parametrize(
    ("check", "broken", "sound"),
    [
        ("sublet", {"sublet": 1.0}, {"sublet": 0.0}),
        ("term", {"until_on": date(2040, 1, 2)}, {"until_on": date(2040, 1, 1)}),
        ("title_term", {"term_end": date(2029, 12, 31)}, {"term_end": date(2030, 1, 1)}),
        ("price_low", {"rent": 8.39}, {"rent": 8.41}),
        ("price_high", {"rent": 18.01}, {"rent": 17.99}),
        ("admission", {"tax_wan": 1.49}, {"tax_wan": 1.51}),
        ("overlet", {"floor_area_m2": 999.0}, {"floor_area_m2": 1000.0}),
    ],
)
def test_each_check_on_both_sides(check: str, broken: dict[str, Any], sound: dict[str, Any]) -> None:
    assert lease(**broken)[check] == "yes"
    assert lease(**sound)[check] == "no"


def test_missing_facts_leave_a_check_unknown() -> None:
    got = lease(tax_wan=None, rent=None, term_end=None)
    assert {got[c] for c in ("admission", "price_low", "title_term")} == {"unknown"}


def test_the_register_of_vacant_plant_and_unmatched_leases() -> None:
    buildings = pa.table(
        {
            "building_id": ["a", "b"],
            "parcel_id": ["p", "p"],
            "floor_area_m2": [100.0, 100.0],
            "vacant_m2": [40.0, 0.0],
        }
    )
    assert vacant_plants({"buildings": buildings})["vacant_share"].to_pylist() == [0.4]
    uses = pa.table(
        {
            "parcel_id": ["p", "p", "q"],
            "enterprise_id": ["a", "b", "c"],
            "kind": ["lease_in", "lease_out", "lease_in"],
            "area_m2": [10.0, 10.0, 7.0],
        }
    )
    assert unmatched_leases({"occupancies": uses}).to_pylist() == [
        {"parcel_id": "q", "rented_m2": 7.0, "let_m2": 0.0}
    ]


def test_an_unknown_area_is_not_none() -> None:
    uses = pa.table(
        {
            "parcel_id": ["p", "p", "q"],
            "enterprise_id": ["a", "b", "c"],
            "kind": ["lease_in", "lease_in", "lease_in"],
            "area_m2": pa.array([10.0, None, 7.0], pa.float64()),
        }
    )
    parcels = pa.table({"parcel_id": ["p", "q"], "floor_area_m2": [9.0, 9.0], "area_m2": [9.0, 9.0]})
    assert unmatched_leases({"occupancies": uses}).to_pylist()[0] == {
        "parcel_id": "p", "rented_m2": None, "let_m2": 0.0,
    }  # fmt: skip
    for floor, status, missing in ((9.0, "yes", None), (11.0, "unknown", "parcel_let_m2")):
        tables = {"occupancies": uses, "parcels": parcels.set_column(1, "floor_area_m2", [[floor, 9.0]])}
        told = [r for r in check_leases(tables, RULE).to_pylist() if r["check"] == "overlet"]
        assert [(r["status"], r["missing"]) for r in told if r["parcel_id"] == "p"] == [(status, missing)] * 2
        assert [r["status"] for r in told if r["parcel_id"] == "q"] == ["no"]
