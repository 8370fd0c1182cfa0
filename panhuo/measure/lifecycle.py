"""Promised against met: the milestones and figures of each contract, and where each firm stands in the park.

A milestone is forewarned from `ahead_days` before its due date and overdue from the day after it; a due
date on a rest day moves to the next working day (Civil Code Art 203). Nobody knowing is `unknown`, never
overdue.
"""

from datetime import date, timedelta
from typing import Final

import pyarrow as pa

from panhuo.core.dates import WorkCalendar, next_working_day
from panhuo.rulebook.judged import held, opened
from panhuo.rulebook.predicate import literal
from panhuo.rulebook.scheme_schema import AdmissionScheme, LifecycleScheme, Milestone

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


def warning_days(due: date, ahead_days: int, calendar: WorkCalendar) -> tuple[date, date, date]:
    """(first day of forewarning, last day to meet it, first day overdue) of a due date."""
    last = next_working_day(due, calendar).day
    return last - timedelta(days=ahead_days), last, last + timedelta(days=1)


def dated_promises(promises: pa.Table, contracts: pa.Table, found: pa.Table) -> pa.Table:
    """The promises of admitted projects in their contracts, each due with its milestone.

    promises: of panhuo.score.admission.promises; contracts: (project_id, contract_no); found: of `milestones`.
    Gives (contract_no, measure, promised, side, unit, due_on); `due_on` is NULL where the milestone has no date.
    """
    con = opened(promises=promises, contracts=contracts, found=found)
    return con.execute(
        "SELECT c.contract_no, p.measure, p.promised, p.side, p.unit, f.due_on FROM promises p"
        " JOIN contracts c USING (project_id)"
        " LEFT JOIN found f ON f.contract_no = c.contract_no AND f.milestone = p.due ORDER BY ALL"
    ).to_arrow_table()


def contract_promises(contracts: pa.Table, scheme: AdmissionScheme, found: pa.Table) -> pa.Table:
    """The figures the contracts themselves promise, each due with its milestone; rows as of `dated_promises`.

    contracts: rows with contract_no and, for a criterion of the scheme, promised_<criterion> in its unit; a
    contract silent on a criterion promises nothing. found: of `milestones`.
    """
    stated = {
        name: one for name, one in scheme.criteria.items() if f"promised_{name}" in contracts.column_names
    }
    parts = [
        f"SELECT contract_no, {literal(name)} AS measure, promised_{name} AS promised, {literal(one.side)} AS side,"
        f" {literal(one.unit)} AS unit, {literal(one.due or '')} AS due FROM contracts"
        for name, one in stated.items()
    ]
    none = (
        "SELECT contract_no, '' AS measure, 0.0 AS promised, '' AS side, '' AS unit, '' AS due FROM contracts"
        " WHERE FALSE"
    )
    return (
        opened(contracts=contracts, found=found)
        .execute(
            "SELECT p.* EXCLUDE (due), f.due_on"
            f" FROM ({' UNION ALL '.join([none, *parts])}) p LEFT JOIN found f"
            " ON f.contract_no = p.contract_no AND f.milestone = p.due"
            " WHERE promised IS NOT NULL ORDER BY ALL"
        )
        .to_arrow_table()
    )


def promised_figures(promises: pa.Table, actuals: pa.Table) -> pa.Table:
    """Promised figures against met ones: 达产复核.

    promises: (contract_no, measure, promised, side, due_on); actuals: (contract_no, measure, actual, on).
    The latest actual counts. Gives (contract_no, measure, promised, actual, side, due_on, state, short):
    kept, missed, not_due (short of it, and measured before its due date or never due) or unknown; `short` is the
    shortfall over the promise.
    """
    con = opened(promises=promises, actuals=actuals)
    return con.execute(
        'WITH last AS (SELECT contract_no, measure, arg_max(actual, "on") AS actual, max("on") AS measured_on'
        " FROM actuals WHERE actual IS NOT NULL GROUP BY ALL),"
        " compared AS (SELECT p.*, actual, measured_on,"
        " CASE WHEN side = 'at_least' THEN actual >= promised ELSE actual <= promised END AS ok"
        " FROM promises p LEFT JOIN last USING (contract_no, measure))"
        " SELECT contract_no, measure, promised, actual, side, due_on,"
        " CASE WHEN ok IS NULL THEN 'unknown' WHEN ok THEN 'kept'"
        " WHEN due_on IS NULL OR measured_on < due_on THEN 'not_due'"
        " ELSE 'missed' END AS state,"
        " CASE WHEN ok = FALSE THEN abs(promised - actual) / promised END AS short"
        " FROM compared ORDER BY contract_no, measure"
    ).to_arrow_table()


def consequences(subjects: pa.Table, scheme: AdmissionScheme) -> pa.Table:
    """What the contract's scheme says follows: (contract_no, subject, consequence, kind, zh, en, amount, unit).

    subjects: (contract_no, subject, subject_kind milestone|figure, state, days, short, price_wan …).
    """
    expressions = [e for c in scheme.consequences.values() for e in (c.when, c.amount or "NULL")]
    text = dict.fromkeys(("subject", "subject_kind", "state"), pa.string())
    con = opened(subjects=held(subjects, expressions, types=text))
    parts = " UNION ALL ".join(
        f"SELECT contract_no, subject, {literal(name)} AS consequence, {literal(c.kind)} AS kind,"
        f" {literal(c.label.zh)} AS zh, {literal(c.label.en)} AS en, CAST(({c.amount or 'NULL'}) AS DOUBLE) AS amount,"
        f" {literal(c.unit)} AS unit FROM subjects WHERE ({c.when})"
        for name, c in scheme.consequences.items()
    )
    return con.execute(f"SELECT * FROM ({parts}) ORDER BY contract_no, subject, consequence").to_arrow_table()


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
