"""What a list's address asks for, in words: each condition with the address that lifts it."""

from django.http import QueryDict

from panhuo.site import labels
from panhuo.site.ledger.query import RESERVED
from panhuo.site.words import pick


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
        beside = sum(k.partition(".")[0] == name.partition(".")[0] for k, _ in asked) > 1
        found.append({"text": _text(dataset, name, value, beside), "without": f"?{without.urlencode()}"})
    return found


def _text(dataset: str, name: str, value: str, beside: bool) -> str:
    """The condition in words; beside: the field is asked for in other ways too, so that unknown is "or unknown"."""
    column, _, test = name.partition(".")
    if name in ("box", "area"):
        return pick("地图上所选范围", "Area drawn on the map")
    label = labels.field(dataset, column) if name != "q" else pick("查找", "Search")
    shown = labels.value(dataset, column, [value] if column in labels.LISTED else value)
    mark = pick("：", ": ")
    tests = {
        "and": mark + shown,
        "empty": _known(value, beside),
        "has": f" ∋ {value}",
        "min": f" ≥ {value}",
        "max": f" ≤ {value}",
    }
    return label + tests.get(test, mark + shown)


def _known(value: str, beside: bool) -> str:
    if value == "0":
        return pick("：已知", ": known")
    return pick("：或未知", ": or unknown") if beside else pick("：未知", ": unknown")
