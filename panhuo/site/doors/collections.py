"""What the OGC endpoint offers: parcels, findings and conflicts of the person's land, as SQL over the reading copy."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import shapely
from django.conf import settings
from django.http import QueryDict

from panhuo.core.problems import PanhuoError
from panhuo.site import gate
from panhuo.site.gate import Rows
from panhuo.site.ledger.query import condition, fields
from panhuo.site.shelf import kept, table
from panhuo.site.words import pick
from panhuo.workspace.reading import result_specs

TITLES: Final = {
    "parcels": ("宗地", "Parcels"),
    "findings": ("诊断结论", "Findings"),
    "conflicts": ("界线冲突", "Conflicts"),
}
FINDING_FIELDS: Final = ("parcel_id", "finding_id", "status", "since", "severity", "missing", "cites")
LAND_OF_FINDING: Final = ("name", "division", "holder", "area_m2")
"""What a finding tells of its parcel, so that a list of findings can be filtered and read by itself."""
TIMED: Final = {"findings": "since"}
"""The day from which a feature of a collection stands, where it has one: it stands until it is corrected."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box in degrees; one over the 180th meridian has its west east of its east."""

    west: float
    south: float
    east: float
    north: float

    def parts(self) -> list[Any]:
        if self.west <= self.east:
            return [shapely.box(self.west, self.south, self.east, self.north)]
        return [
            shapely.box(self.west, self.south, 180, self.north),
            shapely.box(-180, self.south, self.east, self.north),
        ]


def offered() -> list[str]:
    """The collections there are: conflicts only where the assessment drew any."""
    drawn = kept("SELECT count(*) AS n FROM conflicts")[0]["n"]
    return [name for name in TITLES if name != "conflicts" or drawn]


@cache
def properties(name: str) -> Mapping[str, str]:
    """A collection's properties and their type words."""
    if name == "parcels":
        return fields("parcels")
    columns = {c: s["type"] for c, s in result_specs()[name]["columns"].items() if s["type"] != "geometry"}
    if name == "conflicts":
        return columns
    parcel = fields("parcels")
    return {c: columns[c] for c in FINDING_FIELDS} | {c: parcel[c] for c in LAND_OF_FINDING}


def source(name: str, person: Any, box: Box | None) -> tuple[str, tuple[Any, ...]]:
    """(SQL, values) of a collection's rows: `fid`, its properties, `drawn` (the parcel whose outline it has)."""
    land = gate.parcels(person)
    if name == "conflicts":
        return _conflicts(land, box)
    if box is not None:
        land = land.also(*_meeting(box))
    if name == "parcels":
        return f"(SELECT *, parcel_id AS fid, parcel_id AS drawn FROM parcels WHERE {land.sql})", land.values
    own = ", ".join(f"f.{c}" for c in FINDING_FIELDS)
    told = ", ".join(("parcel_id", "lon", "lat", *LAND_OF_FINDING))
    return (
        f"(SELECT {own}, p.* EXCLUDE (parcel_id), parcel_id || ':' || finding_id AS fid, parcel_id AS drawn "
        f"FROM findings f JOIN (SELECT {told} FROM parcels WHERE {land.sql}) p USING (parcel_id))"
    ), land.values


def _conflicts(land: Rows, box: Box | None) -> tuple[str, tuple[Any, ...]]:
    """Conflicts that touch the person's land; a parcel that is not of it is not named."""
    own = f"(SELECT parcel_id FROM parcels WHERE {land.sql})"
    rest = "c.* EXCLUDE (parcel_id, other_id)"
    sql = (
        f"(SELECT {rest}, a.parcel_id, b.parcel_id AS other_id, NULL::DOUBLE AS lon, NULL::DOUBLE AS lat, "
        "left(md5(concat_ws('|', c.kind, c.parcel_id, c.other_id)), 16) AS fid, NULL AS drawn "
        f"FROM conflicts c LEFT JOIN {own} a ON c.parcel_id = a.parcel_id "
        f"LEFT JOIN {own} b ON c.other_id = b.parcel_id "
        "WHERE a.parcel_id IS NOT NULL OR b.parcel_id IS NOT NULL)"
    )
    values = (*land.values, *land.values)
    if box is None:
        return sql, values
    all_of_them = table(f"SELECT fid, geometry::BLOB AS geometry FROM {sql}", values)
    shapes = shapely.from_wkb(all_of_them["geometry"].to_numpy())
    meets = shapely.is_missing(shapes)
    for part in box.parts():
        meets |= shapely.intersects(shapes, part)
    ids = all_of_them["fid"].filter(meets).to_pylist()
    return f"(SELECT * FROM {sql} WHERE fid IN (SELECT unnest(?::VARCHAR[])))", (*values, ids)


def _meeting(box: Box) -> tuple[str, tuple[Any, ...]]:
    """The condition that a parcel meets the box, or has no place at all.

    The bounding boxes decide for all but the parcels on the edge, whose outlines are tried one by one.
    """
    parts, values, missed = [], [], []
    for part in box.parts():
        x0, y0, x1, y1 = part.bounds
        near = "xmax >= ? AND xmin <= ? AND ymax >= ? AND ymin <= ?"
        edge = table(
            f"SELECT p.parcel_id, s.geometry FROM parcels p JOIN shapes s USING (parcel_id) WHERE {near} "
            "AND NOT (xmin >= ? AND xmax <= ? AND ymin >= ? AND ymax <= ?)",
            (x0, x1, y0, y1, x0, x1, y0, y1),
        )
        outside = ~shapely.intersects(shapely.from_wkb(edge["geometry"].to_numpy()), part)
        missed += edge["parcel_id"].filter(outside).to_pylist()
        parts.append(f"({near})")
        values += [x0, x1, y0, y1]
    met = f"({' OR '.join(parts)}) AND parcel_id NOT IN (SELECT unnest(?::VARCHAR[]))"
    return f"xmin IS NULL OR ({met})", (*values, missed)


def read_box(text: str, latitude_first: bool) -> Box:
    """The box of `bbox=`: four or six numbers. Raises PanhuoError."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) == 6:
        numbers = [*numbers[:2], *numbers[3:5]]
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
        raise PanhuoError(pick("bbox 应为四个或六个数", "bbox is four or six numbers"))
    if latitude_first:
        numbers = [numbers[1], numbers[0], numbers[3], numbers[2]]
    box = Box(*numbers)
    if box.south > box.north:
        raise PanhuoError(pick("bbox 的南边界在北边界之北", "the south of bbox lies north of its north"))
    return box


def read_time(text: str) -> tuple[date | None, date | None]:
    """The first and last day of `datetime=`, None where open. Raises PanhuoError."""
    ends = text.split("/")
    if len(ends) > 2 or (len(ends) == 1 and text in ("", "..")):
        raise PanhuoError(pick("datetime 应为时点或时段", "datetime is an instant or an interval"))
    first, last = (_day(ends[0]), _day(ends[-1]))
    if len(ends) == 2 and first is None and last is None:
        raise PanhuoError(pick("datetime 的两端不能都空", "datetime cannot be open at both ends"))
    if first and last and first > last:
        raise PanhuoError(pick("datetime 的起点晚于终点", "datetime begins after its end"))
    return first, last


def _day(text: str) -> date | None:
    if text in ("", ".."):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise PanhuoError(
            pick("datetime 须合 RFC 3339", "datetime is not RFC 3339") + f": {text[:40]}"
        ) from None
    if "T" not in text.upper():
        moment = datetime.combine(moment.date(), time(), ZoneInfo(settings.TIME_ZONE))
    elif moment.tzinfo is None:
        raise PanhuoError(pick("datetime 缺时区", "datetime lacks its offset") + f": {text[:40]}")
    try:
        return moment.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    except OverflowError:
        return moment.date()


def conditions(name: str, given: QueryDict, reserved: frozenset[str]) -> Rows:
    """The property filters and `datetime` of a request. Raises PanhuoError for a parameter there is none of."""
    where = Rows("TRUE")
    for key in given:
        if key not in reserved:
            where = where.also(*condition(dict(properties(name)), key, given.getlist(key)))
    if "datetime" in given:
        last = read_time(given["datetime"])[1]
        if last is not None and (column := TIMED.get(name)):
            where = where.also(f"{column} IS NULL OR {column} <= ?", (last,))
    return where
