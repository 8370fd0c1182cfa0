"""OGC API - Features over the person's land: `parcels` and `findings`, by box and property, in three CRS."""

import json
from typing import Any, Final

import shapely
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from panhuo.core.problems import PanhuoError
from panhuo.site import gate
from panhuo.site.doors.api import AUTH
from panhuo.site.gate import Rows
from panhuo.site.ledger.query import box_condition, fields, parse
from panhuo.site.shelf import Row, one, rows
from panhuo.site.words import pick

CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
LATITUDE_FIRST: Final = (
    "http://www.opengis.net/def/crs/EPSG/0/4326",
    "http://www.opengis.net/def/crs/EPSG/0/4490",
)
CRS: Final = (CRS84, *LATITUDE_FIRST)
CONFORMANCE: Final = [
    f"http://www.opengis.net/spec/ogcapi-features-{part}"
    for part in ("1/1.0/conf/core", "1/1.0/conf/geojson", "2/1.0/conf/crs")
]
COLLECTIONS: Final = {"parcels": ("宗地", "Parcels"), "findings": ("诊断结论", "Findings")}
LIMIT: Final = 10_000
RESERVED: Final = {"bbox", "bbox-crs", "crs", "limit", "offset", "f", "datetime"}
FINDING_FIELDS: Final = ("parcel_id", "finding_id", "status", "since", "severity", "missing", "cites")


class RefusedError(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def door(view: Any) -> Any:
    """Signs the caller in by token or session, checks the role, and turns a refusal into the standard's answer."""

    def opened(request: HttpRequest, **parts: Any) -> HttpResponse:
        if not any(auth(request) for auth in AUTH):
            return JsonResponse(
                {"code": "401", "description": "token needed"},
                status=401,
                headers={"WWW-Authenticate": 'Basic realm="panhuo"'},
            )
        if not gate.may(request.user, "see"):
            return JsonResponse({"code": "403", "description": "not open to this role"}, status=403)
        try:
            return view(request, **parts)
        except RefusedError as refusal:
            return JsonResponse(
                {"code": str(refusal.status), "description": str(refusal)}, status=refusal.status
            )
        except PanhuoError as fault:
            return JsonResponse({"code": "400", "description": fault.what}, status=400)

    opened.gate = "see"  # type: ignore[attr-defined]
    opened.__module__ = view.__module__
    return opened


def _link(request: HttpRequest, to: str, rel: str, kind: str = "application/json") -> dict[str, str]:
    return {"href": request.build_absolute_uri(to), "rel": rel, "type": kind}


@door
def landing(request: HttpRequest) -> HttpResponse:
    links = [
        _link(request, "/ogc/", "self"),
        _link(
            request, "/api/v1/openapi.json", "service-desc", "application/vnd.oai.openapi+json;version=3.0"
        ),
        _link(request, "/ogc/conformance", "conformance"),
        _link(request, "/ogc/collections", "data"),
    ]
    return JsonResponse({"title": "panhuo", "description": pick("土地台账", "Land ledger"), "links": links})


@door
def conformance(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"conformsTo": CONFORMANCE})


def _describe(request: HttpRequest, name: str) -> dict[str, Any]:
    if name not in COLLECTIONS:
        raise RefusedError(404, "no such collection")
    where = gate.parcels(request.user)
    box = one(
        f"SELECT min(xmin) AS a, min(ymin) AS b, max(xmax) AS c, max(ymax) AS d FROM parcels WHERE {where.sql}",
        where.values,
    )
    extent = [list(box.values())] if box and box["a"] is not None else [[-180, -90, 180, 90]]
    return {
        "id": name,
        "title": pick(*COLLECTIONS[name]),
        "itemType": "feature",
        "crs": list(CRS),
        "storageCrs": CRS84,
        "extent": {"spatial": {"bbox": extent, "crs": CRS84}},
        "links": [
            _link(request, f"/ogc/collections/{name}", "self"),
            _link(request, f"/ogc/collections/{name}/items", "items", "application/geo+json"),
        ],
    }


@door
def collections(request: HttpRequest) -> HttpResponse:
    found = [_describe(request, name) for name in COLLECTIONS]
    return JsonResponse(
        {"collections": found, "crs": list(CRS), "links": [_link(request, "/ogc/collections", "self")]}
    )


@door
def collection(request: HttpRequest, name: str) -> HttpResponse:
    return JsonResponse(_describe(request, name))


def _whole(request: HttpRequest, name: str, default: int, low: int, high: int) -> int:
    text = request.GET.get(name, str(default))
    if not text.isdecimal() or int(text) < low:
        raise RefusedError(400, f"{name} must be a whole number from {low}")
    return min(int(text), high)


def _crs(request: HttpRequest, name: str) -> str:
    crs = request.GET.get(name, CRS84)
    if crs not in CRS:
        raise RefusedError(400, f"{name} not offered")
    return crs


def _where(request: HttpRequest, name: str) -> Rows:
    """The person's land, narrowed by bbox and by properties; a parameter that is neither is refused."""
    given = request.GET.copy()
    for word in RESERVED:
        given.pop(word, None)
    if name == "findings":
        own, values = [], []
        for key in [k for k in given if k in ("finding_id", "status", "severity")]:
            own.append(f"{key} = ?")
            values.append(given.pop(key)[0])
    if any(key not in fields("parcels") for key in given):
        raise RefusedError(400, "no such property")
    where = parse("parcels", given, request.user).where
    if text := request.GET.get("bbox"):
        numbers = text.split(",")
        if len(numbers) == 6:
            numbers = [*numbers[:2], *numbers[3:5]]
        if len(numbers) == 4 and _crs(request, "bbox-crs") in LATITUDE_FIRST:
            numbers = [numbers[1], numbers[0], numbers[3], numbers[2]]
        where = where.also(*box_condition(",".join(numbers)))
    if name == "findings" and own:
        where = where.also(" AND ".join(own), tuple(values))
    return where


def _source(name: str) -> tuple[str, str, list[str], str]:
    """(table, columns, properties, order) of a collection."""
    if name == "parcels":
        names = list(fields("parcels"))
        return "parcels", ", ".join(f'"{n}"' for n in names), names, "parcel_id"
    columns = ", ".join(f"f.{c} AS {c}" for c in FINDING_FIELDS)
    rest = "p.* EXCLUDE (parcel_id, since, severity)"
    return (
        f"(SELECT {columns}, {rest} FROM findings f JOIN parcels p USING (parcel_id))",
        ", ".join(FINDING_FIELDS),
        list(FINDING_FIELDS),
        "parcel_id, finding_id",
    )


def _feature(name: str, row: Row, names: list[str], latitude_first: bool) -> dict[str, Any]:
    shape = shapely.from_wkb(bytes(row["geometry"])) if row["geometry"] else None
    if shape is not None and latitude_first:
        shape = shapely.transform(shape, lambda xy: xy[:, ::-1])
    key = row["parcel_id"] if name == "parcels" else f"{row['parcel_id']}:{row['finding_id']}"
    plain = {n: ";".join(row[n]) if isinstance(row[n], list) else row[n] for n in names}
    geometry = json.loads(shapely.to_geojson(shape)) if shape is not None else None
    return {"type": "Feature", "id": key, "geometry": geometry, "properties": plain}


def _features(name: str, where: Rows, limit: int, offset: int, latitude_first: bool) -> list[dict[str, Any]]:
    source, columns, names, order = _source(name)
    inner = f"SELECT {columns} FROM {source} WHERE {where.sql} ORDER BY {order} LIMIT ? OFFSET ?"
    found = rows(
        f"SELECT v.*, s.geometry FROM ({inner}) v LEFT JOIN shapes s USING (parcel_id) ORDER BY {order}",
        (*where.values, limit, offset),
    )
    return [_feature(name, row, names, latitude_first) for row in found]


def _answer(body: dict[str, Any], crs: str) -> HttpResponse:
    answer = JsonResponse(
        body, content_type="application/geo+json", json_dumps_params={"ensure_ascii": False}
    )
    answer["Content-Crs"] = f"<{crs}>"
    return answer


@door
def items(request: HttpRequest, name: str) -> HttpResponse:
    if name not in COLLECTIONS:
        raise RefusedError(404, "no such collection")
    limit, offset = _whole(request, "limit", 100, 1, LIMIT), _whole(request, "offset", 0, 0, 10**9)
    crs, where = _crs(request, "crs"), _where(request, name)
    count = one(f"SELECT count(*) AS n FROM {_source(name)[0]} WHERE {where.sql}", where.values)
    features = _features(name, where, limit, offset, crs in LATITUDE_FIRST)
    matched = count["n"] if count else 0
    links = [_link(request, request.get_full_path(), "self", "application/geo+json")]
    for rel, start in (("next", offset + limit), ("prev", max(0, offset - limit))):
        if (rel == "next" and start < matched) or (rel == "prev" and offset > 0):
            query = request.GET.copy()
            query["offset"], query["limit"] = str(start), str(limit)
            links.append(_link(request, f"{request.path}?{query.urlencode()}", rel, "application/geo+json"))
    body = {"type": "FeatureCollection", "features": features, "links": links}
    return _answer(body | {"numberMatched": matched, "numberReturned": len(features)}, crs)


@door
def item(request: HttpRequest, name: str, key: str) -> HttpResponse:
    if name not in COLLECTIONS:
        raise RefusedError(404, "no such collection")
    parcel_id, _, finding_id = key.rpartition(":") if name == "findings" else (key, "", "")
    crs = _crs(request, "crs")
    where = gate.parcels(request.user).also("parcel_id = ?", (parcel_id,))
    if name == "findings":
        where = where.also("finding_id = ?", (finding_id,))
    found = _features(name, where, 1, 0, crs in LATITUDE_FIRST)
    if not found:
        raise RefusedError(404, "no such feature")
    links = [_link(request, request.path, "self", "application/geo+json")]
    return _answer(
        found[0] | {"links": [*links, _link(request, f"/ogc/collections/{name}", "collection")]}, crs
    )


urlpatterns = [
    path("", landing, name="ogc"),
    path("conformance", conformance),
    path("collections", collections),
    path("collections/<str:name>", collection),
    path("collections/<str:name>/items", items),
    path("collections/<str:name>/items/<str:key>", item),
]
