"""The outlines of a table: where they lie, whether they hold, how large they are."""

import re
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from panhuo.core.problems import Problem
from panhuo.core.progress import Tick, silent
from panhuo.inventory.crs import CHINA, place
from panhuo.inventory.geometry_check import Floats, Piece, check, decode, parallel
from panhuo.inventory.mapping import Plan
from panhuo.inventory.readers import RawTable
from panhuo.inventory.spec import FieldSpec, Words, dataset_spec, problem
from panhuo.inventory.values import Fault, to_float

ANY_NUMBER: Final = FieldSpec(label=Words(zh="数", en="number"), type="float")
WEB_MAP: Final = re.compile(r"gcj.?02|bd.?09|amap|baidu|高德|百度", re.IGNORECASE)
"""Names that tell coordinates of web maps, which are shifted by hundreds of metres."""


@dataclass(frozen=True, slots=True)
class Located:
    """Outline columns of a table. geometry: WKB in the CRS `epsg`; area_m2: drawn [m²]."""

    geometry: pa.ChunkedArray
    area_m2: pa.Array
    epsg: str
    faults: list[Fault]
    notes: tuple[Problem, ...]


def locate(
    raw: RawTable, plan: Plan, crs: str | None, zone_hint: int | None, tick: Tick = silent
) -> Located | None:
    """The outlines of a table, or points from its longitude and latitude; None when it has neither."""
    column = raw.geometry if raw.geometry is not None else points(raw, plan)
    if column is None or column.null_count == len(column):
        return None
    pieces = decode(column)
    boxes = np.array([piece.box for piece in pieces])
    placing = place(boxes, raw.crs, crs, raw.where, zone_hint, lambda: bounds(pieces))
    if placing.swap:
        pieces = parallel(Piece.swapped, pieces)
    strict = not plan.lenient and not plan.dataset.startswith("layers/")
    outlines = check(pieces, placing.epsg, strict, tick)
    area = pa.array(outlines.area_m2, pa.float64(), mask=np.isnan(outlines.area_m2))
    notes = [*placing.problems]
    if WEB_MAP.search(f"{raw.file} {raw.layer}"):
        notes.append(problem("crs_suspect", file=raw.where, field="geometry", value=raw.where, action="kept"))
    return Located(outlines.given, area, placing.epsg, outlines.faults, tuple(notes))


def bounds(pieces: list[Piece]) -> Floats:
    """The boxes of the rows of a table, NaN where there is no outline that can be read."""
    boxes = np.concatenate(parallel(Piece.bounds, pieces))
    return boxes[np.argsort(np.concatenate([piece.rows for piece in pieces]))]


def right_way_round(raw: RawTable, plan: Plan) -> tuple[Plan, list[Problem]]:
    """The plan with its longitude and latitude exchanged where the columns of a Chinese file plainly are."""
    if not {"lon", "lat"} <= set(plan.feeds):
        return plan, []
    middle = []
    for name in ("lon", "lat"):
        numbers, _ = to_float(raw.columns[plan.feeds[name][0].column], ANY_NUMBER, "")
        middle.append(pc.quantile(numbers, 0.5)[0].as_py() or 0.0)
    west, south, east, north = CHINA
    if not (south <= middle[0] <= north and west <= middle[1] <= east):
        return plan, []
    feeds = {**plan.feeds, "lon": plan.feeds["lat"], "lat": plan.feeds["lon"]}
    headers = ", ".join(raw.headers[plan.feeds[n][0].column] for n in ("lon", "lat"))
    note = problem(
        "swapped_columns", file=raw.where, field="lon, lat", value=headers, action="mended: exchanged"
    )
    return replace(plan, feeds=feeds), [note]


def points(raw: RawTable, plan: Plan) -> pa.ChunkedArray | None:
    """Points of the columns that feed `lon` and `lat`."""
    if not {"lon", "lat"} <= set(plan.feeds):
        return None
    fields = dataset_spec(plan.dataset).fields
    lon, lat = (
        pc.fill_null(to_float(raw.columns[plan.feeds[n][0].column], fields[n], "")[0], float("nan")).to_numpy(
            zero_copy_only=False
        )
        for n in ("lon", "lat")
    )
    wkb = shapely.to_wkb(shapely.points(lon, lat))
    return pa.chunked_array([pa.array(wkb, pa.binary(), mask=np.isnan(lon) | np.isnan(lat))])
