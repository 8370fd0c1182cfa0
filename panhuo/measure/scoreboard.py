"""The scoreboard: task, done and rate by division, year and measure, each by its one written formula.

Gross and net rates are measures of their own; a net rate is refused, naming what is missing, unless
opening, added, disposed and closing are all given and balance.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final

import pyarrow as pa

from panhuo.core.problems import PanhuoError, Problem
from panhuo.rulebook.facts import connect
from panhuo.rulebook.predicate import literal
from panhuo.rulebook.scheme_schema import Measure, ScoreboardScheme

AREAS: Final = ("base_m2", "done_m2", "opening_m2", "added_m2", "disposed_m2", "closing_m2")
TASKS: Final = pa.schema(
    [("division", pa.string()), ("year", pa.int64()), ("measure", pa.string())]
    + [(a, pa.float64()) for a in AREAS]
)
BALANCE_M2: Final = 1.0
"""Stocks that differ by less than this balance: figures are published in hundredths of a 亩."""


def scoreboard(tasks: pa.Table, scheme: ScoreboardScheme) -> tuple[pa.Table, list[Problem]]:
    """(division, year, measure, base_m2, done_m2, rate, formula_id) of each task row, and what was refused.

    tasks: division, year, measure and whichever of base_m2, done_m2, opening_m2, added_m2, disposed_m2,
    closing_m2 are known (m²). A rate that cannot be given is NULL and has a problem row. Raises PanhuoError
    for a measure the scheme does not define.
    """
    unknown = set(tasks["measure"].to_pylist()) - set(scheme.measures)
    if unknown:
        raise PanhuoError(
            f"没有定义的指标 (measures without a definition): {'、'.join(sorted(map(str, unknown)))}",
            remedy=f"可用 (available): {', '.join(scheme.measures)}",
        )
    con = connect()
    con.register("tasks", _typed(tasks))
    definitions = " UNION ALL ".join(_measure_sql(name, one) for name, one in scheme.measures.items())
    table = con.execute(f"SELECT * FROM ({definitions}) ORDER BY division, year, measure").to_arrow_table()
    problems = [
        Problem(
            "rate_refused",
            field=row["measure"],
            value=f"{row['division']} {row['year']}",
            action=f"缺 (missing): {row['missing']}"
            if row["missing"]
            else "期初＋新增－处置≠期末 (does not balance)",
        )
        for row in table.filter(pa.compute.is_null(table["rate"])).to_pylist()
    ]
    return table.drop_columns(["missing"]), problems


def _typed(tasks: pa.Table) -> pa.Table:
    columns = [
        tasks[f.name].cast(f.type) if f.name in tasks.column_names else pa.nulls(tasks.num_rows, f.type)
        for f in TASKS
    ]
    return pa.Table.from_arrays(columns, schema=TASKS)


def _measure_sql(name: str, one: Measure) -> str:
    """SQL of the rows of one measure."""
    missing = ", ".join(f"CASE WHEN {need} IS NULL THEN '{need}' END" for need in one.needs)
    complete = " AND ".join(f"{need} IS NOT NULL" for need in one.needs)
    sound = complete
    if one.balanced:
        sound += f" AND abs(opening_m2 + added_m2 - disposed_m2 - closing_m2) <= {BALANCE_M2}"
        base, done = "opening_m2", "disposed_m2 - added_m2"
    else:
        base, done = "base_m2", "done_m2"
    return (
        f"SELECT division, year, measure, {base} AS base_m2, {done} AS done_m2,"
        f" CASE WHEN {sound} THEN {one.formula} END AS rate, {literal(one.formula_id)} AS formula_id,"
        f" concat_ws(',', {missing}) AS missing FROM tasks WHERE measure = {literal(name)}"
    )


def rate(scheme: ScoreboardScheme, measure: str, figures: Mapping[str, float]) -> float:
    """The rate of one measure from its figures (m²).

    Raises PanhuoError naming what is missing, or that the stocks do not balance.
    """
    one = pa.table(
        {"division": [""], "year": [0], "measure": [measure], **{k: [v] for k, v in figures.items()}}
    )
    table, problems = scoreboard(one, scheme)
    if problems:
        raise PanhuoError(
            f"给不出{scheme.measures[measure].label.zh} ({scheme.measures[measure].label.en} cannot be given)",
            why=problems[0].action,
            remedy=f"公式 (formula): {scheme.measures[measure].formula}",
        )
    return float(table["rate"][0].as_py())


def stock_tally(opening: pa.Table, closing: pa.Table, year: int, measure: str) -> pa.Table:
    """Task rows of a net measure from two lists of flagged units, at the start and at the end of a year.

    opening, closing: (parcel_id, division, area_m2). A unit only in `closing` was added, one only in
    `opening` disposed of; one in both whose area changed counts the difference. Unknown areas leave the
    sums unknown.
    """
    con = connect(1)  # several threads would add areas up in another order each time
    con.register("a", opening)
    con.register("b", closing)
    return con.execute(
        "WITH units AS (SELECT coalesce(a.division, b.division) AS division,"
        " CASE WHEN a.parcel_id IS NULL THEN 0 ELSE a.area_m2 END AS before,"
        " CASE WHEN b.parcel_id IS NULL THEN 0 ELSE b.area_m2 END AS after"
        " FROM a FULL JOIN b USING (parcel_id)),"
        " whole AS (SELECT division, count(*) = count(before) AND count(*) = count(after) AS known,"
        " sum(before) AS o, sum(after) AS c, sum(greatest(after - before, 0)) AS n,"
        " sum(greatest(before - after, 0)) AS d FROM units GROUP BY division)"
        f" SELECT division, CAST({year} AS BIGINT) AS year, {literal(measure)} AS measure,"
        " CASE WHEN known THEN o END AS opening_m2, CASE WHEN known THEN n END AS added_m2,"
        " CASE WHEN known THEN d END AS disposed_m2, CASE WHEN known THEN c END AS closing_m2"
        " FROM whole ORDER BY division"
    ).to_arrow_table()


def ranking(board: pa.Table) -> pa.Table:
    """The board with `rank`: place by rate within year and measure, equal rates alike; NULL without a rate."""
    con = connect()
    con.register("board", board)
    return con.execute(
        "SELECT *, CASE WHEN rate IS NOT NULL THEN rank() OVER"
        " (PARTITION BY year, measure, rate IS NULL ORDER BY rate DESC) END AS rank"
        " FROM board ORDER BY measure, year, rank NULLS LAST, division"
    ).to_arrow_table()


def progress(board: pa.Table, on: date) -> pa.Table:
    """The board's rows of that year with `expected` (share of the year gone) and `behind`: how far the rate is short of
    it, NULL without a rate."""
    new_year = date(on.year, 1, 1)
    expected = ((on - new_year).days + 1) / (date(on.year + 1, 1, 1) - new_year).days
    con = connect()
    con.register("board", board)
    return con.execute(
        f"SELECT *, {expected!r}::DOUBLE AS expected,"
        f" CASE WHEN rate IS NOT NULL THEN greatest({expected!r} - rate, 0) END AS behind"
        f" FROM board WHERE year = {on.year} ORDER BY behind DESC NULLS LAST, division, measure"
    ).to_arrow_table()


def year_plan(board: pa.Table, years: int) -> pa.Table:
    """Equal yearly targets that clear what is left: (division, measure, year, target_m2), NULL where it is not known.

    Of each division and measure the board's latest year counts; the first target is of the year after it. What is left
    is the task less what was done, never below nothing.
    """
    con = connect()
    con.register("board", board)
    return con.execute(
        "WITH last AS (SELECT *, row_number() OVER (PARTITION BY division, measure ORDER BY year DESC) AS n FROM board)"
        " SELECT division, measure, year + k AS year,"
        " CASE WHEN rate IS NOT NULL THEN greatest(base_m2 - done_m2, 0) / $years END AS target_m2"
        " FROM last, generate_series(1, $years) ks(k) WHERE n = 1 ORDER BY measure, division, year",
        {"years": years},
    ).to_arrow_table()
