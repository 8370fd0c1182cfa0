"""The verbs `panhuo land …` on a small workspace: what they write and say, and what they refuse."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyarrow as pa
import pyogrio
import pytest
import rasterio
import shapely

from panhuo.cli import main
from panhuo.core.units import m2_to_mu, mu_to_m2
from panhuo.inventory.geometry import to_plane
from panhuo.inventory.split import WHOLE_BUILDING_M2
from panhuo.workspace.imports import Options, import_files
from panhuo.workspace.store import Workspace

EXAMPLES = Path(__file__).parents[2] / "examples"
EAST, NORTH, ZONE = 395_000.0, 3_120_000.0, 38
PLOT, NEXT, FAR, BARE = (f"430211001001GB0000{n}" for n in (7, 8, 9, 5))
Run = Callable[..., tuple[int, dict[str, Any]]]


def moved(shape: shapely.Geometry) -> shapely.Geometry:
    return shapely.affinity.translate(shape, EAST, NORTH)


def layer(path: Path, shapes: list, **columns: list) -> Path:
    kinds = {s.geom_type for s in shapes if s is not None}
    wkb = pa.array([s if s is None else shapely.to_wkb(moved(s)) for s in shapes], pa.binary())
    table = pa.table({**columns, "geometry": wkb})
    form = {"geometry_name": "geometry", "geometry_type": kinds.pop(), "crs": "EPSG:4547"}
    pyogrio.write_arrow(table, path, driver="GPKG", layer=path.stem, **form)
    return path


def plot() -> shapely.Polygon:
    """A plot of exactly 228 亩."""
    rough = shapely.Polygon([(0, 0), (480, 0), (480, 330), (0, 310)])
    scale = (mu_to_m2(228) / rough.area) ** 0.5
    return shapely.affinity.scale(rough, scale, scale, origin=(0, 0))


WORKSHOP = shapely.box(30, 30, 120, 80)


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plot of 228 亩 on two roads with a workshop, a neighbour, one under a bridge, one without outline."""
    folder = tmp_path_factory.mktemp("land")
    own = plot()
    east = own.bounds[2]
    shapes = [own, shapely.box(east, 0, east + 100, 100), shapely.box(6000, 0, 6060, 40), None]
    names = [PLOT, NEXT, FAR, BARE]
    areas = [5000.0 if s is None else s.area for s in shapes]
    zones = [shapely.box(-10, -10, 200, 400), shapely.box(200, -10, 900, 400)]
    files = [
        layer(
            folder / "parcels.gpkg", shapes, 宗地代码=names, 宗地面积=areas, 上方构筑物=[None, None, "高架下", None],
            高度上限=[None, None, 4.5, None],
        ),
        layer(
            folder / "roads.gpkg",
            [shapely.LineString([(-40, -4), (900, -4)]), shapely.LineString([(-4, -40), (-4, 380)])],
            name=["a", "b"],
        ),
        layer(folder / "zoning.gpkg", zones, code=["M1", "R2"]),
        hill(folder / "dem.tif"),
    ]  # fmt: skip
    import_files(folder / "ws", files, Options(), lambda text: None)
    house = layer(folder / "buildings.gpkg", [WORKSHOP], building_id=["w"])
    import_files(folder / "ws", [house], Options("buildings"), lambda text: None)
    return folder / "ws"


def hill(path: Path) -> Path:
    cell, rows, columns = 5.0, 90, 130
    z = np.tile(np.arange(columns) * cell * 0.12, (rows, 1)).astype("f4")
    corner = rasterio.transform.from_origin(EAST - 20, NORTH + 400, cell, cell)
    form = {"height": rows, "width": columns, "count": 1, "dtype": "float32", "crs": "EPSG:4547"}
    with rasterio.open(path, "w", driver="GTiff", transform=corner, **form) as out:
        out.write(z, 1)
    return path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def verb(*words: object) -> tuple[int, dict[str, Any]]:
        monkeypatch.setattr(sys, "argv", ["panhuo", "land", *map(str, words), "--json"])
        code = 0
        try:
            main()
        except SystemExit as done:
            code = int(done.code or 0)
        return code, json.loads(capsys.readouterr().out or "{}")

    return verb


def test_split_of_228_mu_gives_the_parts_and_their_files(ws: Path, run: Run, tmp_path: Path) -> None:
    code, told = run("split", ws, PLOT, "--shares", "28,102,98", "-o", tmp_path / "out")
    assert code == 0
    assert len(told["proposals"]) == 3
    best = told["proposals"][0]["parts"]
    assert [p["area_mu"] for p in best] == pytest.approx([28, 102, 98], abs=1e-3)
    assert [p["parcel_id"][-5:] for p in best] == ["00010", "00011", "00012"]
    for part in best:
        assert part["broken"] == []
        assert part["area_m2"] >= told["rules"]["area_min_m2"]
        assert part["width_m"] >= told["rules"]["width_min_m"]
        assert part["frontage_m"] >= told["rules"]["frontage_min_m"]
    texts = sorted((tmp_path / "out").glob("*.txt"))
    assert [t.stem for t in texts] == [p["parcel_id"] for p in best]
    assert (tmp_path / "out" / "split.png").stat().st_size > 15_000

    # What the survey office reads back adds up to the plot, overlaps nowhere and leaves the workshop whole.
    import_files(tmp_path / "again", texts, Options(), lambda text: None)
    back = Workspace.open(tmp_path / "again").dataset("parcels")
    assert back is not None
    shapes = to_plane(shapely.from_wkb(back["geometry"].to_numpy(zero_copy_only=False)), ZONE)
    assert shapely.area(shapes).sum() == pytest.approx(plot().area, abs=0.01)
    assert shapely.area(shapely.union_all(shapes)) == pytest.approx(plot().area, abs=0.01)
    on = [s for s in shapes if s.intersection(moved(WORKSHOP)).area > WHOLE_BUILDING_M2]
    assert len(on) == 1
    _, drawn = pyogrio.read_arrow(tmp_path / "out" / "split.gpkg", layer="parts")
    assert drawn.num_rows == 9


def test_another_proposal_may_be_taken_and_a_parts_minimum_given(ws: Path, run: Run, tmp_path: Path) -> None:
    code, told = run(
        "split", ws, PLOT, "--shares", "28,200", "--width-min", 100, "--take", 2, "-o", tmp_path / "two"
    )  # fmt: skip
    assert (code, told["taken"], told["rules"]["width_min_m"]) == (0, 2, 100)
    taken = told["proposals"][1]["parts"]
    assert {p.stem for p in (tmp_path / "two").glob("*.txt")} == {p["parcel_id"] for p in taken}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([PLOT, "--shares", "28,many"], "不是数"),
        ([PLOT, "--shares", "28"], "份额"),
        ([PLOT, "--shares", "28,-1"], "份额"),
        (["nothing", "--shares", "1,1"], "没有宗地"),
        ([BARE, "--shares", "1,1"], "没有可用图形"),
        ([PLOT, "--shares", "1,1", "--take", 9], "没有第 9 个方案"),
    ],
)
def test_a_split_that_cannot_be_is_refused_and_nothing_written(
    ws: Path, run: Run, tmp_path: Path, words: list, said: str
) -> None:
    code, told = run("split", ws, *words, "-o", tmp_path / "out")
    assert code == 2
    assert said in told["error"]["what"]
    assert not (tmp_path / "out").exists()


def test_no_road_near_breaks_the_frontage_and_no_road_layer_leaves_it_unjudged(
    ws: Path, run: Run, tmp_path: Path
) -> None:
    _, told = run("split", ws, FAR, "--shares", "1,1", "--area-min", 10, "-o", tmp_path / "a")
    for part in told["proposals"][0]["parts"]:
        assert part["frontage_m"] == 0
        assert "frontage_min" in part["broken"]
    import_files(
        tmp_path / "ws",
        [layer(tmp_path / "parcels.gpkg", [plot()], 宗地代码=[PLOT])],
        Options(),
        lambda text: None,
    )
    code, told = run("split", tmp_path / "ws", PLOT, "--shares", "1,1", "-o", tmp_path / "b")
    assert code == 0
    assert [p["type"] for p in told["problems"]] == ["layer_missing"]
    assert told["proposals"][0]["parts"][0]["frontage_m"] is None


def test_join_of_neighbours_and_refusal_of_strangers(ws: Path, run: Run, tmp_path: Path) -> None:
    code, told = run("join", ws, PLOT, NEXT, "-o", tmp_path / "out")
    assert code == 0
    assert told["area_m2"] == pytest.approx(plot().area + 10_000, abs=0.02)
    assert (tmp_path / "out" / f"{told['parcel_id']}.txt").is_file()
    code, told = run("join", ws, PLOT, FAR, "-o", tmp_path / "no")
    assert (code, (tmp_path / "no").exists()) == (2, False)
    assert "不相连" in told["error"]["what"]


def test_platforms_balance_and_need_a_grid_that_holds_the_parcel(ws: Path, run: Run, tmp_path: Path) -> None:
    code, told = run("platforms", ws, PLOT, "--density", 0.5, "--storeys", 4, "-o", tmp_path / "out")
    assert code == 0
    assert len(told["platforms"]) > 2
    assert told["fill_m3"] == pytest.approx(0.95 * told["cut_m3"], rel=0.02)
    assert told["far"] == pytest.approx(told["usable_m2"] * 0.5 * 4 / told["parcel_m2"])
    walls = [p["wall_height_m"] for p in told["platforms"] if p["wall_height_m"] is not None]
    assert max(walls) <= 6
    assert (tmp_path / "out" / "platforms.png").is_file()
    code, told = run("platforms", ws, FAR, "-o", tmp_path / "no")
    assert (code, (tmp_path / "no").exists()) == (2, False)
    assert "没有覆盖该宗地的高程" in told["error"]["what"]


def test_overlay_by_the_code_of_the_zones(ws: Path, run: Run, tmp_path: Path) -> None:
    code, told = run("overlay", ws, "--layers", "zoning", "--by", "code", "-o", tmp_path / "o.csv")
    assert code == 0
    zones = {row["layer"]: row["area_m2"] for row in told["layers"]}
    assert set(zones) == {"zoning/M1", "zoning/R2"}
    # Ground against the plane of the zone, which stretches it here by less than a part in a thousand.
    assert sum(zones.values()) == pytest.approx(plot().area + 10_000, rel=1e-3)
    assert [p["type"] for p in told["problems"]] == ["geometry_empty"]
    lines = (tmp_path / "o.csv").read_text("utf-8-sig").splitlines()
    assert lines[0] == '"parcel_id","layer","area_m2","share"'
    code, told = run("overlay", ws, "--layers", "moon")
    assert code == 2
    assert "没有图层 moon" in told["error"]["what"]
    code, told = run("overlay", ws, "-o", tmp_path / "o.pdf")
    assert (code, (tmp_path / "o.pdf").exists()) == (2, False)


@pytest.mark.parametrize("option", ["--proposals", "--take"])
def test_a_split_of_no_proposal_is_refused(ws: Path, run: Run, tmp_path: Path, option: str) -> None:
    code, _ = run("split", ws, PLOT, "--shares", "1,1", option, 0, "-o", tmp_path / "out")
    assert (code, (tmp_path / "out").exists()) == (2, False)


def test_conflicts_siting_sun_and_functions_answer(ws: Path, run: Run, tmp_path: Path) -> None:
    code, told = run("conflicts", ws, "-o", tmp_path / "c.gpkg")
    assert (code, told["kinds"]) == (0, {})

    code, told = run("siting", ws, "--roads-max", 100, "-o", tmp_path / "s.xlsx")
    assert code == 0
    assert told["counts"] == {"pass": 0, "unknown": 2, "fail": 2}
    first = told["sites"][0]
    assert (first["parcel_id"], first["status"]) == (PLOT, "unknown")
    assert "off_red_line" in first["unknown"]
    assert openpyxl.load_workbook(tmp_path / "s.xlsx").sheetnames == ["sites", "tests"]

    code, told = run("sun", ws, "--parcel", PLOT, "--usable", 0.5, "--on", "2025-01-01")
    assert code == 0
    assert told["capacity_kwp"] == pytest.approx(plot().area * 0.5 / 10, rel=0.3)
    assert told["savings"][0]["coal_t"] == pytest.approx(told["energy_kwh"] * 0.4 / 1000)
    code, _ = run("sun", ws, "--usable", 1.5)
    assert code == 2
    (tmp_path / "point.csv").write_text("宗地编号,经度,纬度\nPOINT,112.9,28.2\n", encoding="utf-8")
    import_files(tmp_path / "point", [tmp_path / "point.csv"], Options("parcels", place="430112"))
    code, told = run("sun", tmp_path / "point", "--usable", 0.5)
    assert (code, told["area_unknown"]) == (0, 1)
    assert (told["capacity_kwp"], told["energy_kwh"], told["savings"][0]["coal_t"]) == (None, None, None)

    code, told = run("functions", ws)
    assert code == 0, "the viaduct's space is far from the streets: told, not planned"
    assert told["sites"] == 1
    assert [p["type"] for p in told["problems"]] == ["no_street"]


def test_land_used_as_one_site_is_measured_as_one(run: Run, tmp_path: Path) -> None:
    """Case 2: 74 亩 allocated and 49 亩 granted side by side, one user, 123 亩 together."""
    mu = mu_to_m2(1)
    shapes = [
        shapely.box(0, 0, 200, 74 * mu / 200),
        shapely.box(200, 0, 360, 49 * mu / 160),
        shapely.box(900, 0, 950, 50),
    ]
    file = layer(
        tmp_path / "parcels.gpkg", shapes, 宗地代码=[PLOT, NEXT, FAR], 宗地面积=[s.area for s in shapes],
        权利人=["广电", "广电", "他人"], 权利性质=["划拨", "出让", "出让"], 建筑面积=[30_000.0, 52_000.0, 100.0],
    )  # fmt: skip
    import_files(tmp_path / "ws", [file], Options(), lambda text: None)
    code, told = run("sites", tmp_path / "ws", "-o", tmp_path / "sites.gpkg")
    assert (code, told["counts"]) == (0, {"sites": 1, "split": 1})
    (site,) = told["sites"]
    assert (sorted(site["members"]), site["tenures"], site["holders"]) == ([PLOT, NEXT], 2, 1)
    assert site["area_mu"] == pytest.approx(123, abs=0.01)
    assert site["far"] == pytest.approx(1.0, abs=0.001)
    assert site["density"] is None
    _, drawn = pyogrio.read_arrow(tmp_path / "sites.gpkg")
    whole = to_plane(shapely.from_wkb(drawn["geom"].to_numpy(zero_copy_only=False)), ZONE)
    assert shapely.area(whole).tolist() == pytest.approx([123 * mu], rel=1e-6)


def test_siting_says_in_words_and_once_what_is_known_of_no_plot(
    ws: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        sys, "argv", ["panhuo", "--lang", "zh", "land", "siting", str(ws), "--roads-max", "100"]
    )
    main()
    told = " ".join(capsys.readouterr().out.split())
    assert "所列各宗均待核：避让永久基本农田、避让生态保护红线" in told
    assert told.count("生态保护红线") == 1
    assert "off_" not in told


def test_shared_plants_of_case_14_from_a_file(run: Run, tmp_path: Path) -> None:
    code, told = run("plants", EXAMPLES / "shared_plant.yaml", "-o", tmp_path / "p.xlsx")
    assert code == 0
    built = {
        name: [(p["capacity"], p["firms"]) for p in body["plants"]] for name, body in told["services"].items()
    }
    assert built == {"steam": [(12.0, 8)], "water": [(2000.0, 5)]}
    assert max(row["land_freed_mu"] for row in told["firms"]) == pytest.approx(2.7)
    assert m2_to_mu(1800) == pytest.approx(2.7)
    (tmp_path / "bad.yaml").write_text("services: {a: {kind: heat, firms: []}}", encoding="utf-8")
    code, told = run("plants", tmp_path / "bad.yaml")
    assert code == 2
    assert "firms.load" in told["error"]["why"]
    (tmp_path / "bad.yaml").write_text("services: {a: {kind: heat, simultanity: 0.7}}", encoding="utf-8")
    code, told = run("plants", tmp_path / "bad.yaml")
    assert (code, "simultanity → simultaneity" in told["error"]["remedy"]) == (2, True)
