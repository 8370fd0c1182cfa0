"""What follows from a tier: the plan of each low firm (一企一策) and what a score would need to rise."""

from dataclasses import dataclass

import pyarrow as pa

from panhuo.rulebook.judged import held, opened
from panhuo.rulebook.predicate import literal
from panhuo.rulebook.scheme_schema import FirmPlanScheme, Scheme

TEXT_FIELDS = ("tier", "status", "industry")


@dataclass(frozen=True)
class Lift:
    """One indicator of a firm: what it scored, what full weight would add, and the value that gives full weight."""

    indicator: str
    label_zh: str
    label_en: str
    unit: str
    value: float | None
    points: float | None
    short_points: float | None
    target: float | None


def firm_plans(firms: pa.Table, scheme: FirmPlanScheme) -> pa.Table:
    """The actions proposed to each firm of a low tier: (enterprise_id, order_no, action, tool_id, zh, en).

    firms: one record per firm with enterprise_id, tier and the fields the scheme's actions name; an action
    whose facts are unknown is left out. Firms of other tiers have no rows.
    """
    expressions = [a.when for a in scheme.actions.values()]
    con = opened(firms=held(firms, [*expressions, "tier"], types=dict.fromkeys(TEXT_FIELDS, pa.string())))
    tiers = ", ".join(literal(t) for t in scheme.tiers)
    parts = " UNION ALL ".join(
        f"SELECT enterprise_id, {k} AS no, {literal(name)} AS action, {literal(one.tool)} AS tool_id,"
        f" {literal(one.because.zh)} AS zh, {literal(one.because.en)} AS en"
        f" FROM firms WHERE tier IN ({tiers}) AND ({one.when})"
        for k, (name, one) in enumerate(scheme.actions.items())
    )
    return con.execute(
        "SELECT enterprise_id, row_number() OVER (PARTITION BY enterprise_id ORDER BY no) AS order_no,"
        f" action, tool_id, zh, en FROM ({parts}) ORDER BY enterprise_id, order_no"
    ).to_arrow_table()


def lifts(scheme: Scheme, group_id: str, items: pa.Table) -> list[Lift]:
    """A firm's indicators, the one with most to gain first. items: the firm's rows of `score_items`."""
    held_items = {row["indicator"]: row for row in items.to_pylist()}
    found = []
    for name, one in scheme.groups[group_id].indicators.items():
        row = held_items.get(name)
        if row is None or (row["points"] is not None and row["value"] is None and row["base"] is None):
            continue  # left out for the whole group: no firm has anything to gain by it
        short = None if row["points"] is None else max(0.0, one.weight - row["points"])
        found.append(
            Lift(name, one.label.zh, one.label.en, one.unit, row["value"], row["points"], short, row["base"])
        )
    return sorted(
        found, key=lambda lift: -(lift.short_points if lift.short_points is not None else one.weight)
    )
