"""Outlines of parcels as DXF, the file that drawing offices exchange: closed polylines, one layer, ids as text."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

import shapely

from panhuo.inventory.boundary_txt import Plot

LAYER: Final = "JZD"
"""The usual layer of boundary points (界址点) and lines."""
CLOSED: Final = "1"


def boundary_dxf(plots: Sequence[Plot], *, decimals: int = 4, text_m: float = 5.0) -> str:
    """The text of a DXF (release 12, which every program reads) with `plots` in the plane they are given in [m].

    A hole is a closed polyline of its own; the id stands inside the parcel, `text_m` high. DXF holds no CRS: say it
    in the file's name or with the file.
    """
    body = chain.from_iterable(_plot(plot, decimals, text_m) for plot in plots)
    pairs = [("0", "SECTION"), ("2", "ENTITIES"), *body, ("0", "ENDSEC"), ("0", "EOF")]
    return "".join(f"{code}\n{value}\n" for code, value in pairs)


def _plot(plot: Plot, decimals: int, text_m: float) -> Iterator[tuple[str, str]]:
    for ring in shapely.get_rings(shapely.get_parts(plot.outline)):
        yield from (("0", "POLYLINE"), ("8", LAYER), ("66", "1"), ("70", CLOSED))
        for x, y in shapely.get_coordinates(ring)[:-1]:
            yield from (("0", "VERTEX"), ("8", LAYER), *_at(x, y, decimals))
        yield ("0", "SEQEND")
    inside = plot.outline.representative_point()
    yield from (("0", "TEXT"), ("8", LAYER), *_at(inside.x, inside.y, decimals), ("40", f"{text_m:g}"))
    yield ("1", plot.plot_id)


def _at(x: float, y: float, decimals: int) -> tuple[tuple[str, str], ...]:
    return ("10", f"{x:.{decimals}f}"), ("20", f"{y:.{decimals}f}"), ("30", "0.0")
