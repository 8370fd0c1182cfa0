"""`panhuo import` on every format an office sends."""

from datetime import date

import numpy as np
import pyproj
import pytest
import shapely
from import_files import (  # noqa: F401
    HEADERS,
    ROWS,
    SURVEY,
    layer,
    panhuo,
    squares,
    text,
    xlsx,
    zipped,
)
from pyogrio.raw import write

from panhuo.workspace.store import Workspace


def parcels(root):
    return Workspace.open(root).dataset("parcels").sort_by("parcel_id").to_pylist()


def kinds(outcome):
    return {kind for entry in outcome.json["imports"] for kind in entry["problems"]}


@pytest.mark.parametrize(
    "make",
    [
        lambda p: xlsx(p / "台账.xlsx"),
        lambda p: xlsx(p / "有标题.xlsx", title="某县存量土地台账"),
        lambda p: text(p / "utf8.csv"),
        lambda p: text(p / "bom.csv", "utf-8-sig"),
        lambda p: text(p / "gbk.csv", "gbk"),
        lambda p: text(p / "utf16.txt", "utf-16", "\t"),
        lambda p: text(p / "pipe.txt", mark="|"),
        lambda p: zipped(p / "z.zip", text(p / "inner.csv").parent, "*.csv"),
    ],
)
def test_a_ledger_gives_the_same_parcels_in_every_format(panhuo, tmp_path, make):  # noqa: F811
    folder = tmp_path / "in"
    folder.mkdir()
    outcome = panhuo("import", tmp_path / "ws", make(folder), "--json")
    assert outcome.code == 0, outcome.err
    entry = outcome.json["imports"][0]
    assert (entry["dataset"], entry["rows"], entry["taken"], entry["refused"]) == ("parcels", 2, 2, 0)
    one, two = parcels(tmp_path / "ws")
    assert one["area_m2"] == pytest.approx(10_000)
    assert (one["tenure"], two["tenure"]) == ("granted", "allocated")
    assert (one["acquired_on"], two["acquired_on"]) == (date(2015, 3, 4), date(2016, 1, 9))
    assert one["holder"] == "甲公司"
    assert two["source_row"] == one["source_row"] + 1


def test_a_guessed_code_page_is_said_with_a_sample(panhuo, tmp_path):  # noqa: F811
    outcome = panhuo("import", tmp_path / "ws", text(tmp_path / "gbk.csv", "gbk"), "--json")
    assert "encoding_assumed" in kinds(outcome)
    notes = panhuo("check", tmp_path / "ws", "--json").json["problems"]
    assert next(n for n in notes if n["type"] == "encoding_assumed")["value"].startswith("宗地代码")


@pytest.mark.parametrize("name", ["p.shp", "p.gpkg", "p.gdb", "p.geojson", "p.fgb"])
def test_a_layer_gives_outlines_in_degrees_and_areas(panhuo, tmp_path, name):  # noqa: F811
    shapes, crs = squares(), "EPSG:4526"
    if name == "p.geojson":  # RFC 7946 knows degrees only
        move = pyproj.Transformer.from_crs(4526, 4490, always_xy=True).transform
        shapes, crs = [shapely.transform(s, move, interleaved=False) for s in shapes], "EPSG:4490"
    outcome = panhuo("import", tmp_path / "ws", layer(tmp_path / name, shapes, crs), "--json")
    assert outcome.code == 0, outcome.err
    rows = parcels(tmp_path / "ws")
    assert [r["parcel_id"] for r in rows] == ["001", "002"]
    assert [r["drawn_area_m2"] for r in rows] == pytest.approx([10_000] * 2, rel=1e-3)
    assert rows[0]["area_m2"] == rows[0]["drawn_area_m2"]
    middle = shapely.centroid(shapely.from_wkb(rows[0]["geometry"]))
    assert (middle.x, middle.y) == pytest.approx((112.98, 28.19), abs=0.02)
    assert rows[0]["crs_given"] == crs
    back = pyproj.Transformer.from_crs(4490, crs, always_xy=True).transform
    again = shapely.transform(shapely.from_wkb(rows[0]["geometry"]), back, interleaved=False)
    assert shapely.hausdorff_distance(again, shapes[0]) < 1e-5


def test_a_zipped_shapefile_in_gbk_without_prj_and_cpg(panhuo, tmp_path):  # noqa: F811
    folder = tmp_path / "in"
    folder.mkdir()
    write(
        folder / "宗地.shp",
        np.array(shapely.to_wkb(squares()), object),
        [np.array(["001", "002"], object), np.array(["单位1", "单位2"], object)],
        ["ZDDM", "QLRMC"],
        geometry_type="Polygon",
        crs="EPSG:4526",
        encoding="GBK",
    )
    (folder / "宗地.prj").unlink()
    (folder / "宗地.cpg").unlink(missing_ok=True)
    outcome = panhuo("import", tmp_path / "ws", zipped(tmp_path / "shp.zip", folder, "*"), "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.json["imports"][0]["crs"] == "EPSG:4526"
    assert {"crs_assumed", "encoding_assumed"} <= kinds(outcome)
    assert parcels(tmp_path / "ws")[0]["holder"] == "单位1"


def test_a_zipped_file_geodatabase(panhuo, tmp_path):  # noqa: F811
    folder = tmp_path / "in"
    folder.mkdir()
    layer(folder / "p.gdb")
    outcome = panhuo("import", tmp_path / "ws", zipped(tmp_path / "gdb.zip", folder, "*"), "--json")
    assert outcome.code == 0, outcome.err
    assert len(parcels(tmp_path / "ws")) == 2


def test_closed_lines_of_a_drawing_are_parcels_named_by_the_text_inside(panhuo, tmp_path):  # noqa: F811
    shapes = [shapely.LineString(s.exterior) for s in squares()] + [
        shapely.LineString([(38_400_000, 3_120_000), (38_400_900, 3_120_050)])
    ]
    path = tmp_path / "p.dxf"
    wkb = np.array(shapely.to_wkb(shapes), object)
    write(path, wkb, [], [], driver="DXF", geometry_type="LineString", crs="EPSG:4526")
    outcome = panhuo("import", tmp_path / "ws", path, "--as", "parcels", "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.json["imports"][0]["taken"] == 2
    assert outcome.json["imports"][0]["problems"]["line_open"] == 1
    assert [r["area_m2"] for r in parcels(tmp_path / "ws")] == pytest.approx([10_000] * 2)


def survey(path, text_, encoding="gbk"):
    path.write_bytes(text_.replace("\n", "\r\n").encode(encoding))
    return path


OPEN = SURVEY.replace("J1,1,3120000.000,38400000.000\nJ5", "J5")
SWAPPED = "\n".join(
    ",".join([*line.split(",")[:2], line.split(",")[3], line.split(",")[2]]) if line.startswith("J") else line
    for line in SURVEY.splitlines()
)
PLAIN_EAST = SURVEY.replace(",384", ",4")
HEADLESS = "\n".join(SURVEY.splitlines()[6:])


@pytest.mark.parametrize(
    ("content", "epsg", "told"),
    [
        (SURVEY, "EPSG:4526", "crs_read"),
        (OPEN, "EPSG:4526", "ring_open"),
        (SWAPPED, "EPSG:4526", "axes_swapped"),
        (PLAIN_EAST, "EPSG:4547", "crs_read"),
        (HEADLESS, "EPSG:4526", "crs_assumed"),
    ],
)
def test_boundary_point_files_and_their_quirks(panhuo, tmp_path, content, epsg, told):  # noqa: F811
    path = survey(tmp_path / "界址点.txt", content.format(area="0.9600公顷"))
    outcome = panhuo("import", tmp_path / "ws", path, "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.json["imports"][0]["crs"] == epsg
    assert told in kinds(outcome)
    (row,) = parcels(tmp_path / "ws")
    assert row["drawn_area_m2"] == pytest.approx(9_600)
    assert row["area_m2"] == pytest.approx(9_600)
    shape = shapely.from_wkb(row["geometry"])
    assert len(shape.interiors) == 1
    assert shape.covers(shape.representative_point())


def test_a_stated_area_in_the_wrong_unit_is_doubted(panhuo, tmp_path):  # noqa: F811
    path = survey(tmp_path / "界址点.txt", SURVEY.format(area="14.4"))
    outcome = panhuo("import", tmp_path / "ws", path, "--json")
    assert outcome.json["imports"][0]["problems"]["area_unit_slip"] == 1


def test_an_encoding_given_for_a_file_that_states_its_own_is_told_as_unused(panhuo, tmp_path):  # noqa: F811
    asked = ["--encoding", "GBK", "--json"]
    for path in (xlsx(tmp_path / "a.xlsx"), layer(tmp_path / "b.gpkg")):
        outcome = panhuo("import", tmp_path / path.stem, path, *asked)
        assert outcome.code == 0, outcome.err
        assert outcome.json["imports"][0]["problems"]["encoding_not_used"] == 1
    outcome = panhuo("import", tmp_path / "c", text(tmp_path / "c.csv", "gbk"), *asked)
    assert "encoding_not_used" not in kinds(outcome)


def test_unmatched_columns_are_listed_and_a_mapping_can_be_kept(panhuo, tmp_path):  # noqa: F811
    headers = ["LOT", *HEADERS[1:], "奇怪的列"]
    rows = [[*row, "x"] for row in ROWS]
    path = xlsx(tmp_path / "a.xlsx", headers, rows)
    mapping = tmp_path / "map.yaml"
    mapping.write_text("datasets: {parcels: {fields: {parcel_id: LOT}}}", encoding="utf-8")
    outcome = panhuo(
        "import", tmp_path / "ws", path, "--map", mapping, "--save-map", tmp_path / "used.yaml", "--json"
    )
    assert outcome.code == 0, outcome.err
    assert outcome.json["imports"][0]["problems"]["unmatched_column"] == 1
    again = panhuo("import", tmp_path / "ws2", path, "--map", tmp_path / "used.yaml", "--json")
    assert again.code == 0, again.err
    assert parcels(tmp_path / "ws2") == parcels(tmp_path / "ws")


def test_one_file_of_supply_results_feeds_contracts_and_parcels(panhuo, tmp_path):  # noqa: F811
    headers = [
        "电子监管号",
        "行政区",
        "项目名称",
        "项目位置",
        "面积(公顷)",
        "土地来源",
        "土地用途",
        "供地方式",
        "土地级别",
        "成交价格(万元)",
        "土地使用权人",
        "约定开工时间",
        "约定竣工时间",
        "合同签订日期",
    ]
    row = [
        "4301122017B00017",
        "望城区",
        "某厂",
        "某路",
        "2.5",
        "现有建设用地",
        "工业用地",
        "挂牌出让",
        "一级",
        "100.5",
        "甲公司",
        "2018年01月09日",
        "2020年01月09日",
        "2017年01月09日",
    ]
    outcome = panhuo(
        "import", tmp_path / "ws", text(tmp_path / "a.csv", headers=headers, rows=[row]), "--json"
    )
    assert {e["dataset"] for e in outcome.json["imports"]} == {"contracts", "parcels"}
    (parcel,) = parcels(tmp_path / "ws")
    (contract,) = Workspace.open(tmp_path / "ws").dataset("contracts").to_pylist()
    assert parcel["parcel_id"] == contract["parcel_id"] == contract["contract_no"] == "4301122017B00017"
    assert (parcel["division"], parcel["area_m2"], parcel["price_wan"]) == ("430112", 25_000.0, 100.5)
    assert contract["start_by"] == date(2018, 1, 9)
    assert contract["work_state"] is None
    only = panhuo("import", tmp_path / "ws3", tmp_path / "a.csv", "--as", "contracts", "--json")
    assert [e["dataset"] for e in only.json["imports"]] == ["contracts"]


def test_an_agreed_handover_is_not_an_actual_one(panhuo, tmp_path):  # noqa: F811
    headers = ["合同编号", "宗地编号", "合同签订日期", "约定交地时间", "实际交地时间", "开工状态"]
    rows = [
        ["HT1", "GB1", "2015-01-05", "2015-03-01", "", "未开工"],
        ["HT2", "GB2", "2015-01-05", "2015-03-01", "2016-07-01", "未开工"],
    ]
    path = text(tmp_path / "a.csv", headers=headers, rows=rows)
    outcome = panhuo("import", tmp_path / "ws", path, "--as", "contracts", "--json")
    assert outcome.code == 0, outcome.err
    agreed, handed_over = (
        Workspace.open(tmp_path / "ws").dataset("contracts").sort_by("contract_no").to_pylist()
    )
    assert agreed["delivery_by"] == handed_over["delivery_by"] == date(2015, 3, 1)
    # Order 53 article 22 counts from the actual handover (交地确认书): one merely agreed starts no clock.
    assert agreed["delivered_on"] is None
    assert handed_over["delivered_on"] == date(2016, 7, 1)


def test_a_layer_keeps_its_other_columns(panhuo, tmp_path):  # noqa: F811
    path = layer(tmp_path / "永久基本农田.gpkg", columns={"BSM": ["a", "b"], "地力": ["一等", "二等"]})
    outcome = panhuo("import", tmp_path / "ws", path, "--json")
    assert outcome.json["imports"][0]["dataset"] == "layers/permanent_farmland"
    rows = Workspace.open(tmp_path / "ws").dataset("layers/permanent_farmland").to_pylist()
    assert rows[0]["attributes"] == '{"地力": "一等"}'


@pytest.mark.parametrize(("header", "told"), [("宗地面积", "unit_assumed"), ("宗地面积(亩)", None)])
def test_areas_without_a_unit_are_read_by_their_outlines(panhuo, tmp_path, header, told):  # noqa: F811
    path = layer(tmp_path / "p.gpkg", columns={"宗地代码": ["1", "2"], header: [15.0, 15.01]})
    outcome = panhuo("import", tmp_path / "ws", path, "--json")
    problems = outcome.json["imports"][0]["problems"]
    assert ("unit_assumed" in problems) == (told is not None)
    assert "area_unit_slip" not in problems
    assert [r["area_m2"] for r in parcels(tmp_path / "ws")] == pytest.approx([10_000, 15.01 * 2000 / 3])


def test_a_header_of_two_lines_is_read_as_one(panhuo, tmp_path):  # noqa: F811
    import xlsxwriter

    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.merge_range(0, 0, 0, 4, "供地台账")
        sheet.write_row(1, 0, ["宗地编号", "合同编号", "合同签订日期"])
        sheet.merge_range(1, 3, 1, 4, "约定")
        sheet.write_row(2, 3, ["开工时间", "竣工时间"])
        sheet.write_row(3, 0, ["A1", "H1", "2016-01-01", "2017-01-01", "2019-01-01"])
    outcome = panhuo("import", tmp_path / "ws", path, "--as", "contracts", "--json")
    assert outcome.code == 0, outcome.err
    (row,) = Workspace.open(tmp_path / "ws").dataset("contracts").to_pylist()
    assert (row["start_by"], row["finish_by"], row["source_row"]) == (date(2017, 1, 1), date(2019, 1, 1), 4)


def test_what_was_assumed_is_said_in_words(panhuo, tmp_path):  # noqa: F811
    path = survey(tmp_path / "界址点.txt", HEADLESS.format(area="0.96"))
    assert "EPSG:4526" in panhuo("import", tmp_path / "ws", path).out
    headers = [*HEADERS, "奇怪的列"]
    path = xlsx(tmp_path / "a.xlsx", headers, [[*row, "x"] for row in ROWS])
    assert "奇怪的列" in panhuo("import", tmp_path / "ws", path).out


@pytest.mark.parametrize(
    "headers", [["宗地编号", "坐落", "经度", "纬度"], ["宗地编号", "坐落", "纬度", "经度"]]
)
def test_longitude_and_latitude_make_points_even_when_exchanged(panhuo, tmp_path, headers):  # noqa: F811
    path = text(
        tmp_path / "a.csv", headers=headers, rows=[["A", "一路", 112.97, 28.2], ["B", "二路", 112.98, 28.21]]
    )
    outcome = panhuo("import", tmp_path / "ws", path, "--json")
    assert outcome.code == 0, outcome.err
    assert ("swapped_columns" in outcome.json["imports"][0]["problems"]) == (headers[2] == "纬度")
    one, _ = parcels(tmp_path / "ws")
    assert (one["lon"], one["lat"]) == (112.97, 28.2)
    assert shapely.from_wkb(one["geometry"]).equals(shapely.Point(112.97, 28.2))
    assert one["drawn_area_m2"] is None
