import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import shapely
from space_data import box, parcels, read, wkb_table

from panhuo.inventory import geometry
from panhuo.inventory.conflicts import conflicts
from panhuo.inventory.spatial_facts import spatial_facts

OVERLAPS = ("overlap", "sliver", "duplicate_outline")


def of_kind(table: pa.Table, *kinds: str) -> list[dict]:
    return table.filter(pc.is_in(table["kind"], value_set=pa.array(kinds))).to_pylist()


def easthampton() -> geometry.Geometries:
    """Parcels with the easements and rights of way laid over them: many real overlaps."""
    path = "us_easthampton_parcels/easthampton.gpkg"
    return np.concatenate([read(path, "M087TaxPar"), read(path, "M087OthLeg")])


def astoria() -> geometry.Geometries:
    """Lots, and every tenth of them drawn again 2 m off, as a second survey would."""
    lots = read("us_nyc_astoria_lots/astoria_lots.geojson")
    return np.concatenate([lots, shapely.transform(lots[::10], lambda xy: xy + 2e-5)])


def tahoe() -> geometry.Geometries:
    return read("us_tahoe_zoning/parcels.shp")


@pytest.mark.parametrize("data", [pytest.param(easthampton, marks=pytest.mark.slow), astoria, tahoe])
def test_conflicts_equal_geopandas(data) -> None:
    """All of the place: which pairs overlap, by how much, what is drawn, the sums by parcel, the areas on paper."""
    table = wkb_table(data())
    usable, _ = geometry.outlines(table["geometry"], table["parcel_id"].to_pylist())
    zone = geometry.common_zone(usable)
    frame = gpd.GeoDataFrame({"row": range(len(usable))}, geometry=list(usable), crs=4490)
    frame = frame.to_crs(geometry.zone_crs(zone))
    both = gpd.overlay(frame, frame, how="intersection", keep_geom_type=True)
    both = both[(both.row_1 < both.row_2) & (both.area > 1e-4)]
    theirs = {(f"p{a}", f"p{b}"): area for a, b, area in zip(both.row_1, both.row_2, both.area, strict=True)}
    assert len(theirs) >= 20
    off = np.where(frame.row % 3 == 0, 1.02, np.where(frame.row % 3 == 1, 0.98, 1.005))
    paper = frame.area.to_numpy() * off

    found, _ = conflicts(table.append_column("area_m2", pa.array(paper)), gap_width_m=0.01)
    rows = of_kind(found, *OVERLAPS)
    ours = {(r["parcel_id"], r["other_id"]): r["area_m2"] for r in rows}
    assert set(ours) == set(theirs)
    for pair, area in theirs.items():
        assert ours[pair] == pytest.approx(area, rel=1e-6, abs=1e-6)
    drawn = geometry.to_plane(shapely.from_wkb(np.array([r["geometry"] for r in rows], object)), zone)
    np.testing.assert_allclose(shapely.area(drawn), [r["area_m2"] for r in rows], rtol=1e-6, atol=1e-3)

    mismatch = {r["parcel_id"]: r["area_m2"] for r in of_kind(found, "area_mismatch")}
    drawn_rows = np.flatnonzero(frame.geometry.notna())
    expected = {f"p{i}": frame.area[i] - paper[i] for i in drawn_rows if i % 3 != 2}
    assert mismatch == pytest.approx(expected, rel=1e-6, abs=1e-6)

    facts, _ = spatial_facts(table, {})
    thin = {(r["parcel_id"], r["other_id"]) for r in of_kind(found, "sliver")}
    sums = {f"p{i}": 0.0 for i in drawn_rows}
    for pair in theirs.keys() - thin:
        for name in pair:
            sums[name] += theirs[pair]
    told = dict(zip(facts["parcel_id"].to_pylist(), facts["conflict_m2"].to_pylist(), strict=True))
    assert {name for name, value in told.items() if value is None} == told.keys() - sums.keys()
    assert {name: told[name] for name in sums} == pytest.approx(sums, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    ("heights", "expected"),
    [
        (((None, None), (None, None)), "yes"),
        (((0.0, 5.0), (5.0, 20.0)), None),
        (((0.0, 5.1), (5.0, 20.0)), "yes"),
        (((None, 6.0), (8.0, None)), None),
        (((None, 9.0), (8.0, None)), "yes"),
        (((None, None), (8.0, 20.0)), "unknown"),
    ],
)
def test_only_volumes_conflict(heights, expected) -> None:
    table = parcels(
        box(0, 0, 100, 100),
        box(50, 0, 150, 100),
        z_min_m=pa.array([h[0] for h in heights], pa.float64()),
        z_max_m=pa.array([h[1] for h in heights], pa.float64()),
    )
    found, _ = conflicts(table)
    rows = of_kind(found, *OVERLAPS)
    assert [r["status"] for r in rows] == ([expected] if expected else [])
    facts, _ = spatial_facts(table, {})
    sure = {"yes": pytest.approx(5000, abs=1e-3), "unknown": None, None: 0}[expected]
    assert facts["conflict_m2"][0].as_py() == sure


def test_kinds_of_overlap() -> None:
    table = parcels(
        box(0, 0, 100, 100),
        box(0, 0, 100, 100),
        box(200, 0, 300, 100),
        box(299.99, 0, 400, 100),
        box(500, 0, 600, 100),
        box(590, 0, 700, 100),
    )
    found, _ = conflicts(table)
    kinds = {(r["parcel_id"], r["other_id"]): r["kind"] for r in of_kind(found, *OVERLAPS)}
    assert kinds == {("p0", "p1"): "duplicate_outline", ("p2", "p3"): "sliver", ("p4", "p5"): "overlap"}
    drawn = shapely.from_wkb(of_kind(found, "overlap")[0]["geometry"])
    planar = geometry.to_plane(np.array([drawn]), 38)[0]
    assert planar.area == pytest.approx(1000, abs=1e-3)


def test_two_coverages_drawn_over_each_other_conflict_everywhere() -> None:
    def grid(shift: float) -> list:
        return [box(x + shift, y, x + shift + 10, y + 10) for x in range(0, 50, 10) for y in range(0, 50, 10)]

    found, _ = conflicts(parcels(*grid(0), *grid(5)))
    total = sum(r["area_m2"] for r in of_kind(found, "overlap"))
    assert total == pytest.approx(45 * 50, abs=1e-3)


@pytest.mark.parametrize(("width", "is_gap"), [(0.8, True), (1.2, False)])
def test_gaps_up_to_the_width(width: float, is_gap: bool) -> None:
    found, _ = conflicts(parcels(box(0, 0, 100, 100), box(100 + width, 20, 200, 80)))
    gaps = of_kind(found, "gap")
    assert [(r["parcel_id"], r["other_id"]) for r in gaps] == ([("p0", "p1")] if is_gap else [])
    if is_gap:
        assert gaps[0]["area_m2"] == pytest.approx(60 * width, rel=1e-6)


def test_paper_and_titles() -> None:
    table = parcels(
        box(0, 0, 100, 100),
        box(100, 0, 200, 100),
        box(300, 0, 400, 100),
        box(300, 0, 400, 100),
        area_m2=[10_090.0, 10_110.0, None, 10_000.0],
        certificate_no=["A", "A", "B", "C"],
    )
    found, _ = conflicts(table)
    assert [r["parcel_id"] for r in of_kind(found, "area_mismatch")] == ["p1"]
    titles = {(r["kind"], r["parcel_id"], r["other_id"]) for r in found.to_pylist()}
    assert ("one_title_two_outlines", "p0", "p1") in titles
    assert ("two_titles_one_outline", "p2", "p3") in titles


def test_neighbours_of_unknown_state_leave_the_sum_unknown() -> None:
    table = parcels(
        box(0, 0, 100, 100),
        box(100, 0, 200, 100),
        box(0, 100, 100, 200),
        box(100, 100, 200, 200),
        use_state=["in_use", "vacant", None, "in_use"],
        work_state=["finished", None, "finished", "finished"],
        holder=["甲", "乙", None, "乙"],
    )
    facts, _ = spatial_facts(table, {})
    row = facts.to_pylist()
    assert row[0]["adjoining_vacant_m2"] == pytest.approx(10_000, abs=1e-3)  # at least the one known to be so
    assert row[1]["adjoining_vacant_m2"] == 0  # both neighbours are known to be in use
    assert row[0]["adjoining_idle_m2"] is None  # one neighbour is unknown
    assert row[2]["adjoining_idle_m2"] == 0
    assert [r["neighbour_holder_same"] for r in row] == [False, False, None, None]
    assert row[0]["neighbour_count"] == 2
    assert row[0]["shared_boundary_m"] == pytest.approx(200, abs=1e-6)


def test_layers_give_areas_and_unknown_stays_unknown() -> None:
    table = parcels(box(0, 0, 100, 100), box(300, 0, 400, 100), None)
    red = parcels(box(60, -10, 200, 110)).select(["geometry"])
    facts, _ = spatial_facts(table, {"red_line": red})
    row = facts.to_pylist()
    assert row[0]["red_line_m2"] == pytest.approx(4000, rel=1e-3)  # ground area against the zone's plane
    assert row[0]["red_line_share"] == pytest.approx(0.4, rel=1e-6)
    assert [r["red_line_m2"] for r in row[1:]] == [0, None]
    assert "permanent_farmland_m2" not in facts.column_names


def test_shape_and_access_facts() -> None:
    table = parcels(box(0, 0, 200, 50), box(300, 0, 400, 100), None)
    line = shapely.LineString([(0, -4), (200, -4)])
    moved = shapely.transform(line, lambda xy: xy + np.array([395_000.0, 3_120_000.0]))
    roads = wkb_table(geometry.to_lonlat(np.array([moved]), 38))
    facts, problems = spatial_facts(table, {"roads": roads})
    row = facts.to_pylist()
    assert row[0]["width_m"] == pytest.approx(50, abs=1e-3)
    assert row[1]["compactness"] == pytest.approx(np.pi / 4, abs=1e-6)
    assert [r["has_road_access"] for r in row] == [True, False, None]
    assert row[2]["conflict_m2"] is None
    assert row[2]["neighbour_count"] is None
    assert [p.row for p in problems] == [3]
    without, _ = spatial_facts(table, {})
    assert without["has_road_access"].to_pylist() == [None] * 3
    assert without["slope_mean_deg"].null_count == 3
