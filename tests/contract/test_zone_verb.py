"""`panhuo zone`: the indicators of a zones' table in its own heads and units, unknown where a figure is missing."""

import pytest
from import_files import panhuo  # noqa: F401
from openpyxl import load_workbook

HEAD = (
    "开发区编号,开发区名称,已达到供地条件的土地面积（公顷）,已供应国有建设用地面积（公顷）,已建成城镇建设用地面积（公顷）,"
    "工矿仓储用地面积（公顷）,住宅用地面积（公顷）,总建筑面积（万平方米）,工业企业固定资产总额（亿元）,闲置土地面积（公顷）\n"
)
ROWS = HEAD + "A,甲区,280,900,720,360,100,864,216,18\nB,乙区,100,300,,120,,200,8,0\n"


@pytest.fixture
def zones(tmp_path):
    file = tmp_path / "zones.csv"
    file.write_text(ROWS, encoding="utf-8")
    return file


def test_each_indicator_in_the_units_of_the_heads(panhuo, zones):  # noqa: F811
    told = panhuo("zone", zones, "--ideal", "far=1.5", "--ideal", "idle_rate=0.01", "--json").json
    first, second = told["zones"]
    values = {i["indicator"]: i["value"] for i in first["indicators"]}
    assert values["supply_rate"] == pytest.approx(0.9)
    assert values["far"] == pytest.approx(1.2)
    assert values["assets_per_mu"] == pytest.approx(2_160_000 / 5400)  # 216 亿元 over 360 ha
    degrees = {i["indicator"]: i["degree"] for i in first["indicators"] if i["degree"] is not None}
    assert degrees == pytest.approx({"far": 0.8, "idle_rate": 0.5})
    assert (first["type"], second["type"]) == ("industry_led", None)
    lacking = {i["indicator"]: i["missing"] for i in second["indicators"] if i["value"] is None}
    assert lacking["far"] == ["built_m2"]
    assert "tax_per_mu" in lacking
    assert (told["scheme"], told["law"]["mark"]) == ("tdt_1029", "V*")


def test_the_screen_and_the_sheet_say_what_is_missing(panhuo, zones, tmp_path):  # noqa: F811
    shown = panhuo("zone", zones, "-o", tmp_path / "out.xlsx", "--lang", "zh")
    assert shown.code == 0
    for word in ("工业主导型", "待补数据", "乙区 缺 已建成城镇建设用地", "400 万元/亩", "V*"):
        assert word in shown.out
    sheet = load_workbook(tmp_path / "out.xlsx")["集约利用"]
    lines = list(sheet.iter_rows(values_only=True))
    assert lines[0][:4] == ("开发区编号", "开发区", "类型", "指标")
    assert len(lines) == 1 + 2 * 10


def test_zones_held_in_a_workspace(panhuo, zones, tmp_path):  # noqa: F811
    root = tmp_path / "ws"
    assert panhuo("import", root, zones).code == 0
    told = panhuo("zone", root, "--json").json
    assert [one["name"] for one in told["zones"]] == ["甲区", "乙区"]


@pytest.mark.parametrize(
    ("text", "words", "named"),
    [
        (ROWS, ["--ideal", "faar=1"], "supply_rate"),
        (ROWS, ["--ideal", "far"], "far=1.2"),
        (ROWS, ["--ideal", "far=0"], "above 0"),
        (ROWS, ["--ideal", "far=nan"], "above 0"),
        (ROWS, ["--ideal", "far=inf"], "above 0"),
        (ROWS, ["--as-of", "昨天"], "not a date"),
        (ROWS, ["-o", "a.geojson"], "xlsx csv parquet"),
        ("开发区编号,工矿仓储用地面积\nA,3\n", [], "（亩）"),
        (HEAD + "A,甲区,一些,900,720,360,100,864,216,18\n", [], "row 2"),
        (HEAD + "A,甲区,1,9,7,3,1,8,2,1\nA,甲区,1,9,7,3,1,8,2,2\n", [], "编号重复"),
        (HEAD, [], "no zones"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_with_a_word(panhuo, tmp_path, text, words, named):  # noqa: F811
    file = tmp_path / "zones.csv"
    file.write_text(text, encoding="utf-8")
    outcome = panhuo("zone", file, *words)
    assert outcome.code == 2
    assert named in outcome.err
