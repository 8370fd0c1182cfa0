"""The twenty cases through the whole flow: what was really done is among what is offered first."""

from pathlib import Path

import pytest

from panhuo.core.problems import PanhuoError
from panhuo.rulebook.precedents import load_precedents
from panhuo.workspace.compares import compare_parcel
from panhuo.workspace.demo import make_demo
from panhuo.workspace.explain import explain
from panhuo.workspace.store import Workspace

CASES = load_precedents()


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return make_demo(tmp_path_factory.mktemp("demo") / "ws")


@pytest.fixture(scope="module")
def found(demo):
    rows = Workspace.open(demo["workspace"]).assessment("findings").to_pylist()
    return {(row["parcel_id"], row["finding_id"]): row["status"] for row in rows}


def test_in_most_cases_all_that_was_done_is_among_the_first_three(demo):
    whole = [case["case"] for case in demo["cases"] if case["hits"] == len(case["units"])]
    assert len(whole) >= 17, set(CASES) - set(whole)


@pytest.mark.parametrize("name", CASES)
def test_findings_the_facts_must_give(name, found):
    for unit, wanted in CASES[name].findings_expected.items():
        for finding, status in wanted.items():
            assert found.get((unit, finding)) == status, f"{unit} {finding}"


def test_each_case_is_judged_on_its_own_date(demo):
    ws = Workspace.open(demo["workspace"])
    since = [row["since"] for row in ws.assessment("findings").to_pylist() if row["parcel_id"] == "c20-p1"]
    assert all(day is None or day <= CASES["case_20"].as_of for day in since)


def test_the_board_and_a_plan_for_each_case_are_written(demo):
    assert all(Path(path).stat().st_size > 1000 for path in demo["documents"])
    plans = [path for path in demo["documents"] if path.endswith(".docx")]
    assert len(plans) == len(CASES)


def test_case_2_is_appraised_from_what_its_text_states(demo):
    compared = compare_parcel(Workspace.open(demo["workspace"]), "c02-p1", runs=0)
    tools = {tool["tool_id"]: tool for tool in compared["tools"]}
    paid = next(
        f for f in tools["topup_grant"]["flows"] if f["kind"] == "topup_price" and f["party"] == "holder"
    )
    stated = {f.id: f.stated.value for f in CASES["case_02"].figures}
    assert paid["amount_wan"] == -float(stated["topup_avoided"]) * 10_000
    assert not [f for f in tools["capital_contribution"]["flows"] if f["party"] == "holder"]
    assert "agreed_resumption" in compared["refused"], "what the text leaves open is asked for, not invented"


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("x", encoding="utf-8")
    with pytest.raises(PanhuoError):
        make_demo(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["letter.txt"]


def test_xiangtan_offers_each_class_of_land_its_measures_and_what_was_done_is_among_them(demo):
    ws = Workspace.open(demo["workspace"])
    for unit, land_class in {"c10-p4": "town", "c10-p5": "legacy", "c10-p6": "village"}.items():
        [land] = [found for found in explain(ws, unit)["remedies"]["classes"] if found["status"] == "yes"]
        offered = {t["tool_id"] for one in land["remedies"] if one["status"] == "open" for t in one["tools"]}
        assert land["id"] == land_class
        assert set(CASES["case_10"].tools_by_parcel[unit]) <= offered
    assert explain(ws, "c20-p1")["remedies"] is None
