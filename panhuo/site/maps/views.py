"""The map page, and its tile archives by range request, each only to those whose land it is."""

import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse

from panhuo.site import gate
from panhuo.site.boards.figures import grouped
from panhuo.site.gate import Scope, gated
from panhuo.site.shelf import one, shelf
from panhuo.site.words import pick, pick_label
from panhuo.workspace import tiles
from panhuo.workspace.reading import result_specs

SHADES = (
    "#b0413e",
    "#c7762b",
    "#d9a441",
    "#6b7f2a",
    "#3d8b7d",
    "#2f6f9f",
    "#5b5ea6",
    "#8a5a83",
    "#9c6b4f",
    "#4d4d4d",
)
TIANDITU = "https://t0.tianditu.gov.cn/vec_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=vec&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk="
RANGE = re.compile(r"bytes=(\d+)-(\d*)")


def archives(person: Any) -> dict[str, Scope]:
    """The archives that together hold the person's land: one for everywhere, or one per prefix and holder."""
    scope = gate.scope_of(person)
    if scope.everywhere:
        return {"d-all": Scope(("",))}
    found = {f"d-{code}": Scope((code,)) for code in scope.divisions}
    return found | {f"h-{code}": Scope((), (code,)) for code in scope.holders}


def schemes(person: Any) -> dict[str, Any]:
    """What parcels may be coloured by, with the values the person's land holds."""
    where = gate.parcels(person)
    severities = result_specs()["findings"]["columns"]["severity"]["codes"]
    held = {
        "finding": (pick("诊断结论", "Finding"), [(r["id"], r["label"]) for r in grouped("finding", where)]),
        "severity": (pick("程度", "Severity"), [(k, pick_label(v, k)) for k, v in severities.items()]),
        "tier": (pick("企业档次", "Tier"), [(r["id"], r["label"]) for r in reversed(grouped("tier", where))]),
        "plan": (pick("计划工具", "Planned tool"), [(r["id"], r["label"]) for r in grouped("tool", where)]),
    }
    return {
        name: {
            "label": label,
            "values": [(v, text, SHADES[i]) for i, (v, text) in enumerate(values[: len(SHADES)])],
        }
        for name, (label, values) in held.items()
        if values
    }


@gated("see")
def map_page(request: HttpRequest) -> HttpResponse:
    """The person's land on a map."""
    where = gate.parcels(request.user)
    bounds = one(
        f"SELECT min(xmin) AS a, min(ymin) AS b, max(xmax) AS c, max(ymax) AS d FROM parcels WHERE {where.sql}",
        where.values,
    )
    kinds = tiles.layer_kinds(shelf().workspace) if tiles.can_bake() else []
    setup = {
        "archives": [reverse("tiles", args=[n]) for n in archives(request.user)]
        if bounds and bounds["a"]
        else [],
        "layers": {kind: reverse("tiles", args=[f"layer-{kind}"]) for kind in kinds},
        "bounds": list(bounds.values()) if bounds and bounds["a"] else None,
        "schemes": schemes(request.user),
        "other": pick("其他", "Other"),
        "online": TIANDITU + settings.TIANDITU_KEY if settings.TIANDITU_KEY else "",
        "worker": static("dist/map-worker.js"),
    }
    return render(request, "maps/map.html", {"setup": setup, "kinds": kinds, "can_bake": tiles.can_bake()})


@gated("see")
def archive(request: HttpRequest, name: str) -> HttpResponse:
    """A tile archive of one's own land, or of a basemap layer; 404 for anybody else's."""
    if not tiles.can_bake():
        raise Http404
    workspace = shelf().workspace
    if name.startswith("layer-"):
        kind = name.removeprefix("layer-")
        if kind not in tiles.layer_kinds(workspace):
            raise Http404
        return ranged(request, tiles.layer_tiles(workspace, kind))
    scope = gate.found(archives(request.user).get(name))
    where = scope.rows()
    return ranged(request, tiles.parcel_tiles(workspace, name, where.sql, where.values))


def ranged(request: HttpRequest, path: Path) -> HttpResponse:
    """The bytes asked for by one `Range`, or the whole file; the ETag tells a reader that the archive was made anew."""
    state = path.stat()
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": f'"{state.st_mtime_ns:x}-{state.st_size:x}"',
        "Cache-Control": "private, no-cache",
    }
    asked = RANGE.fullmatch(request.headers.get("Range", ""))
    if not asked:
        return FileResponse(path.open("rb"), content_type="application/vnd.pmtiles", headers=headers)
    start = int(asked[1])
    end = min(int(asked[2]) if asked[2] else state.st_size - 1, state.st_size - 1)
    if start > end:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{state.st_size}"})
    with path.open("rb") as stream:
        stream.seek(start)
        body = stream.read(end - start + 1)
    headers["Content-Range"] = f"bytes {start}-{end}/{state.st_size}"
    return HttpResponse(body, status=206, content_type="application/vnd.pmtiles", headers=headers)
