"""What the land itself says reaches an assessment: layers, elevation, conflicts, neighbours, the potential grade."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyogrio
import pyproj
import pytest
import rasterio
import shapely

from panhuo.core.problems import PanhuoError
from panhuo.inventory.spec import code_rows, dataset_spec
from panhuo.workspace.assess import assess
from panhuo.workspace.explain import explain
from panhuo.workspace.exports import export
from panhuo.workspace.imports import Options, import_files
from panhuo.workspace.reports import report_parcel
from panhuo.workspace.store import Workspace

EAST, NORTH = 395_000.0, 3_120_000.0
DAY = date(2026, 11, 23)


def box(x0: float, y0: float, x1: float, y1: float) -> shapely.Polygon:
    return shapely.box(EAST + x0, NORTH + y0, EAST + x1, NORTH + y1)


def write_layer(path: Path, shapes: list, **columns: list) -> Path:
    wkb = pa.array([shapely.to_wkb(s) for s in shapes], pa.binary())
    table = pa.table({**columns, "geometry": wkb})
    kind = {"geometry_name": "geometry", "geometry_type": shapes[0].geom_type, "crs": "EPSG:4547"}
    pyogrio.write_arrow(table, path, driver="GPKG", layer=path.stem, **kind)
    return path


def hill(path: Path, slope_deg: float = 10.0, crs: str | None = "EPSG:4547", bands: int = 1) -> Path:
    """An even slope to the east over the western half of the ground."""
    cell, rows, columns = 5.0, 60, 50
    z = np.tile(np.arange(columns) * cell * np.tan(np.radians(slope_deg)), (rows, 1)).astype("f4")
    form = {"height": rows, "width": columns, "count": bands, "dtype": "float32", "crs": crs}
    corner = rasterio.transform.from_origin(EAST - 20, NORTH + 250, cell, cell)
    with rasterio.open(path, "w", driver="GTiff", transform=corner, **form) as out:
        for band in range(bands):
            out.write(z, band + 1)
    return path


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Five parcels: a on the slope, b beside it with 8 m of common boundary, c over both, d beside c, e off it."""
    folder = tmp_path_factory.mktemp("space")
    shapes = [
        box(0, 0, 100, 100), box(100, 92, 200, 192), box(90, 0, 190, 90), box(190, 0, 215, 90), box(400, 0, 500, 90),
    ]  # fmt: skip
    parcels = write_layer(
        folder / "parcels.gpkg", shapes,
        宗地代码=["a", "b", "c", "d", "e"], 宗地面积=[10_000.0, 10_000.0, 9_000.0, 2_250.0, 9_900.0],
        土地用途=["工业用地"] * 5, 利用现状=["在用", "空闲", "在用", "空闲", "在用"],
    )  # fmt: skip
    files = [
        parcels,
        write_layer(folder / "永久基本农田.gpkg", [box(-50, -50, 50, 300)], name=["f"]),
        write_layer(folder / "城镇开发边界.gpkg", [box(-50, -50, 600, 300)], name=["g"]),
        write_layer(folder / "公共设施.gpkg", [shapely.Point(EAST + 50, NORTH + 50)], name=["poi"]),
        write_layer(
            folder / "roads.gpkg",
            [shapely.LineString([(EAST - 50, NORTH - 3), (EAST + 600, NORTH - 3)])],
            name=["r"],
        ),
        hill(folder / "dem.tif"),
    ]
    import_files(folder / "ws", files, Options(today=DAY), lambda text: None)
    ws = Workspace.open(folder / "ws")
    assess(ws, as_of=DAY)
    return ws


def facts(ws: Workspace) -> dict[str, dict]:
    table = ws.assessment("facts")
    assert table is not None
    return {row["parcel_id"]: row for row in table.to_pylist()}


def findings(ws: Workspace, finding: str) -> dict[str, str]:
    table = ws.assessment("findings")
    assert table is not None
    mine = table.filter(pc.equal(table["finding_id"], finding))
    return dict(zip(mine["parcel_id"].to_pylist(), mine["status"].to_pylist(), strict=True))


def test_an_area_under_a_layer_has_the_name_of_the_layers_kind() -> None:
    kinds = {row["code"] for row in code_rows("layer_kinds")}
    areas = {n.removesuffix("_m2") for n in dataset_spec("spatial").fields if n.endswith("_m2")}
    assert {"permanent_farmland", "red_line", "growth_boundary"} <= areas & kinds


def test_farmland_and_growth_boundary_of_the_ledger_are_facts(held: Workspace) -> None:
    rows = facts(held)
    assert rows["a"]["permanent_farmland_m2"] == pytest.approx(5000, rel=1e-3)
    assert rows["e"]["permanent_farmland_m2"] == 0
    assert rows["e"]["growth_boundary_m2"] == pytest.approx(9000, rel=1e-3)
    assert findings(held, "control_line_conflict")["a"] == "yes"


def test_slope_flows_from_the_grid_and_is_unknown_off_it(held: Workspace) -> None:
    rows = facts(held)
    assert rows["a"]["slope_mean_deg"] == pytest.approx(10, rel=5e-3)
    assert rows["a"]["slope_gentle_share"] == pytest.approx(1)
    assert rows["e"]["slope_mean_deg"] is None
    assert findings(held, "sloping")["a"] == "yes"
    problems = held.assessment("problems")
    assert problems is not None
    told = {(p["type"], p["value"]) for p in problems.to_pylist()}
    assert ("dem_partial", "1/5") in told
    assert not [p for p in told if p[0] == "geometry_not_polygon"], "points of facilities are no outlines"


def test_neighbours_share_at_least_the_boundary_the_law_asks(held: Workspace) -> None:
    rows = facts(held)
    assert rows["b"]["neighbour_count"] == 0, "8 m are less than the 10 m of the law"
    assert rows["d"]["neighbour_count"] == 1


def test_conflicts_are_a_table_that_can_be_drawn(held: Workspace) -> None:
    table = held.assessment("conflicts")
    assert table is not None
    rows = {(r["kind"], r["parcel_id"], r["other_id"]): r for r in table.to_pylist()}
    over = rows["overlap", "a", "c"]
    assert over["area_m2"] == pytest.approx(900, rel=1e-6)
    assert over["share"] == pytest.approx(0.1, rel=1e-6)
    drawn = shapely.transform(
        shapely.from_wkb(over["geometry"]),
        pyproj.Transformer.from_crs(4490, 4547, always_xy=True).transform,
        interleaved=False,
    )
    assert drawn.area == pytest.approx(900, rel=1e-6)
    assert ("area_mismatch", "e", None) in rows


def test_every_parcel_has_a_potential_grade_with_its_sub_scores(held: Workspace) -> None:
    table = held.assessment("potential")
    assert table is not None
    rows = {r["parcel_id"]: r for r in table.to_pylist()}
    assert sorted(r["order_no"] for r in rows.values()) == [1, 2, 3, 4, 5]
    a = rows["a"]
    items = json.loads(a["items"])
    assert items["access"] == {"value": 1.0, "points": 20.0}
    assert items["position"]["points"] == pytest.approx(15, abs=0.05)
    assert "services" in a["missing"]
    assert "services" not in items
    assert {"control_line", "boundary"} <= set(a["obstacles"].split(", "))
    assert rows["e"]["order_no"] < a["order_no"]


def test_explain_the_plan_and_the_export_show_both(held: Workspace, tmp_path: Path) -> None:
    chain = explain(held, "c")
    first = chain["conflicts"][0]
    assert (first["kind"], first["other_id"], first["label"]["zh"]) == ("overlap", "a", "压盖")
    grade = chain["potential"]
    assert {item["indicator"]: item["points"] for item in grade["items"]}["services"] is None
    assert [o["id"] for o in grade["obstacles"]] == ["boundary"]
    assert grade["scheme"]["unverified"]

    report_parcel(held, "c", tmp_path / "c.html")
    page = (tmp_path / "c.html").read_text(encoding="utf-8")
    assert all(words in page for words in ("开发潜力", "已通配套项数", "压盖", "先易后难第"))

    export(held, tmp_path / "o.gpkg")
    layers = {name for name, _ in pyogrio.list_layers(tmp_path / "o.gpkg")}
    assert "conflicts" in layers
    _, drawn = pyogrio.read_arrow(tmp_path / "o.gpkg", layer="parcels")
    assert {"potential", "potential_score", "easy_first"} <= set(drawn.column_names)
    _, clashes = pyogrio.read_arrow(tmp_path / "o.gpkg", layer="conflicts")
    assert "overlap" in clashes["kind"].to_pylist()


def test_a_grid_imported_again_replaces_its_namesake_and_later_imports_keep_it(
    held: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "n").mkdir()
    ws = tmp_path / "ws"
    import_files(ws, [hill(tmp_path / "dem.tif")], Options(), lambda text: None)
    one = Workspace.open(ws).elevation_files()
    road = shapely.LineString([(EAST, NORTH), (EAST + 9, NORTH)])
    import_files(ws, [write_layer(tmp_path / "roads.gpkg", [road], name=["r"])], Options(), lambda text: None)
    kept = Workspace.open(ws).elevation_files()
    assert [p.read_bytes() for p in kept] == [p.read_bytes() for p in one]
    import_files(ws, [hill(tmp_path / "n" / "dem.tif", slope_deg=20)], Options(), lambda text: None)
    new = Workspace.open(ws).elevation_files()
    assert [p.name for p in new] == ["dem.tif"]
    assert new[0].read_bytes() != one[0].read_bytes()
    assert "layers/elevation/dem" in Workspace.open(ws).manifest()["datasets"]


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ({"crs": None}, "没有坐标系"),
        ({"bands": 3}, "不是高程网格"),
        ({"slope_deg": 89.0}, "不是以米计的高程"),
    ],
)
def test_a_grid_that_cannot_be_used_is_refused_and_nothing_is_changed(
    made: dict, words: str, tmp_path: Path
) -> None:
    with pytest.raises(PanhuoError, match=words):
        import_files(tmp_path / "ws", [hill(tmp_path / "dem.tif", **made)], Options(), lambda text: None)
    assert not (tmp_path / "ws").exists()


def test_a_grid_without_crs_is_taken_with_the_one_given(tmp_path: Path) -> None:
    options = Options(crs="EPSG:4547")
    report = import_files(tmp_path / "ws", [hill(tmp_path / "dem.tif", crs=None)], options, lambda text: None)
    assert report["imports"][0]["crs"] == "EPSG:4547"
    (tmp_path / "dem.tif").write_bytes(b"no picture")
    with pytest.raises(PanhuoError, match="读不开"):
        import_files(tmp_path / "ws", [tmp_path / "dem.tif"], Options(), lambda text: None)
