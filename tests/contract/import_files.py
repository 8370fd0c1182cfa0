"""What the import tests share: the command run in this process, and small files of every format."""

import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyogrio
import pytest
import shapely
import xlsxwriter

from panhuo.cli import main

HEADERS = ["宗地代码", "权利人名称", "坐落", "宗地面积(亩)", "地类编码", "权利性质", "登记时间"]
ROWS = [
    ["430112001001GB00001", "甲公司", "望城区一路1号", 15, "1001", "出让", "2015年3月4日"],
    ["430112001001GB00002", "乙公司", "望城区二路2号", 30.0, "1001", "划拨", "2016/1/9"],
]


class Outcome:
    """Exit code, words and result of one run of the command."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def panhuo(monkeypatch, capsys):
    """Runs the command line and gives its outcome."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["panhuo", *map(str, arguments)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return Outcome(code, out, err)

    return run


def tree(root: Path) -> dict[str, int]:
    """Every file under a folder with its size, to see that nothing changed."""
    return {p.relative_to(root).as_posix(): p.stat().st_size for p in root.rglob("*") if p.is_file()}


def xlsx(path: Path, headers=HEADERS, rows=ROWS, title: str | None = None) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("宗地")
        start = 0
        if title:
            sheet.write(0, 0, title)
            start = 2
        sheet.write_row(start, 0, headers)
        for i, row in enumerate(rows, start + 1):
            sheet.write_row(i, 0, row)
    return path


def text(path: Path, encoding="utf-8", mark=",", headers=HEADERS, rows=ROWS) -> Path:
    lines = [mark.join(map(str, row)) for row in (headers, *rows)]
    path.write_bytes("\n".join(lines).encode(encoding))
    return path


def squares(count=2, origin=(38_400_000.0, 3_120_000.0), step=100.0):
    """Squares of 100 m side, 1 ha, along a row."""
    return [
        shapely.box(origin[0] + i * step, origin[1], origin[0] + i * step + 100, origin[1] + 100)
        for i in range(count)
    ]


def layer(path: Path, shapes=None, crs="EPSG:4526", columns=None, **options) -> Path:
    """A layer of parcels 001, 002 … in the format its name says."""
    shapes = squares() if shapes is None else shapes
    columns = columns or {
        "ZDDM": [f"{i + 1:03d}" for i in range(len(shapes))],
        "QLRMC": [f"单位{i + 1}" for i in range(len(shapes))],
    }
    table = pa.table({**columns, "geom": pa.array(shapely.to_wkb(np.asarray(shapes, object)), pa.binary())})
    kinds = {shapely.get_type_id(s) for s in shapes if s is not None}
    kind = {frozenset({3}): "Polygon", frozenset({6}): "MultiPolygon"}.get(frozenset(kinds), "Unknown")
    if path.suffix == ".gdb":
        options["driver"] = "OpenFileGDB"
    pyogrio.write_arrow(table, path, geometry_name="geom", geometry_type=kind, crs=crs, **options)
    return path


def zipped(path: Path, folder: Path, pattern: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for member in sorted(folder.rglob(pattern)):
            archive.write(member, member.relative_to(folder))
    return path


SURVEY = """[属性描述]
格式版本号=1.01版本
坐标系=2000国家大地坐标系
几度分带=3
带号=38
[地块坐标]
10,{area},GB00001,某地块,面,,工业用地,1001,@
J1,1,3120000.000,38400000.000
J2,1,3120100.000,38400000.000
J3,1,3120100.000,38400100.000
J4,1,3120000.000,38400100.000
J1,1,3120000.000,38400000.000
J5,2,3120020.000,38400020.000
J6,2,3120020.000,38400040.000
J7,2,3120040.000,38400040.000
J8,2,3120040.000,38400020.000
J5,2,3120020.000,38400020.000
"""
