"""Admission: a project against a bar such as 448: pass or fail per indicator, the gap, a grade, its promises."""

from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from panhuo.rulebook.judged import held, missing, opened
from panhuo.rulebook.predicate import literal
from panhuo.rulebook.scheme_schema import AdmissionScheme, Criterion

TOLERANCE: Final = 1e-9
"""A value this near its bar, relatively, reaches it: 亩 turned into m² and back must not fail a project."""


@dataclass(frozen=True)
class AdmissionResult:
    """`verdicts` one row per project, `items` one per project and criterion."""

    verdicts: pa.Table
    items: pa.Table


def admit(projects: pa.Table, scheme: AdmissionScheme) -> AdmissionResult:
    """Holds projects against a bound scheme.

    projects: `project_id` and the fields the scheme names (land_mu, or area_m2 in m²; money 万元).
    items(project_id, scheme_id, criterion, value, bar, side, unit, passed, gap, missing): `gap` is how far
    the value is past the bar (negative: short of it); an unknown value is neither passed nor failed.
    verdicts(project_id, scheme_id, admitted yes|no|unknown, grade, passed, failed, unknown, margin,
    missing): `margin` is the least value ÷ bar; one failed criterion is a no even when others are unknown.
    """
    expressions = [e for c in scheme.criteria.values() for e in (c.numerator, c.denominator)]
    rows = with_land(projects)
    con = opened(projects=held(rows, expressions))
    parts = " UNION ALL ".join(
        _criterion(name, one, k) for k, (name, one) in enumerate(scheme.criteria.items())
    )
    con.execute(f"CREATE TEMP TABLE items AS {parts}")
    items = con.execute(
        f"SELECT project_id, {literal(scheme.id)} AS scheme_id, criterion, value, bar, side, unit, passed,"
        " CASE WHEN side = 'at_least' THEN value - bar ELSE bar - value END AS gap, missing"
        " FROM items ORDER BY project_id, no"
    ).to_arrow_table()
    grades = " ".join(f"WHEN ({g.when}) THEN {literal(name)}" for name, g in scheme.grades.items())
    verdicts = con.execute(
        "WITH counts AS (SELECT project_id, count(*) FILTER (passed) AS passed,"
        " count(*) FILTER (NOT passed) AS failed, count(*) FILTER (passed IS NULL) AS unknown,"
        " CASE WHEN bool_and(passed IS NOT NULL) THEN min(CASE WHEN side = 'at_least' THEN value / bar"
        " WHEN value > 0 THEN bar / value ELSE 'infinity'::DOUBLE END) END AS margin,"
        " string_agg(DISTINCT nullif(missing, ''), ',' ORDER BY nullif(missing, '')) AS missing"
        " FROM items GROUP BY project_id)"
        f" SELECT project_id, {literal(scheme.id)} AS scheme_id,"
        " CASE WHEN failed > 0 THEN 'no' WHEN unknown > 0 THEN 'unknown' ELSE 'yes' END AS admitted,"
        f" CASE WHEN margin IS NULL THEN NULL {grades} END AS grade, passed, failed, unknown, margin, missing"
        " FROM counts ORDER BY project_id"
    ).to_arrow_table()
    return AdmissionResult(verdicts, items)


def with_land(rows: pa.Table) -> pa.Table:
    """`rows` with `land_mu` from `area_m2` where only that is given."""
    if "land_mu" in rows.column_names or "area_m2" not in rows.column_names:
        return rows
    return opened(rows=rows).execute("SELECT *, area_m2 * 3 / 2000 AS land_mu FROM rows").to_arrow_table()


def ratio(one: Criterion) -> str:
    """SQL of a criterion's value; a denominator of zero or less leaves none."""
    return (
        f"CASE WHEN ({one.denominator}) > 0 THEN ({one.numerator}) / CAST(({one.denominator}) AS DOUBLE) END"
    )


def _criterion(name: str, one: Criterion, number: int) -> str:
    """SQL of one criterion's rows."""
    value = ratio(one)
    bar = float(one.bar)
    reached = f">= {bar * (1 - TOLERANCE)!r}" if one.side == "at_least" else f"<= {bar * (1 + TOLERANCE)!r}"
    return (
        f"SELECT project_id, {number} AS no, {literal(name)} AS criterion, {value} AS value,"
        f" CAST({bar!r} AS DOUBLE) AS bar, {literal(one.side)} AS side, {literal(one.unit)} AS unit,"
        f" {value} {reached} AS passed, {missing([one.numerator, one.denominator])} AS missing"
        " FROM projects"
    )


def promises(result: AdmissionResult, scheme: AdmissionScheme) -> pa.Table:
    """What the admitted projects promise: (project_id, scheme_id, measure, promised, bar, side, unit, due).

    A project promises the figure it declared, never less than the bar; `due` names the milestone it falls
    due at.
    """
    due = pa.table({
        "criterion": [*scheme.criteria], "due": pa.array([c.due for c in scheme.criteria.values()], pa.string())
    })  # fmt: skip
    con = opened(items=result.items, verdicts=result.verdicts, due=due)
    return con.execute(
        "SELECT i.project_id, i.scheme_id, criterion AS measure, value AS promised, bar, side, unit, due FROM items i"
        " JOIN verdicts v ON v.project_id = i.project_id AND v.admitted = 'yes' JOIN due USING (criterion)"
        " ORDER BY ALL"
    ).to_arrow_table()
