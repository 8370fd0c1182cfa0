"""What was found on a tile is found again only while nothing on it has changed."""

import pickle
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import shapely
from space_data import EAST, NORTH, box, parcels, wkb_table

from panhuo.inventory import overlay, tiling
from panhuo.inventory.spatial_facts import Survey, survey
from panhuo.workspace.memory import FolderMemory


class Counting(FolderMemory):
    """A folder that tells how many tiles were worked on."""

    worked = 0

    def put(self, key, tables) -> None:
        self.worked += 1
        super().put(key, tables)


@pytest.fixture
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(tiling.map_tiles.__kwdefaults__, "tile_parcels", 60)


def town(*more: shapely.Geometry) -> pa.Table:
    squares = [box(x, y, x + 50, y + 50) for x in range(0, 1000, 50) for y in range(0, 1000, 50)]
    table = parcels(*squares, *more)
    return table.append_column("area_m2", pa.array([2500.0] * table.num_rows))


def same(one: Survey, other: Survey) -> bool:
    return (
        one.facts.equals(other.facts)
        and one.conflicts.equals(other.conflicts)
        and one.problems == other.problems
    )


def changed(table: pa.Table, row: int, name: str, value: object) -> pa.Table:
    values = table[name].to_pylist()
    values[row] = value
    return table.set_column(
        table.column_names.index(name), name, pa.array(values, table.schema.field(name).type)
    )


@pytest.mark.usefixtures("small_tiles")
def test_only_tiles_that_changed_are_worked_on_again(tmp_path: Path) -> None:
    before = town(box(430, 430, 470, 470))
    memory = Counting(tmp_path)
    first = survey(before, {}, memory=memory)
    tiles = memory.worked
    assert tiles > 5
    assert same(first, survey(before, {}))
    assert first.conflicts.num_rows

    def again(table: pa.Table) -> int:
        memory.worked = 0
        assert same(survey(table, {}, memory=memory), survey(table, {}))
        return memory.worked

    assert again(before) == 0
    grown = parcels(box(0, 0, 50, 52))["geometry"][0].as_py()
    assert 0 < again(changed(before, 0, "geometry", grown)) < tiles
    assert 0 < again(changed(before, 0, "area_m2", 9999.0)) < tiles
    assert 0 < again(changed(before, 0, "parcel_id", "renamed")) < tiles
    crossed = shapely.to_wkb(
        shapely.Polygon([(112.0, 28.1), (112.001, 28.101), (112.001, 28.1), (112.0, 28.101)])
    )
    far = pa.table({"parcel_id": ["far"], "geometry": [crossed], "area_m2": [1.0]})
    assert 0 < again(pa.concat_tables([far, before])) <= 2
    assert again(pa.concat_tables([far, before])) == 0  # its mended outline is told again
    assert again(before.take(pc.sort_indices(before["parcel_id"]))) > 0


@pytest.mark.usefixtures("small_tiles")
def test_another_road_or_a_broken_file_is_worked_on_again(tmp_path: Path) -> None:
    table, memory = town(), Counting(tmp_path)
    survey(table, {}, memory=memory)
    roads = wkb_table([shapely.LineString([(112.9, 28.1), (112.9, 28.2)])])
    memory.worked = 0
    assert same(survey(table, {"roads": roads}, memory=memory), survey(table, {"roads": roads}))
    assert memory.worked
    for file in tmp_path.iterdir():
        file.write_bytes(file.read_bytes()[:100])
    assert same(survey(table, {}, memory=memory), survey(table, {}))


def test_outlines_under_layers_are_measured_again_only_where_they_or_a_layer_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overlay, "CHUNK", 50)
    bare = pa.table({"parcel_id": ["bare"], "geometry": pa.array([None], pa.binary()), "area_m2": [1.0]})
    before = pa.concat_tables([town(), bare])
    layers = {"permanent_farmland": parcels(box(0, 0, 420, 2000)), "flood": parcels(box(500, 0, 620, 90))}
    memory = Counting(tmp_path)

    def again(table: pa.Table, layers: dict[str, pa.Table]) -> int:
        memory.worked = 0
        assert same(survey(table, layers, memory=memory), survey(table, layers))
        return memory.worked

    assert again(before, layers) == 1 + 2 + 9  # a tile, two layers, nine chunks
    assert again(before, layers) == 0
    grown = parcels(box(0, 0, 50, 52))["geometry"][0].as_py()
    assert again(changed(before, 0, "geometry", grown), layers) == 1 + 1
    empty = changed(before, before.num_rows - 1, "geometry", b"")
    assert again(empty, layers) == 1  # no outline and an empty one are told apart
    assert again(before, layers | {"flood": parcels(box(500, 0, 630, 90))}) == 1 + 9
    assert again(before, {"flood": layers["flood"]}) == 9


def test_the_longest_unused_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("panhuo.workspace.memory.LEAST_BYTES", 0)
    for number in range(4):
        memory = FolderMemory(tmp_path)
        memory.put(f"k{number}", [pa.table({"a": range(1000)})])
        memory.trim()
    kept = {path.stem for path in tmp_path.iterdir()}
    assert kept == {"k2", "k3"}
    assert FolderMemory(tmp_path).get("k0") is None


@pytest.mark.usefixtures("small_tiles")
def test_tiles_and_layers_worked_on_elsewhere_say_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overlay, "SENT", 100)
    monkeypatch.setattr(overlay, "CHUNK", 30)
    table = town(box(430, 430, 470, 470), box(900, 0, 2000, 20))
    heights = pa.array([10.0, *[None] * (table.num_rows - 1)])
    table = table.append_column("z_min_m", heights).append_column("z_max_m", heights)
    crossed = shapely.Polygon([(112.0, 28.1), (112.001, 28.101), (112.001, 28.1), (112.0, 28.101)])
    bare = pa.table({"parcel_id": ["crossed", "bare"], "geometry": [shapely.to_wkb(crossed), None]})
    table = pa.concat_tables([table, bare], promote_options="default")
    layers = {
        "roads": parcels(shapely.LineString([(EAST + 100, NORTH - 10), (EAST + 101, NORTH + 2000)])),
        "permanent_farmland": parcels(box(0, 0, 420, 2000)),
    }
    names = []

    def run(stage, pieces):
        for name, tables in pieces:
            names.append(name)
            found = pickle.loads(pickle.dumps(stage))({k: through_parquet(t) for k, t in tables.items()})
            yield {k: through_parquet(t) for k, t in found.items()}

    here = survey(table, layers)
    assert same(survey(table, layers, memory=FolderMemory(tmp_path), run=run), here)
    assert {name.split()[0] for name in names} == {"tile", "outlines"}
    assert len(names) > 10
    assert len(here.problems) >= 2
    assert pc.sum(here.facts["has_road_access"]).as_py() > 5
    assert pc.sum(here.facts["permanent_farmland_m2"]).as_py() > 100_000


def through_parquet(table: pa.Table) -> pa.Table:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return pq.read_table(sink.getvalue())
