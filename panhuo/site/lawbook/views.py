"""Law and precedent pages: browse, search, dated values, where each is used. Open to everybody: law is public."""

import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from panhuo.rulebook.precedents import Precedent, load_precedents
from panhuo.rulebook.schema import Label
from panhuo.site import gate, shelf
from panhuo.site.gate import open_to_all
from panhuo.site.labels import rulebook
from panhuo.site.words import pick

ID: Final = re.compile(r"[a-z][a-z0-9_]*")
MAP_W: Final = 720
MAP_H: Final = 440
EDGE: Final = 40
DOT: Final = 26
"""The gallery's map, the margin of its sheet and a case's dot, in pixels."""


def shelves() -> dict[str, Mapping[str, Any]]:
    """The kinds of law file, each item by id."""
    book = rulebook()
    return {"rules": book.rules, "tools": book.tools, "parameters": book.parameters, "sources": book.sources}


@open_to_all
def law(request: HttpRequest) -> HttpResponse:
    """Everything in the rulebook whose id or label holds the text asked for."""
    text = request.GET.get("q", "").strip().lower()
    found = {
        kind: [(i, x) for i, x in items.items() if text in f"{i} {x.label.zh} {x.label.en}".lower()]
        for kind, items in shelves().items()
    }
    return render(request, "lawbook/law.html", {"found": found, "q": text, "version": rulebook().version})


def used_by(name: str) -> list[tuple[str, str]]:
    """(kind, id) of the rules and tools whose text names `name`."""
    book = rulebook()
    return [
        (kind, i)
        for kind, items in (("rules", book.rules), ("tools", book.tools))
        for i, item in items.items()
        if i != name and name in item.model_dump_json()
    ]


@open_to_all
def law_item(request: HttpRequest, kind: str, name: str) -> HttpResponse:
    """One rule, tool, parameter or source, with its dated values, articles, and where it is used."""
    item = shelves().get(kind, {}).get(name)
    if item is None:
        raise Http404
    context = {"kind": kind, "name": name, "item": item, "used": used_by(name)}
    if kind == "parameters":
        context["present"] = max(item.values.items())[1].value
    return render(request, "lawbook/law_item.html", context)


@open_to_all
def cases(request: HttpRequest) -> HttpResponse:
    """The cases as a gallery, and where each lies."""
    found = load_precedents()
    return render(
        request, "lawbook/cases.html", {"cases": found, "dots": dots(found), "size": (MAP_W, MAP_H)}
    )


def dots(found: Mapping[str, Precedent]) -> list[dict[str, Any]]:
    """The cases on a plain sheet, north up, a degree of longitude shortened as at their middle latitude.

    Cases nearer than a dot to one before them are pushed apart along the sheet, so that each can be pressed.
    """
    lons, lats = ([getattr(c.place, axis) for c in found.values()] for axis in ("lon", "lat"))
    squeeze = math.cos(math.radians((min(lats) + max(lats)) / 2))
    scale = min(
        (MAP_W - 2 * EDGE) / ((max(lons) - min(lons)) * squeeze), (MAP_H - 2 * EDGE) / (max(lats) - min(lats))
    )
    left = (MAP_W - (max(lons) - min(lons)) * squeeze * scale) / 2
    placed: list[dict[str, Any]] = []
    for name, case in found.items():
        x = left + (case.place.lon - min(lons)) * squeeze * scale
        y = EDGE + (max(lats) - case.place.lat) * scale
        while any(math.hypot(x - d["x"], y - d["y"]) < DOT for d in placed):
            x += DOT
        placed.append(
            {
                "name": name,
                "no": name.removeprefix("case_").lstrip("0"),
                "x": round(x),
                "y": round(y),
                "case": case,
            }
        )
    return placed


def in_words(arithmetic: str, names: Mapping[str, Label]) -> str:
    """A formula with the figures it names called by their labels."""
    return ID.sub(
        lambda hit: pick(names[hit[0]].zh, names[hit[0]].en) if hit[0] in names else hit[0], arithmetic
    )


@open_to_all
def case(request: HttpRequest, name: str) -> HttpResponse:
    """One case: what was, what was done, and each stated figure beside what the others give."""
    found = load_precedents().get(name)
    if found is None:
        raise Http404
    units = sorted({unit for row in found.tools_by_parcel for unit in found.unit_ids(row)})
    mine = gate.parcels(request.user) if request.user.is_authenticated else gate.NOTHING
    held = shelf.rows(
        f"SELECT parcel_id, name FROM parcels WHERE ({mine.sql}) AND parcel_id IN (SELECT unnest(?)) ORDER BY 1",
        [*mine.values, units],
    )
    names = {c.id: c.note for c in found.constants} | {f.id: f.label for f in found.figures}
    checked = found.check_figures()
    context = {
        "name": name,
        "case": found,
        "checked": [(c, in_words(c.arithmetic, names)) for c in checked],
        "verdicts": Counter(c.verdict for c in checked),
        "held": held,
    }
    return render(request, "lawbook/case.html", context)
