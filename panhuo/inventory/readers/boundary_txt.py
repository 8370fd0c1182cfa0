"""Survey boundary-point files (勘测定界界址点 TXT), as written and as met in the field.

    [属性描述]            key=value lines: 坐标系, 几度分带, 带号 …          (may be missing)
    [地块坐标]
    点数,面积(公顷),地块编号,地块名称,图形属性,图幅号,地块用途,地类编码,@      one line a parcel
    J1,圈号,X(north),Y(east)                                              ring 1 is the outer, 2… holes or parts

Rings may be open, X and Y swapped, the parcel line may carry a unit (`0.7655公顷`), be short, or be missing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow as pa
import shapely
from shapely.geometry.base import BaseGeometry

from panhuo.core.problems import PanhuoError, Problem
from panhuo.inventory.readers.raw import RawTable, unreadable
from panhuo.inventory.readers.text import decode
from panhuo.inventory.spec import problem

PARCEL_FIELDS: Final = (
    "点数",
    "面积(公顷)",
    "地块编号",
    "地块名称",
    "图形属性",
    "图幅号",
    "地块用途",
    "地类编码",
)
KEPT: Final = ("面积(公顷)", "地块编号", "地块名称", "地块用途", "地类编码")
POINT: Final = re.compile(r"\s*([^,]*?)\s*,\s*(-?\d+)\s*,\s*(-?[\d.]+)\s*,\s*(-?[\d.]+)\s*,?\s*")
CGCS2000: Final = re.compile(r"2000|CGCS", re.IGNORECASE)
FIRST_EPSG_PREFIXED: Final = 4513 - 25
FIRST_EPSG_PREFIXED_6: Final = 4491 - 13
FIRST_EPSG_PLAIN: Final = 4534 - 25
FIRST_EPSG_PLAIN_6: Final = 4502 - 13
SWAP_FACTOR: Final = 1.0

Ring = list[tuple[float, float]]


@dataclass
class Plot:
    """One parcel being read: its parcel line, the line's number, and its rings of (north, east) points."""

    line: int
    attributes: dict[str, str]
    rings: dict[int, Ring] = field(default_factory=dict)


def looks_like_boundary_file(text: str) -> bool:
    """Whether a text is a boundary-point file: its section names, or points from the start."""
    lines = [line for line in text[:20_000].splitlines() if line.strip()][:40]
    if any(line.strip() in ("[属性描述]", "[地块坐标]") for line in lines):
        return True
    points = sum(POINT.fullmatch(line) is not None for line in lines)
    return points >= 3 and points >= len(lines) - 4


def read_boundary_txt(path: Path, file: str, encoding: str | None) -> list[RawTable]:
    """The parcels of a boundary-point file, outlines in (east, north)."""
    text, notes = decode(path.read_bytes(), file, encoding)
    lines = text.splitlines()
    header = dict(header_items(lines))
    plots = list(read_plots(lines, file))
    if not plots:
        raise unreadable(
            file, "no boundary points", remedy="检查 [地块坐标] 一节 check the section [地块坐标]"
        )
    swapped = are_swapped(plots)
    if swapped:
        notes.append(problem("axes_swapped", file=file, field="geometry", action="mended: X and Y exchanged"))
    shapes = []
    for plot in plots:
        shape, faults = outline(plot, file, swapped)
        shapes.append(shape)
        notes.extend(faults)
    names = tuple(n for n in KEPT if any(p.attributes.get(n) for p in plots))
    columns = tuple(
        pa.chunked_array([pa.array([p.attributes.get(n) or None for p in plots], pa.string())]) for n in names
    )
    wkb = pa.chunked_array([pa.array([shapely.to_wkb(s) for s in shapes], pa.binary())])
    crs = declared_crs(
        header, max(p[0] for plot in plots for r in plot.rings.values() for p in east_north(r, swapped))
    )
    return [RawTable(file, "", names, columns, 1, wkb, crs, tuple(notes))]


def header_items(lines: list[str]) -> Iterator[tuple[str, str]]:
    """The key=value lines."""
    for line in lines:
        key, mark, value = line.partition("=")
        if mark and not POINT.fullmatch(line):
            yield key.strip(), value.strip()


def read_plots(lines: list[str], file: str) -> Iterator[Plot]:
    """The parcels with their rings; points before any parcel line make a parcel without attributes."""
    plot: Plot | None = None
    for number, line in enumerate(lines, 1):
        stripped = line.strip().lstrip("\ufeff")
        if (
            not stripped
            or stripped.startswith("[")
            or ("=" in stripped and "," not in stripped.split("=")[0])
        ):
            continue
        point = POINT.fullmatch(stripped)
        if stripped.endswith("@"):
            if plot is not None and plot.rings:
                yield plot
            cells = [c.strip() for c in stripped.removesuffix("@").split(",")]
            plot = Plot(number, dict(zip(PARCEL_FIELDS, cells, strict=False)))
        elif point:
            plot = plot or Plot(number, {})
            north, east = float(point[3]), float(point[4])
            plot.rings.setdefault(int(point[2]), []).append((north, east))
        else:
            raise PanhuoError(
                "界址点行读不懂 cannot read a line of the boundary file",
                where=f"{file}, row {number}",
                why=stripped[:60],
                remedy="应为 点号,圈号,X,Y expected: point, ring, X, Y",
            )
    if plot is not None and plot.rings:
        yield plot


def are_swapped(plots: list[Plot]) -> bool:
    """Whether east stands first. North is 7 digits (below 6,000 km); east is 8 with its zone, else 6.

    A first value above 10⁷ can only be an east with zone; of two without zone the north is the larger in China.
    """
    north, east = next(iter(next(iter(plots)).rings.values()))[0]
    if north > 1e7 or east > 1e7:
        return north > 1e7
    return max(north, east) > 1_000 and east > north * SWAP_FACTOR


def east_north(points: list[tuple[float, float]], swapped: bool) -> list[tuple[float, float]]:
    """Points as (east, north)."""
    return points if swapped else [(e, n) for n, e in points]


def outline(plot: Plot, file: str, swapped: bool) -> tuple[BaseGeometry, list[Problem]]:
    """The outline of a parcel: ring 1 outside, the others holes or parts. Open rings are closed and told."""
    faults: list[Problem] = []
    rings = []
    count = 0
    for number, points in sorted(plot.rings.items()):
        ring = east_north(points, swapped)
        count += len(ring)
        if ring[0] != ring[-1]:
            faults.append(
                problem(
                    "ring_open", file=file, row=plot.line, value=f"ring {number}", action="mended: closed"
                )
            )
            ring = [*ring, ring[0]]
        if len(ring) < 4:
            raise PanhuoError(
                "界址点不足三个 a ring needs three points",
                where=f"{file}, row {plot.line}, ring {number}",
                remedy="补全界址点 supply the missing points",
            )
        rings.append(ring)
    declared = plot.attributes.get("点数", "")
    if declared.isdigit() and int(declared) not in (count, count - len(rings), count + len(rings)):
        action = f"kept: {count} points read"
        faults.append(
            problem("point_count", file=file, row=plot.line, field="点数", value=declared, action=action)
        )
    return of_rings(rings), faults


def of_rings(rings: list[Ring]) -> BaseGeometry:
    """A ring with a corner inside an outer ring before it is its hole; any other is a part of its own."""
    parts: list[tuple[shapely.Polygon, list[Ring]]] = []
    for ring in rings:
        holes = next((h for outer, h in parts if shapely.contains_xy(outer, ring).any()), None)
        if holes is None:
            parts.append((shapely.Polygon(ring), []))
        else:
            holes.append(ring)
    polygons = [shapely.Polygon(outer.exterior, holes) for outer, holes in parts]
    whole: BaseGeometry = polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)
    return whole


def declared_crs(header: dict[str, str], east: float) -> str:
    """ "EPSG:n" of the header's 坐标系, 几度分带 and 带号, or "" when it does not say CGCS2000."""
    zone = header.get("带号", "")
    if not CGCS2000.search(header.get("坐标系", "")) or not zone.isdigit():
        return ""
    six = header.get("几度分带", "3") == "6"
    if east > 1e7:
        first = FIRST_EPSG_PREFIXED_6 if six else FIRST_EPSG_PREFIXED
    else:
        first = FIRST_EPSG_PLAIN_6 if six else FIRST_EPSG_PLAIN
    return f"EPSG:{first + int(zone)}"
