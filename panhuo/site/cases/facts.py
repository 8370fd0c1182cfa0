"""The facts of a case: what the latest assessment holds of the parcel, and what the case found out since."""

import math
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import date
from typing import Any, Final

from panhuo.core.problems import PanhuoError
from panhuo.inventory.corrections import value_text
from panhuo.inventory.spec import FieldSpec, code_list, dataset_specs
from panhuo.rulebook.evaluate import VERDICT
from panhuo.rulebook.facts import OWN_DATASETS
from panhuo.rulebook.predicate import parse
from panhuo.rulebook.procedure import Procedure
from panhuo.rulebook.truths import fact_types
from panhuo.site import labels
from panhuo.site.labels import rulebook
from panhuo.site.shelf import shelf
from panhuo.site.words import pick
from panhuo.workspace.compares import assessed

TRUE, FALSE = "true", "false"
FIELDS: Final[dict[str, FieldSpec]] = {
    name: spec
    for dataset in reversed(OWN_DATASETS["parcel"])
    if dataset in dataset_specs()
    for name, spec in dataset_specs()[dataset].fields.items()
}
"""Fact → the field of the inventory it is; the first dataset that has one goes before."""


def written(value: Any) -> str:
    """A value as it is kept."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def read(name: str, text: str) -> Any:
    """The value of a kept text. Raises PanhuoError where it is no value of the fact."""
    try:
        given = value_text(FIELDS[name], text) if name in FIELDS else text.strip()
        return _typed(fact_types(rulebook())[name], given)
    except (ValueError, KeyError):
        raise PanhuoError(
            pick(f"“{text[:40]}”不是{labels.fact(name)}的值", f"“{text[:40]}” is no value of {labels.fact(name)}"),
            where="value",
        ) from None  # fmt: skip


def _typed(kind: str, text: str) -> Any:
    """The value of a text. Raises ValueError or KeyError where it is none of the kind."""
    match kind:
        case "date":
            return date.fromisoformat(text)
        case "float":
            number = float(text.replace(",", ""))
            if not math.isfinite(number):
                raise ValueError(text)
            return number
        case "int":
            return int(text.replace(",", ""))
        case "bool":
            return {TRUE: True, FALSE: False}[text]
    if not text:
        raise ValueError(text)
    return text


def shown(name: str, value: Any) -> str:
    """A fact's value as a person reads it."""
    return labels.fact_value(value, name)


def kept(texts: Mapping[str, str]) -> dict[str, Any]:
    """Fact → value of kept texts, without those that a later edition of the law or the inventory has no more."""
    found = {}
    for name, text in texts.items():
        with suppress(PanhuoError):
            found[name] = read(name, text)
    return found


def kept_words(name: str, text: str) -> str:
    """A kept text as a person reads it; as it was kept where the law has no such value any more."""
    found = kept({name: text})
    return shown(name, found[name]) if found else text


def unit(name: str) -> str:
    """The unit a fact is in, or ""."""
    if declared := rulebook().facts.get(name):
        return "" if declared.type == "date" else declared.unit
    return FIELDS[name].unit if name in FIELDS else ""


def behind(names: Collection[str]) -> set[str]:
    """The facts named and all that they rest on."""
    book, found, left = rulebook(), set[str](), list(names)
    while left:
        name = left.pop()
        if name in found:
            continue
        found.add(name)
        rule, fact = book.rules.get(name.removeprefix(VERDICT)), book.facts.get(name)
        if name.startswith(VERDICT) and rule:
            left += parse(rule.condition).names
        elif fact is not None and fact.dataset is None:
            left += parse(fact.sql).names
    return found


def spoken(predicates: Collection[str]) -> set[str]:
    """The facts that predicates speak of, and all that they rest on."""
    return behind({name for text in predicates for name in parse(text).names})


def guarded(procedure: Procedure) -> set[str]:
    """The facts that the guards of a procedure speak of."""
    return {n for _, guard in procedure.guards if guard.when for n in parse(guard.when).names}


def held(parcel_id: str, names: Collection[str]) -> dict[str, Any]:
    """Those facts of the parcel as last assessed; none where it was not."""
    if not names:
        return {}
    found = assessed(shelf().workspace, "facts", parcel_id, {"parcel_id", "division", *names})
    return found[0] if found else {}


def control(name: str) -> Mapping[str, Any]:
    """What the form shows for a fact."""
    kind = fact_types(rulebook()).get(name, "text")
    codes = FIELDS[name].codes if name in FIELDS else ""
    choices = [(c, labels.coded(codes, c)) for c in code_list(codes)] if codes else []
    return {"name": name, "label": labels.fact(name), "kind": kind, "choices": choices}
