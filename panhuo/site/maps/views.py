"""The map page, and its tile archives by range request, each only to those whose land it is."""

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse

from panhuo.core.problems import PanhuoError
from panhuo.site import gate, labels
from panhuo.site.boards.figures import grouped
from panhuo.site.gate import gated
from panhuo.site.maps.archives import CONFLICTS, LAYER, archives, has_conflicts
from panhuo.site.maps.archives import made as archived
from panhuo.site.maps.find import places
from panhuo.site.palette import CATEGORIES, OTHER, SCALES, colours
from panhuo.site.shelf import kept, shelf
from panhuo.site.words import pick
from panhuo.workspace import imagery, tiles
from panhuo.workspace.overview import NEAREST
from panhuo.workspace.reading import result_specs

RANGE = re.compile(r"bytes=(\d+)-(\d*)")


BY: tuple[tuple[str, str, str, str], ...] = (
    ("finding", "finding", "诊断结论", "Finding"),
    ("severity", "severity", "程度", "Severity"),
    ("stage", "stage", "所处环节", "Stage"),
    ("potential", "potential", "潜力等级", "Potential"),
    ("tier", "tier", "企业档次", "Tier of the user"),
    ("plan", "tool", "计划工具", "Planned tool"),
)
"""What parcels are coloured by: the field of the tiles, the board's grouping, its name."""


def gravity(finding: str) -> int:
    """How far down the scale of severity a finding's rule stands."""
    rule = labels.rulebook().rules.get(finding)
    scale = list(SCALES["severity"])
    return scale.index(rule.severity) if rule and rule.severity in scale else len(scale)


def schemes(person: Any) -> dict[str, Any]:
    """What parcels may be coloured by, with the values the person's land holds: value, label, colour, parcels, list."""
    where = gate.parcels(person)
    found = {}
    for field, by, zh, en in BY:
        held = grouped(by, where)
        if by == "finding":  # a parcel of several findings takes the colour of the first here, the gravest
            held = sorted(held[: len(CATEGORIES)], key=lambda r: gravity(r["id"]))
        shades = colours(by, [r["id"] for r in held])
        values = [
            (r["id"], r["label"], shade, r["n"], r["link"])
            for r, shade in zip(held, shades, strict=True)
            if shade != OTHER
        ]
        if values:
            found[field] = {"label": pick(zh, en), "values": values}
    return found


CONTROL = ("red_line", "permanent_farmland", "growth_boundary")


def words() -> dict[str, str]:
    """What the map's script says, in the reader's language."""
    return {
        "other": pick("其他", "Other"),
        "unnamed": pick("未命名宗地", "Unnamed parcel"),
        "open": pick("打开宗地页", "Open its page"),
        "conflict": pick("界线冲突", "Boundary conflict"),
        "add": pick("加入选择", "Add to the selection"),
        "none": pick("没有找到", "Nothing found"),
        "parcels": pick("宗", "parcels"),
        "empty": pick("范围内没有宗地", "No parcels there"),
        "copied": pick("链接已复制", "Link copied"),
        "list": pick("列为台账", "Open as a list"),
        "clear": pick("清除选择", "Clear"),
        "box": pick("拖出或点两角画框，Esc 取消", "Click two corners; Esc to stop"),
        "polygon": pick("逐点点击，点首点或按回车闭合，Esc 取消", "Click each corner; Enter closes it, Esc stops"),
        "busy": pick("正在统计…", "Counting…"),
        "failed": pick("没有取到数据，请重试", "No answer; try again"),
        "offline": pick("本地底图", "Offline ground"),
        "online": pick("在线底图", "Online basemap"),
        "offlineNow": pick("在线底图取不到，已改用本地底图", "The online basemap does not answer; offline ground"),
        "making": pick("正在生成地图，请稍候…", "The map is being made…"),
        "older": pick("正按新数据重画，暂示上一版", "Being redrawn of the new data; the last map is shown"),
        "drawing": pick("正在绘制地图…", "Drawing the map…"),
        "webgl": pick("浏览器不能画图（没有 WebGL），请用台账。", "This browser has no WebGL; use the ledger."),
    }  # fmt: skip


@gated("see")
def map_page(request: HttpRequest) -> HttpResponse:
    """The person's land on a map; the address keeps what is shown, so that it can be passed on."""
    where = gate.parcels(request.user)
    bounds = kept(
        f"SELECT min(xmin) AS a, min(ymin) AS b, max(xmax) AS c, max(ymax) AS d FROM parcels WHERE {where.sql}",
        where.values,
    )[0]
    held = bounds["a"] is not None
    workspace, online = shelf().workspace, settings.ONLINE
    kinds = sorted(tiles.layer_kinds(workspace), key=lambda k: k in CONTROL)
    names = archives(request.user) if held else {}
    drawn = [n for n, scope in names.items() if has_conflicts(scope)]
    setup = {
        "archives": [reverse("tiles", args=[n]) for n in names],
        "conflicts": [reverse("tiles", args=[CONFLICTS + n]) for n in drawn],
        "conflictKinds": {
            k: labels.value("conflicts", "kind", k)
            for k in result_specs()["conflicts"]["columns"]["kind"]["codes"]
        },
        "layers": [
            {"kind": k, "label": labels.coded("layer_kinds", k), "url": reverse("tiles", args=[LAYER + k])}
            for k in kinds
        ],
        "imagery": [
            {
                "name": p.name,
                "bounds": p.bounds,
                "url": reverse("imagery", args=[p.name, 0, 0, 0]).removesuffix("0/0/0.png"),
            }
            for p in imagery.pictures(workspace)
        ],
        "bounds": list(bounds.values()) if held else None,
        "places": places(where),
        "schemes": schemes(request.user),
        "otherColour": OTHER,
        "online": online and {"tiles": online.tiles, "attribution": online.attribution},
        "near": NEAREST,
        "worker": static("dist/map-worker.js"),
        "find": reverse("map_find"),
        "selected": reverse("map_selected"),
        "words": words(),
    }
    return render(request, "maps/map.html", {"setup": setup, "held": held})


@gated("see")
def picture(request: HttpRequest, name: str, z: int, x: int, y: int) -> HttpResponse:
    """A tile of the workspace's imagery, open to whoever may see land at all."""
    try:
        tile = imagery.picture_tile(shelf().workspace, name, z, x, y)
    except PanhuoError:
        raise Http404 from None
    return HttpResponse(tile, content_type="image/png", headers={"Cache-Control": "private, max-age=86400"})


@gated("see")
def archive(request: HttpRequest, name: str) -> HttpResponse:
    """A tile archive of one's own land, or of a basemap layer; 404 for anybody else's.

    While it is being made: the one of the data before, marked `X-Older`, else 503.
    """
    try:
        return ranged(request, archived(request.user, name))
    except tiles.BeingMadeError as busy:
        if busy.older is None:
            return HttpResponse(status=503, headers={"Retry-After": "3"})
        with suppress(FileNotFoundError):  # it has just been replaced
            response = ranged(request, busy.older)
            response["X-Older"] = "1"
            return response
        return HttpResponse(status=503, headers={"Retry-After": "0"})


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
