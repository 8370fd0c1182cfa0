"""Outlines as columns against GEOS and PROJ."""

import numpy as np
import pyarrow as pa
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from panhuo.inventory import rings
from panhuo.inventory.geometry_check import check, decode
from panhuo.inventory.moving import outlines_to_lonlat, to_lonlat

COORDINATE = st.floats(0, 500, allow_nan=False).map(lambda v: round(v, 3))
RING = st.lists(st.tuples(COORDINATE, COORDINATE), min_size=3, max_size=9)
ORIGIN = np.array([38_400_000.0, 3_120_000.0])


def wkb_of(shapes):
    return pa.array(shapely.to_wkb(np.asarray(shapes, object)), pa.binary())


@given(st.lists(RING, min_size=1, max_size=6), st.booleans())
@settings(max_examples=60, deadline=None)
def test_bounds_area_and_bytes_agree_with_geos(points, multi):
    shapes = [shapely.Polygon(np.array(p) + ORIGIN) for p in points]
    shapes = [shapely.MultiPolygon([s]) for s in shapes] if multi else shapes
    wkb = wkb_of(shapes)
    read = rings.read_rings(wkb)
    found = rings.measure(read)
    assert np.array_equal(rings.bounds(read), shapely.bounds(shapes))
    assert np.array_equal(found.box, shapely.total_bounds(shapes))
    assert rings.write_rings(read, read.xy).equals(wkb)
    valid = shapely.is_valid(shapes)
    assert not (found.sure & ~valid).any()
    assert found.area[valid] == pytest.approx(shapely.area(shapes)[valid], abs=1e-4)


def test_a_square_is_surely_valid_and_a_bow_tie_is_not():
    square = shapely.box(0, 0, 10, 10)
    tie = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    twice = shapely.Polygon([(0, 0), (9, 0), (9, 9), (0, 9), (-1, -1), (8, -1), (10, 10), (-1, 10)])
    read = rings.read_rings(wkb_of([square, tie, twice]))
    assert rings.measure(read).sure.tolist() == [True, False, False]


@pytest.mark.parametrize("epsg", [4526, 4547, 4498, 26986, 3857])
def test_points_move_as_proj_moves_them(epsg):
    rng = np.random.default_rng(epsg)
    low = {4526: (38_380_000, 3_100_000), 4547: (380_000, 3_100_000), 4498: (20_300_000, 5_900_000),
           26986: (100_000, 890_000), 3857: (12.5e6, 3.2e6)}[epsg]  # fmt: skip
    xy = rng.uniform(0, 9_000, (20_000, 2)) + low
    want = np.column_stack(pyproj.Transformer.from_crs(epsg, 4490, always_xy=True).transform(*xy.T))
    moved = to_lonlat(xy, f"EPSG:{epsg}")
    assert np.abs(moved - want).max() < 1e-10
    # Outlines are kept in degrees only: moved back they are the points of the file, to a hundredth of a millimetre.
    back = np.column_stack(pyproj.Transformer.from_crs(4490, epsg, always_xy=True).transform(*moved.T))
    assert np.abs(back - xy).max() * pyproj.CRS.from_epsg(epsg).axis_info[0].unit_conversion_factor < 1e-5


@pytest.mark.parametrize("clustered", [True, False])
def test_a_point_moves_to_the_same_place_in_any_company(clustered):
    rng = np.random.default_rng(7)
    xy = rng.uniform(0, 39_000, (20_000, 2)) + np.array([38_380_000, 3_100_000])
    if clustered:  # as in a file sorted by village: long runs of points in one cell of the surfaces
        xy = xy[np.lexsort((xy[:, 0] // 5_000, xy[:, 1] // 5_000))]
    moved = to_lonlat(xy, "EPSG:4526")
    some = rng.permutation(len(xy))[:9_000]
    assert np.array_equal(to_lonlat(xy[some], "EPSG:4526"), moved[some])


def test_area_in_a_zone_is_the_plane_and_elsewhere_the_ground():
    plane = shapely.box(38_400_000, 3_120_000, 38_400_100, 3_120_100)
    assert check(decode(pa.chunked_array([wkb_of([plane])])), "EPSG:4526", True).area_m2 == pytest.approx(
        [1e4]
    )
    # A degree square at the equator by the ellipsoid, against pyproj's geodesic area.
    degrees = shapely.box(113.0, 28.0, 113.01, 28.01)
    geodesic, _ = pyproj.Geod(ellps="GRS80").geometry_area_perimeter(degrees)
    area = check(decode(pa.chunked_array([wkb_of([degrees])])), "EPSG:4490", True).area_m2
    assert area == pytest.approx([geodesic], rel=1e-6)
    # Web Mercator swells areas; the ground does not.
    mercator = shapely.transform(
        degrees, pyproj.Transformer.from_crs(4490, 3857, always_xy=True).transform, interleaved=False
    )
    area = check(decode(pa.chunked_array([wkb_of([mercator])])), "EPSG:3857", True).area_m2
    assert area == pytest.approx([geodesic], rel=1e-6)


@pytest.mark.parametrize("length", [9, 12, 13, 29, 92])
def test_an_outline_cut_off_is_unreadable_and_its_neighbour_is_not(length):
    whole = shapely.to_wkb(shapely.box(38_400_000, 3_120_000, 38_400_010, 3_120_010))
    found = check(decode(pa.chunked_array([[whole[:length], whole]], pa.binary())), "EPSG:4526", True)
    assert found.area_m2 == pytest.approx([np.nan, 100], nan_ok=True)
    assert {f.type: f.rows.tolist() for f in found.faults} == {"geometry_unreadable": [0]}


def test_mixed_kinds_keep_their_rows():
    shapes = [
        shapely.box(38_400_000, 3_120_000, 38_400_010, 3_120_010),
        shapely.Point(38_400_005, 3_120_005),
        None,
        shapely.box(38_400_020, 3_120_000, 38_400_040, 3_120_010).difference(
            shapely.box(38_400_025, 3_120_002, 38_400_030, 3_120_004)
        ),
        shapely.MultiPolygon([shapely.box(38_400_050, 3_120_000, 38_400_060, 3_120_010)]),
    ]
    found = check(decode(pa.chunked_array([wkb_of(shapes)])), "EPSG:4526", True)
    assert found.area_m2 == pytest.approx([100, np.nan, np.nan, 190, 100], nan_ok=True)
    assert shapely.from_wkb(found.given.to_pylist())[3].equals(shapes[3])
    assert {f.type: f.rows.tolist() for f in found.faults} == {"geometry_empty": [2]}
    moved = shapely.from_wkb(outlines_to_lonlat(found.given, "EPSG:4526").to_pylist())
    move = pyproj.Transformer.from_crs(4526, 4490, always_xy=True).transform
    want = shapely.transform(np.array(shapes, object), move, interleaved=False)
    assert shapely.equals_exact(moved, want, tolerance=1e-10).tolist() == [True, True, False, True, True]


@pytest.mark.parametrize("epsg", ["EPSG:4490", "EPSG:4326"])
def test_degrees_are_not_moved(epsg):
    wkb = pa.chunked_array([wkb_of([shapely.box(113.0, 28.0, 113.01, 28.01)])])
    assert outlines_to_lonlat(wkb, epsg).equals(wkb)


@pytest.mark.parametrize(("strict", "type"), [(True, "geometry_invalid"), (False, "geometry_mended")])
def test_a_bow_tie_is_refused_or_mended_aloud(strict, type):
    tie = shapely.Polygon(
        [(38_400_000, 3_120_000), (38_400_010, 3_120_010), (38_400_010, 3_120_000), (38_400_000, 3_120_010)]
    )
    found = check(decode(pa.chunked_array([wkb_of([tie])])), "EPSG:4526", strict)
    assert [f.type for f in found.faults] == [type]
    assert (found.given[0].as_py() is None) == strict


def test_a_touching_ring_is_mended_with_its_area():
    pinched = shapely.Polygon([(38_400_000, 3_120_000), (38_400_010, 3_120_000), (38_400_005, 3_120_005),
                               (38_400_010, 3_120_010), (38_400_000, 3_120_010), (38_400_005, 3_120_005)])  # fmt: skip
    found = check(decode(pa.chunked_array([wkb_of([pinched])])), "EPSG:4526", True)
    assert [f.type for f in found.faults] == ["geometry_mended"]
    assert found.area_m2 == pytest.approx([50.0])
