"""Plans of land to scale as PNG: pieces with words on them, roads and buildings about them, side by side."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from panhuo.report.fonts import use_in_charts
from panhuo.report.sketch import fill, north_arrow, scale_bar

COLOURS: Final = ("#8fb8d6", "#a9cfa6", "#ecd9a8", "#d9b3c9", "#b8b5dc", "#c9d3a3")
INK: Final = "#22313a"
FAULT: Final = "#a52a12"
BESIDE: Final = 0.08
"""Share of the size of the land shown about it."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of land in the plane [m] and the words on it."""

    outline: shapely.Geometry
    words: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """One plan: its pieces, lines (roads) and solids (buildings) about them; a fault colours the title."""

    title: str
    pieces: Sequence[Piece]
    lines: Sequence[shapely.Geometry] = ()
    solids: Sequence[shapely.Geometry] = ()
    fault: bool = False
    contours: tuple[NDArray[Any], NDArray[Any], NDArray[Any]] | None = field(default=None)
    """x, y, z of ground to draw as contour lines."""


def picture(plans: Sequence[Plan]) -> bytes:
    """PNG of the plans beside each other."""
    family = use_in_charts()
    import matplotlib.pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(1, len(plans), figsize=(4.6 * len(plans), 4.4), dpi=140, squeeze=False)
    for ax, plan in zip(axes[0], plans, strict=True):
        _draw(ax, plan, family)
    figure.tight_layout()
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    plt.close(figure)
    return stream.getvalue()


def _draw(ax: Any, plan: Plan, family: str) -> None:
    west, south, east, north = shapely.total_bounds(np.array([p.outline for p in plan.pieces], object))
    size = max(east - west, north - south)
    pad = size * BESIDE
    window = shapely.box(west - pad, south - pad, east + pad, north + pad)
    if plan.contours is not None:
        x, y, z = plan.contours
        drawn = ax.contour(x, y, z, levels=12, colors="#7f9a74", linewidths=0.5)
        ax.clabel(drawn, drawn.levels[::3], fontsize=6)
    for number, piece in enumerate(plan.pieces):
        fill(ax, piece.outline, COLOURS[number % len(COLOURS)], INK, alpha=0.75)
    for solid in plan.solids:
        fill(ax, shapely.intersection(solid, window), "#7c868c", INK)
    for line in shapely.get_parts(shapely.intersection(np.array([*plan.lines], object), window)):
        outline = line.boundary if line.geom_type == "Polygon" else line
        for part in shapely.get_parts(outline):
            if part.geom_type == "LineString":
                ax.plot(*part.xy, color="#52606d", linewidth=3, solid_capstyle="butt")
    for piece in plan.pieces:
        spot = shapely.point_on_surface(piece.outline)
        ax.text(spot.x, spot.y, piece.words, fontsize=7, color=INK, ha="center", va="center", family=family)
    ax.set_title(plan.title, fontsize=9, loc="left", color=FAULT if plan.fault else INK, family=family)
    ax.set_xlim(west - pad, east + pad)
    ax.set_ylim(south - 2 * pad, north + pad)
    scale_bar(ax, west, south - 1.6 * pad, size, family)
    north_arrow(ax, east, south - 1.9 * pad, south - 0.9 * pad, family)
    ax.set_aspect("equal")
    ax.axis("off")
