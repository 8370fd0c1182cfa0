"""Rules of the law judged over every parcel and every approval batch."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from panhuo.rulebook.evaluate import VERDICT, missing, render, rests_on
from panhuo.rulebook.facts import OWN_DATASETS, VIRTUAL_NEEDS, Law, Tables, connect, fact_rows
from panhuo.rulebook.patterns import FALSE, TRUE, UNKNOWN, Ints, coded, distinct, nulls, truths, word_numbers
from panhuo.rulebook.predicate import parse
from panhuo.rulebook.schema import Fact, Rule
from panhuo.rulebook.spec import dataset_fields

BATCH_UNIT: Final = "batch:"
UNITS: Final = {"parcel": "parcels", "batch": "batches"}
NOT_LAW: Final = "not_in_force"
NO_TABLE: Final = "no_dataset: "

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
    """findings: the result table, by unit (parcels as given, then batches) and finding.

    facts: one row per parcel, every fact and one `is_<finding>` column per rule (NULL: unknown or not assessed).
    batch_facts: the same for approval batches, `parcel_id` being `batch:<batch_id>`.
    not_assessed: rule → why (missing datasets, or not in force on the date).
    """

    findings: pa.Table
    facts: pa.Table
    batch_facts: pa.Table
    not_assessed: Mapping[str, str]

    @property
    def units(self) -> pa.Array:
        """The id of every unit, parcels first; result tables code their `parcel_id` by the place in it."""
        held = [t["parcel_id"] for t in (self.facts, self.batch_facts) if t.num_rows]
        chunks = [chunk for column in held for chunk in column.chunks]
        return pa.chunked_array(chunks, pa.string()).combine_chunks()


def unjudged(tables: Tables, law: Law) -> dict[str, str]:
    """Rule → why it cannot be judged over these datasets on the law's date."""
    held = [unit for unit, first in UNITS.items() if first in tables]
    return {
        rule_id: reason
        for rule_id, rule in law.book.rules.items()
        if rule.unit in held and (reason := _why_not(rule, law, tables))
    }


def diagnose(tables: Tables, law: Law, threads: int = 1) -> Diagnosis:
    """Judges every rule in force over `tables` (dataset name → rows)."""
    skipped = unjudged(tables, law)
    facts = {"parcel": pa.table({}), "batch": pa.table({})}
    for unit, first in UNITS.items():
        if first in tables:
            con = connect(threads)
            rows = fact_rows(con, tables, law, unit, rule_verdicts(law, unit))
            con.close()
            facts[unit] = _named(rows) if unit == "batch" else rows
    both = Diagnosis(FINDINGS.empty_table(), facts["parcel"], facts["batch"], skipped)
    units, found = both.units, list[pa.Table]()
    for unit, begin in (("parcel", 0), ("batch", facts["parcel"].num_rows)):
        if facts[unit].num_rows:
            found.append(_findings(facts[unit], unit, begin, units, law, skipped))
    return replace(both, findings=pa.concat_tables(found).unify_dictionaries()) if found else both


def _named(batches: pa.Table) -> pa.Table:
    """Batches under the id they bear in every result table."""
    ids = pc.binary_join_element_wise(BATCH_UNIT, batches["batch_id"], "")
    return batches.set_column(batches.column_names.index("parcel_id"), "parcel_id", ids)


def _findings(
    facts: pa.Table,
    unit: str,
    begin: int,
    units: pa.Array,
    law: Law,
    skipped: Mapping[str, str],
) -> pa.Table:
    """The findings of one unit, held (`yes`) and undecided (`unknown`), in the order of `facts` and of their ids.

    A rule that is not law on the date is not judged; one whose dataset is not held is judged, but its unknowns are
    said once for the run (`not_assessed`), not once for every parcel.
    """
    rules = {
        rule_id: rule
        for rule_id, rule in sorted(law.book.rules.items())
        if rule.unit == unit and not skipped.get(rule_id, "").startswith(NOT_LAW)
    }
    standing = np.zeros((facts.num_rows, len(rules)), dtype=np.uint8)
    for number, rule_id in enumerate(rules):
        truth = truths(facts[VERDICT + rule_id])
        standing[:, number] = np.where(truth == UNKNOWN, FALSE, truth) if rule_id in skipped else truth
    row, rule = np.nonzero(standing)
    certain = standing[row, rule] == TRUE
    evidence, since = _shown(facts, rules, law)
    lacks, words = _lacks(facts, rules, row[~certain], rule[~certain], law)
    lack = np.zeros(len(row), dtype=np.int32)
    lack[~certain] = lacks
    at = pa.array(rule * facts.num_rows + row)

    def of_rule(texts: Iterable[str]) -> pa.DictionaryArray:
        numbers, distinct_words = word_numbers(list(texts))
        return coded(numbers[rule], distinct_words)

    return pa.table(
        {
            "parcel_id": coded(row + begin, units),
            "finding_id": of_rule(rules),
            "status": coded(~certain, ["yes", "unknown"]),
            "since": since.take(at),
            "severity": of_rule(r.severity for r in rules.values()),
            "evidence": evidence.take(at),
            "missing": coded(lack, words),
            "cites": of_rule(";".join(f"{c.source}:{c.article}" for c in r.cites) for r in rules.values()),
            "law_version": coded(np.zeros(len(row), dtype=np.int32), [law.book.version]),
        }
    )


def _shown(facts: pa.Table, rules: Mapping[str, Rule], law: Law) -> tuple[pa.Array, pa.Array]:
    """(evidence as JSON, since) of every rule and unit, rule after rule; NULL where the rule does not stand."""
    columns = set(facts.column_names)
    texts = list[str]()
    for rule_id, rule in rules.items():
        named = [n for n in (rule.evidence or parse(rule.when).names) if n in columns]
        packed = ", ".join(f"{name} := {name}" for name in named)
        evidence = f"CAST(to_json(struct_pack({packed})) AS VARCHAR)" if named else "'{}'"
        texts.append(f"CASE WHEN {VERDICT}{rule_id} IS NOT FALSE THEN {evidence} END AS e{len(texts)}")
    dated = [(n, rule_id, rule.since) for n, (rule_id, rule) in enumerate(rules.items()) if rule.since]
    texts += [
        f"CASE WHEN {VERDICT}{rule_id} THEN CAST({render(law, since)} AS DATE) END AS s{n}"
        for n, rule_id, since in dated
    ]
    con = connect(1)
    con.register("facts", facts)
    found = con.sql(f"SELECT {', '.join(texts)} FROM facts").to_arrow_table()
    con.close()
    undated = pa.nulls(facts.num_rows, pa.date32())
    listed = [found[f"s{n}"] if f"s{n}" in found.column_names else undated for n in range(len(rules))]
    return _stacked(found[f"e{n}"] for n in range(len(rules))), _stacked(listed)


def _stacked(columns: Iterable[pa.ChunkedArray | pa.Array]) -> pa.Array:
    """Columns one after another."""
    chunks = [
        c for column in columns for c in (column.chunks if isinstance(column, pa.ChunkedArray) else [column])
    ]
    return pa.concat_arrays(chunks)


def _lacks(
    facts: pa.Table, rules: Mapping[str, Rule], row: Ints, rule: Ints, law: Law
) -> tuple[NDArray[np.int32], list[str]]:
    """What is missing for each undecided (row, rule): numbers of words, and the words ("" is the first).

    Rows in which the same facts are unknown lack the same: worked out once for each such pattern.
    """
    columns = set(facts.column_names)
    unknown: dict[str, NDArray[np.uint8]] = {}
    numbers, words = np.zeros(len(row), dtype=np.int32), {"": 0}
    for number, one in enumerate(rules.values()):
        mine = np.flatnonzero(rule == number)
        when = parse(one.condition)
        names = rests_on(when, law.book.facts, columns)
        for name in names:
            if name not in unknown:
                unknown[name] = nulls(facts[name]).astype(np.uint8)
        pattern, first = distinct((unknown[name][row[mine]] for name in names), len(mine))
        texts = [
            ",".join(missing(when, law.book.facts, columns, {n for n in names if unknown[n][row[mine[at]]]}))
            for at in first
        ]
        numbered = [words.setdefault(text, len(words)) for text in texts]
        numbers[mine] = np.array(numbered, dtype=np.int32)[pattern]
    return numbers, list(words)


def rule_verdicts(law: Law, unit: str) -> dict[str, str]:
    """DuckDB text of each `is_<finding>` column over a fact table of `unit`: NULL where the rule is not law that day.

    A rule of another unit does not concern this one: FALSE, so that a clause may name it all the same.
    """
    own = {r: rule for r, rule in law.book.rules.items() if rule.unit == unit}
    verdicts = {
        VERDICT + r: "NULL" if _not_law(rule, law) else render(law, rule.condition) for r, rule in own.items()
    }
    return verdicts | {VERDICT + r: "FALSE" for r in law.book.rules if r not in own}


def _why_not(rule: Rule, law: Law, tables: Tables) -> str:
    """Why a rule cannot be judged in this run: not law on the date, or none of the datasets it rests on is held.

    A rule that has one of its datasets is judged: what the others would tell is unknown and named parcel by parcel.
    """
    if reason := _not_law(rule, law):
        return reason
    needed = needed_datasets(parse(rule.condition).names, law.book.facts, rule.unit) - {"parcels", "batches"}
    return f"{NO_TABLE}{', '.join(sorted(needed))}" if needed and not needed & set(tables) else ""


def _not_law(rule: Rule, law: Law) -> str:
    """Why a rule is no law on the date: not in force, or a number it needs has no value yet; empty when it is."""
    if not law.book.in_force(rule, law.as_of):
        return NOT_LAW
    unvalued = [name for name in parse(rule.condition).parameters if not law.book.has_value(name, law.as_of)]
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
