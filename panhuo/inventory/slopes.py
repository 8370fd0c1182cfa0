"""Slopes of all parcels of a ledger from the elevation files it holds, a block of a file at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyproj
from shapely.geometry.base import BaseGeometry

from panhuo.core.problems import PanhuoError, Problem
from panhuo.inventory.drawn import Drawn
from panhuo.inventory.geometry import Floats, Ints, required_column
from panhuo.inventory.spec import problem
from panhuo.inventory.terrain import SLOPES_SCHEMA, Dem, DemFile, open_dem, slope_facts
from panhuo.inventory.tiling import boxes_of

BLOCK: Final = 2048
"""Rows and columns of a file looked at together."""
RIM: Final = 2
"""Cells beyond a parcel that its slope looks at."""


def slopes(
    parcels: pa.Table,
    files: Sequence[Path],
    class_bounds_deg: list[float],
    gentle_deg: tuple[float, float],
    drawn: Drawn | None = None,
) -> tuple[pa.Table, list[Problem]]:
    """Slope facts (SLOPES_SCHEMA) of the parcels that lie wholly on one of `files`; the rest have no row.

    parcels: `parcel_id`, `geometry` (WKB, EPSG:4490; `drawn` where the table does not hold it). Where files overlap the
    one that holds more of a parcel counts, the earlier of two equals. One problem row tells a parcel that is only
    partly on a grid, one more how many are off them all.
    """
    drawn = drawn or Drawn.of_column(required_column(parcels, "geometry"))
    ids, boxes = required_column(parcels, "parcel_id"), boxes_of(drawn)
    told, doubts = [SLOPES_SCHEMA.empty_table()], dict[str, Problem]()
    for path in files:
        with open_dem(path) as source:
            for rows, first, beyond in _blocks(source, boxes):
                grid = source.read((first[0], beyond[0]), (first[1], beyond[1]))
                here = pa.table({"parcel_id": ids.take(pa.array(rows)), "geometry": drawn.take(rows)})
                found, problems = slope_facts(here, grid, class_bounds_deg, gentle_deg)
                told.append(found)
                doubts |= {p.value: replace(p, row=int(rows[p.row - 1]) + 1) for p in problems if p.row}
    whole = pa.concat_tables(told)
    known = _best(whole.filter(pc.is_valid(whole["slope_mean_deg"])))
    touched = set(whole.filter(pc.greater(whole["dem_share"], 0))["parcel_id"].to_pylist())
    partial = touched - set(known["parcel_id"].to_pylist())
    problems = [doubts[name] for name in doubts if name in partial]
    placed = int(np.isfinite(boxes[:, 0]).sum())
    if off := placed - len(touched):
        action = f"unknown: {off} 宗不在高程范围内 parcels lie off the elevation grids"
        problems.append(problem("dem_partial", field="geometry", value=f"{off}/{placed}", action=action))
    return known, problems


def _best(known: pa.Table) -> pa.Table:
    """One row for each parcel, that of the file which holds most of it."""
    order = pc.sort_indices(known, [("parcel_id", "ascending"), ("dem_share", "descending")])
    sorted_ = known.take(order)
    ids = sorted_["parcel_id"].combine_chunks()
    first = np.ones(len(ids), bool)
    if len(ids) > 1:
        first[1:] = pc.not_equal(ids.slice(1), ids.slice(0, len(ids) - 1)).to_numpy(zero_copy_only=False)
    return sorted_.filter(pa.array(first))


def _blocks(source: DemFile, boxes: Floats) -> Iterator[tuple[Ints, tuple[int, int], tuple[int, int]]]:
    """(parcels, first row and column, last row and column beyond) for each block of the file that holds parcels.

    A parcel belongs to the block its north-western corner lies in; what is read reaches round all of its parcels.
    """
    cells = _cell_boxes(source, boxes)
    height, width = source.source.shape
    on = np.flatnonzero(
        (cells[:, 2] > 0) & (cells[:, 0] < height) & (cells[:, 3] > 0) & (cells[:, 1] < width)
    )
    if not len(on):
        return
    low = np.clip(cells[on, :2], 0, None)
    block = (low[:, 0] // BLOCK) * (width // BLOCK + 1) + low[:, 1] // BLOCK
    order = np.argsort(block, kind="stable")
    for rows in np.split(on[order], np.flatnonzero(np.diff(block[order])) + 1):
        top, left = np.clip(cells[rows, :2].min(0) - RIM, 0, None)
        bottom, right = np.minimum(cells[rows, 2:].max(0) + RIM, (height, width))
        yield rows, (int(top), int(left)), (int(bottom), int(right))


def _cell_boxes(source: DemFile, boxes: Floats) -> Ints:
    """First row and column, last row and column beyond, of each box [degrees]; far off the grid where there is none."""
    turn = source.source.transform
    move = pyproj.Transformer.from_crs(source.crs.geodetic_crs, source.crs, always_xy=True)
    corners = [move.transform(boxes[:, i], boxes[:, j]) for i in (0, 2) for j in (1, 3)]
    column = (np.array([x for x, _ in corners]) - turn.c) / turn.a
    row = (np.array([y for _, y in corners]) - turn.f) / turn.e
    found = np.stack([row.min(0), column.min(0), row.max(0) + 1, column.max(0) + 1], axis=1)
    return np.where(np.isfinite(found), np.floor(np.clip(found, -1e9, 1e9)), -1e9).astype(np.int64)


def grid_about(files: Sequence[Path], outline: BaseGeometry) -> Dem:
    """The elevation about an outline (EPSG:4490) from the first of `files` that holds it all.

    Raises PanhuoError when none does.
    """
    boxes = np.array([outline.bounds])
    for path in files:
        with open_dem(path) as source:
            (top, left, bottom, right) = (int(v) for v in _cell_boxes(source, boxes)[0])
            height, width = source.source.shape
            if top >= 0 and left >= 0 and bottom <= height and right <= width:
                rim = max(RIM, (bottom - top) // 10, (right - left) // 10)
                rows = max(top - rim, 0), min(bottom + rim, height)
                return source.read(rows, (max(left - rim, 0), min(right + rim, width)))
    raise PanhuoError(
        "没有覆盖该宗地的高程 no elevation grid holds the parcel",
        why=f"{len(files)} 个高程文件 grids held",
        remedy="先导入高程 import one: panhuo import WS dem.tif",
    )
