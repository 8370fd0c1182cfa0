"""Tile archives: what each zoom holds, as another program (GDAL) reads it."""

import subprocess
import sys
import warnings

import numpy as np
import pyarrow as pa
import pyogrio
import pytest
import shapely

from panhuo.workspace import overview, tiles
from panhuo.workspace.overview import MOST_A_TILE, NEAREST, whole_from_zoom
from panhuo.workspace.pmtiles import directories, read_archive, read_directory, tile_bytes, zoom_of
from panhuo.workspace.store import Workspace

SIDE = 40
SPACING = 0.004


def parcels() -> pa.Table:
    """A square of parcels, one of them with a grave finding and the others with none."""
    x, y = (a.ravel() * SPACING for a in np.meshgrid(np.arange(SIDE), np.arange(SIDE)))
    lon, lat = 112.0 + x, 28.0 + y
    n = len(lon)
    grave = np.arange(n) == 17
    return pa.table(
        {
            "parcel_id": [f"p{i}" for i in range(n)],
            "name": [f"地块 {i}" if i % 3 else None for i in range(n)],
            "area_m2": np.full(n, 90_000.0),
            "finding": np.where(grave, "idle_not_started", ""),
            "severity": np.where(grave, "high", ""),
            "geometry": pa.array(
                shapely.to_wkb(shapely.box(lon, lat, lon + 0.003, lat + 0.003)), pa.binary()
            ),
            "lon": lon + 0.0015,
            "lat": lat + 0.0015,
            "xmin": lon,
            "ymin": lat,
            "xmax": lon + 0.003,
            "ymax": lat + 0.003,
        }
    )


def drawn(path, zoom, layer="parcels"):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, table = pyogrio.read_arrow(path, layer=layer, ZOOM_LEVEL=str(zoom))
    return table


def test_near_every_parcel_is_drawn_and_far_away_no_finding_is_lost(tmp_path):
    path = tmp_path / "a.pmtiles"
    tiles.bake_parcels(parcels(), path)
    near = drawn(path, NEAREST)
    assert set(near["parcel_id"].to_pylist()) == {f"p{i}" for i in range(SIDE**2)}
    for zoom in (1, 5, 8):
        far = drawn(path, zoom)
        cells = {row["parcel_id"]: row["count"] for row in far.select(["parcel_id", "count"]).to_pylist()}
        assert sum(cells.values()) == SIDE**2
        assert "p17" in cells
    sizes = tile_bytes(path)
    assert set(sizes) == set(range(tiles.TOP_ZOOM + 1))
    assert max(max(s) for s in sizes.values()) < 500_000
    layer, names = read_archive(path).metadata["vector_layers"]
    assert (layer["minzoom"], names["id"], names["minzoom"]) == (0, "names", tiles.TOP_ZOOM)
    assert {"parcel_id", "finding", "severity", "count"} <= set(layer["fields"])
    assert [p for p in tmp_path.iterdir() if p != path] == []


def test_square_by_square_the_tiles_are_those_of_one_run(tmp_path, monkeypatch):
    whole, parts = tmp_path / "whole.pmtiles", tmp_path / "parts.pmtiles"
    tiles.bake_parcels(parcels(), whole)
    monkeypatch.setattr(overview, "AT_ONCE", 300)
    assert len(list(overview.blocks(boxes(), NEAREST))) == 2
    monkeypatch.setattr(tiles, "FEW_BYTES", 0)
    tiles.bake_parcels(parcels(), parts)
    for zoom in (NEAREST - 1, NEAREST, 12, tiles.TOP_ZOOM):
        # A parcel on an edge is drawn in each tile it touches, never twice in one.
        one, other = (drawn(path, zoom) for path in (whole, parts))
        columns = [c for c in one.column_names if c != "mvt_id"]
        rows = [sorted(map(str, t.select(columns).to_pylist())) for t in (one, other)]
        assert rows[0] == rows[1]
    assert read_archive(whole).head[16:] == read_archive(parts).head[16:]


def test_a_parcel_that_an_edge_cuts_is_named_once(tmp_path):
    path = tmp_path / "a.pmtiles"
    tiles.bake_parcels(parcels(), path)
    outlines = drawn(path, tiles.TOP_ZOOM)
    assert outlines.num_rows > SIDE**2  # some are cut
    names = drawn(path, tiles.TOP_ZOOM, "names").select(["name", "severity", "wkb_geometry"])
    wanted = [name for name in parcels()["name"].to_pylist() if name]
    assert sorted(names["name"].to_pylist()) == sorted(wanted)
    at = {name: shapely.from_wkb(wkb) for name, _, wkb in zip(*names.to_pydict().values(), strict=True)}
    lon, lat = to_degrees(shapely.get_coordinates(at["地块 1"])).T
    assert (lon[0], lat[0]) == pytest.approx((112.0 + SPACING + 0.0015, 28.0015), abs=1e-5)
    assert names["severity"].to_pylist()[names["name"].to_pylist().index("地块 17")] == "high"


def boxes():
    return np.column_stack([parcels()[name].to_numpy() for name in tiles.PLACED[2:]])


def test_crowded_parcels_are_drawn_whole_only_nearer():
    lon, lat = np.full(MOST_A_TILE, 112.0), np.full(MOST_A_TILE, 28.0)
    assert whole_from_zoom(lon, lat, 14) == NEAREST
    assert whole_from_zoom(np.append(lon, 112.0), np.append(lat, 28.0), 14) == 14
    # One tile of zoom 10, two of zoom 11.
    spread = np.linspace(112.16, 112.49, MOST_A_TILE + 1)
    assert whole_from_zoom(spread, np.full(len(spread), 28.0), 14) == NEAREST + 1


def test_a_directory_too_long_for_the_head_has_leaves():
    rng = np.random.default_rng(1)
    lengths = rng.integers(1, 1 << 20, 30_000).tolist()
    ids = np.cumsum(rng.integers(1, 1_000, 30_000)).tolist()
    entries = [
        (i, 1, at, n) for i, at, n in zip(ids, np.cumsum([0, *lengths]).tolist(), lengths, strict=False)
    ]
    root, leaves = directories(entries)
    import gzip

    top = read_directory(gzip.decompress(root))
    assert all(run == 0 for _, run, _, _ in top)
    back = [e for _, _, at, n in top for e in read_directory(gzip.decompress(leaves[at : at + n]))]
    assert back == entries
    assert [zoom_of(i) for i in (0, 1, 4, 5, 20, 21)] == [0, 1, 1, 2, 2, 3]


def test_from_afar_a_layer_of_many_covers_as_much_of_the_picture_as_of_the_land(tmp_path, monkeypatch):
    monkeypatch.setattr(tiles, "COARSE_ABOVE", 100)
    rng = np.random.default_rng(7)
    lon, lat = rng.uniform(112, 114, 4000), rng.uniform(27, 29, 4000)
    blocks = shapely.box(
        lon, lat, lon + 0.02, lat + 0.02
    )  # five cells of zoom 9 each, and less than one of zoom 7
    layer = pa.table({"name": [f"b{i}" for i in range(4000)], "geometry": pa.array(shapely.to_wkb(blocks))})
    path = tmp_path / "layer.pmtiles"
    tiles.bake_layer(layer, path, kind="parcels")
    land = shapely.union_all(blocks)
    for zoom in (7, 8, NEAREST - 1):
        cells = shapely.from_wkb(drawn(path, zoom)["wkb_geometry"].to_numpy(zero_copy_only=False))
        cells = shapely.transform(cells, to_degrees)
        assert shapely.area(cells).sum() == pytest.approx(land.area, rel=0.1)
        assert shapely.area(shapely.intersection(shapely.union_all(cells), land)) > 0.5 * land.area
    assert set(drawn(path, NEAREST)["name"].to_pylist()) == set(layer["name"].to_pylist())


def to_degrees(at):
    radius = 6_378_137.0
    lat = np.degrees(np.arctan(np.sinh(at[:, 1] / radius)))
    return np.stack([np.degrees(at[:, 0] / radius), lat], axis=1)


def test_while_an_archive_is_made_anew_the_one_before_is_told(tmp_path, monkeypatch):
    workspace = Workspace.create(tmp_path / "ws")

    def made(key, name):
        return tiles._baked(workspace, key, name, parcels, lambda table, target: target.write_bytes(b"1"))

    before = made("one", "d-all")
    kept = made("one", "layer-roads")
    monkeypatch.setattr(tiles, "try_lock", lambda stream: False)
    with pytest.raises(tiles.BeingMadeError) as busy:
        made("two", "d-all")
    assert busy.value.older == before
    with pytest.raises(tiles.BeingMadeError) as busy:
        made("two", "d-43")
    assert busy.value.older is None
    monkeypatch.undo()
    made("two", "d-all")
    assert not before.exists() and kept.exists()
    made("two", "layer-roads")
    assert [p.name for p in (workspace.root / "tiles").iterdir()] == [f"two+{tiles.MAKE}"]


KILLED = """
import sys, time
from pathlib import Path
from panhuo.workspace import tiles
from panhuo.workspace.store import Workspace

def make(table, target):
    (target.parent / "half").write_bytes(b"1")
    print("at work", flush=True)
    time.sleep(60)

class Rows:
    num_rows = 1

tiles._baked(Workspace(Path(sys.argv[1])), sys.argv[2], sys.argv[3], Rows, make)
"""


def test_what_a_killed_bake_left_is_swept_and_nobody_at_work_is_disturbed(tmp_path):
    workspace = Workspace.create(tmp_path / "ws")
    folder = workspace.root / "tiles"

    def begun(key, name):
        command = [sys.executable, "-c", KILLED, str(workspace.root), key, name]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "at work\n"
        return process

    dead = [begun("old", "d-43"), begun("new", "d-43"), begun("new", "d-44")]
    alive = begun("old", "d-45")
    try:
        for process in dead:
            process.kill()
            process.wait()
        assert len(list(folder.glob("*/.baking-*"))) == 4
        made = tiles._baked(workspace, "new", "d-43", parcels, lambda table, target: target.write_bytes(b"1"))
        assert made.read_bytes() == b"1"
        assert [p.name for p in folder.glob("*/.baking-*/*")] == ["half"]
        assert (folder / f"old+{tiles.MAKE}" / ".baking-d-45" / "half").exists()
    finally:
        alive.kill()
        alive.wait()
    tiles._baked(workspace, "new", "d-44", parcels, lambda table, target: target.write_bytes(b"1"))
    assert [p.name for p in folder.iterdir()] == [f"new+{tiles.MAKE}"]
    assert list(folder.glob("*/.baking-*")) == []


def shape(seed):
    """A polygon with a hole, two islands, a line or a point, over some tiles."""
    rng = np.random.default_rng(seed)
    turn = np.sort(rng.uniform(0, 2 * np.pi, 60))
    far = rng.uniform(0.05, 0.1, 60)
    star = shapely.Polygon(np.stack([112 + far * np.cos(turn), 28 + far * np.sin(turn)], axis=1))
    hole = shapely.Point(112, 28).buffer(0.03)
    return [
        star.difference(hole),
        shapely.MultiPolygon([shapely.box(112, 28, 112.01, 28.2), shapely.box(112.05, 28, 112.2, 28.01)]),
        shapely.LineString(rng.uniform((112, 28), (112.2, 28.2), (9, 2))),
        shapely.MultiPoint(rng.uniform((112, 28), (112.2, 28.2), (5, 2))),
    ]


@pytest.mark.parametrize("seed", range(3))
def test_put_together_again_the_tiles_are_the_shapes(tmp_path, seed):
    shapes = np.array(shape(seed))
    path = tmp_path / "a.pmtiles"
    kinds = ["holed", "islands", "line", "points"]
    numbers = pa.array([None, 2**40, 0, -1])
    told = {
        "kind": kinds,
        "number": numbers,
        "share": [0.5, None, 0.5, 2.0],
        "known": [True, False, None, True],
    }
    table = pa.table({**told, "geometry": pa.array(shapely.to_wkb(shapes))})
    tiles.bake(table, path, layer="parcels")
    for zoom in (9, 12, tiles.TOP_ZOOM):
        found = drawn(path, zoom)
        back = shapely.transform(shapely.from_wkb(found["wkb_geometry"].to_numpy()), to_degrees)
        assert shapely.is_valid(back).all()
        step = 360 / 2**zoom / 4096
        of = np.array(found["kind"].to_pylist())
        for kind, drawing in zip(kinds, shapes, strict=True):
            whole = shapely.union_all(back[of == kind])
            if kind in ("holed", "islands"):
                assert shapely.area(shapely.symmetric_difference(whole, drawing)) < 2 * step * drawing.length
            # The other way there may be more: parts of a cut shape stay joined where no tile shows it.
            assert shapely.covers(shapely.buffer(whole, 2 * step), drawing)
            if kind == "points":
                assert shapely.hausdorff_distance(whole, drawing) < 2 * step
        said = {row.pop("kind"): row for row in found.select(list(told)).to_pylist()}
        for kind, *values in zip(*(table[c].to_pylist() for c in told), strict=True):
            assert list(said[kind].values()) == values


def test_a_parcel_smaller_than_a_step_of_a_tile_is_drawn(tmp_path):
    corner = np.array([112.0, 28.0])
    specks = shapely.box(*corner, *(corner + 1e-6)), shapely.box(*(corner + 0.1), *(corner + 0.1 + 1e-6))
    table = pa.table({"name": ["a", "b"], "geometry": pa.array(shapely.to_wkb(specks))})
    tiles.bake(table, tmp_path / "a.pmtiles", layer="parcels")
    for zoom in (0, 9, tiles.TOP_ZOOM):
        assert set(drawn(tmp_path / "a.pmtiles", zoom)["name"].to_pylist()) == {"a", "b"}
