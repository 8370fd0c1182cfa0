"""Bad input: one clear message with place and remedy, exit 2, the workspace as it was."""

import struct
import zipfile

import pytest
import shapely
from import_files import HEADERS, ROWS, layer, panhuo, squares, text, tree, xlsx  # noqa: F401

from panhuo.workspace.store import Workspace


@pytest.fixture
def ws(panhuo, tmp_path):  # noqa: F811
    """A workspace that holds two parcels."""
    root = tmp_path / "ws"
    good = tmp_path / "good"
    good.mkdir()
    assert panhuo("import", root, text(good / "先有.csv"), "--json").code == 0
    return root


def changed(row, **cells):
    """A row of the ledger with other cells."""
    out = list(row)
    for header, value in cells.items():
        out[HEADERS.index(header)] = value
    return out


def bad_row(path, **cells):
    return text(path / "a.csv", rows=[ROWS[0], changed(ROWS[1], **cells)])


def truncated(path):
    whole = xlsx(path / "whole.xlsx").read_bytes()
    (path / "a.xlsx").write_bytes(whole[: len(whole) // 2])
    return path / "a.xlsx"


def empty(path):
    (path / "a.xlsx").write_bytes(b"")
    return path / "a.xlsx"


def locked(path):
    """The frame of an encrypted workbook: an OLE file that names an encrypted package."""
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
    (path / "a.xlsx").write_bytes(ole + "EncryptedPackage".encode("utf-16-le") + bytes(512))
    return path / "a.xlsx"


def bomb(path):
    with (
        zipfile.ZipFile(path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.csv", "w") as stream,
    ):
        for _ in range(200):
            stream.write(bytes(1 << 20))
    return path / "a.zip"


def xlsx_bomb(path):
    sheet = "xl/worksheets/sheet1.xml"
    with (
        zipfile.ZipFile(path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(sheet, "w") as stream,
    ):
        for _ in range(200):
            stream.write(b" " * (1 << 20))
    return path / "a.xlsx"


def wide_text(path):
    (path / "a.csv").write_bytes(b"," * 10_000_000 + b"\n")
    return path / "a.csv"


def wide_sheet(path):
    return xlsx(path / "a.xlsx", [*HEADERS, *(["x"] * 5_000)], [])


def mixed(path):
    return layer(path / "a.gpkg", [*squares(2), *squares(1, (37_500_000.0, 3_120_000.0))])


def bow_tie(path):
    tie = shapely.Polygon(
        [(38_400_000, 3_120_000), (38_400_100, 3_120_100), (38_400_100, 3_120_000), (38_400_000, 3_120_100)]
    )
    return layer(path / "a.gpkg", [squares(1)[0], tie])


def wrong_geoparquet(path):
    (path / "a.parquet").write_bytes(b"PAR1" + struct.pack("<I", 0) + b"PAR1")
    return path / "a.parquet"


def broken_survey(path):
    (path / "a.txt").write_text(
        "[地块坐标]\n4,1,A,B,面,,,,@\nJ1,1,3120000,38400000\n这一行坏了\n", encoding="gbk"
    )
    return path / "a.txt"


CASES = {
    "missing file": (lambda p: p / "none.xlsx", ["不存在", "none.xlsx"]),
    "directory": (lambda p: p, ["文件夹", "remedy"]),
    "empty file": (empty, ["空文件", "a.xlsx"]),
    "truncated file": (truncated, ["读不出来", "a.xlsx"]),
    "password": (locked, ["密码", "a.xlsx"]),
    "zip bomb": (bomb, ["压缩炸弹", "a.zip"]),
    "xlsx bomb": (xlsx_bomb, ["压缩炸弹", "a.xlsx"]),
    "mixed CRS": (mixed, ["多种坐标系", "row 3"]),
    "self-crossing polygon": (bow_tie, ["自相交", "row 2", "geometry"]),
    "duplicate id": (lambda p: bad_row(p, 宗地代码=ROWS[0][0]), ["编号重复", "row 2", "parcel_id"]),
    "date in 2099": (
        lambda p: bad_row(p, 登记时间="2099-01-01"),
        ["将来", "row 3", "acquired_on", "2099-01-01"],
    ),
    "text for a number": (
        lambda p: bad_row(p, **{"宗地面积(亩)": "很大"}),
        ["数字列", "row 3", "area_m2", "很大"],
    ),
    "10^7 columns": (wide_text, ["列数过多", "10,000,001"]),
    "wide sheet": (wide_sheet, ["列数过多"]),
    "no dataset": (
        lambda p: text(p / "a.csv", headers=["甲", "乙"], rows=[["1", "2"]]),
        ["看不出", "甲, 乙", "--as"],
    ),
    "unknown kind": (lambda p: text(p / "a.pptx", "gbk"), ["不认识的文件类型", ".pptx"]),
    "broken parquet": (wrong_geoparquet, ["读不出来", "a.parquet"]),
    "broken survey file": (broken_survey, ["界址点行读不懂", "row 4"]),
    "wrong encoding": (lambda p: text(p / "a.csv", "gbk"), ["utf-8", "--encoding"]),
    "shifted row": (lambda p: text(p / "a.csv", rows=[ROWS[0], [*ROWS[1], "多", "出"]]), ["错列", "row 3"]),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_input_leaves_the_workspace_alone(panhuo, ws, tmp_path, name):  # noqa: F811
    make, words = CASES[name]
    folder = tmp_path / "bad"
    folder.mkdir()
    path = make(folder)
    extra = ["--encoding", "utf-8"] if name == "wrong encoding" else []
    before = tree(ws)
    outcome = panhuo("import", ws, path, *extra, "--json")
    assert outcome.code == 2, (outcome.out, outcome.err)
    assert tree(ws) == before
    said = " ".join(str(v) for v in outcome.json["error"].values())
    for word in (w for w in words if w != "remedy"):
        assert word in said, said
    assert outcome.json["error"]["remedy"]
    assert outcome.json["error"]["where"]
    assert outcome.json["error"]["what"] in outcome.err


def test_a_bad_file_leaves_no_folder_behind(panhuo, tmp_path):  # noqa: F811
    (tmp_path / "a.csv").write_bytes(b"")
    assert panhuo("import", tmp_path / "new", tmp_path / "a.csv").code == 2
    assert not (tmp_path / "new").exists()


def test_one_bad_file_stops_the_good_ones_beside_it(panhuo, ws, tmp_path):  # noqa: F811
    good = text(tmp_path / "b.csv", rows=[changed(ROWS[0], 宗地代码="430112001001GB00009")])
    before = tree(ws)
    assert panhuo("import", ws, good, bad_row(tmp_path, 登记时间="2099-01-01")).code == 2
    assert tree(ws) == before


def test_the_rest_can_be_taken_when_asked(panhuo, tmp_path):  # noqa: F811
    outcome = panhuo(
        "import", tmp_path / "ws", bad_row(tmp_path, 登记时间="2099-01-01"), "--accept-partial", "--json"
    )
    assert outcome.code == 0
    entry = outcome.json["imports"][0]
    assert (entry["rows"], entry["taken"], entry["refused"]) == (2, 1, 1)
    assert entry["problems"]["date_future"] == 1
    assert Workspace.open(tmp_path / "ws").dataset("parcels").num_rows == 1


def test_a_dry_run_writes_nothing(panhuo, ws, tmp_path):  # noqa: F811
    before = tree(ws)
    outcome = panhuo(
        "import", ws, text(tmp_path / "b.csv", rows=[changed(ROWS[0], 坐落="别处")]), "--dry-run", "--json"
    )
    assert outcome.code == 0
    assert outcome.json["imports"][0]["taken"] == 1
    assert tree(ws) == before


def test_a_second_writer_is_refused(panhuo, ws, tmp_path):  # noqa: F811
    with Workspace.open(ws).locked():
        outcome = panhuo("import", ws, text(tmp_path / "b.csv"))
    assert outcome.code == 2
    assert "另一个进程" in outcome.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["import"],
        ["nonsense"],
        ["import", "x", "y", "--no-such-option"],
        ["check", "/none"],
        ["import", "w", "f.csv", "--vintage", "soon"],
    ],
)
def test_bad_usage_is_exit_2(panhuo, arguments):  # noqa: F811
    outcome = panhuo(*arguments)
    assert outcome.code == 2
    assert outcome.err


def test_both_languages(panhuo, tmp_path):  # noqa: F811
    path = text(tmp_path / "a.csv")
    assert "2 行" in panhuo("--lang", "zh", "import", tmp_path / "w1", path).out
    assert "2 rows" in panhuo("--lang", "en", "import", tmp_path / "w2", path).out


@pytest.mark.parametrize("numbered", [False, True])
def test_a_row_of_totals_is_no_parcel_and_is_told(panhuo, tmp_path, numbered):  # noqa: F811
    rows = [*ROWS, ["合 计", "", "", 45, "", "", ""], ["43011200199", "合计投资公司", "三路", 5, "", "", ""]]
    headers = list(HEADERS)
    if numbered:
        headers = ["序号", *headers]
        rows = [[str(n), *row] for n, row in enumerate(rows)]
        rows[2] = ["合计", "", *rows[2][2:]]
    told = panhuo("import", tmp_path / "w", text(tmp_path / "a.csv", headers=headers, rows=rows), "--json")
    assert told.code == 0, told.err
    (entry,) = told.json["imports"]
    assert (entry["rows"], entry["taken"], entry["problems"]["totals_row"]) == (3, 3, 1)
    assert [n["value"] for n in entry["notes"] if n["type"] == "totals_row"] == ["row 4"]
    ids = Workspace.open(tmp_path / "w").dataset("parcels")["parcel_id"].to_pylist()
    assert ids == [ROWS[0][0], ROWS[1][0], "43011200199"]
