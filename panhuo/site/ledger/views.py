"""Pages of the ledger: the list, its export, saved views, publishing, and what the public may read."""

import csv
import io
import json
import tempfile
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from panhuo.core.problems import PanhuoError
from panhuo.site import labels
from panhuo.site.gate import gated, open_to_all
from panhuo.site.ledger import acts, export
from panhuo.site.ledger.disclosed import PUBLIC_FIELDS, published_rows
from panhuo.site.ledger.models import SavedView
from panhuo.site.ledger.query import KEYS, SIZES, choices, fields, page_rows, parse, totals
from panhuo.site.ledger.said import conditions, unseen
from panhuo.site.words import say

TABS = (
    ("parcels", "宗地", "Parcels"),
    ("enterprises", "企业", "Enterprises"),
    ("contracts", "合同", "Contracts"),
)


@gated("see")
def ledger(request: HttpRequest, dataset: str = "parcels") -> HttpResponse:
    """One dataset as a list; htmx asks for the rows alone."""
    if dataset not in KEYS:
        raise Http404
    try:
        query = parse(dataset, request.GET, request.user)
    except PanhuoError as fault:
        return render(request, "problem.html", {"fault": fault}, status=400)
    total = totals(query)
    last = max(1, -(-total["n"] // query.size))
    context: dict[str, Any] = {
        "dataset": dataset, "query": query,
        "rows": page_rows(query), "total": total, "last": last, "key": KEYS[dataset],
        "page": query.page, "sizes": SIZES, "said": conditions(dataset, request.GET),
    }  # fmt: skip
    if request.headers.get("HX-Request") and request.headers.get("HX-Target") == "list":
        return render(request, "ledger/rows.html", context)
    context |= {
        "tabs": TABS,
        "fields": fields(dataset),
        "unseen": unseen(request.GET),
        "choices": choices(request.user) if dataset == "parcels" else {},
        "views": SavedView.objects.filter(dataset=dataset, person=request.user)
        | SavedView.objects.filter(dataset=dataset, shared=True),
    }
    return render(request, "ledger/ledger.html", context)


@gated("export")
def download(request: HttpRequest, dataset: str, kind: str) -> HttpResponse:
    """The list as a file."""
    if dataset not in KEYS or kind not in export.FORMATS:
        raise Http404
    try:
        query = parse(dataset, request.GET, request.user)
        if ids := request.GET.getlist("id"):
            query = export.narrowed(query, ids)
        return _file(query, kind, totals(query)["n"])
    except PanhuoError as fault:
        return render(request, "problem.html", {"fault": fault}, status=400)


def _file(query: Any, kind: str, total: int) -> HttpResponse:
    name = f"{query.dataset}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    if kind == "csv":
        return StreamingHttpResponse(
            export.csv_lines(query), content_type=export.FORMATS[kind], headers=headers
        )
    if kind == "xlsx":
        target = tempfile.TemporaryFile()  # noqa: SIM115 (the response closes it)
        export.write_xlsx(query, target, total)
        target.seek(0)
        return FileResponse(target, as_attachment=True, filename=name, content_type=export.FORMATS[kind])
    return HttpResponse(export.write_shapes(query, kind), content_type=export.FORMATS[kind], headers=headers)


@gated("see")
@require_POST
def save_view(request: HttpRequest, dataset: str) -> HttpResponse:
    """Keeps the present list under a name."""
    name = request.POST.get("name", "").strip()[:60]
    if dataset not in KEYS or not name:
        raise Http404
    query = request.POST.get("query", "")
    acts.save_view(request.user, dataset, name, query, bool(request.POST.get("shared")))
    return redirect(f"/ledger/{dataset}/?{query}")


@gated("see")
@require_POST
def remove_view(request: HttpRequest, pk: int) -> HttpResponse:
    view = get_object_or_404(SavedView, pk=pk, person=request.user)
    acts.remove_view(request.user, view)
    return redirect("ledger_of", view.dataset)


@gated("publish")
@require_POST
def publish(request: HttpRequest) -> HttpResponse:
    """Makes the chosen parcels public, or takes them back."""
    act = acts.withdraw if request.POST.get("do") == "withdraw" else acts.publish
    count = act(request.user, request.POST.getlist("id"))
    messages.success(request, say(f"已处理 {count} 宗", f"{count} parcels done"))
    return redirect("ledger")


@open_to_all
def public(request: HttpRequest) -> HttpResponse:
    """The list of published idle land, as a page, CSV or GeoJSON."""
    found = published_rows()
    match request.GET.get("as"):
        case "csv":
            return HttpResponse(public_csv(found), content_type=export.FORMATS["csv"])
        case "geojson":
            return HttpResponse(public_geojson(found), content_type=export.FORMATS["geojson"])
    return render(
        request,
        "ledger/public.html",
        {"rows": found, "fields": [f for f in PUBLIC_FIELDS if f not in ("lon", "lat")]},
    )


def public_csv(found: list[dict[str, Any]]) -> str:
    text = io.StringIO("\ufeff")
    text.seek(1)
    writer = csv.writer(text)
    writer.writerow(labels.field("parcels", f) for f in PUBLIC_FIELDS)
    for row in found:
        writer.writerow(labels.value("parcels", f, row[f]) for f in PUBLIC_FIELDS)
    return text.getvalue()


def public_geojson(found: list[dict[str, Any]]) -> str:
    features = [
        {
            "type": "Feature",
            "id": row["parcel_id"],
            "geometry": {"type": "Point", "coordinates": [row["lon"], row["lat"]]} if row["lon"] else None,
            "properties": {f: row[f] for f in PUBLIC_FIELDS if f not in ("lon", "lat")},
        }
        for row in found
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False, default=str)
