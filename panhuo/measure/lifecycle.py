"""The milestones of each contract, and where each firm stands in the park.

A milestone is forewarned from `ahead_days` before its due date and overdue from the day after it; a due
date on a rest day moves to the next working day (Civil Code Art 203). Nobody knowing is `unknown`, never
overdue.
"""

from datetime import date
from typing import Final

import pyarrow as pa

from panhuo.core.dates import WorkCalendar, next_working_day
from panhuo.rulebook.judged import held, opened
from panhuo.rulebook.predicate import literal
from panhuo.rulebook.scheme_schema import LifecycleScheme, Milestone

DATES: Final = dict.fromkeys(
    ("delivery_by", "delivered_on", "start_by", "started_on", "finish_by", "finished_on", "production_by",
     "produced_on", "capacity_by", "reached_on", "as_of"), pa.date32()
)  # fmt: skip
TYPES: Final = {**DATES, "work_state": pa.string(), "producing": pa.bool_(), "reached": pa.bool_()}

STATE: Final = """
CASE WHEN met AND met_on IS NULL THEN 'met'
  WHEN met AND due_on IS NULL THEN 'met'
  WHEN met THEN CASE WHEN met_on > due_on THEN 'met_late' ELSE 'met' END
  WHEN due_on IS NULL THEN 'no_date'
  WHEN as_of < forewarn_on THEN 'ahead'
  WHEN met IS NULL THEN 'unknown'
  WHEN as_of > due_on THEN 'overdue'
  ELSE 'due_soon' END
"""
DAYS: Final = """
CASE state WHEN 'met_late' THEN date_diff('day', due_on, met_on) WHEN 'overdue' THEN date_diff('day', due_on, as_of)
  WHEN 'due_soon' THEN date_diff('day', as_of, due_on) END
"""


def milestones(contracts: pa.Table, scheme: LifecycleScheme, calendar: WorkCalendar, on: date) -> pa.Table:
    """Every milestone of every contract on a date.

    contracts: rows with contract_no, parcel_id and the fields the bound scheme names (absent ones are
    unknown). Gives (contract_no, parcel_id, milestone, due_on, forewarn_on, met_on, state, days); `state`
    is met, met_late, ahead, due_soon, overdue, unknown or no_date; `days` is lateness, or what is left
    while due_soon.
    """
    rows = contracts
    if "as_of" not in rows.column_names:
        rows = rows.append_column("as_of", pa.repeat(pa.scalar(on, pa.date32()), rows.num_rows))
    expressions = [e for m in scheme.milestones.values() for e in (m.due, m.met, m.met_on)]
    con = opened(contracts=held(rows, expressions, types=TYPES))
    parts = " UNION ALL ".join(
        _milestone(name, one, k) for k, (name, one) in enumerate(scheme.milestones.items())
    )
    con.execute(f"CREATE TEMP TABLE raw AS {parts}")
    stated = [
        d for (d,) in con.execute("SELECT DISTINCT due_given FROM raw WHERE due_given IS NOT NULL").fetchall()
    ]
    moved = pa.table({
        "due_given": pa.array(stated, pa.date32()),
        "due_on": pa.array([next_working_day(d, calendar).day for d in stated], pa.date32()),
    })  # fmt: skip
    con.register("moved", moved)
    return con.execute(
        "WITH dated AS (SELECT raw.* EXCLUDE (ahead), due_on, due_on - CAST(ahead AS INTEGER) AS forewarn_on"
        " FROM raw LEFT JOIN moved USING (due_given)),"
        f" judged AS (SELECT *, {STATE} AS state FROM dated)"
        f" SELECT contract_no, parcel_id, milestone, due_on, forewarn_on, met_on, state, {DAYS} AS days"
        " FROM judged ORDER BY contract_no, no"
    ).to_arrow_table()


def _milestone(name: str, one: Milestone, number: int) -> str:
    return (
        f"SELECT contract_no, parcel_id, as_of, {number} AS no, {literal(name)} AS milestone,"
        f" CAST(({one.due}) AS DATE) AS due_given, CAST(({one.met}) AS BOOLEAN) AS met,"
        f" CAST(({one.met_on}) AS DATE) AS met_on, {float(one.ahead_days)!r} AS ahead FROM contracts"
    )


def stages(enterprises: pa.Table, scheme: LifecycleScheme) -> pa.Table:
    """Where each firm stands: (enterprise_id, stage, zh, en); an unknown status is the stage `unknown`."""
    con = opened(firms=held(enterprises, ["status"], types={"status": pa.string()}))
    cases = " ".join(f"WHEN {s.when} THEN {literal(name)}" for name, s in scheme.stages.items())
    zh = " ".join(f"WHEN {literal(n)} THEN {literal(s.label.zh)}" for n, s in scheme.stages.items())
    en = " ".join(f"WHEN {literal(n)} THEN {literal(s.label.en)}" for n, s in scheme.stages.items())
    return con.execute(
        f"WITH s AS (SELECT enterprise_id, CASE {cases} ELSE 'unknown' END AS stage FROM firms)"
        f" SELECT enterprise_id, stage, CASE stage {zh} ELSE '未知' END AS zh, CASE stage {en} ELSE 'Unknown' END AS en"
        " FROM s ORDER BY enterprise_id"
    ).to_arrow_table()
