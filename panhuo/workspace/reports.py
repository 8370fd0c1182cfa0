"""`panhuo report`: 一地一策 of a parcel (docx, pdf, html), lists (xlsx), the board (html)."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely
from shapely.geometry.base import BaseGeometry

from panhuo.core.problems import PanhuoError
from panhuo.inventory.drawn import Drawn
from panhuo.inventory.geometry import Floats, to_plane, zone_of
from panhuo.inventory.tiling import boxes_of
from panhuo.report.board import board_document
from panhuo.report.chain import placed
from panhuo.report.document import Document
from panhuo.report.lists import LIST_FACTS, check_list, finding_list
from panhuo.report.money_blocks import money_blocks
from panhuo.report.plan_document import plan_document
from panhuo.report.render_docx import to_docx
from panhuo.report.render_html import to_html
from panhuo.report.render_pdf import to_pdf
from panhuo.report.sketch import sketch
from panhuo.rulebook import Rulebook
from panhuo.rulebook.facts import connect
from panhuo.rulebook.spec import field_labels
from panhuo.workspace.explain import explain, rows_of
from panhuo.workspace.found_facts import found_facts
from panhuo.workspace.store import FILE_ROW, Workspace, write_bytes

RENDER: Final[Mapping[str, Callable[[Document], bytes]]] = {
    ".docx": to_docx,
    ".pdf": to_pdf,
    ".html": to_html,
}
COUNTED: Final = {
    "findings": ("parcel_id", "finding_id", "status"),
    "options": ("parcel_id", "tool_id", "rank", "status"),
    "facts": ("parcel_id", "division", "area_m2", "price_wan"),
}
"""What the board counts: a province's tables, read whole, fill a machine."""
NEAR_DEG: Final = 0.004
"""Neighbours within this many degrees (≈ 400 m) of a parcel's box are drawn beside it."""


class Pictures:
    """Sketches of parcels among their neighbours; the boxes of all outlines are read once, when first asked for."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws

    @cached_property
    def _parcels(self) -> pa.Table | None:
        return self._ws.dataset("parcels", columns=["parcel_id", "name"], numbered=True)

    @cached_property
    def _drawn(self) -> Drawn:
        assert self._parcels is not None
        return self._ws.outlines("parcels").only(self._parcels[FILE_ROW].to_numpy())

    @cached_property
    def _boxes(self) -> Floats:
        return boxes_of(self._drawn, workers=2)

    def of(self, unit_id: str) -> bytes | None:
        """The sketch of a parcel (PNG), or None when no outline of it is held."""
        parcels = self._parcels
        row = -1 if parcels is None else pc.index(parcels["parcel_id"], unit_id).as_py()
        if parcels is None or row < 0 or not np.isfinite(self._boxes[row]).all():
            return None
        west, south, east, north = self._boxes[row] + (-NEAR_DEG, -NEAR_DEG, NEAR_DEG, NEAR_DEG)
        low_x, low_y, high_x, high_y = self._boxes.T
        rows = np.flatnonzero((low_x <= east) & (high_x >= west) & (low_y <= north) & (high_y >= south))
        shapes = shapely.from_wkb(self._drawn.take(rows).to_numpy(zero_copy_only=False))
        mine = rows == row
        own: BaseGeometry = shapes[mine][0]
        if own.geom_type not in ("Polygon", "MultiPolygon"):
            return None
        near = ~mine & shapely.intersects(shapes, shapely.box(west, south, east, north))
        outlines = to_plane(np.array([own, *shapes[near]]), zone_of(own.centroid.x))
        name, *names = (
            parcels["name"][i].as_py() or parcels["parcel_id"][i].as_py() for i in (row, *rows[near])
        )
        return sketch(outlines[0], list(zip(names, outlines[1:], strict=True)), name)


def report_parcel(
    ws: Workspace, unit_id: str, output: Path, lang: str = "zh", pictures: Pictures | None = None
) -> dict[str, Any]:
    """Writes the parcel's 一地一策 to `output` (docx, pdf or html by its ending).

    pictures: those of the workspace, where more than one document is written.
    """
    render = renderer(output, RENDER)
    document = parcel_document(ws, unit_id, lang, pictures or Pictures(ws))
    return written(output, render(document))


def parcel_document(ws: Workspace, unit_id: str, lang: str, pictures: Pictures) -> Document:
    """一地一策 of a parcel or batch. Raises PanhuoError when it is not in the latest assessment."""
    chain = explain(ws, unit_id)
    if "findings" not in chain:
        raise PanhuoError(
            f"{unit_id} 是企业，不是地块 an enterprise, not a parcel", remedy="panhuo explain WS ID"
        )
    money = money_blocks(
        rows_of(ws, "appraisals", unit_id), [o["tool_id"] for o in chain["options"]], Rulebook.load(), lang
    )
    return plan_document(chain, field_labels(), pictures.of(unit_id), lang, money)


def report_list(
    ws: Workspace, finding_id: str, output: Path, lang: str = "zh", units: Collection[str] | None = None
) -> dict[str, Any]:
    """Writes the parcels of a finding (of `units`, when given) as xlsx: certain ones, then those undecided and why."""
    renderer(output, {".xlsx": None})
    book = Rulebook.load()
    if finding_id not in book.rules:
        raise PanhuoError(
            f"没有名为 {finding_id} 的结论 no finding of that id", remedy="、".join(sorted(book.rules))
        )
    rows = results(ws, "findings", units, rows=pc.field("finding_id") == finding_id)
    facts = facts_of_list(ws, rows, placed(book.rules[finding_id].message))
    ways = batch_ways(ws, rows, book)
    return written(output, finding_list(rows, facts, ways, book, finding_id, lang)) | {"rows": rows.num_rows}


def batch_ways(ws: Workspace, rows: pa.Table, book: Rulebook) -> dict[str, str]:
    """Parcel → the first tool not closed that belongs to one of the five batches, of the parcels in `rows`."""
    path = assessed(ws) / "options.parquet"
    if not path.is_file():
        return {}
    con = connect()
    con.register("asked", rows.select(["parcel_id"]))
    found = con.execute(
        "SELECT parcel_id, arg_min(tool_id, rank) FROM read_parquet($path) WHERE status <> 'closed' "
        "AND list_contains($tools, tool_id) AND parcel_id IN (SELECT parcel_id FROM asked) GROUP BY 1",
        {"path": str(path), "tools": [name for name, tool in book.tools.items() if tool.batch]},
    ).fetchall()
    con.close()
    return dict(found)


def report_checks(
    ws: Workspace, output: Path, lang: str = "zh", units: Collection[str] | None = None
) -> dict[str, Any]:
    """Writes the four checks (四结合) of each parcel, of `units` when given, as xlsx: facts open and found."""
    renderer(output, {".xlsx": None})
    unknown = results(ws, "findings", units, rows=pc.field("status") == "unknown")
    found = found_facts(ws)
    if units is not None:
        found = {parcel_id: facts for parcel_id, facts in found.items() if parcel_id in set(units)}
    ids = pa.table({"parcel_id": pa.array({*unknown["parcel_id"].to_pylist(), *found}, pa.string())})
    facts = facts_of_list(ws, ids)
    return written(output, check_list(unknown, facts, found, Rulebook.load(), lang)) | {
        "rows": unknown.num_rows
    }


def facts_of_list(ws: Workspace, rows: pa.Table, told: Collection[str] = ()) -> pa.Table:
    """The facts a list tells of the parcels in `rows`: its columns, and those `told` in its messages."""
    ids = pc.unique(rows["parcel_id"]).cast(pa.string())
    return results(ws, "facts", columns=(*LIST_FACTS, *told), rows=pc.field("parcel_id").isin(ids))


def report_board(
    ws: Workspace, output: Path, lang: str = "zh", units: Collection[str] | None = None
) -> dict[str, Any]:
    """Writes the board, of `units` when given: parcels, 亩 and 万元 by finding, tool, division (html, docx or pdf)."""
    render = renderer(output, RENDER)
    manifest = json.loads((assessed(ws) / "manifest.json").read_text(encoding="utf-8"))
    findings, options, facts = (results(ws, name, units, columns=names) for name, names in COUNTED.items())
    document = board_document(findings, options, facts, Rulebook.load(), manifest, lang)
    return written(output, render(document))


def assessed(ws: Workspace) -> Path:
    """The folder of the latest assessment. Raises PanhuoError when there is none."""
    folder = ws.assessment_dir()
    if folder is None:
        raise PanhuoError(
            "尚未诊断 nothing assessed yet",
            where=str(ws.root),
            remedy="先运行 panhuo assess run panhuo assess",
        )
    return folder


def results(
    ws: Workspace,
    table: str,
    units: Collection[str] | None = None,
    *,
    columns: Sequence[str] | None = None,
    rows: pc.Expression | None = None,
) -> pa.Table:
    """A result table of the latest assessment, of `units` alone when given: `rows` and `columns`, those it has."""
    path = assessed(ws) / f"{table}.parquet"
    if units is not None:
        mine = pc.field("parcel_id").isin(pa.array(sorted(units), pa.string()))
        rows = mine if rows is None else rows & mine
    held = pq.read_schema(path).names if path.is_file() else []
    names = None if columns is None else [name for name in dict.fromkeys(columns) if name in held]
    found = ws.assessment(table, columns=names, rows=rows)
    return pa.table({"parcel_id": pa.array([], pa.string())}) if found is None else found


def renderer(output: Path, known: Mapping[str, Any]) -> Any:
    """What renders to the ending of `output`. Raises PanhuoError for another ending."""
    ending = output.suffix.lower()
    if ending not in known:
        raise PanhuoError(
            f"不能写成 {ending or '没有扩展名的文件'} cannot write that kind of file",
            where=str(output),
            remedy=" ".join(known),
        )
    return known[ending]


def written(output: Path, content: bytes) -> dict[str, Any]:
    """Writes `content` whole or not at all; gives `{file, bytes}`."""
    output.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(output, content)
    return {"file": str(output), "bytes": len(content)}
