"""What a list's address asks for, in words: each condition with the address that lifts it."""

from typing import Any, Final

from django.http import QueryDict

from panhuo.site import labels
from panhuo.site.ledger.query import RESERVED
from panhuo.site.words import pick

IN_FORM: Final = frozenset({"q", "division", "findings", "first_tool", "area_m2.min", "size", "col", "page"})
"""What the form above the list holds itself; the rest of the address travels with it unseen."""


def conditions(dataset: str, given: QueryDict) -> list[dict[str, str]]:
    """`text` of each condition and the query `without` it, in the order of the address."""
    asked = [
        (k, v)
        for k in given
        for v in given.getlist(k)
        if v and (k not in RESERVED or k in ("q", "box", "area"))
    ]
    found = []
    for name, value in asked:
        without = given.copy()
        without.setlist(name, [v for v in given.getlist(name) if v != value])
        without.pop("page", None)
        found.append({"text": _text(dataset, name, value), "without": f"?{without.urlencode()}"})
    return found


def _text(dataset: str, name: str, value: str) -> str:
    column, _, test = name.partition(".")
    if name in ("box", "area"):
        return pick("地图上所选范围", "Area drawn on the map")
    label = labels.field(dataset, column) if name != "q" else pick("查找", "Search")
    shown = labels.value(dataset, column, [value] if column in labels.LISTED else value)
    tests = {
        "and": f"：{shown}",
        "empty": pick("：未知", ": unknown"),
        "has": f" ∋ {value}",
        "min": f" ≥ {value}",
        "max": f" ≤ {value}",
    }
    return label + tests.get(test, f"：{shown}")


def unseen(given: QueryDict) -> list[tuple[str, Any]]:
    """The parts of the address that the form does not show."""
    return [(k, v) for k in given if k not in IN_FORM for v in given.getlist(k) if v]
