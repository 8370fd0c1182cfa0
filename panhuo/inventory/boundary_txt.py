"""Boundary points of parcels as survey TXT (勘测定界界址点), the file that land offices exchange."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import shapely

from panhuo.core.units import HECTARE_M2
from panhuo.inventory.geometry import ZONE_DEGREES, Geometries

FALSE_EAST: Final = 1_000_000
END: Final = "\r\n"


@dataclass(frozen=True, slots=True)
class Plot:
    """One parcel of the file: its id, name and use, and its polygons in the plane of the zone [m].

    area_m2: the area that is registered, the drawn one when None.
    """

    plot_id: str
    outline: shapely.Polygon | shapely.MultiPolygon
    name: str = ""
    use: str = ""
    use_code: str = ""
    area_m2: float | None = None


def boundary_txt(plots: Sequence[Plot], zone: int, *, made_by: str, made_on: date, decimals: int = 3) -> str:
    """The text of a boundary-point file in CGCS2000, 3° zone `zone`, eastings led by the zone's number.

    Points run J1, J2, … through all rings of a parcel, each ring clockwise from its north-western point and
    closed by it again; ring 1 is the outer one. Lines end as Windows tools expect; they are written in GBK.
    """
    header = (
        "[属性描述]",
        "格式版本号=1.0",
        f"数据产生单位={made_by}",
        f"数据产生日期={made_on.isoformat()}",
        "坐标系=2000国家大地坐标系",
        f"几度分带={ZONE_DEGREES}",
        "投影类型=高斯克吕格",
        "计量单位=米",
        f"带号={zone}",
        f"精度={10**-decimals:.{decimals}f}",
        "转换参数=,,,,,,",
        "[地块坐标]",
    )
    lines = [*header, *(line for plot in plots for line in _plot_lines(plot, zone, decimals))]
    return END.join(lines) + END


def _plot_lines(plot: Plot, zone: int, decimals: int) -> Iterator[str]:
    rings = [_ring(ring) for ring in shapely.get_rings(shapely.get_parts(plot.outline))]
    count = sum(len(ring) for ring in rings)
    area_m2 = plot.outline.area if plot.area_m2 is None else plot.area_m2
    # A comma parts the columns, so words take the full-width one.
    words = [w.replace(",", "，") for w in (plot.plot_id, plot.name, "面", "", plot.use, plot.use_code)]
    yield f"{count},{area_m2 / HECTARE_M2:.6f},{','.join(words)},@"
    first = 1
    for number, ring in enumerate(rings, 1):
        for i, (east, north) in enumerate(ring):
            # The closing point repeats the name of the ring's first.
            name = first if i == len(ring) - 1 else first + i
            yield f"J{name},{number},{north:.{decimals}f},{zone * FALSE_EAST + east:.{decimals}f}"
        first += len(ring) - 1


def _ring(ring: shapely.LinearRing) -> Geometries:
    """The ring's points clockwise from its north-western one."""
    xy = shapely.get_coordinates(ring)[:-1]
    if ring.is_ccw:
        xy = xy[::-1]
    start = int(np.argmax(xy[:, 1] - xy[:, 0]))
    turned = np.roll(xy, -start, axis=0)
    return np.vstack([turned, turned[:1]])
