"""分类施策: which classes of a place's own scheme a parcel is of, and how its measures stand for it."""

from collections.abc import Iterable, Mapping
from typing import Any

from panhuo.rulebook.facts import Law
from panhuo.rulebook.scheme import governing
from panhuo.rulebook.scheme_schema import LandClass, Remedy, RemedyScheme
from panhuo.rulebook.truths import Truth, truths

Row = Mapping[str, Any]
Truths = Mapping[str, Truth]


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
    found = truths(set(scheme.predicates().values()), facts, {}, law)
    offered = {row["tool_id"]: row["status"] for row in options}
    return {
        "scheme": scheme.id, "label": scheme.label.model_dump(), "source": scheme.source, "article": scheme.article,
        "mark": scheme.mark, "classes": [_class(name, land, found, offered) for name, land in scheme.classes.items()],
    }  # fmt: skip


def _class(name: str, land: LandClass, found: Truths, offered: Mapping[str, str]) -> dict[str, Any]:
    of_it = found[land.when]
    told = [_remedy(key, one, of_it.holds, found, offered) for key, one in land.remedies.items()]
    return {
        "id": name,
        "label": land.label.model_dump(),
        "status": {True: "yes", False: "no", None: "unknown"}[of_it.holds],
        "missing": list(of_it.missing),
        "remedies": [] if of_it.holds is False else told,
    }


def _remedy(
    name: str, remedy: Remedy, of_class: bool | None, found: Truths, offered: Mapping[str, str]
) -> dict[str, Any]:
    tools = [{"tool_id": tool, "status": offered[tool]} for tool in remedy.tools if tool in offered]
    status = min((t["status"] for t in tools), key=("open", "check", "closed").index, default="absent")
    meant = _holds(remedy.when, found)
    if meant is False:
        status = "closed"
    elif status == "open" and (meant is None or of_class is None):
        status = "check"
    leads_to = [one.label.model_dump() for one in remedy.registers.values() if _holds(one.when, found)]
    return {
        "id": name, "label": remedy.label.model_dump(), "status": status, "tools": tools,
        "registers": leads_to if meant is not False else [],
    }  # fmt: skip


def _holds(when: str | None, found: Truths) -> bool | None:
    """The truth of a condition; where there is none, it holds."""
    return True if when is None else found[when].holds
