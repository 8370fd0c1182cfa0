"""分类施策: which classes of a place's own scheme a parcel is of, and how its measures stand for it."""

from collections.abc import Iterable, Mapping
from typing import Any

from panhuo.rulebook.evaluate import missing, truths_of
from panhuo.rulebook.facts import OWN_DATASETS, Law
from panhuo.rulebook.predicate import parse
from panhuo.rulebook.scheme import governing
from panhuo.rulebook.scheme_schema import Remedy, RemedyScheme
from panhuo.rulebook.spec import dataset_fields

Row = Mapping[str, Any]
Truths = Mapping[str, bool | None]


def remedies(law: Law, facts: Row, options: Iterable[Row]) -> dict[str, Any] | None:
    """The scheme of measures that governs the parcel's place, its classes and their measures; None where none does.

    facts: the parcel's row of the fact table; options: its rows of the options table.
    Gives {scheme, label, source, article, mark, classes: [{id, label, status (yes | no | unknown), missing (facts),
    remedies: [{id, label, status, tools: [{tool_id, status}], registers: [label]}]}]}. A measure is open, to check or
    closed as the best of its tools is, and absent where none of them addresses anything found on the parcel; it is to
    check while nobody knows whether the parcel is of its class, and closed where it is meant for other parcels.
    """
    scheme = governing(law.book, RemedyScheme, str(facts.get("division") or ""), law.as_of)
    if scheme is None:
        return None
    truths = truths_of(law, facts, scheme.predicates())
    offered = {row["tool_id"]: row["status"] for row in options}
    return {
        "scheme": scheme.id, "label": scheme.label.model_dump(), "source": scheme.source, "article": scheme.article,
        "mark": scheme.mark, "classes": [_class(law, scheme, name, facts, truths, offered) for name in scheme.classes],
    }  # fmt: skip


def _class(
    law: Law, scheme: RemedyScheme, name: str, facts: Row, truths: Truths, offered: Mapping[str, str]
) -> dict[str, Any]:
    land, held = scheme.classes[name], truths[name]
    columns = {*facts, *(field for dataset in OWN_DATASETS["parcel"] for field in dataset_fields(dataset))}
    unknown = {fact for fact in {*law.book.facts, *columns} if facts.get(fact) is None}
    lacking = missing(parse(land.when), law.book.facts, columns, unknown) if held is None else []
    known = {
        key.removeprefix(f"{name}."): truth for key, truth in truths.items() if key.startswith(f"{name}.")
    }
    return {
        "id": name,
        "label": land.label.model_dump(),
        "status": _word(held),
        "missing": lacking,
        "remedies": [_remedy(key, one, held, known, offered) for key, one in land.remedies.items()]
        if held is not False
        else [],
    }


def _remedy(
    name: str, remedy: Remedy, held: bool | None, truths: Truths, offered: Mapping[str, str]
) -> dict[str, Any]:
    tools = [{"tool_id": tool, "status": offered[tool]} for tool in remedy.tools if tool in offered]
    status = min((t["status"] for t in tools), key=("open", "check", "closed").index, default="absent")
    meant = truths.get(name, True)
    if meant is False:
        status = "closed"
    elif status == "open" and (meant is None or held is None):
        status = "check"
    kept = [
        one.label.model_dump() for key, one in remedy.registers.items() if truths.get(f"{name}.{key}", True)
    ]
    return {
        "id": name, "label": remedy.label.model_dump(), "status": status, "tools": tools,
        "registers": kept if meant is not False else [],
    }  # fmt: skip


def _word(truth: bool | None) -> str:
    return {True: "yes", False: "no", None: "unknown"}[truth]
