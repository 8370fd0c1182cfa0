"""`panhuo outcome`: what came of it, between two assessments and by an office's own figures (case 11)."""

from datetime import date

import pytest
from import_files import panhuo  # noqa: F401
from openpyxl import load_workbook

from panhuo.workspace.assess import assess
from panhuo.workspace.compares import compare_parcel
from panhuo.workspace.imports import Options, import_files
from panhuo.workspace.store import Workspace

PARCELS = "宗地代码,宗地面积(亩),行政区,建筑面积(平方米)\nA,15,430527,{}\nB,30,430527,1000\nC,6,430527,500\n"
CONTRACTS = (
    "合同编号,宗地代码,签订日期,约定开工时间,开工状态\n"
    "K1,A,2019-01-05,2020-06-30,{}\nK2,B,2019-01-05,2020-06-30,未动工\n"
)
SUINING = (
    "宗地编号,盘活方式,指标,盘活前,盘活后,统计日期\n"
    "A,,年产值,3000,12000,2025-12-31\nA,,税收,30,300,2025-12-31\nA,,容积率,0.5,1.0,2025-12-31\n"
)


def brought(ws, folder, name, text):
    path = folder / f"{name}.csv"
    path.write_text(text, encoding="utf-8")
    return import_files(ws, [path], Options(name, place="4305"))


@pytest.fixture(scope="module")
def ws(tmp_path_factory):
    """Assessed twice: between, A has been built on and B has not."""
    folder = tmp_path_factory.mktemp("outcome")
    for state, floor, day in (("未动工", 1000, date(2024, 12, 31)), ("已竣工", 15000, date(2025, 12, 31))):
        brought(folder / "ws", folder, "parcels", PARCELS.format(floor))
        brought(folder / "ws", folder, "contracts", CONTRACTS.format(state))
        assess(Workspace.open(folder / "ws"), as_of=day)
    return folder / "ws"


def told(run, *words):
    outcome = run("outcome", *words, "--json")
    assert outcome.code == 0, outcome.err
    return outcome.json


def test_findings_cleared_kept_and_new_between_two_assessments(panhuo, ws):  # noqa: F811
    result = told(panhuo, ws)
    assert (result["from"][:10], result["to"][:10]) == ("2024-12-31", "2025-12-31")
    idle = result["findings"]["idle_not_started"]
    assert idle == {"cleared": 1, "kept": 1, "undecided": 0, "gone": 0, "new": 0}
    resolved = result["parcels"]["resolved"]
    assert resolved["n"] == 1 and resolved["area_m2"] == pytest.approx(10_000)
    assert result["parcels"]["untouched"]["n"] + result["parcels"]["partly"]["n"] >= 1
    floor = next(row for row in result["rows"] if (row["parcel_id"], row["measure"]) == ("A", "floor_m2"))
    assert (floor["before"], floor["after"], floor["change_ratio"]) == (1000, 15000, pytest.approx(14))
    assert not [row for row in result["rows"] if row["parcel_id"] in "BC"], "nothing of theirs has changed"
    assert result["measures"]["floor_m2"]["parcels"] == 1
    assert "far" not in result["measures"], "ratios have no sum"


def test_the_opening_assessment_is_the_last_on_or_before_a_day(panhuo, ws):  # noqa: F811
    assert told(panhuo, ws, "--since", "2024-12-31")["from"].startswith("2024-12-31")
    refused = panhuo("outcome", ws, "--since", "2024-12-30")
    assert refused.code == 2 and "panhuo assess" in refused.err


def test_measured_figures_go_before_the_ledger_and_beside_what_was_expected(panhuo, ws, tmp_path):  # noqa: F811
    compare_parcel(Workspace.open(ws), "B", tools=["idle_extension"], runs=0)
    more = "A,,建筑面积,1000,14000,2025-12-31\nB,延长动工期限等协商处置,用时,,3,2025-12-31\n"
    brought(ws, tmp_path, "outcomes", SUINING + more)
    rows = {
        row["measure"]: row for row in told(panhuo, ws, "--lang", "zh", "-o", tmp_path / "a.xlsx")["rows"]
    }
    # Case 11: 3000 万 → 1.2 亿 is four times; the claimed ten-fold tax is 30 → 300, nine times more.
    assert rows["output_wan"]["change_ratio"] == pytest.approx(3)
    assert rows["tax_wan"]["change_ratio"] == pytest.approx(9)
    assert rows["floor_m2"]["after"] == 14000, "the office's own figure"
    taken = rows["months"]
    assert (taken["tool_id"], taken["expected"], taken["of_expected"]) == (
        "idle_extension",
        2,
        pytest.approx(1.5),
    )
    book = load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["成效", "结论变化"]
    assert ["年产值（万元）", 3000, 12000, 9000, 3] in [
        [cell.value for cell in row[2:7]] for row in book["成效"].iter_rows(min_row=2)
    ]
    words = panhuo("outcome", ws, "--lang", "zh").out
    assert "问题全部消除" in words and "+300.0%" in words
    assert "all findings cleared" in panhuo("outcome", ws, "--lang", "en").out


def test_figures_alone_need_no_assessment_and_nothing_at_all_is_refused(panhuo, tmp_path):  # noqa: F811
    brought(tmp_path / "ws", tmp_path, "parcels", PARCELS.format(1000))
    refused = panhuo("outcome", tmp_path / "ws")
    assert refused.code == 2 and "--as outcomes" in refused.err
    brought(tmp_path / "ws", tmp_path, "outcomes", SUINING)
    result = told(panhuo, tmp_path / "ws")
    assert (result["from"], result["findings"], len(result["rows"])) == (None, {}, 3)
    refused = panhuo("outcome", tmp_path / "ws", "--since", "2020-01-01")
    assert refused.code == 2, "an opening day with nothing on or before it is not passed over"
    bad = tmp_path / "bad.csv"
    bad.write_text("宗地编号,指标,盘活前,盘活后\nA,幸福感,1,2\n", encoding="utf-8")
    assert "row 2, measure" in panhuo("import", tmp_path / "ws", bad, "--as", "outcomes").err


def test_the_later_assessment_is_the_one_of_the_later_day_though_another_was_made_last(panhuo, ws, tmp_path):  # noqa: F811
    before = told(panhuo, ws)
    brought(ws, tmp_path, "parcels", PARCELS.format(15000).replace("B,30,430527,1000", "B,30,430527,9000"))
    assess(Workspace.open(ws), as_of=date(2025, 6, 30))  # looked back at: it is now the latest made
    after = told(panhuo, ws)
    assert after["to"] == before["to"]
    assert after["rows"] == before["rows"]
