"""The figures of a board: 宗/亩/亿元 of a person's land by finding, tool, tier, year, with the list behind."""

from typing import Any

from panhuo.core.units import YI_WAN, m2_to_mu
from panhuo.site import gate, labels
from panhuo.site.gate import Rows
from panhuo.site.shelf import Row, one, rows

BY = {
    "finding": "SELECT unnest(findings) AS id, * FROM parcels",
    "tool": "SELECT plan_tool AS id, * FROM parcels WHERE plan_tool IS NOT NULL",
    "severity": "SELECT severity AS id, * FROM parcels WHERE severity IS NOT NULL",
    "tier": "SELECT tier AS id, * FROM parcels WHERE tier IS NOT NULL",
    "division": "SELECT division AS id, * FROM parcels",
    "stage": "SELECT stage AS id, * FROM parcels WHERE stage IS NOT NULL",
    "year": "SELECT plan_year AS id, * FROM parcels WHERE plan_year IS NOT NULL",
    "since": "SELECT year(since) AS id, * FROM parcels WHERE since IS NOT NULL",
}
LINK = {
    "finding": "findings={}",
    "tool": "plan_tool={}",
    "severity": "severity={}",
    "tier": "tier={}",
    "division": "division={}",
    "stage": "stage={}",
    "year": "plan_year={}",
    "since": "since.min={0}-01-01&since.max={0}-12-31",
}
NAMES = {
    "finding": labels.finding,
    "tool": labels.tool,
    "division": labels.division,
    "stage": labels.stage,
    "severity": labels.severity,
}


def grouped(by: str, where: Rows) -> list[Row]:
    """Count, area and price of the parcels per group, the largest first (years in order)."""
    order = "id" if by in ("year", "since", "tier") else "n DESC, id"
    found = rows(
        f"SELECT id, count(*) AS n, sum(area_m2) AS area_m2, sum(price_wan) AS price_wan FROM ({BY[by]}) "
        f"WHERE {where.sql} GROUP BY id ORDER BY {order}",
        where.values,
    )
    for row in found:
        row["label"] = NAMES[by](row["id"]) if by in NAMES else str(row["id"])
        row["link"] = f"/ledger/parcels/?{LINK[by].format(row['id'])}"
        row["mu"] = m2_to_mu(row["area_m2"] or 0)
        row["yi"] = (row["price_wan"] or 0) / YI_WAN
    return found


def board(person: Any) -> dict[str, Any]:
    """Everything the overview shows."""
    where = gate.parcels(person)
    totals = one(
        "SELECT count(*) AS n, sum(area_m2) AS area_m2, count(*) FILTER (len(findings) > 0) AS flagged, "
        "sum(area_m2) FILTER (len(findings) > 0) AS flagged_m2, count(*) FILTER (len(unknowns) > 0) AS to_verify, "
        "count(*) FILTER (plan_tool IS NOT NULL) AS planned, "
        "sum(area_m2) FILTER (plan_tool IS NOT NULL) AS planned_m2, "
        f"sum(price_wan) / {YI_WAN} AS yi FROM parcels WHERE {where.sql}",
        where.values,
    )
    groups = {by: grouped(by, where) for by in BY}
    counties = gate.Scope(gate.scope_of(person).divisions).rows()
    scoreboard = rows(
        f"SELECT * FROM scoreboard WHERE {counties.sql} ORDER BY division, year", counties.values
    )
    charts = [
        {
            "id": by,
            "kind": kind,
            "rows": [[r["label"], r["n"], round(r["mu"], 1), r["link"]] for r in groups[by][:16]],
        }
        for by, kind in (("finding", "bar"), ("tier", "ring"), ("since", "line"), ("tool", "bar"))
        if groups[by]
    ]
    return {"totals": totals, "groups": groups, "scoreboard": scoreboard, "charts": charts}
