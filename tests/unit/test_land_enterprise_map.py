"""Fourteen themes in one record per parcel and per enterprise."""

from datetime import date

import pyarrow as pa

from panhuo.inventory.land_enterprise_map import coverage, records, themes

TABLES = {
    "parcels": pa.table(
        {
            "parcel_id": ["p", "q"],
            "name": ["甲", "乙"],
            "area_m2": [100.0, 200.0],
            "far_planned_max": [2.0, None],
        }
    ),
    "contracts": pa.table(
        {
            "contract_no": ["a", "b"],
            "parcel_id": ["p", "p"],
            "work_state": ["not_started", "under_way"],
            "signed_on": [date(2020, 1, 1), date(2022, 1, 1)],
            "investment_total_wan": [1.0, 2.0],
        }
    ),
    "occupancies": pa.table(
        {
            "parcel_id": ["p", "p"],
            "enterprise_id": ["u", "v"],
            "kind": ["own", "lease_in"],
            "area_m2": [100.0, 40.0],
        }
    ),
    "enterprises": pa.table(
        {"enterprise_id": ["u", "u"], "year": [2022, 2023], "name": ["旧名", "新名"], "tax_wan": [1.0, 5.0]}
    ),
}


def test_there_are_fourteen_themes() -> None:
    assert len(themes()) == 14


def test_one_record_per_parcel_with_every_theme() -> None:
    rows = {row["parcel_id"]: row for row in records(TABLES, "parcel").to_pylist()}
    assert set(rows) == {"p", "q"}
    assert (rows["p"]["contracts"], rows["p"]["work_state"], rows["p"]["investment_total_wan"]) == (
        2,
        "under_way",
        3.0,
    )
    assert rows["p"]["firms"] == 2 and rows["q"]["firms"] is None and rows["q"]["vacant_m2"] is None


def test_one_record_per_enterprise_takes_the_latest_year() -> None:
    rows = {row["enterprise_id"]: row for row in records(TABLES, "enterprise").to_pylist()}
    assert (rows["u"]["firm_name"], rows["u"]["tax_wan"], rows["u"]["own_m2"]) == ("新名", 5.0, 100.0)
    assert rows["v"]["rented_in_m2"] == 40.0 and rows["v"]["tax_wan"] is None


def test_a_firm_whose_year_nobody_wrote_keeps_its_figures() -> None:
    firms = pa.table(
        {"enterprise_id": ["w"], "year": pa.array([None], pa.int64()), "name": ["无年"], "tax_wan": [3.0]}
    )
    row = records({"enterprises": firms}, "enterprise").to_pylist()[0]
    assert (row["firm_name"], row["tax_wan"]) == ("无年", 3.0)


def test_coverage_says_what_each_theme_knows() -> None:
    known = {row["theme"]: row["known"] for row in coverage(records(TABLES, "parcel"), "parcel").to_pylist()}
    assert known["land"] == 2 and known["supply"] == 1 and known["vacancy"] == 0
