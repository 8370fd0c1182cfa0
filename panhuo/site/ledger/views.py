"""Pages of the ledger: the list, its export, saved views, publishing, and what the public may read."""

import csv
import io
import json
import tempfile
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from panhuo.core.problems import PanhuoError
from panhuo.site import labels
from panhuo.site.corrections.views import proposing
from panhuo.site.gate import gated, open_to_all
from panhuo.site.ledger import acts, bulk, export, filters
from panhuo.site.ledger.disclosed import PUBLIC_FIELDS, published_rows
from panhuo.site.ledger.models import SavedView
from panhuo.site.ledger.query import KEYS, SIZES, fields, page_rows, parse, totals
from panhuo.site.ledger.said import conditions
from panhuo.site.records import record
from panhuo.site.words import say

PUBLIC_PAGE = 100
TABS = (
    ("parcels", "宗地", "Parcels"),
    ("enterprises", "企业", "Enterprises"),
    ("contracts", "合同", "Contracts"),
)
KINDS = (("xlsx", "Excel"), ("csv", "CSV"), ("gpkg", "GeoPackage"))


@gated("see")
def ledger(request: HttpRequest, dataset: str = "parcels") -> HttpResponse:
    """One dataset as a list; htmx asks for the rows alone, or for the conditions with one more."""
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
    part = request.headers.get("HX-Target", "") if request.headers.get("HX-Request") else ""
    if part == "list":
        return render(request, "ledger/rows.html", context)
    held = filters.conditions(request.user, dataset, request.GET)
    context |= {
        "tabs": TABS,
        "kinds": KINDS if dataset == "parcels" else KINDS[:2],
        "fields": fields(dataset),
        "conditions": held,
        "newest": request.GET.get("add") if part == "conditions" else None,
        "addable": filters.addable(dataset, held),
        "unseen": filters.unseen(request.GET, held),
        "views": SavedView.objects.filter(dataset=dataset, person=request.user)
        | SavedView.objects.filter(dataset=dataset, shared=True),
    }
    return render(
        request, "ledger/conditions.html" if part == "conditions" else "ledger/ledger.html", context
    )


@gated("export")
def download(request: HttpRequest, dataset: str, kind: str) -> HttpResponse:
    """The list as a file; of the rows ticked alone where they are posted."""
    if dataset not in KEYS or kind not in export.FORMATS:
        raise Http404
    posted = request.method == "POST"
    try:
        query = parse(
            dataset, QueryDict(request.POST.get("query", "")) if posted else request.GET, request.user
        )
        if posted and not request.POST.get("all"):
            query = export.narrowed(query, bulk.ticked(request.user, dataset, request.POST))
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
    try:
        count = act(request.user, bulk.chosen(request.user, "parcels", request.POST, "publish"))
    except PanhuoError as fault:
        return render(request, "problem.html", {"fault": fault}, status=400)
    messages.success(request, say(f"已处理 {count} 宗", f"{count} parcels done"))
    return redirect(f"/ledger/parcels/?{request.POST.get('query', '')}")


@gated("propose")
@require_POST
def correct(request: HttpRequest, dataset: str) -> HttpResponse:
    """One field of the chosen rows said to be otherwise, on one piece of evidence."""
    if dataset not in KEYS:
        raise Http404
    try:
        keys = bulk.chosen(request.user, dataset, request.POST, "correct")
    except PanhuoError as fault:
        return render(request, "problem.html", {"fault": fault}, status=400)
    rows_ = [record(request.user, dataset, key) for key in keys]
    return proposing(request, dataset, rows_, f"/ledger/{dataset}/?{request.POST.get('query', '')}")


@open_to_all
def public(request: HttpRequest) -> HttpResponse:
    """The list of published idle land, as a page, CSV or GeoJSON."""
    found = published_rows()
    match request.GET.get("as"):
        case "csv":
            return HttpResponse(public_csv(found), content_type=export.FORMATS["csv"])
        case "geojson":
            return HttpResponse(public_geojson(found), content_type=export.FORMATS["geojson"])
    page = Paginator(found, PUBLIC_PAGE).get_page(request.GET.get("page"))
    shown = [f for f in PUBLIC_FIELDS if f not in ("lon", "lat")]
    return render(request, "ledger/public.html", {"page": page, "fields": shown})


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
