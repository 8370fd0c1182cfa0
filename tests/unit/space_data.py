"""Parcels for the space tests: made of squares near Changsha, or read from the shared public data."""

import os
from pathlib import Path

import pyarrow as pa
import pyogrio
import pytest
import shapely

from panhuo.inventory.geometry import Geometries, to_lonlat, zone_of

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("PANHUO_SHARED", ROOT.parent / "shared")) / "data"
ZONE = zone_of(112.9)
EAST, NORTH = 395_000.0, 3_120_000.0


def shared(path: str) -> Path:
    """A file of the shared public data, or a skip that says what is missing."""
    if not (SHARED / path).exists():
        pytest.skip(f"shared data absent: {SHARED / path} (set PANHUO_SHARED)")
    return SHARED / path


def read(path: str, layer: str | None = None) -> Geometries:
    """Outlines of a shared file in EPSG:4490 (its datum differs from the file's by less than matters here)."""
    import geopandas as gpd

    frame = gpd.GeoDataFrame(pyogrio.read_dataframe(shared(path), layer=layer)).to_crs(4490)
    return shapely.force_2d(frame.geometry.to_numpy())


def wkb_table(geometries: Geometries, **columns: list) -> pa.Table:
    """A parcel table of outlines in EPSG:4490, named p0, p1, …"""
    ids = [f"p{i}" for i in range(len(geometries))]
    wkb = pa.array([shapely.to_wkb(g) if g is not None else None for g in geometries], pa.binary())
    return pa.table({"parcel_id": ids, "geometry": wkb, **columns})


def box(x0: float, y0: float, x1: float, y1: float) -> shapely.Polygon:
    """A rectangle in metres from the test corner, in the plane of the zone."""
    return shapely.box(EAST + x0, NORTH + y0, EAST + x1, NORTH + y1)


def parcels(*planar: shapely.Geometry, **columns: list) -> pa.Table:
    """A parcel table of outlines given in the plane of the zone."""
    import numpy as np

    return wkb_table(to_lonlat(np.array(planar, dtype=object), ZONE), **columns)
