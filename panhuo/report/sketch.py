"""A sketch of a parcel among its neighbours, to scale, as PNG."""

import io
from collections.abc import Sequence
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

from panhuo.report.fonts import use_in_charts

INK: Final = "#8c1d18"
FILL: Final = "#f4c7c3"
NEAR: Final = "#eef1f4"
MARGIN: Final = 0.35
"""Share of the parcel's size shown around it."""


def sketch(parcel: BaseGeometry, neighbours: Sequence[tuple[str, BaseGeometry]], title: str) -> bytes:
    """PNG of `parcel` (a plane in metres) with its neighbours by name, a scale bar and the north arrow."""
    family = use_in_charts()
    import matplotlib.pyplot as plt  # noqa: PLC0415

    left, bottom, right, top = parcel.bounds
    size = max(right - left, top - bottom)
    pad = size * MARGIN
    figure, axes = plt.subplots(figsize=(6.4, 4.6), dpi=150)
    window = shapely.box(left - pad, bottom - pad, right + pad, top + pad)
    for name, shape in neighbours:
        fill(axes, shape, NEAR, "#9aa5b1")
        seen = shapely.intersection(shape, window)
        if not seen.is_empty:
            spot = seen.representative_point()
            axes.text(
                spot.x, spot.y, name, fontsize=7, color="#52606d", ha="center", va="center", family=family
            )
    fill(axes, parcel, FILL, INK)
    spot = parcel.representative_point()
    axes.text(spot.x, spot.y, title, fontsize=9, color=INK, ha="center", va="center", family=family)
    axes.set_xlim(left - pad, right + pad)
    axes.set_ylim(bottom - pad, top + pad)
    scale_bar(axes, left - pad * 0.8, bottom - pad * 0.75, size, family)
    north_arrow(axes, right + pad * 0.75, top + pad * 0.1, top + pad * 0.75, family)
    axes.set_aspect("equal")
    axes.axis("off")
    stream = io.BytesIO()
    figure.savefig(stream, format="png", bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)
    return stream.getvalue()


def fill(axes: "object", shape: BaseGeometry, face: str, edge: str, alpha: float = 1.0) -> None:
    """Draws the polygons of a shape with their holes."""
    from matplotlib.patches import PathPatch  # noqa: PLC0415
    from matplotlib.path import Path as Outline  # noqa: PLC0415

    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon":
            rings = [part.exterior, *part.interiors]
            outline = Outline.make_compound_path(
                *(Outline(shapely.get_coordinates(r), closed=True) for r in rings)
            )
            axes.add_patch(PathPatch(outline, facecolor=face, edgecolor=edge, linewidth=1.2, alpha=alpha))  # type: ignore[attr-defined]


def scale_bar(axes: "object", x: float, y: float, size: float, family: str) -> None:
    """Draws a bar of a round length, about a third of `size`, from (x, y)."""
    length = _round_length(size / 3)
    axes.plot([x, x + length], [y, y], color="#323f4b", linewidth=2)  # type: ignore[attr-defined]
    axes.annotate(  # type: ignore[attr-defined]
        f"{length:g} m", (x + length / 2, y), xytext=(0, 3), textcoords="offset points", ha="center", fontsize=8,
        family=family,
    )  # fmt: skip


def north_arrow(axes: "object", x: float, low: float, high: float, family: str) -> None:
    """Draws an arrow that points north from (x, low) to (x, high)."""
    axes.annotate(  # type: ignore[attr-defined]
        "N", xy=(x, high), xytext=(x, low), ha="center", fontsize=9, family=family,
        arrowprops={"arrowstyle": "-|>", "color": "#323f4b"},
    )  # fmt: skip


def _round_length(metres: float) -> float:
    """The largest of 1, 2, 5 × 10ⁿ m not above `metres`."""
    power: float = 10.0 ** max(0, len(str(int(metres))) - 1)
    return max(step * power for step in (1, 2, 5) if step * power <= max(metres, power))
