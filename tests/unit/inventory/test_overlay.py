"""Overlay through its public door: what counts, what is mended, what is unknown."""

import os
from pathlib import Path

import geopandas
import numpy as np
import pyarrow as pa
import pyproj
import pytest
import shapely

from panhuo.core.problems import PanhuoError
from panhuo.inventory.equal_area import PROJ_TEXT, to_equal_area
from panhuo.inventory.overlay import PreparedLayer, ground_areas, overlay, overlays, prepare_layer
from panhuo.workspace.memory import FolderMemory

PLANE = "EPSG:4547"
SHARED = Path(os.environ.get("PANHUO_SHARED", Path(__file__).parents[4] / "shared")) / "data"


def table(*shapes):
    wkb = [None if s is None else shapely.to_wkb(s) for s in shapes]
    ids = [f"p{i}" for i in range(len(shapes))]
    return pa.table({"parcel_id": ids, "geometry": pa.array(wkb, pa.binary())})


def areas(parcels, layer, **options):
    found = overlay(parcels, prepare_layer(layer, "farmland", crs=PLANE), **options).areas
    return dict(zip(found["parcel_id"].to_pylist(), found["area_m2"].to_pylist(), strict=True))


def test_inside_across_and_outside():
    parcels = table(shapely.box(10, 10, 20, 20), shapely.box(95, 0, 105, 10), shapely.box(200, 0, 210, 10))
    result = overlay(parcels, prepare_layer(table(shapely.box(0, 0, 100, 100)), "farmland", crs=PLANE))
    rows = result.areas.to_pylist()
    assert [r["parcel_id"] for r in rows] == ["p0", "p1"]
    assert [r["layer"] for r in rows] == ["farmland", "farmland"]
    assert [r["area_m2"] for r in rows] == pytest.approx([100, 50])
    assert [r["share"] for r in rows] == pytest.approx([1, 0.5])


def test_overlapping_polygons_of_a_layer_count_once():
    layer = table(shapely.box(0, 0, 10, 10), shapely.box(5, 0, 15, 10), shapely.box(5, 0, 10, 10))
    assert areas(table(shapely.box(0, 0, 20, 10)), layer) == {"p0": pytest.approx(150)}


def test_touching_polygons_and_holes():
    ring = shapely.Polygon(shapely.box(0, 0, 10, 10).exterior, [shapely.box(4, 4, 6, 6).exterior])
    layer = table(ring, shapely.box(10, 0, 20, 10))
    parcels = table(shapely.box(0, 0, 20, 10), shapely.box(4, 4, 6, 6), shapely.MultiPolygon([ring]))
    assert areas(parcels, layer) == {"p0": pytest.approx(196), "p2": pytest.approx(96)}


@pytest.mark.parametrize(("depth", "kept"), [(0.0999, False), (0.1001, True)])
def test_slivers_below_the_tolerance_are_left_out_and_counted(depth, kept):
    layer = prepare_layer(table(shapely.box(0, 0, 100, 100)), "red_line", crs=PLANE)
    parcels = table(shapely.box(100 - depth, 0, 120, 10), shapely.box(300, 0, 310, 10))
    result = overlay(parcels, layer)
    assert (result.areas.num_rows, result.slivers) == ((1, 0) if kept else (0, 1))


def test_bytes_of_any_kind_are_read_alike():
    """Big-endian, EWKB with an SRID, heights, several parts with holes turning either way, cut-off bytes."""
    plot = shapely.Polygon(shapely.box(0, 0, 10, 10).exterior, [shapely.box(4, 4, 6, 6).exterior])
    two = shapely.MultiPolygon([plot, shapely.box(90, 0, 110, 10)])
    kinds = [
        shapely.to_wkb(plot, byte_order=0),
        shapely.to_wkb(shapely.set_srid(plot, 4490), include_srid=True),
        shapely.to_wkb(shapely.force_3d(plot, 7.0)),
        shapely.to_wkb(shapely.reverse(plot)),
        shapely.to_wkb(two),
        shapely.to_wkb(two)[:-9],
        shapely.to_wkb(shapely.force_3d(two)),
    ]
    parcels = pa.table(
        {"parcel_id": [str(i) for i in range(len(kinds))], "geometry": pa.array(kinds, pa.binary())}
    )
    prepared = prepare_layer(table(shapely.box(0, 0, 100, 100)), "farmland", crs=PLANE)
    one, both = pytest.approx(96), pytest.approx(196)
    found = overlay(parcels, prepared).areas
    assert found["area_m2"].to_pylist() == [one, one, one, one, both, None, both]
    assert found["share"].to_pylist()[4] == pytest.approx(196 / 296)


def test_several_layers_at_once_are_what_each_gives():
    parcels = table(shapely.box(0, 0, 10, 10), None, shapely.box(50, 50, 60, 60))
    layers = [
        prepare_layer(table(shapely.box(5, 0, 100, 100)), "farmland", crs=PLANE),
        prepare_layer(table(shapely.box(0, 0, 20, 20)), "red_line", crs=PLANE),
    ]
    for at_once, layer in zip(overlays(parcels, layers), layers, strict=True):
        alone = overlay(parcels, layer)
        assert at_once.areas.equals(alone.areas)
        assert (at_once.problems, at_once.slivers) == (alone.problems, alone.slivers)
    other = prepare_layer(table(shapely.box(112, 28, 113, 29)), "flood")
    with pytest.raises(PanhuoError, match="flood"):
        overlays(parcels, [*layers, other])


def test_no_outline_is_unknown_not_zero():
    parcels = table(shapely.box(0, 0, 10, 10), None, shapely.Point(3, 3), shapely.Polygon())
    result = overlay(parcels, prepare_layer(table(shapely.box(0, 0, 100, 100)), "farmland", crs=PLANE))
    assert result.areas["area_m2"].to_pylist() == [pytest.approx(100), None, None, None]
    assert result.areas["share"].to_pylist()[1:] == [None, None, None]
    assert [(p.type, p.row, p.value) for p in result.problems] == [
        ("geometry_empty", 2, "p1"),
        ("geometry_not_polygon", 3, "p2"),
        ("geometry_empty", 4, "p3"),
    ]


def test_invalid_polygon_of_the_layer_is_mended_with_a_problem():
    bow = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    prepared = prepare_layer(table(bow, None), "flood", crs=PLANE)
    assert sorted(p.type for p in prepared.problems) == ["geometry_empty", "geometry_mended"]
    assert overlay(table(shapely.box(0, 0, 10, 10)), prepared).areas["area_m2"].to_pylist() == [
        pytest.approx(50)
    ]


def test_empty_layer_touches_nothing_and_no_parcels_give_no_rows():
    none = table().cast(pa.schema([("parcel_id", pa.string()), ("geometry", pa.binary())]))
    assert areas(table(shapely.box(0, 0, 10, 10)), none) == {}
    assert areas(none, table(shapely.box(0, 0, 10, 10))) == {}


def test_kept_layer_gives_the_same_areas_and_problems(tmp_path):
    bow = shapely.Polygon([(100, 0), (110, 10), (110, 0), (100, 10)])
    prepared = prepare_layer(table(shapely.Point(0, 0).buffer(50), bow), "zoning", crs=PLANE)
    FolderMemory(tmp_path).put("zoning", prepared.tables())
    loaded = PreparedLayer.of_tables("zoning", PLANE, FolderMemory(tmp_path).get("zoning"))
    parcels = table(shapely.box(0, 0, 60, 60), shapely.box(-10, -10, 10, 10), shapely.box(90, 0, 120, 9))
    there, here = overlay(parcels, loaded), overlay(parcels, prepared)
    assert there.areas.equals(here.areas)
    assert there.problems == here.problems != ()


def test_missing_column_and_foreign_degrees_are_a_clear_word():
    with pytest.raises(PanhuoError, match="geometry"):
        prepare_layer(pa.table({"shape": [b""]}), "farmland")
    with pytest.raises(PanhuoError, match="EPSG:4326"):
        prepare_layer(table(shapely.box(0, 0, 1, 1)), "farmland", crs="EPSG:4326")


def test_metres_taken_for_degrees_are_unknown_not_outside():
    plot = shapely.box(112.9, 28.2, 112.901, 28.201)
    metres = shapely.box(395_000, 3_120_000, 395_100, 3_120_100)
    result = overlay(table(metres, plot), prepare_layer(table(plot), "farmland"))
    assert result.areas["share"].to_pylist() == [None, pytest.approx(1)]
    assert [(p.type, p.row) for p in result.problems] == [("crs_not_degrees", 1)]
    assert [p.type for p in prepare_layer(table(metres), "farmland").problems] == ["crs_not_degrees"]


def test_points_and_lines_of_a_layer_are_told_and_the_rest_is_measured():
    line = shapely.LineString([(0, 0), (10, 10)])
    prepared = prepare_layer(table(shapely.box(0, 0, 5, 10), shapely.Point(1, 1), line), "flood", crs=PLANE)
    assert [(p.type, p.row) for p in prepared.problems] == [
        ("geometry_not_polygon", 2),
        ("geometry_not_polygon", 3),
    ]
    assert overlay(table(shapely.box(0, 0, 10, 10)), prepared).areas["area_m2"].to_pylist() == [
        pytest.approx(50)
    ]


def test_a_crs_nobody_knows_is_refused_by_name():
    with pytest.raises(PanhuoError, match="EPSG:99999"):
        prepare_layer(table(shapely.box(0, 0, 1, 1)), "farmland", crs="EPSG:99999")


def test_equal_area_plane_is_that_of_proj():
    lon, lat = np.array([73.5, 113.0, 135.1, 0.0, -72.6]), np.array([3.8, 28.2, 53.6, 0.0, 42.3])
    np.testing.assert_allclose(to_equal_area(lon, lat), pyproj.Proj(PROJ_TEXT)(lon, lat), atol=1e-6)


def test_areas_in_degrees_are_those_of_the_ellipsoid():
    plot = shapely.box(113.0, 28.0, 113.002, 28.002)
    geodesic = abs(pyproj.Geod(ellps="GRS80").geometry_area_perimeter(plot)[0])
    assert ground_areas(table(plot)["geometry"])[0] == pytest.approx(geodesic, rel=1e-6)
    half = overlay(table(plot), prepare_layer(table(shapely.box(112, 27, 113.001, 29)), "farmland"))
    assert half.areas["area_m2"][0].as_py() == pytest.approx(geodesic / 2, rel=1e-6)


@pytest.mark.parametrize(
    ("parcel_file", "layer_file"),
    [
        ("us_easthampton_parcels/easthampton.gpkg", None),
        ("us_easthampton_parcels/easthampton.gpkg", "us_easthampton_parcels/easthampton.gpkg:M087OthLeg"),
        ("us_nyc_astoria_lots/astoria_lots.geojson", None),
        ("us_tahoe_zoning/parcels.shp", "us_tahoe_zoning/zoning_gis.geojson"),
    ],
)
def test_equals_geopandas_on_real_land(parcel_file, layer_file):
    """Every parcel of the place, to one part in a million (or a square millimetre)."""
    if not SHARED.exists():
        pytest.skip(f"no data at {SHARED}: set PANHUO_SHARED")
    parcels = _valid(geopandas.read_file(SHARED / parcel_file, layer=0))
    layer = _discs(parcels)
    if layer_file:
        file, _, name = layer_file.partition(":")
        layer = _valid(geopandas.read_file(SHARED / file, layer=name or 0))
    expected = _by_geopandas(parcels, layer)
    found = overlay(_arrow(parcels), prepare_layer(_arrow(layer), "zoning"), sliver_m2=0.0).areas.to_pylist()
    ours = np.array([row["area_m2"] for row in found])
    assert len(ours) == len(parcels) == len(expected) > 10
    assert np.count_nonzero(expected > 1) > 5
    np.testing.assert_allclose(ours, expected, rtol=1e-6, atol=1e-6)


def _valid(frame):
    frame = frame.to_crs("EPSG:4490") if frame.crs else frame.set_crs("EPSG:4490")
    shapes = shapely.make_valid(shapely.force_2d(frame.geometry.to_numpy()))
    frame = frame.set_geometry(geopandas.GeoSeries(shapes, crs="EPSG:4490"))
    return frame[frame.geom_type.isin(["Polygon", "MultiPolygon"])].reset_index(drop=True)


def _discs(parcels):
    """A layer of overlapping discs strewn over the land."""
    west, south, east, north = parcels.total_bounds
    rng = np.random.default_rng(7)
    centres = shapely.points(rng.uniform(west, east, 30), rng.uniform(south, north, 30))
    return geopandas.GeoDataFrame(geometry=shapely.buffer(centres, (east - west) / 15), crs="EPSG:4490")


def _arrow(frame):
    ids = [str(i) for i in range(len(frame))]
    return pa.table({"parcel_id": ids, "geometry": pa.array(shapely.to_wkb(frame.geometry.to_numpy()))})


def _by_geopandas(parcels, layer):
    """Shared area by gpd.overlay with the layer's union, in the same equal-area plane."""
    plane = PROJ_TEXT
    union = geopandas.GeoDataFrame(geometry=[layer.to_crs(plane).union_all()], crs=plane)
    mine = parcels[["geometry"]].to_crs(plane).assign(row=range(len(parcels)))
    mine["geometry"] = shapely.make_valid(mine.geometry.to_numpy())
    shared = geopandas.overlay(mine, union, how="intersection")
    return (
        shared.geometry.area.groupby(shared["row"])
        .sum()
        .reindex(range(len(parcels)), fill_value=0)
        .to_numpy()
    )


def test_batches_read_one_by_one_give_what_the_table_gives():
    rng = np.random.default_rng(3)
    west, south = rng.uniform(0, 1000, (2, 500))
    parcels = table(*shapely.box(west, south, west + 20, south + 20), None)
    prepared = prepare_layer(table(shapely.Point(500, 500).buffer(300)), "zoning", crs=PLANE)
    whole, streamed = overlay(parcels, prepared), overlay(parcels.to_batches(max_chunksize=37), prepared)
    assert streamed.areas.combine_chunks().equals(whole.areas.combine_chunks())
    assert (streamed.problems, streamed.slivers) == (whole.problems, whole.slivers)


def test_a_layer_of_many_polygons_is_prepared_piece_by_piece_and_names_its_rows():
    boxes = [
        shapely.box(10 * (n % 30), 10 * (n // 30), 10 * (n % 30) + 10, 10 * (n // 30) + 10)
        for n in range(600)
    ]
    boxes[400] = shapely.Polygon([(100, 130), (110, 140), (110, 130), (100, 140)])
    boxes[500] = None
    prepared = prepare_layer(table(*boxes), "zoning", crs=PLANE)
    told = {p.row: (p.type, p.value.split(":")[1]) for p in prepared.problems}
    assert told == {401: ("geometry_mended", "401"), 501: ("geometry_empty", "501")}
    (found,) = overlay(table(shapely.box(0, 0, 300, 200)), prepared).areas.to_pylist()
    assert found["area_m2"] == pytest.approx(300 * 200 - 50 - 100, rel=1e-12)
