"""The figures of a board: 宗/亩/亿元 of a list of parcels by finding, mode, stage, tier, year, and the lists behind.

A board is the figures of a list: it takes the ledger's own address (a division, a holder, an area drawn on the map, or
nothing for all of one's land), so a province, a county, a park and a company all have theirs.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import pyarrow.parquet as pq
from django.http import QueryDict

from panhuo.core.units import YI_WAN, m2_to_mu
from panhuo.site import gate, labels
from panhuo.site.gate import Rows
from panhuo.site.palette import SCALES, colours
from panhuo.site.shelf import Row, kept, one, shelf
from panhuo.site.words import pick

GROUPS: Final[dict[str, tuple[str, str]]] = {
    "finding": ("unnest(findings)", "findings"),
    "stage": ("stage", "stage"),
    "mode": ("first_tool", "first_tool"),
    "tool": ("plan_tool", "plan_tool"),
    "severity": ("severity", "severity"),
    "tier": ("tier", "tier"),
    "potential": ("potential", "potential"),
    "since": ("year(since)", "since"),
    "year": ("plan_year", "plan_year"),
    "city": ("left(division, 4)", "division"),
    "division": ("division", "division"),
    "tenure": ("tenure", "tenure"),
    "land_use": ("land_use", "land_use"),
}
"""What parcels are grouped by: the SQL of the group, the ledger's field for the list behind."""
IN_ORDER: Final = frozenset({"since", "year", "tier", "potential"})
COUNTIES: Final = 16
"""More counties than this are shown by city."""
PAST: Final = 8
"""As many assessments the trend looks back on."""


def name(by: str, value: Any) -> str:
    """A group's words."""
    match by:
        case "finding":
            return labels.finding(value)
        case "mode" | "tool":
            return labels.tool(value)
        case "city":
            return labels.division(f"{value}00")
        case "since" | "year":
            return str(value)
    return labels.value("parcels", by, value)


def list_of(by: str, value: Any, asked: QueryDict | None = None) -> str:
    """The address of the list of one group, inside the list the board was made of."""
    query = asked.copy() if asked is not None else QueryDict(mutable=True)
    for lost in ("page", "sort", "size"):
        query.pop(lost, None)
    field = GROUPS[by][1]
    if by == "since":
        query["since.min"] = max(f"{value}-01-01", query.get("since.min", ""))
        query["since.max"] = min(f"{value}-12-31", query.get("since.max", "") or "9999")
    elif by == "finding" and field in query:
        query.appendlist(f"{field}.and", value)
    else:
        query[field] = value
    return f"/ledger/parcels/?{query.urlencode()}"


def grouped(by: str, where: Rows, asked: QueryDict | None = None) -> list[Row]:
    """Count, area and price of the parcels per group, the largest first (years and grades in order)."""
    found = [row for row in _groups(where) if row["by"] == by]
    found.sort(key=lambda r: r["id"] if by in IN_ORDER else (-r["n"], r["id"]))
    for row in found:
        row["label"] = name(by, row["id"])
        row["link"] = list_of(by, row["id"], asked)
        row.update(_office(row))
    return sorted(found, key=lambda r: _step(by, r["id"])) if by in SCALES else found


def _groups(where: Rows) -> list[Row]:
    """All groupings in one answer, (by, id, n, area_m2, price_wan), and the heads of the board as the row by "".

    The condition is tried once. Parcels alike in every grouping are added up first: each grouping then goes through
    the sums of the alike.
    """
    by_one = {by: sql for by, (sql, _) in GROUPS.items() if by != "finding"}
    sums = "count(*) AS n, sum(area_m2) AS area_m2, sum(price_wan) AS price_wan"
    again = "sum(n)::BIGINT AS n, sum(area_m2) AS area_m2, sum(price_wan) AS price_wan"
    each = "".join(
        f"UNION ALL BY NAME SELECT '{by}' AS by, CAST({by} AS VARCHAR) AS id, {again} FROM alike "
        f"WHERE {by} IS NOT NULL GROUP BY {by}\n"
        for by in by_one
    )
    return kept(
        f"""
WITH chosen AS MATERIALIZED (
    SELECT area_m2, price_wan, findings, len(unknowns) > 0 AS unclear,
        {", ".join(f"{sql} AS {by}" for by, sql in by_one.items())}
    FROM parcels WHERE {where.sql}),
alike AS MATERIALIZED (
    SELECT {", ".join(by_one)}, len(findings) > 0 AS flag, unclear, {sums} FROM chosen GROUP BY ALL),
found AS (SELECT {GROUPS["finding"][0]} AS id, area_m2, price_wan FROM chosen)
SELECT '' AS by, {again}, sum(n) FILTER (flag)::BIGINT AS flagged, sum(area_m2) FILTER (flag) AS flagged_m2,
    sum(n) FILTER (unclear)::BIGINT AS to_verify, sum(n) FILTER (tool IS NOT NULL)::BIGINT AS planned,
    sum(area_m2) FILTER (tool IS NOT NULL) AS planned_m2
FROM alike
{each}UNION ALL BY NAME SELECT 'finding' AS by, id, {sums} FROM found GROUP BY id""",
        where.values,
    )


def _office(row: Row) -> Row:
    """Area and price in 亩 and 亿元; unknown where no parcel tells, never zero."""
    area, price = row["area_m2"], row["price_wan"]
    return {
        "mu": None if area is None else m2_to_mu(area),
        "yi": None if price is None else price / YI_WAN,
    }


def _step(by: str, value: str) -> int:
    scale = list(SCALES[by])
    return scale.index(value) if value in scale else len(scale)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a board: a grouping, its title and the form of its chart."""

    by: str
    zh: str
    en: str
    kind: str


PARTS: Final = (
    Part("finding", "按问题", "By finding", "bar"),
    Part("stage", "按所处环节", "By stage", "ring"),
    Part("mode", "按首选处置方式", "By first tool", "bar"),
    Part("tool", "按计划处置方式", "By planned tool", "bar"),
    Part("severity", "按严重程度", "By severity", "ring"),
    Part("tier", "按企业档次（A–D）", "By tier of the user (A–D)", "ring"),
    Part("potential", "按开发潜力", "By potential", "ring"),
    Part("since", "按问题起始年", "By the year it began", "column"),
    Part("year", "按计划年度", "By planned year", "column"),
    Part("city", "按市州", "By city", "bar"),
    Part("division", "按行政区", "By division", "bar"),
    Part("tenure", "按权利性质", "By tenure", "ring"),
    Part("land_use", "按土地用途", "By land use", "bar"),
)
LINES: Final = 10
"""As many lines a part shows; the rest is in the list."""


def board(where: Rows, asked: QueryDict | None = None, scope: gate.Scope | None = None) -> dict[str, Any]:
    """Everything a board shows of the parcels that satisfy `where`; `scope` bounds the scoreboard's divisions."""
    found = []
    counties = grouped("division", where, asked)
    for part in PARTS:
        if part.by == ("division" if len(counties) > COUNTIES else "city"):
            continue
        held = counties if part.by == "division" else grouped(part.by, where, asked)
        if held:
            found.append(_shown(part, held))
    return {
        "totals": totals(where),
        "parts": found,
        "charts": [p["chart"] for p in found],
        "rates": rates(scope, asked) if scope else [],
    }


def _shown(part: Part, held: list[Row]) -> dict[str, Any]:
    shades = colours(part.by, [r["id"] for r in held])
    plain = part.kind in ("bar", "column")
    top = held[-LINES:] if part.by in IN_ORDER and plain else held[:LINES]
    chart = {
        "id": part.by,
        "kind": part.kind,
        "rows": [
            [r["label"], r["n"], r["mu"], r["yi"], r["link"], None if plain else shade]
            for r, shade in zip(held, shades, strict=True)
            if r in top
        ],
    }
    return {
        "by": part.by,
        "title": pick(part.zh, part.en),
        "rows": top,
        "more": len(held) - len(top),
        "chart": chart,
    }


def totals(where: Rows) -> Row:
    """The heads of the board: all, flagged, to verify, planned with its cost and yield."""
    held = next(row for row in _groups(where) if row["by"] == "")
    counted = {name: held[name] or 0 for name in ("n", "flagged", "to_verify", "planned")}
    money = kept(
        f"SELECT sum(cost_wan) / {YI_WAN} AS cost_yi, sum(benefit_wan) / {YI_WAN} AS benefit_yi FROM plan "
        f"WHERE parcel_id IN (SELECT parcel_id FROM parcels WHERE plan_tool IS NOT NULL AND ({where.sql}))",
        where.values,
    )[0]
    return held | counted | _office(held) | money


def rates(scope: gate.Scope, asked: QueryDict | None) -> list[Row]:
    """The scoreboard's rows of the divisions asked for, inside the person's own."""
    where = gate.Scope(scope.divisions).rows()
    for code in asked.getlist("division") if asked is not None else ():
        where = where.also("division >= ? AND division < ?", (code, f"{code}~"))
    return kept(f"SELECT * FROM scoreboard WHERE {where.sql} ORDER BY measure, division, year", where.values)


def trend(where: Rows) -> list[Row]:
    """Flagged parcels, their area and price at each of the latest assessments, of the parcels there are today."""
    dated = shelf().workspace.past_assessments()
    held = [(day, folder) for day, folder in dated if (folder / "findings.parquet").is_file()]
    return [
        {"as_of": day.isoformat()} | _flagged(str(folder), shelf().key, where.sql, where.values)
        for day, folder in held[-PAST:]
        if "parcel_id" in pq.read_schema(folder / "findings.parquet").names
    ]


@lru_cache(maxsize=256)
def _flagged(folder: str, key: str, sql: str, values: tuple[Any, ...]) -> Row:
    found = one(
        "SELECT count(*) AS n, sum(area_m2) AS area_m2, sum(price_wan) AS price_wan FROM parcels "
        "WHERE parcel_id IN (SELECT parcel_id FROM read_parquet(?) WHERE status = 'yes') AND "
        f"({sql})",
        (f"{folder}/findings.parquet", *values),
    )
    assert found is not None
    return {"n": found["n"]} | _office(found)
