from pathlib import Path

import numpy as np
import pyogrio
import pyproj
import pytest
import rasterio
import shapely
from space_data import EAST, NORTH, ZONE, box, parcels, read, shared, wkb_table

from panhuo.core.problems import PanhuoError
from panhuo.core.units import mu_to_m2
from panhuo.inventory.geometry import to_lonlat, zone_crs
from panhuo.inventory.platforms import GradingRules, platforms
from panhuo.inventory.terrain import Dem, cells_of, dem, read_dem, slope_aspect, slope_facts

CLASSES = [2.0, 6.0, 15.0, 25.0]
GENTLE = (6.0, 25.0)
HILL = "us_hillside_parcels_dem"


def ramp(gradient: float = 0.1, cell: float = 2.0, *, twist: float = 0.0) -> Dem:
    """Ground in the plane of the zone that climbs to the north, 400 m square, with a ripple if asked."""
    count = int(400 / cell)
    y = NORTH + 350 - cell * (np.arange(count) + 0.5)
    x = EAST - 50 + cell * (np.arange(count) + 0.5)
    z = gradient * (y[:, None] - NORTH) + twist * np.sin(x[None, :] / 30)
    return dem(z, (EAST - 50, NORTH + 350), (cell, cell), zone_crs(ZONE))


def lonlat(shape: shapely.Geometry) -> shapely.Geometry:
    return to_lonlat(np.array([shape], object), ZONE)[0]


def test_hillside_slope_equals_the_supplied_grid() -> None:
    grid = read_dem(shared(f"{HILL}/topo_3857.tif"))
    assert grid.ground_dx[0] == pytest.approx(0.716, abs=0.001)  # not the nominal 0.913
    table = wkb_table(read(f"{HILL}/parcels.shp"))
    facts, problems = slope_facts(table, grid, CLASSES, GENTLE)
    assert problems == []
    with rasterio.open(shared(f"{HILL}/slope_3857.tif")) as source:
        given = source.read(1, masked=True).filled(np.nan)
    shapes = shapely.from_wkb(table["geometry"].to_numpy().astype(object))
    for row, cells in zip(facts.to_pylist(), cells_of(shapes, grid), strict=True):
        theirs = given[cells.row, cells.column]
        known = np.isfinite(theirs)
        mean = np.average(theirs[known], weights=cells.area_m2[known])
        assert row["slope_mean_deg"] == pytest.approx(mean, rel=0.02)
    steep = {shapes[i].wkb for i, r in enumerate(facts.to_pylist()) if r["slope_max_deg"] > 15}
    assert len(steep) == 20
    assert max(r["slope_mean_deg"] for r in facts.to_pylist()) < 25


def test_slope_in_degrees_of_longitude_is_that_of_the_ground() -> None:
    metric = ramp(0.2)
    lon, lat = np.linspace(112.90, 112.91, 60), np.linspace(28.21, 28.20, 60)
    height = pyproj.Geod(ellps="GRS80").inv(112.9, 28.20, 112.9, 28.21)[2]
    z = np.repeat((0.2 * height * (lat - 28.20) / 0.01)[:, None], 60, axis=1)
    step = (lon[1] - lon[0], lat[0] - lat[1])
    degrees = dem(z, (112.90 - step[0] / 2, 28.21 + step[1] / 2), step, pyproj.CRS.from_epsg(4490))
    for grid in (metric, degrees):
        slope, aspect = slope_aspect(grid)
        assert np.median(slope) == pytest.approx(np.degrees(np.arctan(0.2)), rel=1e-3)
        assert np.median(aspect) == pytest.approx(180, abs=0.1)  # it falls to the south


def test_classes_shares_and_main_aspect() -> None:
    facts, _ = slope_facts(parcels(box(0, 0, 100, 100)), ramp(np.tan(np.radians(10))), CLASSES, GENTLE)
    row = facts.to_pylist()[0]
    assert row["slope_mean_deg"] == pytest.approx(10, rel=1e-3)
    assert row["slope_class_shares"] == pytest.approx([0, 0, 1, 0, 0])
    assert row["slope_gentle_share"] == pytest.approx(1)
    assert (row["aspect_main"], row["aspect_share"]) == ("S", pytest.approx(1))
    level, _ = slope_facts(parcels(box(0, 0, 100, 100)), ramp(0.0), CLASSES, GENTLE)
    assert (level["aspect_main"][0].as_py(), level["slope_gentle_share"][0].as_py()) == ("flat", 0)


def test_a_parcel_off_the_grid_is_unknown_not_level() -> None:
    table = parcels(box(0, 0, 100, 100), box(300, 0, 500, 100), box(5000, 0, 5100, 100), None)
    facts, problems = slope_facts(table, ramp(), CLASSES, GENTLE)
    assert [r["slope_mean_deg"] is None for r in facts.to_pylist()] == [False, True, True, True]
    assert facts["dem_share"].to_pylist()[1] == pytest.approx(0.25, abs=0.01)
    assert {(p.row, p.type) for p in problems} == {
        (2, "dem_partial"),
        (3, "dem_partial"),
        (4, "geometry_empty"),
    }


def write(path: Path, crs: str | None) -> Path:
    grid = ramp()
    turn = rasterio.transform.from_origin(grid.west, grid.north, grid.dx, grid.dy)
    profile = {
        "driver": "GTiff",
        "width": grid.z.shape[1],
        "height": grid.z.shape[0],
        "count": 1,
        "dtype": "float64",
    }
    with rasterio.open(path, "w", transform=turn, crs=crs, **profile) as out:
        out.write(grid.z, 1)
    return path


def test_a_grid_must_say_its_crs(tmp_path: Path) -> None:
    silent = write(tmp_path / "silent.tif", None)
    with pytest.raises(PanhuoError, match="CRS"):
        read_dem(silent)
    assert read_dem(silent, "EPSG:4547").crs.to_epsg() == 4547
    assert read_dem(write(tmp_path / "said.tif", "EPSG:4547")).ground_dx[0] == pytest.approx(2, rel=1e-3)
    (tmp_path / "no.tif").write_text("nothing")
    with pytest.raises(PanhuoError, match="cannot read"):
        read_dem(tmp_path / "no.tif")


RULES = GradingRules(wall_max_m=6.0, depth_min_m=40.0, setback_m=2.0, fill_per_cut=1.0)


def test_an_even_slope_is_cut_into_even_platforms() -> None:
    grading = platforms(lonlat(box(0, 0, 200, 150)), ramp(0.1, 1.0), RULES)
    rows = grading.platforms.to_pylist()
    assert len(rows) == 3  # 15 m of fall, least earth with depth of 40 m or more
    assert [r["wall_height_m"] for r in rows[:-1]] == pytest.approx([5.0, 5.0], abs=0.15)
    # A wedge on either side: gradient × depth² / 8 × width, in each of three bands of 50 m.
    assert grading.cut_m3 == pytest.approx(3 * 0.1 * 50**2 / 8 * 200, rel=0.02)
    assert grading.cut_m3 == pytest.approx(grading.fill_m3, rel=1e-6)
    assert sum(r["area_m2"] for r in rows) == pytest.approx(30_000, abs=0.01)
    assert grading.usable_m2 == pytest.approx(30_000 - 2 * 2 * 2 * 200, rel=0.01)
    assert grading.fall_deg == pytest.approx(np.degrees(np.arctan(0.1)), rel=1e-3)
    assert grading.fall_direction_deg == pytest.approx(180, abs=0.5)


def test_soil_that_settles_needs_more_cut() -> None:
    settling = GradingRules(6.0, 40.0, 2.0, 0.9)
    grading = platforms(lonlat(box(0, 0, 200, 150)), ramp(0.1, 2.0, twist=1.0), settling)
    assert grading.cut_m3 * 0.9 == pytest.approx(grading.fill_m3, rel=1e-6)


@pytest.mark.parametrize(("wall", "fits"), [(5.2, True), (3.5, False)])
def test_walls_keep_their_limit_or_the_ground_is_refused(wall: float, fits: bool) -> None:
    rules = GradingRules(wall, 48.0, 2.0, 1.0)
    if fits:
        grading = platforms(lonlat(box(0, 0, 200, 150)), ramp(0.1), rules)
        assert max(h for h in grading.platforms["wall_height_m"].to_pylist() if h is not None) <= wall
    else:
        with pytest.raises(PanhuoError, match="no platforms"):
            platforms(lonlat(box(0, 0, 200, 150)), ramp(0.1), rules)


def test_the_plot_of_case_11_reaches_the_claimed_floor_area_but_not_the_claimed_ratio() -> None:
    side = mu_to_m2(47.79) / 180
    grading = platforms(lonlat(box(0, 0, side, 180)), ramp(0.08, 2.0), RULES)
    assert grading.parcel_m2 == pytest.approx(31_860, abs=0.1)
    assert 0 < grading.usable_m2 < grading.parcel_m2
    assert grading.far(0.4, 4) == pytest.approx(1.6 * grading.usable_m2 / 31_860)
    assert 30_000 / grading.parcel_m2 == pytest.approx(0.942, abs=0.001)  # the case says 1.0 and above


def test_platforms_off_the_grid_are_refused() -> None:
    with pytest.raises(PanhuoError, match="does not hold"):
        platforms(lonlat(box(300, 0, 600, 100)), ramp(), RULES)


def test_hillside_buildings_are_there() -> None:
    assert len(pyogrio.read_dataframe(shared(f"{HILL}/bldgs.shp"))) == 70
