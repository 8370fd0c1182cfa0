"""`panhuo scoreboard`: case 19 from its sheet, net rates from two assessments, and what is refused."""

from datetime import date

import pytest
import xlsxwriter
from import_files import panhuo  # noqa: F401
from openpyxl import load_workbook

from panhuo.workspace.assess import assess
from panhuo.workspace.imports import Options, import_files
from panhuo.workspace.store import Workspace

HEAD = "行政区,年度,指标,任务（亩）,完成（亩）\n"
LOUDI = HEAD + "娄底市,2024,批而未供处置率,23865.75,5199.65\n"


def sheet(tmp_path, text):
    path = tmp_path / "tasks.csv"
    path.write_text(text, encoding="utf-8")
    return path


def told(run, *words):
    outcome = run("scoreboard", *words, "--json")
    assert outcome.code == 0, outcome.err
    return outcome.json


def test_loudi_disposed_of_21_79_per_cent(panhuo, tmp_path):  # noqa: F811
    (row,) = told(panhuo, sheet(tmp_path, LOUDI))["rows"]
    assert (row["division"], row["measure"]) == ("431300", "unsupplied_gross")
    assert round(row["rate"], 4) == 0.2179
    assert row["behind"] is None, "2024 is not the year of today"


def test_rank_and_progress_of_counties_from_a_workbook(panhuo, tmp_path):  # noqa: F811
    rows = [["娄星区", 2026, "idle_gross", 100, 60], ["双峰县", 2026, "idle_gross", 100, 20]]
    rows += [["新化县", 2026, "idle_gross", 100, None]]
    with xlsxwriter.Workbook(str(tmp_path / "任务.xlsx")) as book:
        page = book.add_worksheet()
        for number, row in enumerate([HEAD.strip().split(","), *rows]):
            page.write_row(number, 0, row)
    result = told(panhuo, tmp_path / "任务.xlsx", "--on", "2026-07-02")
    by = {row["division"]: row for row in result["rows"]}
    assert [by[d]["rank"] for d in ("431302", "431321", "431322")] == [1, 2, None]
    gone = 183 / 365
    assert by["431302"]["behind"] == 0 and by["431321"]["behind"] == pytest.approx(gone - 0.2)
    assert by["431322"]["rate"] is None and by["431322"]["behind"] is None, "unknown is not on time"
    assert [refused["of"] for refused in result["refused"]] == ["431322 2026"]


@pytest.fixture(scope="module")
def ws(tmp_path_factory):
    """A workspace assessed twice: one of two idle parcels has begun to be built on between."""
    folder = tmp_path_factory.mktemp("board")
    parcels = "宗地代码,宗地面积(亩),行政区\nA,15,431302\nB,30,431302\n"
    contracts = "合同编号,宗地代码,签订日期,约定开工时间,开工状态\nK1,A,2019-01-05,2020-06-30,{}\n"
    contracts += "K2,B,2019-01-05,2020-06-30,未动工\n"
    for state, day in (("未动工", date(2024, 12, 31)), ("已竣工", date(2025, 12, 31))):
        for name, text in (("parcels", parcels), ("contracts", contracts.format(state))):
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")
            import_files(folder / "ws", [folder / f"{name}.csv"], Options(name, place="4313"))
        assess(Workspace.open(folder / "ws"), as_of=day)
    return folder / "ws"


def test_a_workspace_gives_the_net_rate_between_its_assessments_and_keeps_it(panhuo, ws, tmp_path):  # noqa: F811
    result = told(panhuo, ws, "--tasks", sheet(tmp_path, LOUDI))
    idle = next(row for row in result["rows"] if row["measure"] == "idle_net")
    assert (idle["base_m2"], idle["done_m2"]) == (pytest.approx(30_000), pytest.approx(10_000))
    assert idle["rate"] == pytest.approx(1 / 3) and idle["year"] == 2025
    assert result["from"].startswith("2024-12-31") and result["to"].startswith("2025-12-31")
    assert {row["measure"] for row in result["rows"]} >= {"unsupplied_gross", "idle_net"}
    kept = Workspace.open(ws).assessment("scoreboard")
    assert kept is not None and kept.num_rows == len(result["rows"])


def test_words_and_workbook_in_both_languages(panhuo, tmp_path):  # noqa: F811
    path = sheet(tmp_path, LOUDI)
    zh = panhuo("scoreboard", path, "--lang", "zh", "-o", tmp_path / "a.xlsx").out
    for word in ("娄底市", "21.79%", "done_m2 / base_m2", "案例19"):
        assert word in zh
    head, row = ([cell.value for cell in line] for line in load_workbook(tmp_path / "a.xlsx")["进度榜"])
    told_row = dict(zip(head, row, strict=True))
    assert (told_row["任务（亩）"], round(told_row["处置率"], 4)) == (pytest.approx(23865.75), 0.2179)
    assert "21.79%" in panhuo("scoreboard", path, "--lang", "en").out


def test_what_is_left_is_spread_over_the_years_asked_for(panhuo, tmp_path):  # noqa: F811
    path = sheet(tmp_path, HEAD + "娄底市,2024,闲置土地处置率（毛）,11723.24,1698.96\n")
    result = told(panhuo, path, "--years", "2")
    assert [(row["year"], row["target_m2"] * 3 / 2000) for row in result["plan"]] == [
        (2025, pytest.approx(5012.14)),
        (2026, pytest.approx(5012.14)),
    ]
    assert told(panhuo, path)["plan"] is None
    zh = panhuo("scoreboard", path, "--years", "2", "--lang", "zh", "-o", tmp_path / "a.xlsx").out
    assert "所余年度目标（亩）" in zh and "5,012.14" in zh
    assert load_workbook(tmp_path / "a.xlsx")["年度目标"]["D2"].value == pytest.approx(5012.14)
    assert "Targets for what is left (mu)" in panhuo("scoreboard", path, "--years", "2", "--lang", "en").out
    assert panhuo("scoreboard", path, "--years", "0").code == 2


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("行政区,年度,任务（亩）\n娄底市,2024,5\n", "指标"),
        (HEAD + "火星县,2024,idle_gross,5,1\n", "row 2: 火星县"),
        (HEAD + "合计,2024,idle_gross,5,1\n", "totals"),
        (HEAD + "娄底市,2024,盘活率,5,1\n", "闲置土地处置率（毛）"),
        (HEAD + "娄底市,今年,idle_gross,5,1\n", "年度"),
        (HEAD + "娄底市,2024,idle_gross,五亩地,1\n", "row 2: 五亩地"),
        (HEAD + "娄底市,2024,,5,1\n", "row 2"),
        ("行政区,年度,指标,任务\n娄底市,2024,idle_gross,5\n", "任务（亩）"),
        ("行政区,年度,指标,盘活（亩）\n娄底市,2024,idle_gross,5\n", "盘活（亩）"),
        (HEAD, "no tasks"),
        (LOUDI + "431300,2024,unsupplied_gross,5,1\n", "431300 2024 unsupplied_gross"),
        ("行政区,年度,指标,任务（亩）,任务基数（亩）\n娄底市,2024,idle_gross,5,6\n", "任务面积"),
    ],
)
def test_a_sheet_that_does_not_fit_is_refused_with_a_word(panhuo, tmp_path, text, named):  # noqa: F811
    outcome = panhuo("scoreboard", sheet(tmp_path, text), "-o", tmp_path / "out.xlsx")
    assert outcome.code == 2, outcome.out
    assert named in outcome.err
    assert not (tmp_path / "out.xlsx").exists()


def test_what_has_nothing_to_compare_is_refused(panhuo, tmp_path):  # noqa: F811
    Workspace.create(tmp_path / "new")
    for words, named in (
        ([tmp_path / "new"], "assess"),
        ([sheet(tmp_path, LOUDI), "--since", "2024-01-01"], "workspace"),
        ([tmp_path / "none.csv"], "no such file"),
        ([sheet(tmp_path, LOUDI), "-o", tmp_path / "a.gpkg"], "xlsx csv parquet"),
    ):
        outcome = panhuo("scoreboard", *words)
        assert outcome.code == 2
        assert named in outcome.err
