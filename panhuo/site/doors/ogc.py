"""OGC API - Features over the person's land: Part 1 core, GeoJSON, OpenAPI 3.0; Part 2 CRS; Part 3 queryables.

The conformance classes are tested against the standard's requirements in tests/site/test_ogc.py.
"""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

import shapely
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils import timezone

from panhuo.core.problems import PanhuoError
from panhuo.site import gate, labels
from panhuo.site.doors import collections as held
from panhuo.site.doors.api import AUTH
from panhuo.site.doors.crs import CGCS2000, CRS, CRS84, turned
from panhuo.site.doors.ogc_definition import definition, json_type
from panhuo.site.shelf import Row, kept
from panhuo.site.words import pick

CONFORMANCE: Final = [
    f"http://www.opengis.net/spec/ogcapi-features-{part}"
    for part in (
        "1/1.0/conf/core", "1/1.0/conf/geojson", "1/1.0/conf/oas30", "2/1.0/conf/crs", "3/1.0/conf/queryables",
        "3/1.0/conf/queryables-query-parameters",
    )
]  # fmt: skip
JSON, GEOJSON, SCHEMA = "application/json", "application/geo+json", "application/schema+json"
OPENAPI: Final = "application/vnd.oai.openapi+json;version=3.0"
QUERYABLES: Final = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
LIMIT, DEFAULT = 10_000, 100
FORMATS: Final = ("json", "geojson")
OF_ITEM: Final = frozenset({"f", "crs"})
OF_ITEMS: Final = OF_ITEM | {"bbox", "bbox-crs", "limit", "offset", "datetime"}


class RefusedError(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def _refusal(status: int, text: str, **headers: str) -> HttpResponse:
    return JsonResponse({"code": str(status), "description": text}, status=status, headers=headers)


def door(
    *kinds: str, parameters: frozenset[str] | None = frozenset({"f"})
) -> Callable[[Any], Callable[..., HttpResponse]]:
    """Signs the caller in by token or session, checks the role, the method, the media type and the names of the query
    parameters (None: the view does), and turns a refusal into the standard's answer."""

    def wrap(view: Any) -> Callable[..., HttpResponse]:
        @wraps(view)
        def opened(request: HttpRequest, **parts: Any) -> HttpResponse:
            if request.method not in ("GET", "HEAD"):
                return _refusal(405, "GET or HEAD", Allow="GET, HEAD")
            if not any(auth(request) for auth in AUTH):
                return _refusal(401, "token needed", **{"WWW-Authenticate": 'Basic realm="panhuo", Bearer'})
            if not gate.may(request.user, "see"):
                return _refusal(403, "not open to this role")
            try:
                _check(request, kinds, parameters)
                return view(request, **parts)
            except RefusedError as refusal:
                return _refusal(refusal.status, str(refusal))
            except PanhuoError as fault:
                return _refusal(400, fault.what)

        opened.gate = "see"  # type: ignore[attr-defined]
        return opened

    return wrap


def _check(request: HttpRequest, kinds: tuple[str, ...], parameters: frozenset[str] | None) -> None:
    if parameters is not None and (other := sorted(set(request.GET) - parameters)):
        raise RefusedError(400, f"no such parameter: {', '.join(other)}")
    if (asked := request.GET.get("f", "json")) not in FORMATS:
        raise RefusedError(400, f"f is one of {', '.join(FORMATS)}, not {asked[:40]}")
    if "f" not in request.GET and not any(request.accepts(kind) for kind in (*kinds, JSON)):
        raise RefusedError(406, f"offered: {', '.join(kinds)}")


def _link(request: HttpRequest, to: str, rel: str, kind: str = JSON) -> dict[str, str]:
    return {"href": request.build_absolute_uri(to), "rel": rel, "type": kind}


@door(JSON)
def landing(request: HttpRequest) -> HttpResponse:
    links = [
        _link(request, "/ogc/", "self"),
        _link(request, "/ogc/api", "service-desc", OPENAPI),
        _link(request, "/ogc/conformance", "conformance"),
        _link(request, "/ogc/collections", "data"),
    ]
    return JsonResponse({"title": "panhuo", "description": pick("土地台账", "Land ledger"), "links": links})


@door(OPENAPI)
def api(request: HttpRequest) -> HttpResponse:
    collections = {name: held.properties(name) for name in held.offered()}
    return JsonResponse(
        definition(request.build_absolute_uri("/ogc"), collections, CRS, LIMIT, DEFAULT), content_type=OPENAPI
    )


@door(JSON)
def conformance(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"conformsTo": CONFORMANCE})


def _offered(name: str) -> str:
    if name not in held.offered():
        raise RefusedError(404, "no such collection")
    return name


def _describe(request: HttpRequest, name: str) -> dict[str, Any]:
    where = gate.parcels(request.user)
    box = kept(
        f"SELECT min(xmin) AS a, min(ymin) AS b, max(xmax) AS c, max(ymax) AS d FROM parcels WHERE {where.sql}",
        where.values,
    )[0]
    extent: dict[str, Any] = {
        "spatial": {"bbox": [[-180, -90, 180, 90] if box["a"] is None else list(box.values())], "crs": CRS84}
    }
    if column := held.TIMED.get(name):
        begun = held.source(name, request.user).first(column)
        extent["temporal"] = {"interval": [[f"{begun}T00:00:00+08:00" if begun else None, None]]}
    at = f"/ogc/collections/{name}"
    return {
        "id": name,
        "title": pick(*held.TITLES[name]),
        "itemType": "feature",
        "crs": list(CRS),
        "storageCrs": CGCS2000,
        "extent": extent,
        "links": [
            _link(request, at, "self"),
            _link(request, f"{at}/items", "items", GEOJSON),
            _link(request, f"{at}/queryables", QUERYABLES, SCHEMA),
        ],
    }


@door(JSON)
def collections(request: HttpRequest) -> HttpResponse:
    found = [_describe(request, name) for name in held.offered()]
    links = [_link(request, "/ogc/collections", "self")]
    return JsonResponse({"collections": found, "crs": list(CRS), "links": links})


@door(JSON)
def collection(request: HttpRequest, name: str) -> HttpResponse:
    return JsonResponse(_describe(request, _offered(name)))


@door(SCHEMA)
def queryables(request: HttpRequest, name: str) -> HttpResponse:
    """What may be asked of a collection: every property, by a parameter of its name."""
    found = {
        key: {"title": labels.field(name, key), **json_type(kind)}
        for key, kind in held.properties(_offered(name)).items()
    }
    return JsonResponse(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": request.build_absolute_uri(request.path),
            "type": "object",
            "title": pick(*held.TITLES[name]),
            "properties": found | {"geometry": {"format": "geometry-any"}},
            "additionalProperties": False,
        },
        content_type=SCHEMA,
    )


def _whole(request: HttpRequest, name: str, default: int, low: int, high: int) -> int:
    text = request.GET.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) >= low):
        raise RefusedError(400, f"{name} is a whole number from {low}")
    return min(int(text), high)


def _crs(request: HttpRequest, name: str) -> str:
    crs = request.GET.get(name, CRS84)
    if crs not in CRS:
        raise RefusedError(400, f"{name} is not offered; offered: {', '.join(CRS)}")
    return crs


def _features(name: str, found: list[Row], crs: str) -> list[str]:
    """The rows as GeoJSON text; a parcel that was never drawn is the point it was given."""
    if name == "findings":
        found = held.with_land(found)
    drawn = shapely.to_geojson([turned(shape, crs) for shape in _outlines(name, found)])
    features = []
    for row, geometry in zip(found, drawn, strict=True):
        plain = {n: ";".join(v) if isinstance(v := row[n], list) else v for n in held.properties(name)}
        told = json.dumps(plain, ensure_ascii=False, default=str)
        key = json.dumps(row["fid"], ensure_ascii=False)
        features.append(
            f'{{"type": "Feature", "id": {key}, "geometry": {geometry or "null"}, "properties": {told}}}'
        )
    return features


def _outlines(name: str, found: list[Row]) -> list[Any]:
    if name == "conflicts":
        return [shapely.from_wkb(bytes(r["geometry"])) if r["geometry"] else None for r in found]
    ids = sorted({r["parcel_id"] for r in found})
    drawn = {r["parcel_id"]: shapely.from_wkb(bytes(r["geometry"])) for r in held.among("shapes", "*", ids)}
    points = [None if r["lon"] is None else shapely.Point(r["lon"], r["lat"]) for r in found]
    return [drawn.get(r["parcel_id"], point) for r, point in zip(found, points, strict=True)]


def _answer(body: dict[str, Any], crs: str, features: list[str] | None = None) -> HttpResponse:
    text = json.dumps(body, ensure_ascii=False)
    if features is not None:
        text = f'{text[:-1]}, "features": [{", ".join(features)}]}}'
    return HttpResponse(text, content_type=GEOJSON, headers={"Content-Crs": f"<{crs}>"})


@door(GEOJSON, parameters=None)
def items(request: HttpRequest, name: str) -> HttpResponse:
    """A page of a collection's features."""
    limit, offset = _whole(request, "limit", DEFAULT, 1, LIMIT), _whole(request, "offset", 0, 0, 10**12)
    crs, box_crs = _crs(request, "crs"), _crs(request, "bbox-crs")
    where = held.conditions(_offered(name), request.GET, OF_ITEMS)
    box = request.GET.get("bbox")
    source = held.source(name, request.user, None if box is None else held.read_box(box, box_crs))
    matched, found = source.matched(where), source.page(where, limit, offset)
    links = [_link(request, request.get_full_path(), "self", GEOJSON)]
    for rel, start in (("next", offset + limit), ("prev", max(0, offset - limit))):
        if (rel == "next" and start < matched) or (rel == "prev" and offset > 0):
            query = request.GET.copy()
            query["offset"], query["limit"] = str(start), str(limit)
            links.append(_link(request, f"{request.path}?{query.urlencode()}", rel, GEOJSON))
    body = {
        "type": "FeatureCollection",
        "links": links,
        "timeStamp": timezone.now().isoformat(),
        "numberMatched": matched,
        "numberReturned": len(found),
    }
    return _answer(body, crs, _features(name, found, crs))


@door(GEOJSON, parameters=OF_ITEM)
def item(request: HttpRequest, name: str, key: str) -> HttpResponse:
    """One feature, or 404 where it is not of the person's land."""
    crs = _crs(request, "crs")
    found = held.one_row(_offered(name), request.user, key)
    if found is None:
        raise RefusedError(404, "no such feature")
    links = [
        _link(request, request.get_full_path(), "self", GEOJSON),
        _link(request, f"/ogc/collections/{name}", "collection"),
    ]
    feature = json.loads(_features(name, [found], crs)[0])
    return _answer(feature | {"links": links}, crs)


urlpatterns = [
    path("", landing, name="ogc"),
    path("api", api),
    path("conformance", conformance),
    path("collections", collections),
    path("collections/<str:name>", collection),
    path("collections/<str:name>/queryables", queryables),
    path("collections/<str:name>/items", items),
    path("collections/<str:name>/items/<str:key>", item),
]
