"""What the space examples share: places near Changsha in metres, tables made of them, and Chinese type in pictures."""

import sys
from pathlib import Path

import matplotlib as mpl
import noto_cjk_sans_otc
import numpy as np
import pyarrow as pa
import shapely
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline

from panhuo.inventory.geometry import Geometries, to_lonlat, to_plane, zone_of

mpl.use("Agg")
font_manager.fontManager.addfont(noto_cjk_sans_otc.FONT_PATH)
mpl.rcParams.update({"font.family": "Noto Sans CJK JP", "axes.unicode_minus": False, "font.size": 9})

ZONE = zone_of(112.9)
CORNER = np.array([395_000.0, 3_120_000.0])
INK, GREEN, BLUE, RED, SAND, GREY = "#22313a", "#5c9c6b", "#3b7ea8", "#c8452f", "#e7d9b8", "#c9cfd2"


def degrees(shapes: list[shapely.Geometry]) -> Geometries:
    """Shapes in metres from the corner as EPSG:4490."""
    return to_lonlat(shapely.transform(np.array(shapes, object), lambda xy: xy + CORNER), ZONE)


def table(shapes: list[shapely.Geometry], prefix: str = "p", **columns: list[object]) -> pa.Table:
    """A table of shapes given in metres from the corner: `parcel_id`, `geometry` in EPSG:4490, and more."""
    ids = [f"{prefix}{i + 1}" for i in range(len(shapes))]
    wkb = pa.array([shapely.to_wkb(s) for s in degrees(shapes)], pa.binary())
    return pa.table({"parcel_id": ids, "geometry": wkb, **columns})


def lonlat(xy: np.ndarray) -> dict[str, np.ndarray]:
    """Places in metres from the corner as `lon`, `lat`."""
    moved = degrees(list(shapely.points(xy)))
    return {"lon": shapely.get_x(moved), "lat": shapely.get_y(moved)}


def metres(wkb: list[bytes | None]) -> list[shapely.Geometry]:
    """Outlines of a result in metres from the corner; None stays None."""
    moved = to_plane(shapely.from_wkb(np.array(wkb, object)), ZONE)
    return list(shapely.transform(moved, lambda xy: xy - CORNER))


def draw(ax: Axes, shape: shapely.Geometry, **style: object) -> None:
    """A polygon with its holes, or a line."""
    for part in shapely.get_parts(shape):
        if part.geom_type == "LineString":
            ax.plot(*part.xy, **style)
            continue
        rings = shapely.get_rings(part)
        xy = [shapely.get_coordinates(r) for r in rings]
        codes = [[Outline.MOVETO, *[Outline.LINETO] * (len(r) - 2), Outline.CLOSEPOLY] for r in xy]
        path = Outline(np.concatenate(xy), np.concatenate(codes))
        ax.add_patch(PathPatch(path, **{"edgecolor": INK, "linewidth": 0.8, **style}))


def label(ax: Axes, shape: shapely.Geometry, text: str, **style: object) -> None:
    """Words in the middle of a shape."""
    at = shape.representative_point()
    ax.text(at.x, at.y, text, **{"ha": "center", "va": "center", "color": INK, **style})


def plan(ax: Axes, title: str, box: tuple[float, float, float, float] | None = None) -> None:
    """A map: equal scale, no ticks, a title, a scale bar; box: west, south, east, north to show."""
    ax.set_aspect("equal")
    ax.autoscale_view()
    ax.margins(0.03)
    if box is not None:
        ax.set(xlim=(box[0], box[2]), ylim=(box[1], box[3]))
    ax.set_title(title, loc="left", color=INK)
    ax.axis("off")
    (west, east), (south, north) = ax.get_xlim(), ax.get_ylim()
    bar = 10 ** np.floor(np.log10((east - west) / 3))
    low = south - 0.04 * (north - south)
    ax.plot([west, west + bar], [low, low], color=INK, linewidth=2, clip_on=False)
    ax.text(west + 1.05 * bar, low, f"{bar:g} m", va="center")
    ax.set(xlim=(west, east), ylim=(south, north))


def save(figure: Figure, name: str) -> Path:
    """Writes the picture to the folder named on the command line (or ./out) and says where."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "out")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.png"
    figure.savefig(path, dpi=130, bbox_inches="tight", facecolor="white")
    print(path)
    return path
