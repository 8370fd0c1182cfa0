"""The cases written as an office's files come back through the importer with the facts they started from."""

from math import isclose

import pytest

from panhuo.rulebook.precedents import load_precedents
from panhuo.workspace.demo_ledgers import write_all
from panhuo.workspace.imports import Options, import_files
from panhuo.workspace.store import Workspace

CASES = load_precedents()
KEYS = {
    "parcels": "parcel_id",
    "contracts": "contract_no",
    "batches": "batch_id",
    "buildings": "building_id",
    "enterprises": "enterprise_id",
    "demands": "demand_id",
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cases")
    files = write_all(CASES, folder / "ledgers")
    report = import_files(folder / "ws", files, Options(), lambda _: None)
    assert sum(entry["refused"] for entry in report["imports"]) == 0
    return Workspace.open(folder / "ws")


@pytest.mark.parametrize("dataset", KEYS)
def test_every_fact_survives(workspace, dataset):
    key = KEYS[dataset]
    held = {row[key]: row for row in workspace.dataset(dataset).to_pylist()}
    given = {row[key]: row for case in CASES.values() for row in case.rows(dataset)}
    assert set(held) == set(given)
    for name, row in given.items():
        for field, value in row.items():
            found = held[name][field]
            same = isclose(found, value, rel_tol=1e-9) if isinstance(value, (int, float)) else found == value
            assert same, f"{name}.{field}: {found!r} is not {value!r}"


def test_what_the_source_does_not_say_stays_unknown(workspace):
    held = {row["parcel_id"]: row for row in workspace.dataset("parcels").to_pylist()}
    given = {row["parcel_id"]: row for case in CASES.values() for row in case.rows("parcels")}
    for name, row in given.items():
        for field in ("area_m2", "tenure", "planned_use", "floor_area_m2", "term_end"):
            assert (held[name][field] is None) == (field not in row), f"{name}.{field}"


def test_outlines_are_drawn_to_the_stated_area(workspace):
    drawn = [row for row in workspace.dataset("parcels").to_pylist() if row["drawn_area_m2"]]
    assert len(drawn) > 30
    assert all(abs(row["drawn_area_m2"] - row["area_m2"]) < 0.01 for row in drawn)


def test_the_same_cases_give_the_same_bytes(tmp_path):
    first, second = (
        {path.name: path.read_bytes() for path in write_all(CASES, tmp_path / name)} for name in ("a", "b")
    )
    assert first == second
