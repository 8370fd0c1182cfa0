"""The OpenAPI 3.0 definition of the OGC endpoint, made from the collections offered and their properties."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import panhuo

TYPES: Final = {
    "float": {"type": "number"},
    "int": {"type": "integer"},
    "bool": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
}


def json_type(kind: str) -> dict[str, str]:
    """The JSON type of a field's type word; a list is asked for by one of its members."""
    return TYPES.get(kind, {"type": "string"})


def _query(name: str, schema: Mapping[str, Any], text: str = "", **more: Any) -> dict[str, Any]:
    told = {"description": text} if text else {}
    return {"name": name, "in": "query", "required": False, "schema": schema, **told, **more}


F: Final = _query("f", {"type": "string", "enum": ["json", "geojson"]})
FAULT: Final = {
    "type": "object",
    "required": ["code"],
    "properties": {"code": {"type": "string"}, "description": {"type": "string"}},
}


def definition(
    server: str, collections: Mapping[str, Mapping[str, str]], crs: Sequence[str], most: int, default: int
) -> dict[str, Any]:
    """The definition as a document. most, default: of `limit`."""
    crs_of = {"type": "string", "format": "uri", "enum": list(crs), "default": crs[0]}
    number = {"type": "number"}
    plain = [
        F,
        _query("crs", crs_of),
        _query("bbox-crs", crs_of),
        _query(
            "bbox",
            {"type": "array", "items": number, "minItems": 4, "maxItems": 6},
            "west, south, east, north; with six numbers the heights are ignored",
            style="form",
            explode=False,
        ),
        _query("datetime", {"type": "string"}, "RFC 3339: an instant or an interval; `..` is open"),
        _query("limit", {"type": "integer", "minimum": 1, "maximum": most, "default": default}),
        _query("offset", {"type": "integer", "minimum": 0, "default": 0}),
    ]
    paths = {
        "/": _get("landing", "Landing page", "application/json"),
        "/api": _get("api", "This document", "application/vnd.oai.openapi+json;version=3.0"),
        "/conformance": _get("conformance", "Conformance classes", "application/json"),
        "/collections": _get("collections", "Collections", "application/json"),
    }
    for name, properties in collections.items():
        own = [_query(key, json_type(kind)) for key, kind in properties.items()]
        at = f"/collections/{name}"
        key = {"name": "featureId", "in": "path", "required": True, "schema": {"type": "string"}}
        paths[at] = _get(name, f"Collection {name}", "application/json", missing=True)
        paths[f"{at}/queryables"] = _get(
            f"{name}.queryables", "Queryables", "application/schema+json", missing=True
        )
        paths[f"{at}/items"] = _get(
            f"{name}.items", f"Features of {name}", "application/geo+json", [*plain, *own], missing=True
        )
        paths[f"{at}/items/{{featureId}}"] = _get(
            f"{name}.item", "One feature", "application/geo+json", [key, *plain[:2]], missing=True
        )
    schemes = {"token": {"type": "http", "scheme": "bearer"}, "password": {"type": "http", "scheme": "basic"}}
    return {
        "openapi": "3.0.3",
        "info": {"title": "panhuo OGC API - Features", "version": panhuo.__version__},
        "servers": [{"url": server}],
        "paths": paths,
        "components": {"schemas": {"exception": FAULT}, "securitySchemes": schemes},
        "security": [{"token": []}, {"password": []}],
    }


def _get(
    name: str, text: str, kind: str, parameters: Sequence[Any] = (F,), *, missing: bool = False
) -> dict[str, Any]:
    fault = {"application/json": {"schema": {"$ref": "#/components/schemas/exception"}}}
    refusals = {
        "400": "a parameter there is none of, or a value that does not fit",
        "401": "no token",
        "403": "the role may not see land",
        "406": "no media type that is asked for",
    }
    if missing:
        refusals["404"] = "not there, or not of the caller's land"
    return {
        "get": {
            "operationId": name,
            "summary": text,
            "parameters": list(parameters),
            "responses": {
                "200": {"description": text, "content": {kind: {"schema": {"type": "object"}}}},
                **{code: {"description": why, "content": fault} for code, why in refusals.items()},
            },
        }
    }
