"""`panhuo admit`: projects of a file, a workspace or the options against 448 and standard land."""

import pytest
import xlsxwriter
from import_files import panhuo  # noqa: F401
from openpyxl import load_workbook

DAY = ("--as-of", "2025-06-30")
AT_448 = ("--place", "430112", *DAY)
BARS = {"investment_per_mu": 400, "tax_per_mu": 40, "revenue_per_mu": 800}
CHINESE = "序号,项目名称,用地面积（亩）,总投资（亿元）,年税收（万元）,年营业收入（万元）\n"


def table(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def options(land=30.0, investment=400.0, tax=40.0, revenue=800.0):
    """The options of a project with so much per mu."""
    sums = {"--investment-wan": investment, "--tax-wan": tax, "--revenue-wan": revenue}
    given = {name: value * land for name, value in sums.items() if value is not None}
    return ["--land-mu", land, *(word for pair in given.items() for word in pair)]


def judged(run, *words):
    outcome = run("admit", *words, "--json")
    assert outcome.code == 0, outcome.err
    return outcome.json


@pytest.mark.parametrize(
    ("changed", "verdict", "grade"),
    [
        ({}, "yes", "third"),
        ({"investment": 399.9}, "no", "fourth"),
        ({"tax": 39.9}, "no", "fourth"),
        ({"revenue": 799.9}, "no", "fourth"),
        ({"investment": 319}, "no", "fifth"),
        ({"tax": None}, "unknown", None),
        ({"tax": None, "revenue": 799.9}, "no", None),
        ({"investment": 600, "tax": 60, "revenue": 1200}, "yes", "first"),
    ],
)
def test_448_on_both_sides_of_each_bar(panhuo, changed, verdict, grade):  # noqa: F811
    told = judged(panhuo, *options(**changed), *AT_448)
    (project,) = told["projects"]
    assert (project["admitted"], project["grade"]) == (verdict, grade)
    assert project["missing"] == (["tax_wan"] if changed.get("tax", 0) is None else [])
    assert {i["criterion"]: i["bar"] for i in project["indicators"]} == BARS
    assert sum(told["counts"].values()) == 1


def test_each_bar_opens_to_its_dated_value_article_and_mark(panhuo):  # noqa: F811
    (bar,) = judged(panhuo, *options(), *AT_448)["bars"]
    assert (bar["scheme"], bar["places"]) == ("wangcheng_448", ["430112"])
    for one in bar["criteria"]:
        law = one["law"]
        assert (law["value"], law["since"], law["mark"]) == (BARS[one["criterion"]], "2022-01-01", "S")
        assert law["cite"]["source"] == "wangcheng_448" and law["cite"]["text"]["zh"]
    assert "grades" in bar["assumed"]


def test_before_448_and_elsewhere_the_bar_is_standard_land(panhuo):  # noqa: F811
    for where in (("--place", "430112", "--as-of", "2021-12-31"), ("--place", "430211", *DAY), DAY):
        told = judged(panhuo, *options(), "--floor-m2", 20_000, *where)
        assert told["bars"][0]["scheme"] == "standard_land"
        assert told["projects"][0]["admitted"] == "unknown"
        assert "base_area_m2" in told["projects"][0]["missing"]


def test_a_chinese_sheet_with_its_units(panhuo, tmp_path):  # noqa: F811
    with xlsxwriter.Workbook(str(tmp_path / "项目.xlsx")) as book:
        sheet = book.add_worksheet()
        rows = [
            ["甲项目", 30, 1.2, 1200, 24000],
            ["乙项目", 30, 1.1999, 1200, 24000],
            ["丙项目", 30, 1.2, None, 24000],
        ]
        for number, row in enumerate(rows, 1):
            sheet.write_row(number, 0, [number, *row])
        sheet.write_row(0, 0, CHINESE.strip().split(","))
    told = judged(panhuo, tmp_path / "项目.xlsx", *AT_448)
    assert [(p["name"], p["admitted"]) for p in told["projects"]] == [
        ("甲项目", "yes"), ("乙项目", "no"), ("丙项目", "unknown"),
    ]  # fmt: skip
    assert told["counts"] == {"yes": 1, "no": 1, "unknown": 1}
    assert told["projects"][1]["indicators"][0]["gap"] == pytest.approx(-1 / 30)


def test_a_sheet_as_parks_keep_it_with_title_total_and_units_in_cells(panhuo, tmp_path):  # noqa: F811
    heads = [
        "序号",
        "申请单位",
        "项目名称",
        "用地面积（亩）",
        "固定资产投资（万元）",
        "税收（万元/年）",
        "营业收入(亿元)",
    ]
    with xlsxwriter.Workbook(str(tmp_path / "申请.xlsx")) as book:
        sheet = book.add_worksheet("申请")
        rows = [
            ["2025年拟入园项目申请汇总表"],
            ["填报：招商局"],
            heads,
            [1, "甲公司", "甲项目", "30亩", "1.2亿元", 1200, 2.4],
        ]
        rows += [[2, "乙公司", "乙项目", 20, 8000, "待定", 1.6], ["合计", "", "", 50, "", 1200, 4.0]]
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
        book.add_worksheet("说明").write(0, 0, "本表由招商局填写")
    told = judged(panhuo, tmp_path / "申请.xlsx", *AT_448)
    assert [(p["name"], p["admitted"], p["missing"]) for p in told["projects"]] == [
        ("甲项目", "yes", []), ("乙项目", "unknown", ["tax_wan"]),
    ]  # fmt: skip
    assert "totals_row" in {p["type"] for p in told["problems"]}


def test_english_headers_and_a_yaml_list_say_the_same(panhuo, tmp_path):  # noqa: F811
    text = "name,land_mu,investment (wan),tax_wan,revenue_wan\nA,30,12000,1200,24000\nB,30,11999,1200,24000\n"
    listed = (
        "projects:\n- {name: A, land_mu: 30, investment_wan: 12000, tax_wan: 1200, revenue_wan: 24000}\n"
        "- {name: B, land_mu: 30, investment_wan: 11999, tax_wan: 1200, revenue_wan: 24000}\n"
    )
    one = judged(panhuo, table(tmp_path / "a.csv", text), *AT_448)
    two = judged(panhuo, table(tmp_path / "a.yaml", listed), *AT_448)
    assert [p["admitted"] for p in one["projects"]] == ["yes", "no"]
    assert [p["indicators"] for p in one["projects"]] == [p["indicators"] for p in two["projects"]]


def test_every_row_by_the_bar_of_its_own_place_unless_one_is_named(panhuo, tmp_path):  # noqa: F811
    text = "项目编号,意向行政区,用地面积(亩),总投资(万元),年税收(万元),年营业收入(万元)\n"
    file = table(tmp_path / "a.csv", text + "p,430112,10,4000,400,8000\nq,430211,10,4000,400,8000\n")
    told = judged(panhuo, file, *DAY)
    assert [p["scheme"] for p in told["projects"]] == ["wangcheng_448", "standard_land"]
    assert [p["scheme"] for p in judged(panhuo, file, *AT_448)["projects"]] == ["wangcheng_448"] * 2


def test_places_of_the_same_law_stand_under_one_bar(panhuo, tmp_path):  # noqa: F811
    text = (
        "项目编号,意向行政区,用地面积(亩),总投资(万元)\np,430211,10,4000\nq,430124,10,400\nr,430407,10,400\n"
    )
    told = judged(panhuo, table(tmp_path / "a.csv", text), *DAY)
    assert [bar["places"] for bar in told["bars"]] == [["430211", "430124"], ["430407"]]
    assert [p["project_id"] for p in told["projects"]] == ["p", "q", "r"]
    tax = [one["bar"] for bar in told["bars"] for one in bar["criteria"] if one["criterion"] == "tax_per_mu"]
    assert tax == [2, 4], "city parks of Hengyang are held to twice the line of elsewhere"


def test_a_range_of_land_is_held_to_the_most_and_land_of_nothing_is_unknown(panhuo, tmp_path):  # noqa: F811
    text = "项目编号,最小用地面积(亩),最大用地面积(亩),投资额(万元),达产税收(万元),达产营业收入(万元)\n"
    file = table(tmp_path / "a.csv", text + "p,10,20,7999,800,16000\nq,0,,8000,800,16000\n")
    ranged, none = judged(panhuo, file, *AT_448)["projects"]
    assert (ranged["admitted"], ranged["indicators"][0]["value"]) == ("no", pytest.approx(399.95))
    assert (none["admitted"], none["missing"]) == ("unknown", ["land_mu"])


def test_the_demands_of_a_workspace(panhuo, tmp_path):  # noqa: F811
    text = "需求编号,需求用地面积(亩),投资额(万元),达产税收(万元),达产营业收入(万元)\n"
    file = table(tmp_path / "a.csv", text + "p,10,4000,400,8000\n")
    assert panhuo("import", tmp_path / "ws", file, "--place", "430112").code == 0
    told = judged(panhuo, tmp_path / "ws", *DAY)
    assert told["projects"][0]["admitted"] == "yes" and told["projects"][0]["scheme"] == "wangcheng_448"


def test_common_headers_make_no_demands_of_a_ledger_whose_dataset_is_not_named(panhuo, tmp_path):  # noqa: F811
    file = table(tmp_path / "a.csv", "宗地代码,项目编号,用地面积(亩)\n430112001001GB00001,x,10\n")
    told = panhuo("import", tmp_path / "ws", file, "--dry-run", "--json").json
    assert [entry["dataset"] for entry in told["imports"]] == ["parcels"]


def test_words_and_workbook_in_both_languages(panhuo, tmp_path):  # noqa: F811
    file = table(tmp_path / "a.csv", CHINESE + "1,甲项目,30,1.2,,24000\n")
    outcome = panhuo("admit", file, *AT_448, "-o", tmp_path / "a.xlsx", "--lang", "zh")
    assert outcome.code == 0
    for word in ("甲项目", "待补数据", "达产年税收", "≥ 400 万元/亩", "2022-01-01", "“448”指标", "暂分五等"):
        assert word in outcome.out
    book = load_workbook(tmp_path / "a.xlsx")
    rows = [[cell.value for cell in row] for row in book["准入"]]
    assert rows[1][1:4] == ["甲项目", "430112", "待补数据"]
    assert dict(zip(rows[0], rows[1], strict=True))["投资强度 (万元/亩)"] == pytest.approx(400)
    assert book["依据"].max_row == 4
    english = panhuo("admit", file, *AT_448, "--lang", "en")
    for word in ("unknown 1", "Investment per mu ≥ 400 wan/mu", "from 2022-01-01", "Tax a year"):
        assert word in english.out


@pytest.mark.parametrize(("lang", "words"), [("zh", "≤ 0.52 吨标准煤/万元"), ("en", "≤ 0.52 tce/wan")])
def test_standard_land_in_words_says_what_is_unverified(panhuo, lang, words):  # noqa: F811
    outcome = panhuo("admit", *options(), *DAY, "--lang", lang)
    assert outcome.code == 0
    assert words in outcome.out and {"zh": "M 未核实", "en": "M unverified"}[lang] in outcome.out


HEAD = "项目编号,用地面积(亩),投资额(万元)\n"
REFUSED = {  # the file, and what the message names
    "land in no unit": ("项目编号,用地面积,投资额(万元)\np,30,1200\n", "用地面积（亩）"),
    "words for a number": (HEAD + "p,三十来亩,1200\n", "row 2"),
    "one id twice": (HEAD + "p,30,1200\np,40,1200\n", "编号重复"),
    "no row": (HEAD, "no demands"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_cannot_be_judged_is_refused_with_a_word(panhuo, tmp_path, case):  # noqa: F811
    text, named = REFUSED[case]
    file = table(tmp_path / "a.csv", text)
    outcome = panhuo("admit", file, *AT_448, "-o", tmp_path / "out.xlsx")
    assert outcome.code == 2, outcome.out
    assert named in outcome.err
    assert not (tmp_path / "out.xlsx").exists()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ([], "which projects"),
        (["{f}/a.csv", "--land-mu", "3"], "not both"),
        (["{f}/none.xlsx"], "no such file"),
        (["{f}/none.yaml"], "no such file"),
        (["{f}/b.yaml"], "demands:"),
        (["{f}"], "folder"),
        (["--land-mu", "-3"], "--land-mu"),
        (["--land-mu", "nan"], "--land-mu"),
        (["--land-mu", "3", "--place", "望城"], "division code"),
        (["--land-mu", "3", "--as-of", "昨天"], "not a date"),
        (["--land-mu", "3", "-o", "{f}/a.geojson"], "xlsx csv parquet"),
    ],
)
def test_bad_arguments(panhuo, tmp_path, words, named):  # noqa: F811
    table(tmp_path / "a.csv", HEAD + "p,30,1200\n")
    table(tmp_path / "b.yaml", "investment_wan: 3\n")
    outcome = panhuo("admit", *(word.format(f=tmp_path) for word in words))
    assert outcome.code == 2
    assert named in outcome.err
