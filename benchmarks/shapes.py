"""Seeded outlines of a made-up province, in the plane EPSG:4547 (metres): parcels, field blocks, huge polygons.

Parcels cover the ground fully and share their edges vertex by vertex, as a cadastre does: a lattice of jittered corners
whose sides carry one to six jittered points each, so that an outline has 8 to 28 vertices.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

CRS = "EPSG:4547"
ORIGIN = (400_000.0, 3_000_000.0)
PITCH_M = 215.0
JITTER = 0.24
SIDE_POINTS = (1, 6)
SIDE_WOBBLE = 0.05
FIELD_VERTICES = (20, 60)
FIELD_RADIUS = 0.415
FIELD_WOBBLE = 0.12
HUGE_VERTICES = (5_000, 50_000)
HUGE_RADIUS = 0.29
HUGE_OCTAVES = 11

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Lattice:
    """The corners and side points of `rows` × `columns` parcels. Sides are lists of points shared by two parcels."""

    rows: int
    columns: int
    corners: Floats  # (rows + 1, columns + 1, 2)
    across: Floats  # (rows + 1, columns, most points, 2): points on the sides that run west to east
    across_n: Ints
    up: Floats  # (rows, columns + 1, most points, 2): points on the sides that run south to north
    up_n: Ints


def lattice(rows: int, columns: int, seed: int) -> Lattice:
    """The seeded lattice; the same seed and size give the same points."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0 : rows + 1, 0 : columns + 1].astype(float)
    corners = np.stack([x, y], axis=-1) + rng.uniform(-JITTER, JITTER, (rows + 1, columns + 1, 2))
    corners = corners * PITCH_M + ORIGIN
    across, across_n = _side_points(corners[:, :-1], corners[:, 1:], rng)
    up, up_n = _side_points(corners[:-1], corners[1:], rng)
    return Lattice(rows, columns, corners, across, across_n, up, up_n)


def _side_points(start: Floats, end: Floats, rng: np.random.Generator) -> tuple[Floats, Ints]:
    most = SIDE_POINTS[1]
    count = rng.integers(SIDE_POINTS[0], most, start.shape[:2], endpoint=True)
    share = (np.arange(most) + 1) / (count[..., None] + 1)
    along = end - start
    across = np.stack([-along[..., 1], along[..., 0]], axis=-1)
    off = rng.uniform(-SIDE_WOBBLE, SIDE_WOBBLE, (*start.shape[:2], most))
    points = start[:, :, None] + share[..., None] * along[:, :, None] + off[..., None] * across[:, :, None]
    return points, count


def outlines(net: Lattice, row: Ints, column: Ints) -> NDArray[np.object_]:
    """The parcels at (`row`, `column`) as polygons, anticlockwise."""
    most = np.arange(SIDE_POINTS[1])
    sides = [
        (net.corners[row, column], net.across[row, column], net.across_n[row, column], False),
        (net.corners[row, column + 1], net.up[row, column + 1], net.up_n[row, column + 1], False),
        (net.corners[row + 1, column + 1], net.across[row + 1, column], net.across_n[row + 1, column], True),
        (net.corners[row + 1, column], net.up[row, column], net.up_n[row, column], True),
    ]
    points, kept = [], []
    for corner, between, count, backward in sides:
        points += [corner[:, None], between[:, ::-1] if backward else between]
        used = most < count[:, None]
        kept += [np.ones((len(row), 1), bool), used[:, ::-1] if backward else used]
    points.append(net.corners[row, column][:, None])
    kept.append(np.ones((len(row), 1), bool))
    keep = np.concatenate(kept, axis=1)
    coordinates = np.concatenate(points, axis=1)[keep]
    rings = np.concatenate([[0], np.cumsum(keep.sum(axis=1))])
    parts = (rings, np.arange(len(row) + 1))
    made: NDArray[np.object_] = shapely.from_ragged_array(shapely.GeometryType.POLYGON, coordinates, parts)
    return made


def fields(count: int, width_m: float, height_m: float, seed: int) -> NDArray[np.object_]:
    """About `count` field blocks of 20 to 60 vertices that do not overlap and cover about half the ground."""
    rng = np.random.default_rng(seed)
    centre, pitch = _spread(count, width_m, height_m)
    vertices = rng.integers(*FIELD_VERTICES, len(centre), endpoint=True)
    return np.array(
        [
            _star(c, pitch * FIELD_RADIUS, 1 + rng.uniform(-FIELD_WOBBLE, FIELD_WOBBLE, n))
            for c, n in zip(centre, vertices, strict=True)
        ]
    )


def huge(count: int, width_m: float, height_m: float, seed: int) -> NDArray[np.object_]:
    """About `count` polygons of 5,000 to 50,000 vertices with a shoreline's roughness, covering over a quarter."""
    rng = np.random.default_rng(seed)
    centre, pitch = _spread(count, width_m, height_m)
    fewest, most = np.log(HUGE_VERTICES)
    vertices = np.exp(rng.uniform(fewest, most, len(centre))).astype(int)
    return np.array(
        [_star(c, pitch * HUGE_RADIUS, 1 + _noise(n, rng)) for c, n in zip(centre, vertices, strict=True)]
    )


def _spread(count: int, width_m: float, height_m: float) -> tuple[Floats, Floats]:
    """Centres of a grid of about `count` cells over the ground, and the cells' (width, height)."""
    rows = max(1, round(np.sqrt(count * height_m / width_m)))
    columns = max(1, round(count / rows))
    pitch = np.array([width_m / columns, height_m / rows])
    y, x = np.mgrid[0:rows, 0:columns]
    return (np.stack([x.ravel(), y.ravel()], axis=1) + 0.5) * pitch + ORIGIN, pitch


def _star(centre: Floats, radius: Floats, factor: Floats) -> shapely.Polygon:
    angle = np.linspace(0, 2 * np.pi, len(factor), endpoint=False)
    around = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return shapely.Polygon(centre + around * radius * factor[:, None])


def _noise(count: int, rng: np.random.Generator) -> Floats:
    """A closed curve of rough noise: waves of doubling frequency and falling height."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    wave = np.zeros(count)
    for octave in range(HUGE_OCTAVES):
        wave += 0.16 * 0.5**octave * np.sin(angle * 2**octave * 3 + rng.uniform(0, 2 * np.pi))
    return wave


def wkb(polygons: NDArray[np.object_]) -> pa.Array:
    """The polygons as an Arrow column of WKB."""
    return pa.array(shapely.to_wkb(polygons), pa.binary())
