"""Where outlines contradict each other or their papers.

Overlaps, duplicate outlines, slivers and gaps between parcels; area on paper against area drawn; one
certificate on two outlines and two certificates on one. Rights may carry a height range (`z_min_m`,
`z_max_m`): two rights conflict only where their volumes do. A parcel without a range reaches as far as its
title does; against a neighbour that has one the answer is unknown until the missing height is found.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from panhuo.core.problems import Problem
from panhuo.inventory.fabric import Fabric, weave
from panhuo.inventory.geometry import (
    Bools,
    Floats,
    Geometries,
    Ints,
    column_or_nulls,
    floats,
    to_lonlat,
)
from panhuo.inventory.neighbours import facing_edges
from panhuo.inventory.outline_measures import boxes
from panhuo.inventory.overlaps import Overlaps, overlaps
from panhuo.inventory.tiling import Tile, map_tiles

SLIVER_M2: Final = 0.1
"""Overlaps smaller than this come from rounding of boundary points; they are counted, not drawn."""
SLIVER_WIDTH_M: Final = 0.05
"""A longer overlap thinner than this on average is a sliver too: within the error of a boundary point."""
SAME_OUTLINE_SHARE: Final = 0.999
GAP_WIDTH_M: Final = 1.0
PAPER_TOLERANCE_SHARE: Final = 0.01

CONFLICTS_SCHEMA: Final = pa.schema(
    [
        ("kind", pa.string()),
        ("status", pa.string()),
        ("parcel_id", pa.string()),
        ("other_id", pa.string()),
        ("area_m2", pa.float64()),
        ("share", pa.float64()),
        ("z_from_m", pa.float64()),
        ("z_to_m", pa.float64()),
        ("note", pa.string()),
        ("geometry", pa.binary()),
    ]
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What is too little to be a conflict. sliver_m2, sliver_width_m: smaller or thinner overlaps are slivers;
    gap_width_m: wider strips are land, not gaps; paper_tolerance_share: of the area on paper [1]."""

    sliver_m2: float = SLIVER_M2
    sliver_width_m: float = SLIVER_WIDTH_M
    gap_width_m: float = GAP_WIDTH_M
    paper_tolerance_share: float = PAPER_TOLERANCE_SHARE


def conflicts(
    parcels: pa.Table,
    *,
    sliver_m2: float = SLIVER_M2,
    sliver_width_m: float = SLIVER_WIDTH_M,
    gap_width_m: float = GAP_WIDTH_M,
    paper_tolerance_share: float = PAPER_TOLERANCE_SHARE,
    workers: int = 2,
) -> tuple[pa.Table, list[Problem]]:
    """Every conflict of `parcels` as rows of CONFLICTS_SCHEMA, with an outline where there is one to draw.

    parcels: `parcel_id`, `geometry` (WKB, EPSG:4490), and if known `z_min_m`, `z_max_m` [m],
    `certificate_no`, `area_m2` (on paper). kind: `overlap`, `duplicate_outline`, `sliver`, `gap`,
    `area_mismatch`, `one_title_two_outlines`, `two_titles_one_outline`; status: `yes`, or `unknown` where a
    height range is missing; area_m2: of what is drawn [m²] (for `area_mismatch` drawn less paper); share: of
    the smaller parcel [1].
    """
    limits = Limits(sliver_m2, sliver_width_m, gap_width_m, paper_tolerance_share)
    paper = Paper(parcels)

    def work(tile: Tile) -> list[pa.Table]:
        fabric = weave(tile.outlines, tile.measures.left)
        return tile_conflicts(paper, tile, fabric, overlaps(tile, fabric), limits)

    parts, problems = map_tiles(parcels, work, halo_m=gap_width_m, workers=workers)
    return conflict_table(parcels, parts), problems


def tile_conflicts(
    paper: "Paper", tile: Tile, fabric: Fabric, shared: Overlaps, limits: Limits
) -> list[pa.Table]:
    """The conflicts of the pairs a tile answers for. fabric, shared: the fabric and `overlaps` of its outlines."""
    return [
        _overlap_rows(paper, tile, shared, limits),
        _gap_rows(paper, tile, fabric, limits),
        _paper_rows(paper, tile, limits.paper_tolerance_share),
    ]


def conflict_table(parcels: pa.Table, parts: list[list[pa.Table]]) -> pa.Table:
    """What all tiles found and what the titles say, in order."""
    found = pa.concat_tables([CONFLICTS_SCHEMA.empty_table(), *(t for tables in parts for t in tables)])
    table = pa.concat_tables([found, _title_rows(parcels, found)])
    return table.sort_by([("kind", "ascending"), ("parcel_id", "ascending"), ("other_id", "ascending")])


class Paper:
    """What the ledger says of the parcels beside their outlines: ids, area [m², NaN unknown], heights."""

    def __init__(self, parcels: pa.Table) -> None:
        self.ids = parcels.column("parcel_id").combine_chunks().cast(pa.string())
        self.area = floats(parcels, "area_m2")
        self.heights = Heights(parcels)


class Heights:
    """The height ranges of the parcels and what they say of a pair."""

    def __init__(self, parcels: pa.Table) -> None:
        low, high = floats(parcels, "z_min_m"), floats(parcels, "z_max_m")
        self.low, self.high = np.fmin(low, high), np.fmax(low, high)
        # One end alone leaves the other open; neither end leaves the whole column open and its extent unsaid.
        self.said = np.isfinite(low) | np.isfinite(high)
        self.low = np.where(np.isfinite(low), self.low, -np.inf)
        self.high = np.where(np.isfinite(high), self.high, np.inf)

    def apart(self, a: Ints, b: Ints) -> Bools:
        """Pairs whose ranges are both stated and do not meet in a volume: no conflict."""
        above = np.maximum(self.low[a], self.low[b]) >= np.minimum(self.high[a], self.high[b])
        return self.said[a] & self.said[b] & above

    def unknown(self, a: Ints, b: Ints) -> Bools:
        """Pairs of which one range is stated and the other not."""
        unknown: Bools = self.said[a] != self.said[b]
        return unknown

    def common(self, a: Ints, b: Ints) -> tuple[Floats, Floats]:
        """The range [m] both occupy, NaN where unsaid or open."""
        low, high = np.maximum(self.low[a], self.low[b]), np.minimum(self.high[a], self.high[b])
        return np.where(np.isfinite(low), low, np.nan), np.where(np.isfinite(high), high, np.nan)


def is_sliver(common: Geometries, area: Floats, sliver_m2: float, sliver_width_m: float) -> Bools:
    """Overlaps too small or too thin to be more than the error of boundary points."""
    width = 2 * area / np.maximum(shapely.length(common), 1e-9)
    sliver: Bools = (area < sliver_m2) | (width < sliver_width_m)
    return sliver


def _overlap_rows(paper: Paper, tile: Tile, shared: Overlaps, limits: Limits) -> pa.Table:
    heights = paper.heights
    a, b, common, area = shared
    rows_a, rows_b = tile.rows[a], tile.rows[b]
    keep = tile.owns_pairs(a, b) & ~heights.apart(rows_a, rows_b)
    a, b, common, area = a[keep], b[keep], common[keep], area[keep]
    rows_a, rows_b = rows_a[keep], rows_b[keep]
    areas = tile.measures.area
    share = area / np.minimum(areas[a], areas[b])
    same = area / np.maximum(areas[a], areas[b]) >= SAME_OUTLINE_SHARE
    sliver = is_sliver(common, area, limits.sliver_m2, limits.sliver_width_m)
    kind = np.where(same, "duplicate_outline", np.where(sliver, "sliver", "overlap"))
    unknown = heights.unknown(rows_a, rows_b)
    low, high = heights.common(rows_a, rows_b)
    note = np.where(unknown, "一方缺高度范围 one height range is missing", "")
    return _rows(
        paper.ids,
        kind,
        rows_a,
        rows_b,
        area_m2=area,
        share=share,
        status=np.where(unknown, "unknown", "yes"),
        z_from_m=low,
        z_to_m=high,
        note=note,
        geometry=shapely.to_wkb(to_lonlat(_areal(common), tile.zone)),
    )


def _areal(geometries: Geometries) -> Geometries:
    """The polygons of intersections, without the lines and points left where edges touch."""
    mixed = np.flatnonzero(shapely.get_type_id(geometries) == 7)
    for i in mixed:
        parts = shapely.get_parts(geometries[i])
        geometries[i] = shapely.multipolygons(parts[shapely.get_type_id(parts) == 3])
    return geometries


def _gap_rows(paper: Paper, tile: Tile, fabric: Fabric, limits: Limits) -> pa.Table:
    a, b, gaps = narrow_gaps(tile, fabric, limits.gap_width_m)
    area = shapely.area(gaps)
    keep = tile.owns_pairs(a, b) & (area >= limits.sliver_m2)
    a, b = a[keep], b[keep]
    areas = tile.measures.area
    smaller = np.minimum(areas[a], areas[b])
    return _rows(
        paper.ids,
        np.full(len(a), "gap"),
        tile.rows[a],
        tile.rows[b],
        area_m2=area[keep],
        share=area[keep] / smaller,
        geometry=shapely.to_wkb(to_lonlat(_areal(gaps[keep]), tile.zone)),
    )


def narrow_gaps(tile: Tile, fabric: Fabric, width_m: float) -> tuple[Ints, Ints, Geometries]:
    """(a, b, strip) of outlines in one plane with an uncovered strip no wider than `width_m` between them."""
    start, end = fabric.ends(fabric.free)
    owner = fabric.owner[fabric.free]
    facing = facing_edges(start, end, owner, width_m)
    if not len(facing.one):
        none = np.empty(0, np.int64)
        return none, none, np.empty(0, object)
    p0, p1 = start[facing.two], end[facing.two]
    q0, q1 = p0 + (p1 - p0) * facing.low[:, None], p0 + (p1 - p0) * facing.high[:, None]
    feet = [_foot(start[facing.one], end[facing.one], q) for q in (q1, q0)]
    strips = shapely.make_valid(shapely.polygons(np.stack([q0, q1, *feet, q0], axis=1)))
    a, b = np.sort([owner[facing.one], owner[facing.two]], axis=0)
    order = np.lexsort((b, a))
    begin = np.flatnonzero((np.diff(a[order], prepend=-1) != 0) | (np.diff(b[order], prepend=-1) != 0))
    gaps = np.array([shapely.union_all(part) for part in np.split(strips[order], begin[1:])], object)
    at, near = shapely.STRtree(shapely.box(*boxes(tile.outlines).T)).query(gaps)
    rows = np.unique(near)
    covers = tile.shapes(rows)[np.searchsorted(rows, near)]
    for i, cover in enumerate(np.split(covers, np.searchsorted(at, np.arange(1, len(gaps))))):
        gaps[i] = shapely.difference(gaps[i], shapely.union_all(cover))
    return a[order][begin], b[order][begin], gaps


def _foot(start: Floats, end: Floats, point: Floats) -> Floats:
    """The foot of the perpendicular from each point on the line through each edge."""
    along = end - start
    t = ((point - start) * along).sum(1) / np.maximum((along**2).sum(1), 1e-12)
    foot: Floats = start + t[:, None] * along
    return foot


def _paper_rows(paper: Paper, tile: Tile, tolerance_share: float) -> pa.Table:
    """Parcels whose drawn area differs from the area on paper by more than the tolerance."""
    drawn, stated = tile.measures.area, paper.area[tile.rows]
    with np.errstate(invalid="ignore", divide="ignore"):
        off = tile.owns() & (np.abs(drawn - stated) > tolerance_share * stated)
    return _rows(
        paper.ids,
        np.full(int(off.sum()), "area_mismatch"),
        tile.rows[off],
        None,
        area_m2=(drawn - stated)[off],
        share=((drawn - stated) / stated)[off],
        note=np.array(
            [
                f"证载 paper {p:.2f} m², 图上 drawn {d:.2f} m²"
                for p, d in zip(stated[off], drawn[off], strict=True)
            ]
        ),
        geometry=tile.wkb.filter(pa.array(off)).to_numpy(zero_copy_only=False),
    )


def _title_rows(parcels: pa.Table, found: pa.Table) -> pa.Table:
    """One certificate on several outlines; one outline under several certificates."""
    titles = pa.table(
        {
            "parcel_id": parcels.column("parcel_id").cast(pa.string()),
            "certificate_no": column_or_nulls(parcels, "certificate_no", pa.string()),
        }
    )
    titles = titles.filter(pc.greater(pc.utf8_length(pc.utf8_trim_whitespace(titles["certificate_no"])), 0))
    firsts = titles.group_by("certificate_no", use_threads=False).aggregate(
        [("parcel_id", "min"), ("parcel_id", "count")]
    )
    shared = titles.join(
        firsts.filter(pc.greater(firsts["parcel_id_count"], 1)), "certificate_no", join_type="inner"
    )
    shared = shared.filter(pc.not_equal(shared["parcel_id"], shared["parcel_id_min"]))
    several = _bare_rows(
        "one_title_two_outlines", shared["parcel_id_min"], shared["parcel_id"], shared["certificate_no"]
    )

    same = found.filter(pc.equal(found["kind"], "duplicate_outline"))
    named = pa.chunked_array([*same["parcel_id"].chunks, *same["other_id"].chunks], pa.string())
    titles = titles.filter(pc.is_in(titles["parcel_id"], named.combine_chunks()))
    title = dict(zip(titles["parcel_id"].to_pylist(), titles["certificate_no"].to_pylist(), strict=True))
    pairs = zip(same["parcel_id"].to_pylist(), same["other_id"].to_pylist(), strict=True)
    differ = [(a, b) for a, b in pairs if a in title and b in title and title[a] != title[b]]
    notes = pa.array([f"{title[a]} / {title[b]}" for a, b in differ], pa.string())
    doubled = _bare_rows(
        "two_titles_one_outline",
        pa.array([a for a, _ in differ], pa.string()),
        pa.array([b for _, b in differ], pa.string()),
        notes,
    )
    return pa.concat_tables([several, doubled])


def _bare_rows(kind: str, parcel: pa.Array, other: pa.Array, note: pa.Array) -> pa.Table:
    columns = {"kind": pa.array([kind] * len(parcel)), "status": pa.array(["yes"] * len(parcel))}
    return _filled({**columns, "parcel_id": parcel, "other_id": other, "note": note}, len(parcel))


def _rows(ids: pa.Array, kind: np.ndarray, a: Ints, b: Ints | None, **values: np.ndarray) -> pa.Table:
    columns = {"kind": kind, "status": np.full(len(kind), "yes"), **values}
    arrays = {
        name: pa.array(v.tolist(), CONFLICTS_SCHEMA.field(name).type, from_pandas=True)
        for name, v in columns.items()
    }
    arrays["parcel_id"] = ids.take(pa.array(a, pa.int64()))
    if b is not None:
        arrays["other_id"] = ids.take(pa.array(b, pa.int64()))
    return _filled(arrays, len(kind))


def _filled(arrays: dict[str, pa.Array], count: int) -> pa.Table:
    """A table of CONFLICTS_SCHEMA from some of its columns, the others null."""
    whole = {f.name: arrays.get(f.name, pa.nulls(count, f.type)) for f in CONFLICTS_SCHEMA}
    return pa.table(whole).cast(CONFLICTS_SCHEMA)
