"""Law and precedent pages: browse, search, dated values, where each is used. Open to everybody: law is public."""

from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from panhuo.rulebook.book import LAW, read_yaml
from panhuo.site.gate import open_to_all
from panhuo.site.labels import rulebook


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


def precedents() -> dict[str, dict[str, Any]]:
    """The built-in cases, by id."""
    return {path.stem: read_yaml(path) for path in sorted((LAW / "precedents").glob("*.yaml"))}


@open_to_all
def cases(request: HttpRequest) -> HttpResponse:
    """The cases as a gallery."""
    return render(request, "lawbook/cases.html", {"cases": precedents()})


@open_to_all
def case(request: HttpRequest, name: str) -> HttpResponse:
    """One case: what was, what was done, what came of it."""
    found = precedents().get(name)
    if found is None:
        raise Http404
    return render(request, "lawbook/case.html", {"name": name, "case": found})
