"""What the OGC endpoint offers: parcels, findings and conflicts of the person's land, as SQL over the reading copy."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa
import shapely
from django.conf import settings
from django.http import QueryDict

from panhuo.core.problems import PanhuoError
from panhuo.site import gate
from panhuo.site.doors.crs import Area, areas
from panhuo.site.gate import Rows
from panhuo.site.ledger.query import condition, fields
from panhuo.site.shelf import Row, kept, rows, table
from panhuo.site.words import pick
from panhuo.workspace.reading import result_specs

TITLES: Final = {
    "parcels": ("宗地", "Parcels"),
    "findings": ("诊断结论", "Findings"),
    "conflicts": ("界线冲突", "Conflicts"),
}
FINDING_FIELDS: Final = ("parcel_id", "finding_id", "status", "since", "severity", "missing", "cites")
LAND_OF_FINDING: Final = ("name", "holder", "area_m2")
"""What a finding tells of its parcel, so that a list of findings can be filtered and read by itself."""
TIMED: Final = {"findings": "since"}
"""The day from which a feature of a collection stands, where it has one: it stands until it is corrected."""


@dataclass(frozen=True, slots=True)
class Source:
    """A collection: what is `told` (its columns and `fid`) of a table's rows, in their own order, on `land`."""

    table: str
    told: Rows
    land: Rows

    def matched(self, where: Rows) -> int:
        """How many rows meet a condition on what is told."""
        inner, values = self._inner()
        return int(
            kept(f"SELECT count(*) AS n FROM {inner} WHERE {where.sql}", values + where.values)[0]["n"]
        )

    def page(self, where: Rows, limit: int, offset: int) -> list[Row]:
        """Some of those rows. Row numbers are counted off first, and only the page's own rows are then fetched."""
        inner, values = self._inner()
        chosen = f"SELECT row_no FROM {inner} WHERE {where.sql} LIMIT ? OFFSET ?"
        sql = (
            f"SELECT {self.told.sql} FROM {self.table} SEMI JOIN ({chosen}) AS chosen "
            f"ON {self.table}.rowid = chosen.row_no ORDER BY {self.table}.rowid"
        )
        return rows(sql, (*self.told.values, *values, *where.values, limit, offset))

    def first(self, column: str) -> Any:
        """The least value of a column."""
        inner, values = self._inner()
        return kept(f"SELECT min({column}) AS v FROM {inner}", values)[0]["v"]

    def _inner(self) -> tuple[str, tuple[Any, ...]]:
        sql = f"(SELECT rowid AS row_no, {self.told.sql} FROM {self.table} WHERE {self.land.sql})"
        return sql, self.told.values + self.land.values


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
    return {c: columns[c] for c in FINDING_FIELDS} | {c: parcel[c] for c in ("division", *LAND_OF_FINDING)}


def source(name: str, person: Any, areas: Sequence[Area] | None = None) -> Source:
    """Where a collection's rows lie: of the person's land, and within the areas if any are named."""
    land = gate.parcels(person)
    if name == "parcels":
        return Source("parcels", Rows("*, parcel_id AS fid"), _near(land, areas, _outlines_of_parcels))
    if name == "conflicts":
        return _conflicts(person, areas)
    held = land.also("is_held")
    if areas is not None:
        there = _near(land, areas, _outlines_of_parcels)
        held = held.also(f"parcel_id IN (SELECT parcel_id FROM parcels WHERE {there.sql})", there.values)
    told = ", ".join((*FINDING_FIELDS, "division", "parcel_id || ':' || finding_id AS fid"))
    return Source("placed_findings", Rows(told), held)


def one_row(name: str, person: Any, fid: str) -> Row | None:
    """The row of a feature, or None where it is not of the person's land."""
    where = Rows("fid = ?", (fid,))
    if name == "findings":  # its parcel leads to the few blocks it may lie in
        where = where.also("parcel_id = ?", (fid.rpartition(":")[0],))
    elif name == "parcels":
        where = Rows("parcel_id = ?", (fid,))
    return next(iter(source(name, person).page(where, 1, 0)), None)


def _conflicts(person: Any, areas: Sequence[Area] | None) -> Source:
    """Conflicts that touch the person's land; a parcel that is not of it is not named."""
    scope = gate.scope_of(person) if gate.may(person, "see") else gate.Scope()
    sides = (
        scope.rows().also("is_held"),
        scope.rows("other_holder_uscc", "other_division").also("other_is_held"),
    )
    named = [
        f"CASE WHEN {side.sql} THEN {column} END AS {column}"
        for side, column in zip(sides, ("parcel_id", "other_id"), strict=True)
    ]
    own = ", ".join(c for c in properties("conflicts") if c not in ("parcel_id", "other_id"))
    values = sides[0].values + sides[1].values
    told = Rows(f"{', '.join(named)}, {own}, geometry, conflict_id AS fid", values)
    land = Rows(f"({sides[0].sql}) OR ({sides[1].sql})", values)
    return Source("placed_conflicts", told, _near(land, areas, _outlines_of_conflicts))


def _near(land: Rows, areas: Sequence[Area] | None, edge: Callable[[Rows], pa.Table]) -> Rows:
    """Narrowed to rows whose outline meets an area, or that have no place at all.

    Boxes decide for all but the rows at an area's edge, whose outlines (rowid, geometry) are tried one by one.
    """
    if areas is None:
        return land
    parts, values = [], []
    for area in areas:
        (w, s, e, n), (iw, is_, ie, in_) = area.around, area.inside
        around = Rows("xmax >= ? AND xmin <= ? AND ymax >= ? AND ymin <= ?", (w, e, s, n))
        inside = "xmin >= ? AND xmax <= ? AND ymin >= ? AND ymax <= ?"
        tried = edge(around.also(f"NOT ({inside})", (iw, ie, is_, in_)))
        shapely.prepare(area.shape)
        meets = shapely.intersects(area.shape, shapely.from_wkb(tried["geometry"].to_numpy()))
        missed = tried["row_no"].filter(pa.array(~meets)).to_pylist()
        parts.append(f"({around.sql} AND rowid NOT IN (SELECT unnest(?::BIGINT[])))")
        values += [*around.values, missed]
    return land.also(f"xmin IS NULL OR {' OR '.join(parts)}", tuple(values))


def _outlines_of_parcels(where: Rows) -> pa.Table:
    found = f"SELECT parcel_id, rowid AS row_no FROM parcels WHERE {where.sql}"
    return table(f"SELECT row_no, geometry FROM ({found}) JOIN shapes USING (parcel_id)", where.values)


def _outlines_of_conflicts(where: Rows) -> pa.Table:
    return table(f"SELECT rowid AS row_no, geometry FROM placed_conflicts WHERE {where.sql}", where.values)


def read_box(text: str, crs: str) -> list[Area]:
    """The polygons of `bbox=`: four or six numbers. Raises PanhuoError."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) == 6:
        numbers = [*numbers[:2], *numbers[3:5]]
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
        raise PanhuoError(pick("bbox 应为四个或六个数", "bbox is four or six numbers"))
    return areas(numbers, crs)


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
            sql, values = condition(dict(properties(name)), key, given.getlist(key))
            if name == "findings" and key.partition(".")[0] in LAND_OF_FINDING:
                sql = f"parcel_id IN (SELECT parcel_id FROM parcels WHERE {sql})"
            where = where.also(sql, values)
    if "datetime" in given:
        last = read_time(given["datetime"])[1]
        if last is not None and (column := TIMED.get(name)):
            where = where.also(f"{column} IS NULL OR {column} <= ?", (last,))
    return where


def with_land(found: list[Row]) -> list[Row]:
    """Findings with what they tell of their parcels."""
    ids = sorted({row["parcel_id"] for row in found})
    told = ", ".join(("parcel_id", *LAND_OF_FINDING, "lon", "lat"))
    land = {row["parcel_id"]: row for row in among("parcels", told, ids)}
    return [row | land[row["parcel_id"]] for row in found]


def among(name: str, columns: str, ids: list[str]) -> list[Row]:
    """The rows of some parcels; their first and last lead to the blocks they lie in."""
    if not ids:
        return []
    near = "parcel_id BETWEEN ? AND ? AND parcel_id IN (SELECT unnest(?::VARCHAR[]))"
    return rows(f"SELECT {columns} FROM {name} WHERE {near}", (ids[0], ids[-1], ids))
