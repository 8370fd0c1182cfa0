"""Boards: the figures of all of one's land, or of any list of it, each linked to the list behind."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from panhuo.core.problems import PanhuoError
from panhuo.site import gate, labels
from panhuo.site.boards.figures import PARTS, board, grouped, trend
from panhuo.site.gate import gated
from panhuo.site.ledger.query import parse
from panhuo.site.ledger.said import conditions
from panhuo.site.shelf import Row, shelf
from panhuo.site.words import pick

IN_FORM = ("division", "holder.has", "holder_group.has")


def divisions(request: HttpRequest) -> list[Row]:
    """What a board may be of: each county that holds parcels, and the city and province over it."""
    counties = grouped("division", gate.parcels(request.user))
    codes = {c["id"][:size].ljust(6, "0"): c["id"][:size] for c in counties for size in (2, 4, 6) if c["id"]}
    return [{"id": short, "label": labels.division(code)} for code, short in sorted(codes.items())]


@gated("see")
def page(request: HttpRequest) -> HttpResponse:
    """The board of the list that the address asks for."""
    try:
        query = parse("parcels", request.GET, request.user)
    except PanhuoError as fault:
        return render(request, "problem.html", {"fault": fault}, status=400)
    said = conditions("parcels", request.GET)
    context = {
        "board": board(query.where, request.GET, gate.scope_of(request.user)),
        "said": said,
        "title": " · ".join(c["text"] for c in said) or pick("全部宗地", "All parcels"),
        "divisions": divisions(request),
        "unseen": [(k, v) for k in request.GET if k not in IN_FORM for v in request.GET.getlist(k) if v],
        "parts": PARTS,
        "assessment": "" if (name := shelf().key.split("+")[1]) == "none" else name,
        "now": timezone.localtime(),
    }
    return render(request, "boards/board.html", context)


@gated("see")
def past(request: HttpRequest) -> HttpResponse:
    """How the flagged parcels of the list went from assessment to assessment; asked for once the page stands."""
    try:
        query = parse("parcels", request.GET, request.user)
    except PanhuoError as fault:
        return render(request, "problem.html", {"fault": fault}, status=400)
    found = trend(query.where)
    chart = {
        "id": "trend",
        "kind": "line",
        "rows": [[r["as_of"], r["n"], r["mu"], r["yi"], "", None] for r in found],
    }
    return render(request, "boards/trend.html", {"trend": found, "chart": chart})
