"""The online basemap an office may configure: 天地图 by its key, or a provincial node by the template of its addresses.

天地图 serves each layer in two projections: `…_c` by longitude and latitude (CGCS2000) and `…_w` in the spherical
Mercator of web maps, whose tiles are those of every {z}/{x}/{y} map, levels 1 to 18. The map page draws Web Mercator
and so asks for `vec_w` (ground) and `cva_w` (Chinese labels); CGCS2000 agrees with WGS 84 to centimetres there. The
service is WMTS with KVP and a `tk` (http://lbs.tianditu.gov.cn/server/MapService.html). Whoever shows a map to the
public names its approval number (审图号).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from panhuo.core.problems import PanhuoError

TIANDITU: Final = (
    "https://t{s}.tianditu.gov.cn/{layer}_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER={layer}&STYLE=default"
    "&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk={key}"
)
LAYERS: Final = ("vec", "cva")
"""Ground, and the labels over it."""
SERVERS: Final = 8
PLACES: Final = ("z", "x", "y")


@dataclass(frozen=True, slots=True)
class Basemap:
    """An online basemap: the addresses of each layer's tiles, their hosts, and what stands in the map's corner."""

    tiles: dict[str, list[str]]
    hosts: tuple[str, ...]
    attribution: str


def basemap(given: Mapping[str, str]) -> Basemap | None:
    """The basemap of `PANHUO_TIANDITU_KEY`, `PANHUO_BASEMAP_URL` and `PANHUO_MAP_APPROVAL`; None where none is named.

    Raises: PanhuoError for a template that names no tile, asks for a key that is not there, or is no web address.
    """
    key = given.get("PANHUO_TIANDITU_KEY", "")
    template = given.get("PANHUO_BASEMAP_URL", "") or (TIANDITU if key else "")
    if not template:
        return None
    lacking = [f"{{{name}}}" for name in PLACES if f"{{{name}}}" not in template]
    if lacking or urlsplit(template).scheme not in ("http", "https") or ("{key}" in template and not key):
        raise PanhuoError(
            "在线底图地址模板不可用 the online basemap's template cannot be used",
            where=f"PANHUO_BASEMAP_URL: {template}",
            remedy="写成 https://…{z}…{x}…{y}，含 {key} 时另设 PANHUO_TIANDITU_KEY "
            "write https://…{z}…{x}…{y}, and set PANHUO_TIANDITU_KEY where it holds {key}",
        )
    layers = LAYERS if "{layer}" in template else LAYERS[:1]
    servers = range(SERVERS) if "{s}" in template else range(1)
    tiles = {
        layer: [_filled(template, layer=layer, s=str(server), key=key) for server in servers]
        for layer in layers
    }
    hosts = sorted({f"{a.scheme}://{a.netloc}" for urls in tiles.values() for a in map(urlsplit, urls)})
    approval = given.get("PANHUO_MAP_APPROVAL", "").strip()
    credit = "天地图" if "tianditu" in template else urlsplit(template).hostname or ""
    return Basemap(tiles, tuple(hosts), f"{credit} {approval}".strip())


def _filled(template: str, **values: str) -> str:
    """The template with some of its places filled; the others stay."""
    return re.sub(r"\{(\w+)\}", lambda place: values.get(place[1], place[0]), template)
