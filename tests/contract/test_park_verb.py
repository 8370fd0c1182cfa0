"""`panhuo park`: lists with their batches, milestones on both sides of their days, plans, in words and in files."""

from datetime import date

import pyogrio
import pytest
from import_files import panhuo  # noqa: F401
from openpyxl import load_workbook

from panhuo.workspace.assess import assess
from panhuo.workspace.imports import Options, import_files
from panhuo.workspace.store import Workspace

PARCELS = (
    "宗地代码,宗地名称,权利人名称,宗地面积(亩),地类名称,权利性质,行政区,经度,纬度\n"
    "A,甲地,甲公司,15,工业用地,出让,430112,112.83,28.33\n"
    "B,乙地,乙公司,,工业用地,出让,430112,112.84,28.34\n"
    "C,丙地,丙公司,30,工业用地,出让,430112,112.85,28.35\n"
)
FIRMS = (
    "企业编号,企业名称,经营状态,行政区,年度\n"
    "E1,甲公司,停产,430112,2024\nE2,乙公司,半停产,430112,2024\nE3,丙公司,在产,430112,2024\n"
)
USES = "宗地代码,企业编号,用地方式\nA,E1,自有\nB,E2,自有\nC,E3,自有\n"
CONTRACTS = (
    "合同编号,宗地代码,签订日期,约定开工时间,开工状态\nK1,A,2023-01-05,2025-06-30,未动工\n"
    "K2,B,2023-01-05,2025-06-30,\nK3,C,2023-01-05,2025-06-30,在建\n"
)


TAXED = (
    "企业编号,企业名称,行政区,年度,税收（万元）\n"
    "E1,甲公司,430112,2024,600\nE2,乙公司,430112,2024,600\nE3,丙公司,430112,2024,1199\n"
)
PROMISED = (
    "合同编号,宗地代码,签订日期,约定开工时间,约定达产日期,承诺亩均税收（万元/亩）,承诺亩均营业收入（万元/亩）\n"
    "K1,A,2020-01-05,2020-06-30,2023-12-29,40,300\nK2,B,2020-01-05,2020-06-30,2023-12-29,40,\n"
    "K3,C,2020-01-05,2020-06-30,2023-12-29,40,\n"
)


@pytest.fixture(scope="module")
def ws(tmp_path_factory):
    """Three parcels of three firms, one stopped and one half stopped, each with a start agreed for the same day."""
    return made(tmp_path_factory.mktemp("park"), FIRMS, CONTRACTS)


@pytest.fixture(scope="module")
def promising(tmp_path_factory):
    """The same parcels, whose contracts promise 40 万 of tax a mu: 15 亩 with 600 万, no area, 30 亩 with 1199 万."""
    return made(tmp_path_factory.mktemp("promising"), TAXED, PROMISED)


def made(folder, firms, contracts):
    given = {"parcels": PARCELS, "enterprises": firms, "occupancies": USES, "contracts": contracts}
    for name, text in given.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
        import_files(folder / "ws", [folder / f"{name}.csv"], Options(name, place="430112"))
    assess(Workspace.open(folder / "ws"), as_of=date(2025, 6, 1))
    return folder / "ws"


def told(run, *words):
    outcome = run("park", *words, "--json")
    assert outcome.code == 0, outcome.err
    return outcome.json


def test_the_stopped_are_listed_with_firm_area_and_one_of_five_batches(panhuo, ws):  # noqa: F811
    result = told(panhuo, ws, "--list", "stopped")
    stopped = result["lists"]["stopped"]
    assert (stopped["parcels"], stopped["area_mu"], stopped["area_unknown"]) == (2, pytest.approx(15), 1)
    assert sum(stopped["batches"].values()) == 2 and stopped["batches"]["none"] == 0
    rows = {row["parcel_id"]: row for row in result["rows"]}
    assert {p: r["enterprises"] for p, r in rows.items()} == {"A": "甲公司", "B": "乙公司"}
    assert all(row["batch"] in stopped["batches"] for row in rows.values())
    assert result["lists"]["vacant"]["parcels"] == 0
    assert result["as_of"] == "2025-06-01"


@pytest.mark.parametrize(
    ("on", "states"),
    [
        ("2025-06-30", {"due_soon": 1, "unknown": 1, "met": 1}),
        ("2025-07-01", {"overdue": 1, "unknown": 1, "met": 1}),
        ("2024-06-30", {"ahead": 2, "met": 1}),
    ],
)
def test_a_start_is_forewarned_to_its_day_and_overdue_after_it(panhuo, ws, on, states):  # noqa: F811
    result = told(panhuo, ws, "--on", on)
    assert result["milestones"]["start"]["states"] == states
    warned = [(row["contract_no"], row["state"]) for row in result["warnings"] if row["milestone"] == "start"]
    looked_at = {"2025-06-30": "due_soon", "2025-07-01": "overdue"}
    assert warned == ([("K1", looked_at[on]), ("K2", "unknown")] if on in looked_at else [])


def test_the_workbook_has_a_sheet_each_and_the_map_a_layer_each(panhuo, ws, tmp_path):  # noqa: F811
    assert panhuo("park", ws, "--on", "2025-07-01", "--lang", "zh", "-o", tmp_path / "a.xlsx").code == 0
    book = load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["停产、半停产", "开发不达标", "闲置", "空置厂房", "节点预警"]
    head, *rows = ([cell.value for cell in row] for row in book["停产、半停产"])
    by = {row[0]: dict(zip(head, row, strict=True)) for row in rows}
    assert (by["A"]["企业"], by["A"]["面积（亩）"], by["B"]["面积（亩）"]) == (
        "甲公司",
        pytest.approx(15),
        None,
    )
    assert by["A"]["五个一批"] in ("促建", "招引", "收储", "法拍", "出租")
    late = [cell.value for cell in book["节点预警"][2]]
    assert late[:5] == ["K1", "A", "开工", "逾期", "2025-06-30"] and late[-1] == 1
    assert panhuo("park", ws, "--list", "stopped", "-o", tmp_path / "a.gpkg").code == 0
    assert [name for name, _ in pyogrio.list_layers(tmp_path / "a.gpkg")] == ["stopped"]
    _, layer = pyogrio.read_arrow(tmp_path / "a.gpkg", layer="stopped")
    assert sorted(layer["parcel_id"].to_pylist()) == ["A", "B"]


def test_promised_figures_are_held_to_those_measured_and_what_follows_is_said(panhuo, promising, tmp_path):  # noqa: F811
    result = told(panhuo, promising)
    assert result["promises"]["tax_per_mu"]["states"] == {"missed": 1, "unknown": 1, "kept": 1}
    rows = {row["contract_no"]: row for row in result["figures"] if row["measure"] == "tax_per_mu"}
    assert {c: r["state"] for c, r in rows.items()} == {"K1": "kept", "K2": "unknown", "K3": "missed"}
    assert (rows["K3"]["actual"], rows["K3"]["year"]) == (pytest.approx(1199 / 30), 2024)
    assert rows["K2"]["because"] == "no_area"
    follows = {(f["contract_no"], f["kind"]) for f in result["consequences"] if f["subject"] == "tax_per_mu"}
    assert follows == {("K1", "reward"), ("K3", "penalty")}
    revenue = next(row for row in result["figures"] if row["measure"] == "revenue_per_mu")
    assert (revenue["contract_no"], revenue["state"], revenue["because"]) == ("K1", "unknown", "no_figures")
    chain = panhuo("explain", promising, "E3", "--json").json
    assert [(p["state"], p["label"]["zh"]) for p in chain["promises"]] == [("missed", "亩均税收")]
    assert "penalty" in [c["kind"] for c in chain["consequences"]]
    shown = panhuo("park", promising, "--lang", "zh", "-o", tmp_path / "a.xlsx")
    assert "承诺亩均税收：未兑现 1 · 情况不明 1 · 已兑现 1" in shown.out
    assert "Promised: Tax per mu: Missed 1" in panhuo("park", promising, "--lang", "en").out
    head, first, *others = load_workbook(tmp_path / "a.xlsx")["达产复核"].iter_rows(values_only=True)
    by = dict(zip(head, first, strict=True))
    assert (by["合同"], by["宗地"], by["状态"], by["实测年度或日期"]) == ("K3", "C", "未兑现", "2024")
    assert by["后果"] and ("情况不明", "宗地面积不明") in {(row[3], row[10]) for row in others}


def test_words_in_both_languages(panhuo, ws):  # noqa: F811
    zh = panhuo("park", ws, "--list", "stopped", "--on", "2025-07-01", "--lang", "zh").out
    for word in ("停产、半停产", "甲公司", "面积未知", "开工：逾期 1", "2025-07-01"):
        assert word in zh
    assert "Start: Overdue 1" in panhuo("park", ws, "--on", "2025-07-01", "--lang", "en").out


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["{ws}", "--list", "other"], "no such list"),
        (["{ws}", "-o", "{tmp}/a.pdf"], "xlsx gpkg"),
        (["{ws}", "-o", "{tmp}/no/a.xlsx"], "no such folder"),
        (["{ws}", "--on", "明天"], "not a date"),
        (["{tmp}"], "no workspace"),
        (["{tmp}/new"], "nothing assessed"),
    ],
)
def test_what_cannot_be_is_refused_with_a_word(panhuo, ws, tmp_path, words, named):  # noqa: F811
    Workspace.create(tmp_path / "new")
    outcome = panhuo("park", *(word.format(ws=ws, tmp=tmp_path) for word in words))
    assert outcome.code == 2
    assert named in outcome.err
