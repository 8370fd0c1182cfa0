import geopandas as gpd
import numpy as np
import pyarrow as pa
import pytest
import shapely
from space_data import box, parcels, read, wkb_table

from panhuo.core.problems import PanhuoError
from panhuo.inventory import geometry, tiling
from panhuo.inventory.neighbours import neighbours
from panhuo.inventory.sites import site_groups, site_indices


def pairs(table: pa.Table) -> dict:
    return {(r["parcel_id"], r["other_id"]): r["shared_boundary_m"] for r in table.to_pylist()}


def test_shared_edge_with_a_corner_in_its_middle_is_measured_whole() -> None:
    found, problems = neighbours(parcels(box(0, 0, 100, 100), box(100, 0, 200, 40), box(100, 40, 200, 100)))
    assert problems == []
    lengths = pairs(found)
    assert lengths[("p0", "p1")] == pytest.approx(40, abs=1e-6)
    assert lengths[("p0", "p2")] == pytest.approx(60, abs=1e-6)
    assert lengths[("p1", "p2")] == pytest.approx(100, abs=1e-6)


@pytest.mark.parametrize(("apart", "adjoining"), [(0.09, True), (0.11, False)])
def test_edges_adjoin_within_the_tolerance(apart: float, adjoining: bool) -> None:
    found, _ = neighbours(parcels(box(0, 0, 100, 100), box(100 + apart, 0, 200, 100)))
    assert bool(pairs(found)) is adjoining


def test_edges_that_cross_at_a_flat_angle_do_not_adjoin() -> None:
    band = shapely.transform(
        shapely.Polygon([(-40, 50), (240, 10), (240, 30), (-40, 70)]),
        lambda xy: xy + np.array([395_000, 3_120_000]),
    )
    found, _ = neighbours(parcels(box(0, 0, 200, 40), band))
    assert found.num_rows == 0


def test_a_corner_is_not_a_boundary() -> None:
    found, _ = neighbours(parcels(box(0, 0, 100, 100), box(100, 100, 200, 200)))
    assert found.num_rows == 0


def test_pairs_across_tiles_are_found_once() -> None:
    table = parcels(*(box(x, y, x + 50, y + 50) for x in range(0, 1000, 50) for y in range(0, 1000, 50)))
    tiles, _ = tiling.map_tiles(table, lambda tile: len(tile.rows), tile_parcels=30)
    assert len(tiles) > 10
    found, _ = neighbours(table)
    lengths = pairs(found)
    assert len(lengths) == 2 * 20 * 19
    assert list(lengths.values()) == pytest.approx([50] * len(lengths), abs=1e-6)


def test_pairs_on_small_tiles_equal_those_on_one(monkeypatch: pytest.MonkeyPatch) -> None:
    table = wkb_table(read("us_nyc_astoria_lots/astoria_lots.geojson"))
    whole, _ = neighbours(table)
    monkeypatch.setitem(tiling.map_tiles.__kwdefaults__, "tile_parcels", 100)
    pieces, _ = neighbours(table)
    assert pairs(pieces) == pytest.approx(pairs(whole))


def test_astoria_shared_boundaries_equal_geopandas() -> None:
    table = wkb_table(read("us_nyc_astoria_lots/astoria_lots.geojson"))
    found, _ = neighbours(table, tolerance_m=1e-4)
    usable, _ = geometry.outlines(table["geometry"], table["parcel_id"].to_pylist())
    zone = geometry.common_zone(usable)
    lots = gpd.GeoSeries(geometry.to_plane(usable, zone), crs=geometry.zone_crs(zone))
    ours = pairs(found)
    assert len(ours) > 2000
    # An independent measure: of one lot's outline, what lies inside a hair's breadth around the other.
    for (a, b), metres in list(ours.items())[::37]:
        one, two = lots[int(a[1:])], lots[int(b[1:])]
        theirs = one.boundary.intersection(two.boundary.buffer(1e-3)).length
        assert metres == pytest.approx(theirs, abs=0.02)


def test_unusable_outlines_are_problems_and_the_rest_is_measured() -> None:
    good = parcels(box(0, 0, 10, 10), box(10, 0, 20, 10))
    bad = [
        None,
        shapely.Polygon(),
        shapely.Point(112.9, 28.2),
        shapely.box(395_000, 3_120_000, 395_010, 3_120_010),
        shapely.Polygon([(112.9, 28.2), (112.901, 28.201), (112.901, 28.2), (112.9, 28.201)]),
    ]
    table = pa.concat_tables(
        [good, wkb_table(bad).set_column(0, "parcel_id", pa.array([f"b{i}" for i in range(len(bad))]))]
    )
    found, problems = neighbours(table)
    assert list(pairs(found)) == [("p0", "p1")]
    assert {(p.row, p.type) for p in problems} == {
        (3, "geometry_empty"),
        (4, "geometry_empty"),
        (5, "geometry_not_polygon"),
        (6, "crs_not_degrees"),
        (7, "geometry_mended"),
    }


def test_a_table_without_outlines_is_refused_by_name() -> None:
    with pytest.raises(PanhuoError, match="geometry"):
        neighbours(pa.table({"parcel_id": ["a"]}))


def test_an_empty_table_has_no_neighbours() -> None:
    found, problems = neighbours(parcels(box(0, 0, 1, 1)).slice(0, 0))
    assert (found.num_rows, problems) == (0, [])


def test_zone_plane_states_its_error() -> None:
    length, area = geometry.plane_error(38, 112.5, 28.0)
    assert length == pytest.approx(((np.radians(1.5) * np.cos(np.radians(28))) ** 2) / 2, rel=0.02)
    assert area == pytest.approx(2 * length, rel=0.01)
    assert geometry.zone_crs(38).to_epsg() == 4547


def test_parcels_are_one_site_by_name_or_by_touch_and_user() -> None:
    table = parcels(
        box(0, 0, 10, 10),
        box(10, 0, 20, 10),
        box(20, 0, 30, 10),
        box(500, 0, 510, 10),
        box(30, 0, 40, 10),
        holder=["甲", "甲", "乙", "丙", "乙"],
        holder_uscc=[None, None, "1", None, "2"],
        site_id=["s", None, None, "s", None],
    )
    adjoining, _ = neighbours(table)
    groups = {r["parcel_id"]: r["site_group"] for r in site_groups(table, adjoining).to_pylist()}
    assert groups == {"p0": "p0", "p1": "p0", "p2": "p2", "p3": "p0", "p4": "p4"}
    users = pa.table({"parcel_id": ["p2", "p4"], "enterprise_id": ["e", "e"]})
    joined = {r["parcel_id"]: r["site_group"] for r in site_groups(table, adjoining, users).to_pylist()}
    assert joined["p4"] == "p2"


def test_a_site_is_measured_as_one_against_its_plan() -> None:
    table = parcels(
        box(0, 0, 200, 246),
        box(200, 0, 333, 246),
        box(900, 0, 1000, 100),
        holder=["广电", "广电", "他人"],
        tenure=["allocated", "granted", "granted"],
        area_m2=[74 * 2000 / 3, 49 * 2000 / 3, 10_000.0],
        floor_area_m2=[30_000.0, 52_000.0, None],
        far_planned_max=[1.0, 2.0, 2.0],
    )
    adjoining, _ = neighbours(table)
    joined, alone = site_indices(table, site_groups(table, adjoining)).to_pylist()
    assert (joined["parcels"], joined["tenures"], joined["holders"]) == (2, 2, 1)
    assert joined["area_m2"] == pytest.approx(123 * 2000 / 3)
    assert joined["far"] == pytest.approx(1.0)
    assert joined["far_planned_max"] == pytest.approx((74 + 98) / 123)
    assert (alone["far"], alone["density"]) == (None, None)
