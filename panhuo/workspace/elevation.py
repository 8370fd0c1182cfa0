"""Elevation grids of a workspace: which files are such, what is taken of them, how they are kept."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import rasterio
from rasterio.enums import Resampling

from panhuo.core.problems import PanhuoError
from panhuo.inventory.crs import epsg_of
from panhuo.inventory.terrain import open_dem
from panhuo.workspace.store import ELEVATION

LOOKED_AT: Final = 512
"""A grid is looked through at this many rows and columns to see that it holds heights."""
NOT_GROUND_M: Final = (-500.0, 9000.0)


@dataclass(frozen=True, slots=True)
class Grid:
    """One elevation file fit to be kept: its CRS as the file or the user says it, and what it is in words."""

    path: Path
    crs: str
    told: str

    def entry(self) -> dict[str, Any]:
        """Its part of an import's report: one grid counts as one row."""
        notes = [
            {"type": "crs_read", "field": "geometry", "value": self.crs, "action": "taken"},
            {"type": "elevation_grid", "field": "elevation", "value": self.told, "action": "taken"},
        ]
        return {
            "file": self.path.name,
            "dataset": ELEVATION,
            "rows": 1,
            "taken": 1,
            "refused": 0,
            "unchanged": 0,
            "crs": self.crs,
            "problems": {note["type"]: 1 for note in notes},
            "notes": notes,
        }

    def write(self, folder: Path) -> None:
        """Keeps it as a tiled GeoTIFF that says its CRS, in the place of one of the same name."""
        folder.mkdir(parents=True, exist_ok=True)
        with open_dem(self.path, self.crs) as grid:
            source = grid.source
            form = {
                "driver": "GTiff", "count": 1, "dtype": "float32", "height": source.height, "width": source.width,
                "crs": grid.crs.to_wkt(), "transform": source.transform, "nodata": np.nan, "tiled": True,
                "blockxsize": 256, "blockysize": 256, "compress": "deflate", "predictor": 3, "BIGTIFF": "IF_SAFER",
            }  # fmt: skip
            with rasterio.open(folder / f"{self.path.stem}.tif", "w", **form) as kept:
                for _, window in kept.block_windows(1):
                    band = source.read(1, window=window, masked=True)
                    kept.write(band.astype(np.float32).filled(np.nan), 1, window=window)


def read_grid(path: Path, crs: str | None) -> Grid:
    """The elevation grid in a file. Raises PanhuoError when it is none, does not say its CRS, or holds no heights."""
    if not path.exists():
        raise PanhuoError("文件不存在 no such file", where=str(path), remedy="检查路径 check the path")
    with open_dem(path, epsg_of(crs, path.name) if crs else None) as grid:
        source = grid.source
        shape = (min(LOOKED_AT, source.height), min(LOOKED_AT, source.width))
        seen = source.read(1, masked=True, out_shape=shape, resampling=Resampling.nearest).compressed()
        seen = seen[np.isfinite(seen)]
        if not len(seen) or seen.min() < NOT_GROUND_M[0] or seen.max() > NOT_GROUND_M[1]:
            why = f"{seen.min():g} … {seen.max():g}" if len(seen) else "全部无值 no cell has a value"
            raise PanhuoError(
                "不是以米计的高程 not heights in metres",
                where=str(path),
                why=why,
                remedy="检查无效值（nodata）和单位 check the nodata value and the unit",
            )
        at = grid.read((0, min(3, source.height)), (0, min(3, source.width)))
        told = (
            f"{source.height}×{source.width}, {at.ground_dx[0]:.2f}×{at.ground_dy[0]:.2f} m, "
            f"{seen.min():.1f} … {seen.max():.1f} m"
        )
        named = grid.crs.to_epsg()
        return Grid(path, f"EPSG:{named}" if named else grid.crs.to_wkt(), told)
