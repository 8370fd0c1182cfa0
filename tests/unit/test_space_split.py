from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyogrio
import pytest
import shapely
from space_data import EAST, NORTH, ZONE, box, parcels, wkb_table

from panhuo.core.problems import PanhuoError
from panhuo.core.units import mu_to_m2
from panhuo.inventory.boundary_dxf import boundary_dxf
from panhuo.inventory.boundary_txt import Plot, boundary_txt
from panhuo.inventory.geometry import to_lonlat, to_plane
from panhuo.inventory.join_parcels import join_parcels
from panhuo.inventory.readers.boundary_txt import read_boundary_txt
from panhuo.inventory.split import SplitRules, split_parcel, split_polygon

HUILONG_MU = (28, 102, 98)
CODE = "430211001001GB00007"


def huilong() -> shapely.Polygon:
    """A plot of exactly 228 亩 with a slanting side: as large as case 9's, whose outline is not published."""
    rough = shapely.Polygon([(0, 0), (480, 0), (500, 200), (430, 330), (0, 310)])
    scale = (mu_to_m2(228) / rough.area) ** 0.5
    return shapely.affinity.translate(shapely.affinity.scale(rough, scale, scale, origin=(0, 0)), EAST, NORTH)


def roads() -> pa.Table:
    lines = [
        shapely.LineString([(EAST - 100, NORTH - 3), (EAST + 700, NORTH - 3)]),
        shapely.LineString([(EAST - 3, NORTH - 100), (EAST - 3, NORTH + 400)]),
    ]
    return wkb_table(to_lonlat(np.array(lines, object), ZONE))


def planar(table: pa.Table) -> np.ndarray:
    return to_plane(shapely.from_wkb(table["geometry"].to_numpy().astype(object)), ZONE)


RULES = SplitRules(area_min_m2=6667, width_min_m=30, frontage_min_m=20)


def split(**more) -> tuple[pa.Table, list]:
    table = parcels(huilong(), box(2000, 0, 2100, 100)).set_column(
        0, "parcel_id", pa.array([CODE, "430211001001GB00012"])
    )
    return split_parcel(table, CODE, HUILONG_MU, RULES, **more)


def test_228_mu_into_28_102_98() -> None:
    workshop = wkb_table(to_lonlat(np.array([box(40, 40, 110, 90)], object), ZONE))
    table, problems = split(roads=roads(), buildings=workshop)
    assert problems == []
    best = table.filter(pa.compute.equal(table["proposal"], 1))
    assert [round(a * 3 / 2000, 6) for a in best["area_m2"].to_pylist()] == [28, 102, 98]
    assert sum(best["area_m2"].to_pylist()) == pytest.approx(mu_to_m2(228), abs=0.01)
    assert set(table["broken"].to_pylist()) == {""}
    assert min(best["area_m2"].to_pylist()) >= RULES.area_min_m2
    assert min(best["frontage_m"].to_pylist()) >= RULES.frontage_min_m
    assert min(best["width_m"].to_pylist()) >= RULES.width_min_m
    assert best["parcel_id"].to_pylist() == [f"430211001001GB000{n}" for n in (13, 14, 15)]
    on = [shape.intersection(box(40, 40, 110, 90)).area for shape in planar(best)]
    assert max(on) == pytest.approx(3500, abs=1e-3)


def test_three_boundary_files_read_back_to_the_same_ground(tmp_path: Path) -> None:
    table, _ = split(roads=roads())
    best = table.filter(pa.compute.equal(table["proposal"], 1))
    total, parent = 0.0, shapely.transform(huilong(), lambda xy: np.round(xy, 5))
    for name, outline in zip(best["parcel_id"].to_pylist(), planar(best), strict=True):
        text = boundary_txt(
            [Plot(name, outline, "汇隆")], ZONE, made_by="测绘院", made_on=date(2024, 6, 1), decimals=5
        )
        path = tmp_path / f"{name}.txt"
        path.write_bytes(text.encode("gbk"))
        (raw,) = read_boundary_txt(path, path.name, None)
        assert raw.crs == "EPSG:4526"
        back = shapely.from_wkb(raw.geometry[0].as_py())
        assert back.is_valid
        assert back.area == pytest.approx(outline.area, abs=0.05)
        total += back.area
    assert len(list(tmp_path.glob("*.txt"))) == 3
    assert total == pytest.approx(parent.area, abs=0.01)


def test_holes_are_rings_of_their_own(tmp_path: Path) -> None:
    yard = box(0, 0, 100, 100).difference(box(40, 40, 60, 60))
    text = boundary_txt([Plot("a", yard)], ZONE, made_by="甲", made_on=date(2024, 6, 1))
    path = tmp_path / "a.txt"
    path.write_text(text, encoding="utf-8")
    (raw,) = read_boundary_txt(path, "a.txt", None)
    assert raw.problems == () or not [p for p in raw.problems if p.type in ("ring_open", "point_count")]
    assert shapely.from_wkb(raw.geometry[0].as_py()).area == pytest.approx(9600)


def test_a_parcel_of_two_parts_comes_back_as_two_parts(tmp_path: Path) -> None:
    yard = box(0, 0, 100, 100).difference(box(40, 40, 60, 60))
    both = shapely.MultiPolygon([yard, box(100, 0, 150, 100)])
    plot = Plot("a,b", both, area_m2=20_000.0)
    path = tmp_path / "a.txt"
    path.write_text(boundary_txt([plot], ZONE, made_by="甲", made_on=date(2024, 6, 1)), encoding="utf-8")
    (raw,) = read_boundary_txt(path, "a.txt", None)
    back = shapely.from_wkb(raw.geometry[0].as_py())
    assert shapely.get_num_geometries(back) == 2
    assert back.area == pytest.approx(9600 + 5000)
    cells = dict(zip(raw.headers, (c[0].as_py() for c in raw.columns), strict=True))
    assert (cells["地块编号"], float(cells["面积(公顷)"])) == ("a，b", 2.0)


def test_without_roads_access_is_unknown() -> None:
    table, problems = split()
    assert table["frontage_m"].null_count == table.num_rows
    assert [p.type for p in problems] == ["layer_missing"]
    assert "frontage_min" not in " ".join(table["broken"].to_pylist())


@pytest.mark.parametrize(("least", "broken"), [(mu_to_m2(28) - 1, False), (mu_to_m2(28) + 1, True)])
def test_a_part_below_its_least_area_is_named(least: float, broken: bool) -> None:
    found = split_polygon(huilong(), HUILONG_MU, SplitRules(least, 1, 1))
    assert ("area_min" in found[0].parts[0].broken) is broken


def test_a_building_that_no_cut_can_spare_is_named() -> None:
    long = np.array([box(10, 10, 440, 20), box(10, 290, 400, 300)], object)
    found = split_polygon(
        huilong(), [1, 1, 1], SplitRules(1, 1, 1), buildings=np.append(long, box(150, 15, 250, 290))
    )
    assert found[0].broken > 0
    assert any("building_cut" in part.broken for part in found[0].parts)


def test_bad_requests_are_refused_by_name() -> None:
    table = parcels(box(0, 0, 100, 100), None)
    with pytest.raises(PanhuoError, match="shares"):
        split_parcel(table, "p0", [100], RULES)
    with pytest.raises(PanhuoError, match="shares"):
        split_parcel(table, "p0", [100, 0], RULES)
    with pytest.raises(PanhuoError, match="no such parcel"):
        split_parcel(table, "p9", [1, 1], RULES)
    with pytest.raises(PanhuoError, match="not one polygon"):
        split_parcel(table, "p1", [1, 1], RULES)


def test_neighbours_join_over_a_hair_and_others_do_not() -> None:
    table = parcels(box(0, 0, 100, 100), box(100.05, 0, 200, 100), box(500, 0, 600, 100))
    joined, _ = join_parcels(table, ["p0", "p1"])
    row = joined.to_pylist()[0]
    assert row["area_m2"] == pytest.approx(20_000, abs=1e-3)
    assert row["closed_m2"] == pytest.approx(5, abs=1e-3)
    assert row["parent_ids"] == "p0, p1"
    with pytest.raises(PanhuoError, match="do not adjoin"):
        join_parcels(table, ["p0", "p2"])


def test_parts_joined_again_are_the_parent() -> None:
    table, _ = split(roads=roads())
    best = table.filter(pa.compute.equal(table["proposal"], 1)).select(["parcel_id", "geometry"])
    joined, _ = join_parcels(best, best["parcel_id"].to_pylist())
    assert joined["area_m2"][0].as_py() == pytest.approx(mu_to_m2(228), abs=0.01)


def test_a_drawing_program_reads_the_outlines(tmp_path: Path) -> None:
    yard = box(0, 0, 100, 100).difference(box(40, 40, 60, 60))
    path = tmp_path / "a.dxf"
    path.write_text(boundary_dxf([Plot(CODE, yard), Plot("b", box(100, 0, 150, 100))]), encoding="utf-8")
    drawn = pyogrio.read_dataframe(path)
    rings = [shapely.Polygon(line) for line in drawn.geometry if line.geom_type == "LineString"]
    assert sorted(ring.area for ring in rings) == pytest.approx([400, 5000, 10_000])
    assert set(drawn["Text"].dropna()) == {CODE, "b"}
