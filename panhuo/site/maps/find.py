"""What the map page asks for as JSON: places by name, and what a selection or list holds."""

import re
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.urls import reverse

from panhuo.core.problems import PanhuoError
from panhuo.site import gate, labels
from panhuo.site.boards.figures import list_of
from panhuo.site.gate import Rows, gated
from panhuo.site.ledger.query import Query, parse
from panhuo.site.shelf import Row, kept, one, rows
from panhuo.site.words import fault_words, pick

SHOWN: Final = 8
MARKED: Final = 3_000
"""As many parcels of a selection are outlined on the map; a larger one is shown by its polygon and figures."""
FINDINGS: Final = 5
"""As many of a selection's findings are told, those of most parcels first."""
LON_LAT: Final = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*[,，\s]\s*(-?\d+(?:\.\d+)?)\s*")


def places(where: Rows) -> list[Row]:
    """The divisions that hold parcels: name, how many, where they lie, and their box (°)."""
    found = kept(
        "SELECT division AS code, count(*) AS n, avg(lon) AS lon, avg(lat) AS lat, min(xmin) AS x0, min(ymin) AS y0, "
        f"max(xmax) AS x1, max(ymax) AS y1 FROM parcels WHERE lon IS NOT NULL AND ({where.sql}) "
        "GROUP BY 1 ORDER BY n DESC",
        where.values,
    )
    return [
        {"label": labels.division(r["code"]), "n": r["n"], "at": [r["lon"], r["lat"]],
         "bounds": [r["x0"], r["y0"], r["x1"], r["y1"]]}
        for r in found
    ]  # fmt: skip


def _coordinate(text: str) -> list[dict[str, Any]]:
    """A point typed as longitude, latitude (either order where only one makes sense)."""
    if not (said := LON_LAT.fullmatch(text)):
        return []
    a, b = float(said[1]), float(said[2])
    lon, lat = (b, a) if abs(b) > 90 >= abs(a) else (a, b)
    if abs(lon) > 180 or abs(lat) > 90:
        return []
    return [{"label": f"{lon}, {lat}", "note": pick("坐标", "Coordinates"), "bounds": [lon, lat, lon, lat]}]


def _parcels(text: str, where: Rows) -> list[dict[str, Any]]:
    said = where.also(
        "lon IS NOT NULL AND (contains(parcel_id, ?) OR contains(name, ?) OR contains(holder, ?) "
        "OR contains(address, ?) OR contains(certificate_no, ?))",
        (text,) * 5,
    )
    found = rows(
        "SELECT parcel_id, name, holder, division, xmin, ymin, xmax, ymax FROM parcels "
        f"WHERE {said.sql} ORDER BY parcel_id <> ?, NOT starts_with(coalesce(name, ''), ?), parcel_id LIMIT {SHOWN}",
        (*said.values, text, text),
    )
    return [
        {"label": r["name"] or r["parcel_id"], "note": f"{labels.division(r['division'])} {r['holder'] or ''}".strip(),
         "id": r["parcel_id"], "bounds": [r["xmin"], r["ymin"], r["xmax"], r["ymax"]]}
        for r in found
    ]  # fmt: skip


@gated("see")
def find(request: HttpRequest) -> HttpResponse:
    """Divisions, coordinates and parcels that answer to `q`, the person's own land only."""
    text = request.GET.get("q", "").strip()
    if not text:
        return JsonResponse({"found": []})
    where = gate.parcels(request.user)
    counties = [
        {"label": p["label"], "note": pick(f"{p['n']} 宗", f"{p['n']} parcels"), "bounds": p["bounds"]}
        for p in places(where)
        if text in p["label"]
    ]
    return JsonResponse({"found": (_coordinate(text) + counties[:3] + _parcels(text, where))[:SHOWN]})


@gated("see")
def selected(request: HttpRequest) -> HttpResponse:
    """What a list (the ledger's own address: `area=…`, `findings=…`) holds: figures, box, ids to outline, links."""
    try:
        query = parse("parcels", request.GET, request.user)
    except PanhuoError as fault:
        return JsonResponse({"fault": fault_words(fault)}, status=400)
    return JsonResponse(_summary(query, request.GET))


def _summary(query: Query, given: QueryDict) -> dict[str, Any]:
    """The condition is tried once, and once more where the parcels are few enough to be outlined."""
    held = one(
        f"""
WITH chosen AS MATERIALIZED (SELECT area_m2, xmin, ymin, xmax, ymax, findings FROM parcels WHERE {query.where.sql}),
found AS (SELECT unnest(findings) AS id FROM chosen),
told AS (SELECT id, count(*) AS n FROM found GROUP BY id ORDER BY n DESC, id LIMIT {FINDINGS})
SELECT count(*) AS n, sum(area_m2) AS area_m2, min(xmin) AS x0, min(ymin) AS y0, max(xmax) AS x1, max(ymax) AS y1,
    (SELECT list(told ORDER BY n DESC, id) FROM told) AS findings
FROM chosen""",
        query.where.values,
    )
    assert held is not None
    marked = held["n"] <= MARKED
    ids = rows(f"SELECT parcel_id FROM parcels WHERE {query.where.sql}", query.where.values) if marked else []
    asked = given.urlencode()
    return {
        "n": held["n"],
        "area": labels.mu(held["area_m2"], 1),
        "bounds": [held[k] for k in ("x0", "y0", "x1", "y1")] if held["x0"] is not None else None,
        "ids": [r["parcel_id"] for r in ids],
        "findings": [
            {"label": labels.finding(r["id"]), "n": r["n"], "link": list_of("finding", r["id"], given)}
            for r in held["findings"] or []
        ],
        "list": f"{reverse('ledger_of', args=['parcels'])}?{asked}",
        "files": {
            kind: f"{reverse('download', args=['parcels', kind])}?{asked}" for kind in ("xlsx", "gpkg")
        },
    }
