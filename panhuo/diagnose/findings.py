"""Rules of the law judged over every parcel and every approval batch."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

import duckdb
import pyarrow as pa

from panhuo.rulebook.evaluate import VERDICT, judge, missing_sql, render
from panhuo.rulebook.facts import KEYS, OWN_DATASETS, VIRTUAL_NEEDS, Law, Tables, connect, fact_table
from panhuo.rulebook.predicate import parse
from panhuo.rulebook.schema import Fact, Rule
from panhuo.rulebook.spec import dataset_fields

BATCH_UNIT: Final = "batch:"
NOT_LAW: Final = "not_in_force"

FINDINGS: Final = pa.schema(
    [
        ("parcel_id", pa.string()),
        ("finding_id", pa.string()),
        ("status", pa.string()),
        ("since", pa.date32()),
        ("severity", pa.string()),
        ("evidence", pa.string()),
        ("missing", pa.string()),
        ("cites", pa.string()),
        ("law_version", pa.string()),
    ]
)


@dataclass(frozen=True)
class Diagnosis:
    """findings: the result table, ordered by parcel and finding.

    facts: one row per parcel, every fact and one `is_<finding>` column per rule (NULL: unknown or not assessed).
    batch_facts: the same for approval batches, `parcel_id` being `batch:<batch_id>`.
    not_assessed: rule → why (missing datasets, or not in force on the date).
    """

    findings: pa.Table
    facts: pa.Table
    batch_facts: pa.Table
    not_assessed: Mapping[str, str]


def diagnose(tables: Tables, law: Law, threads: int | None = None) -> Diagnosis:
    """Judges every rule in force over `tables` (dataset name → rows)."""
    found: list[pa.Table] = []
    skipped: dict[str, str] = {}
    facts = {"parcel": pa.table({}), "batch": pa.table({})}
    for unit, first in (("parcel", "parcels"), ("batch", "batches")):
        if first not in tables:
            continue
        rules = {rule_id: rule for rule_id, rule in law.book.rules.items() if rule.unit == unit}
        why = {rule_id: _why_not(rule, law, tables) for rule_id, rule in rules.items()}
        skipped |= {rule_id: reason for rule_id, reason in why.items() if reason}
        con = connect(threads)
        found.append(_judge_unit(con, tables, law, unit, rules, why))
        named = f"SELECT * REPLACE ({_unit_id(unit)} AS parcel_id) FROM facts"
        facts[unit] = con.sql(named).to_arrow_table()
        con.close()
    findings = pa.concat_tables(found) if found else FINDINGS.empty_table()
    ordered = findings.sort_by([("parcel_id", "ascending"), ("finding_id", "ascending")])
    return Diagnosis(ordered, facts["parcel"], facts["batch"], skipped)


def _unit_id(unit: str) -> str:
    """SQL of the id a unit bears in every result table."""
    return f"'{BATCH_UNIT}' || batch_id" if unit == "batch" else KEYS[unit]


def _judge_unit(
    con: duckdb.DuckDBPyConnection,
    tables: Tables,
    law: Law,
    unit: str,
    rules: Mapping[str, Rule],
    why_not: Mapping[str, str],
) -> pa.Table:
    """The findings of one unit. A rule that is not law on the date is not judged; one whose dataset is not held is
    judged, but its unknowns are said once for the run (`not_assessed`), not once for every parcel."""
    fact_table(con, tables, law, unit)
    live = {rule_id: rule for rule_id, rule in rules.items() if not why_not[rule_id].startswith(NOT_LAW)}
    judge(con, "facts", rule_verdicts(law, unit))
    columns = set(con.table("facts").columns)
    parts = [
        _finding_sql(rule_id, rule, law, _unit_id(unit), columns, unknowns=not why_not[rule_id])
        for rule_id, rule in live.items()
    ]
    return (
        con.sql(" UNION ALL ".join(parts)).to_arrow_table().cast(FINDINGS)
        if parts
        else FINDINGS.empty_table()
    )


def rule_verdicts(law: Law, unit: str) -> dict[str, str]:
    """DuckDB text of each `is_<finding>` column over a fact table of `unit`: NULL where the rule is not law that day.

    A rule of another unit does not concern this one: FALSE, so that a clause may name it all the same.
    """
    own = {r: rule for r, rule in law.book.rules.items() if rule.unit == unit}
    verdicts = {
        VERDICT + r: "NULL" if _not_law(rule, law) else _verdict(rule, law) for r, rule in own.items()
    }
    return verdicts | {VERDICT + r: "FALSE" for r in law.book.rules.keys() - own.keys()}


def _verdict(rule: Rule, law: Law) -> str:
    when = render(law, rule.when)
    return (
        f"CASE WHEN ({render(law, rule.applies)}) IS FALSE THEN FALSE ELSE ({when}) END"
        if rule.applies
        else when
    )


def _finding_sql(rule_id: str, rule: Rule, law: Law, key: str, columns: set[str], *, unknowns: bool) -> str:
    """SQL of the rule's rows of the findings table: held (`yes`) and undecided (`unknown`)."""
    verdict = VERDICT + rule_id
    when = parse(rule.when)
    shown = rule.evidence or list(when.names)
    evidence = ", ".join(f"{name} := {name}" for name in shown if name in columns)
    since = f"CAST({render(law, rule.since)} AS DATE)" if rule.since else "NULL"
    cites = ";".join(f"{cite.source}:{cite.article}" for cite in rule.cites)
    return f"""
        SELECT {key} AS parcel_id, '{rule_id}' AS finding_id,
            CASE WHEN {verdict} THEN 'yes' ELSE 'unknown' END AS status,
            CASE WHEN {verdict} THEN {since} END AS since,
            '{rule.severity}' AS severity,
            {f"CAST(to_json(struct_pack({evidence})) AS VARCHAR)" if evidence else "'{}'"} AS evidence,
            CASE WHEN {verdict} THEN '' ELSE {missing_sql(when, law.book.facts, columns)} END AS missing,
            '{cites}' AS cites, '{law.book.version}' AS law_version
        FROM facts WHERE {verdict} {"IS NOT FALSE" if unknowns else "IS TRUE"}"""


def _why_not(rule: Rule, law: Law, tables: Tables) -> str:
    """Why a rule cannot be judged in this run: not law on the date, or none of the datasets it rests on is held.

    A rule that has one of its datasets is judged: what the others would tell is unknown and named parcel by parcel.
    """
    if reason := _not_law(rule, law):
        return reason
    needed = needed_datasets(parse(rule.when).names, law.book.facts, rule.unit) - {"parcels", "batches"}
    return f"no_dataset: {', '.join(sorted(needed))}" if needed and not needed & set(tables) else ""


def _not_law(rule: Rule, law: Law) -> str:
    """Why a rule is no law on the date: not in force, or a number it needs has no value yet; empty when it is."""
    if not law.book.in_force(rule, law.as_of):
        return NOT_LAW
    unvalued = [name for name in parse(rule.when).parameters if not law.book.has_value(name, law.as_of)]
    return f"{NOT_LAW}: {', '.join(unvalued)}" if unvalued else ""


def needed_datasets(names: Iterable[str], facts: Mapping[str, Fact], unit: str) -> set[str]:
    """The datasets that `names`, or the facts behind them, are taken from."""
    found: set[str] = set()
    for name in names:
        fact = facts.get(name)
        if fact is None:
            owners = (dataset for dataset in OWN_DATASETS[unit] if name in dataset_fields(dataset))
            found.update(islice(owners, 1))
        elif fact.dataset:
            found.update(VIRTUAL_NEEDS.get(fact.dataset, (fact.dataset,)))
        else:
            found |= needed_datasets(parse(fact.sql).names, facts, unit)
    return found
