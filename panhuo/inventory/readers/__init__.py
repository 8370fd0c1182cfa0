"""One module per format; `read` picks by what the file is."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Final

from panhuo.core.problems import PanhuoError
from panhuo.core.progress import Tick, silent
from panhuo.inventory.readers.archive import refuse_bomb, unpacked
from panhuo.inventory.readers.boundary_txt import looks_like_boundary_file, read_boundary_txt
from panhuo.inventory.readers.excel import read_excel
from panhuo.inventory.readers.parquet import read_parquet
from panhuo.inventory.readers.raw import HeaderScore, RawTable
from panhuo.inventory.readers.text import decode, read_text
from panhuo.inventory.spec import problem

EXCEL: Final = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
VECTOR: Final = (".shp", ".gpkg", ".gdb", ".geojson", ".json", ".dxf", ".fgb", ".kml", ".gml", ".tab", ".mif")
PARQUET: Final = (".parquet", ".geoparquet")
TEXT: Final = (".csv", ".txt", ".tsv", ".psv")
ENCODED: Final = (*TEXT, ".shp", ".dxf", ".tab", ".mif")
"""Kinds whose text is in a code page; the others say theirs, or are Unicode by definition."""
KNOWN: Final = (*EXCEL, *VECTOR, *PARQUET, *TEXT)
SNIFF: Final = 1 << 16
TOLD_BY: Final = 3
"""So many known headers in its first line make a text a table; those of boundary points are at most X and Y."""

__all__ = ["RawTable", "read"]


def read(
    path: Path, *, encoding: str | None = None, score: HeaderScore, tick: Tick = silent
) -> list[RawTable]:
    """Every table in a file, zip or FileGDB folder. Raises PanhuoError for what cannot be read, with the remedy."""
    file = path.name
    suffix = path.suffix.lower()
    if not path.exists():
        raise PanhuoError("文件不存在 no such file", where=str(path), remedy="检查路径 check the path")
    if path.is_dir() and suffix != ".gdb":
        raise PanhuoError(
            "这是文件夹 this is a folder",
            where=str(path),
            remedy="逐个给出文件（FileGDB 文件夹须以 .gdb 结尾） name its files (a FileGDB folder ends in .gdb)",
        )
    if path.is_file() and path.stat().st_size == 0:
        raise PanhuoError("空文件 the file is empty", where=str(path), remedy="重新导出 export it again")
    if suffix == ".zip":
        return read_zip(path, encoding, score, tick)
    if encoding and suffix in KNOWN and suffix not in ENCODED:
        said = problem("encoding_not_used", file=file, value=encoding, action="not used")
        return [replace(t, problems=(*t.problems, said)) for t in read(path, score=score, tick=tick)]
    if suffix in EXCEL:
        if suffix in (".xlsx", ".xlsm", ".ods", ".xlsb") and path.read_bytes()[:2] == b"PK":
            refuse_bomb(path, file)
        return read_excel(path, file, score)
    if suffix in PARQUET:
        return read_parquet(path, file)
    if suffix in VECTOR:
        # GDAL takes a second to load; a spreadsheet need not wait for it.
        from panhuo.inventory.readers.vector import read_vector  # noqa: PLC0415

        return read_vector(path, file, encoding, tick)
    if suffix in TEXT:
        return read_plain(path, file, encoding, score)
    raise PanhuoError(
        f"不认识的文件类型 unknown kind of file: {suffix or path.name}",
        where=str(path),
        remedy="可用 available: " + " ".join(s.removeprefix(".") for s in (*KNOWN, ".zip")),
    )


def read_plain(path: Path, file: str, encoding: str | None, score: HeaderScore) -> list[RawTable]:
    """A text file: boundary points or a table."""
    with path.open("rb") as stream:
        head = stream.read(SNIFF)
    text, _ = decode(head, file, encoding, whole=len(head) < SNIFF)
    # A sheet of an id and three numbers looks like points too, but for its headers.
    first = next((line for line in text.splitlines() if line.strip()), "")
    if looks_like_boundary_file(text) and score(re.split(r"[,，\t]", first)) < TOLD_BY:
        return read_boundary_txt(path, file, encoding)
    return read_text(path, file, score, encoding)


def read_zip(path: Path, encoding: str | None, score: HeaderScore, tick: Tick) -> list[RawTable]:
    """The one data source inside a zip, or each of several."""
    with unpacked(path, path.name) as folder:
        inside = sorted(p for p in folder.rglob("*") if p.suffix.lower() in KNOWN and within_no_gdb(p))
        if not inside:
            raise PanhuoError(
                "压缩包里没有可读的文件 nothing readable in the archive",
                where=str(path),
                remedy="应含 shp、gdb、gpkg、xlsx、csv 等 it should hold shp, gdb, gpkg, xlsx or csv",
            )
        return [table for p in inside for table in read(p, encoding=encoding, score=score, tick=tick)]


def within_no_gdb(path: Path) -> bool:
    """Whether a path is a data source of its own and no part of a FileGDB folder."""
    return not any(parent.suffix.lower() == ".gdb" for parent in path.parents)
