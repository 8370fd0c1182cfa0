"""Whether predicates hold on the facts of one parcel, and which facts are missing where nobody knows.

A parcel at a time, for a page or a case; a province is judged by columns (`evaluate.judge`).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from panhuo.rulebook.book import Rulebook
from panhuo.rulebook.evaluate import VERDICT, missing
from panhuo.rulebook.facts import AS_OF, OWN_DATASETS, Law, connect
from panhuo.rulebook.predicate import literal, parse
from panhuo.rulebook.schema import Rule
from panhuo.rulebook.spec import SQL_TYPES, dataset_fields


@dataclass(frozen=True, slots=True)
class Truth:
    """A predicate on the facts: true, false, or None with the facts to be found out."""

    holds: bool | None
    missing: tuple[str, ...] = ()


def fact_types(book: Rulebook) -> dict[str, str]:
    """Fact → its type word: the fields of a parcel's datasets, what the law derives, and the verdicts of its rules."""
    types = {n: kind for dataset in OWN_DATASETS["parcel"] for n, kind in dataset_fields(dataset).items()}
    types |= {name: fact.type for name, fact in book.facts.items()}
    return types | {VERDICT + rule: "bool" for rule in book.rules} | {AS_OF: "date"}


def truths(
    texts: Collection[str], facts: Mapping[str, Any], settled: Mapping[str, Any], law: Law
) -> dict[str, Truth]:
    """Each predicate → whether it holds.

    facts: a row of the parcel's facts, as assessed; settled: what was found out since and goes before it. What the law
    derives from a settled fact, or what the row does not hold, is derived anew.
    """
    if not texts:
        return {}
    row = _row({*(n for text in texts for n in parse(text).names)}, facts, settled, law)
    columns = {text: f"v{number}" for number, text in enumerate(sorted(texts))}
    asked = ", ".join(
        f"CAST({law.sql(parse(text))} AS BOOLEAN) AS {column}" for text, column in columns.items()
    )
    with connect(1) as con:
        found = con.sql(f"SELECT *, {asked} FROM ({row})").to_arrow_table().to_pylist()[0]
    values = {**facts, **settled, **found}
    unknown = {name for name in fact_types(law.book) if values.get(name) is None}
    return {
        text: Truth(found[column], () if found[column] is not None else _missing(text, unknown, law.book))
        for text, column in columns.items()
    }


def worked_out(
    names: Collection[str], facts: Mapping[str, Any], settled: Mapping[str, Any], law: Law
) -> dict[str, Any]:
    """The facts named, those that rest on a settled one derived anew, as in `truths`."""
    with connect(1) as con:
        found = con.sql(f"SELECT * FROM ({_row(names, facts, settled, law)})").to_arrow_table().to_pylist()[0]
    return {name: found[name] for name in names}


def _missing(text: str, unknown: Collection[str], book: Rulebook) -> tuple[str, ...]:
    """The facts to be found out for a predicate; for a rule's verdict, those its condition rests on."""
    spoken = [
        parse(text),
        *(parse(rule.condition) for name in parse(text).names if (rule := _rule(name, book))),
    ]
    found = {n for words in spoken for n in missing(words, book.facts, fact_types(book), unknown)}
    return tuple(sorted(name for name in found if not _rule(name, book)))


def _rule(name: str, book: Rulebook) -> Rule | None:
    """The rule whose verdict the name is."""
    return book.rules.get(name.removeprefix(VERDICT)) if name.startswith(VERDICT) else None


def _row(names: Iterable[str], facts: Mapping[str, Any], settled: Mapping[str, Any], law: Law) -> str:
    """SQL of the one row of `names`: values as held, then on them what rests on a settled fact or is not held."""
    types, given = fact_types(law.book), {**facts, **settled}
    base: dict[str, str] = {"division": literal(given.get("division"))}
    derived: dict[str, str] = {}

    def visit(name: str) -> None:
        if name in base or name in derived:
            return
        text = _derivation(name, law.book)
        if text is None or name in settled or (name in facts and not _rests_on(name, settled, law.book)):
            held = literal(given.get(name))
            # A running case may ask for a fact that a later edition of the law has no more: nobody knows it.
            base[name] = f"CAST({held} AS {SQL_TYPES[types[name]]})" if name in types else "NULL"
            return
        for inner in parse(text).names:
            visit(inner)
        derived[name] = f"CAST({law.sql(parse(text))} AS {SQL_TYPES[types[name]]})"

    for name in sorted(names):
        visit(name)
    sql = "SELECT " + ", ".join(f"{value} AS {name}" for name, value in base.items())
    for name, value in derived.items():
        sql = f"SELECT *, {value} AS {name} FROM ({sql})"
    return sql


def _derivation(name: str, book: Rulebook) -> str | None:
    """The expression over other facts that gives `name`, or None where it is held as it is."""
    if rule := _rule(name, book):
        return rule.condition
    fact = book.facts.get(name)
    return fact.sql if fact is not None and fact.dataset is None else None


def _rests_on(name: str, settled: Mapping[str, Any], book: Rulebook) -> bool:
    if name in settled:
        return True
    text = _derivation(name, book)
    return text is not None and any(_rests_on(inner, settled, book) for inner in parse(text).names)
