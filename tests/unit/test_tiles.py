"""Tile archives: what each zoom holds, by either tiler."""

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


@pytest.fixture(params=["freestiler", "gdal"])
def tiler(request, monkeypatch):
    if request.param == "gdal":
        monkeypatch.setattr(tiles, "find_spec", lambda name: None)
    else:
        pytest.importorskip("freestiler")


def parcels() -> pa.Table:
    """A square of parcels, one of them with a grave finding and the others with none."""
    x, y = (a.ravel() * SPACING for a in np.meshgrid(np.arange(SIDE), np.arange(SIDE)))
    lon, lat = 112.0 + x, 28.0 + y
    n = len(lon)
    grave = np.arange(n) == 17
    return pa.table(
        {
            "parcel_id": [f"p{i}" for i in range(n)],
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


def drawn(path, zoom):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, table = pyogrio.read_arrow(path, layer="parcels", ZOOM_LEVEL=str(zoom))
    return table


@pytest.mark.usefixtures("tiler")
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
    assert max(max(s) for s in sizes.values()) < tiles.TILE_BYTES
    (layer,) = read_archive(path).metadata["vector_layers"]
    assert {"parcel_id", "finding", "severity", "count"} <= set(layer["fields"])
    assert [p for p in tmp_path.iterdir() if p != path] == []


@pytest.mark.usefixtures("tiler")
def test_square_by_square_the_tiles_are_those_of_one_run(tmp_path, monkeypatch):
    whole, parts = tmp_path / "whole.pmtiles", tmp_path / "parts.pmtiles"
    tiles.bake_parcels(parcels(), whole)
    monkeypatch.setattr(overview, "AT_ONCE", 300)
    assert len(list(overview.blocks(boxes(), NEAREST))) == 4
    monkeypatch.setattr(tiles, "FEW", 0)
    tiles.bake_parcels(parcels(), parts)
    for zoom in (NEAREST - 1, NEAREST, 12, tiles.TOP_ZOOM):
        # A parcel on an edge is drawn in each tile it touches, never twice in one.
        one, other = (drawn(path, zoom) for path in (whole, parts))
        columns = [c for c in one.column_names if c != "mvt_id"]
        rows = [sorted(map(str, t.select(columns).to_pylist())) for t in (one, other)]
        assert rows[0] == rows[1]
    assert read_archive(whole).head[16:] == read_archive(parts).head[16:]


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


@pytest.mark.usefixtures("tiler")
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
