"""Pictures of the ground from the air: GeoTIFF files laid into `imagery/` of the workspace, as web map tiles.

A file is a layer named after it (`2019年.tif`), in any projection, 8-bit grey or colour; with overviews inside
(`gdaladdo`, or a COG) a province-wide mosaic answers as fast as a small one. Tiles are cut when asked for.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.io import MemoryFile
from rasterio.transform import from_bounds
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds

from panhuo.core.problems import PanhuoError
from panhuo.workspace.store import Workspace

HALF_M: Final = 20037508.342789244
"""Half the side of the Web Mercator square [m]."""
TILE: Final = 256
DEEPEST: Final = 22
SUFFIXES: Final = (".tif", ".tiff")


@dataclass(frozen=True, slots=True)
class Picture:
    """One layer: its name and the box it covers, west, south, east, north [°]."""

    name: str
    bounds: tuple[float, float, float, float]


def pictures(workspace: Workspace) -> list[Picture]:
    """The layers the workspace holds, by name; a file that is no georeferenced picture is passed over."""
    folder = workspace.root / "imagery"
    paths = sorted(p for p in folder.glob("*") if p.suffix.lower() in SUFFIXES) if folder.is_dir() else []
    found = ((path.stem, _bounds(path, path.stat().st_mtime_ns)) for path in paths)
    return [Picture(name, bounds) for name, bounds in found if bounds]


@lru_cache(maxsize=64)
def _bounds(path: Path, changed: int) -> tuple[float, float, float, float] | None:
    try:
        with rasterio.open(path) as source:
            if source.crs is None:
                return None
            west, south, east, north = transform_bounds(source.crs, "EPSG:4326", *source.bounds)
            return west, south, east, north
    except RasterioError:
        return None


def tile_box(z: int, x: int, y: int) -> tuple[float, float, float, float]:
    """West, south, east, north of a tile in Web Mercator [m]. Raises PanhuoError outside the square."""
    if not (0 <= z <= DEEPEST and 0 <= x < 2**z and 0 <= y < 2**z):
        raise PanhuoError("没有这个瓦片 no such tile", where=f"{z}/{x}/{y}")
    side = 2 * HALF_M / 2**z
    return x * side - HALF_M, HALF_M - (y + 1) * side, (x + 1) * side - HALF_M, HALF_M - y * side


def picture_tile(workspace: Workspace, name: str, z: int, x: int, y: int) -> bytes:
    """One tile as PNG, transparent where the picture does not reach. Raises PanhuoError when there is no such layer."""
    box = tile_box(z, x, y)
    if name not in {picture.name for picture in pictures(workspace)}:
        raise PanhuoError("没有这个影像 no such imagery", where=name)
    path = next(
        p
        for p in (workspace.root / "imagery" / f"{name}{s}" for s in (*SUFFIXES, ".TIF", ".TIFF"))
        if p.is_file()
    )
    with (
        rasterio.open(path) as source,
        WarpedVRT(
            source, crs="EPSG:3857", transform=from_bounds(*box, TILE, TILE), width=TILE, height=TILE,
            resampling=Resampling.bilinear, add_alpha=source.nodata is None and source.count in (1, 3),
        ) as warped,
    ):  # fmt: skip
        colour = [1, 2, 3] if source.count >= 3 else [1, 1, 1]
        bands = np.concatenate([warped.read(colour), warped.dataset_mask()[np.newaxis]])
    with MemoryFile() as memory:
        with memory.open(driver="PNG", width=TILE, height=TILE, count=4, dtype="uint8") as target:
            target.write(bands.astype("uint8"))
        return bytes(memory.read())
