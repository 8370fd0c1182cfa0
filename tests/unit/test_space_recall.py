"""What was found on a tile is found again only while nothing on it has changed."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
import shapely
from space_data import box, parcels, wkb_table

from panhuo.inventory import tiling
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


def test_the_longest_unused_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("panhuo.workspace.memory.LEAST_BYTES", 0)
    for number in range(4):
        memory = FolderMemory(tmp_path)
        memory.put(f"k{number}", [pa.table({"a": range(1000)})])
        memory.trim()
    kept = {path.stem for path in tmp_path.iterdir()}
    assert kept == {"k2", "k3"}
    assert FolderMemory(tmp_path).get("k0") is None
