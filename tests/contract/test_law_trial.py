"""A value of the law is tried on a workspace: what would differ is told, nothing is written."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from panhuo.core.problems import PanhuoError
from panhuo.core.provenance import tree_hash
from panhuo.rulebook.book import LAW, Rulebook
from panhuo.workspace.assess import assess
from panhuo.workspace.imports import Options, import_files
from panhuo.workspace.law_trial import changed_law, read_value, try_value
from panhuo.workspace.store import Workspace

DAY = date(2026, 11, 23)
FILES = {
    "parcels": "宗地编号,行政区划代码,面积（平方米）,权利性质\nA1,430112,20000,出让\nA2,430424,20000,出让\n",
    "contracts": "contract_no,parcel_id,signed_on,price_wan,start_by,work_state,delay_cause\n"
    "K1,A1,2023-01-01,1000,2025-06-01,not_started,holder\nK2,A2,2023-01-01,1000,2025-06-01,not_started,holder\n",
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("trial")
    for name, text in FILES.items():
        path = folder / f"{name}.csv"
        path.write_text(text, encoding="utf-8")
        import_files(folder / "ws", [path], Options(as_dataset=name, place="43"), lambda text: None)
    assess(Workspace.open(folder / "ws"), as_of=DAY)
    return Workspace.open(folder / "ws")


def moved(result: dict) -> set[str]:
    return {
        parcel["parcel_id"]
        for parcel in result["parcels"]
        for change in parcel["changes"]
        if change["id"] == "idle_not_started" and change["new"] is None
    }


def test_a_longer_clock_frees_every_parcel_and_writes_nothing(workspace: Workspace) -> None:
    before = tree_hash(LAW.rglob("*.yaml"), LAW), sorted(workspace.root.rglob("*"))
    result = try_value(workspace, "idle_land.idle_after_years", date(2020, 1, 1), 5)
    assert moved(result) == {"A1", "A2"}
    assert (tree_hash(LAW.rglob("*.yaml"), LAW), sorted(workspace.root.rglob("*"))) == before


def test_a_local_value_reaches_its_place_only(workspace: Workspace) -> None:
    result = try_value(workspace, "idle_land.idle_after_years", date(2020, 1, 1), 5, place="430424")
    assert moved(result) == {"A2"}


def test_a_value_from_a_later_day_moves_nothing_before_it(workspace: Workspace) -> None:
    later = date(2028, 1, 1)
    assert try_value(workspace, "idle_land.idle_after_years", later, 5)["parcels"] == []
    assert moved(try_value(workspace, "idle_land.idle_after_years", later, 5, as_of=later)) == {"A1", "A2"}


def test_the_tried_value_is_marked_unverified_and_goes_with_the_trial() -> None:
    with changed_law("idle_land.fee_rate", DAY, 0.1) as (_, folder):
        tried = Rulebook.load(folder).parameter("idle_land.fee_rate", DAY)
        assert (tried.value, tried.mark) == (0.1, "M")
    assert not Path(folder).exists()


def test_an_edit_of_the_law_since_the_program_began_is_not_of_the_trial(
    workspace: Workspace, tmp_path: Path
) -> None:
    law = shutil.copytree(LAW, tmp_path / "law")
    assert Rulebook.load(law).parameter("idle_land.investigate_within_days", DAY).value == 30
    topic = law / "parameters/idle_land.yaml"
    topic.write_text(topic.read_text("utf-8").replace("{value: 30, source", "{value: 31, source"), "utf-8")
    tried = try_value(workspace, "idle_land.fee_rate", date(2020, 1, 1), 0.1, law=law)
    assert [change["name"] for change in tried["changes"]] == ["idle_land.fee_rate"]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("idle_land.no_such", "1", "no such parameter"),
        ("idle_land.fee_rate", "a lot", "another shape"),
        ("idle_land.fee_rate", "[0.2]", "another shape"),
        ("idle_land.fee_rate", "true", "another shape"),
        ("idle_land.fee_rate", "{", "not a value"),
        ("idle_land.fee_rate", "0.20", "nothing changes"),
        ("match.severity_weight", "{high: 3}", "another shape"),
    ],
)
def test_what_is_no_value_of_the_parameter_is_refused(name: str, text: str, told: str) -> None:
    with pytest.raises(PanhuoError, match=told):
        read_value(text, name, DAY)


def test_a_number_may_be_whole_or_not() -> None:
    assert read_value("0", "idle_land.fee_rate", DAY) == 0
    assert read_value("1.5", "idle_land.idle_after_years", DAY) == 1.5
