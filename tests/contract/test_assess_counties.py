"""Counties are judged apart: the same bytes however they are grouped, taken over where nothing they rest on changed."""

import hashlib
import json
import shutil
import subprocess
import sys
import threading
import time
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from benchmarks.province import make_workspace
from panhuo.core.problems import PanhuoError
from panhuo.workspace import assess as module
from panhuo.workspace import counties, store
from panhuo.workspace.assess import assess
from panhuo.workspace.parquet import write_table
from panhuo.workspace.space import LandLaw, land
from panhuo.workspace.store import Workspace

DAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def province(tmp_path_factory):
    """441 parcels in 126 counties, assessed in one piece."""
    ws = make_workspace(tmp_path_factory.mktemp("province") / "ws", 400)
    assess(ws, as_of=DAY)
    return ws


def copy(ws: Workspace, folder: Path, *, results: bool = True) -> Workspace:
    ignored = shutil.ignore_patterns() if results else shutil.ignore_patterns("assessments")
    return Workspace.open(shutil.copytree(ws.root, folder, ignore=ignored))


def hashes(ws: Workspace) -> dict[str, str]:
    folder = ws.assessment_dir()
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.glob("*.parquet"))}


def told(ws: Workspace) -> dict:
    return json.loads((ws.assessment_dir() / "manifest.json").read_text(encoding="utf-8"))


def change(ws: Workspace, dataset: str, column: str, row: int, value: object) -> str:
    """A new snapshot in which one cell differs; gives the county of its parcel."""
    before = ws.snapshot_dir()
    with ws.locked(), ws.write_snapshot("changed") as folder:
        shutil.copytree(before, folder, dirs_exist_ok=True)
        table = pq.read_table(before / f"{dataset}.parquet")
        cells = table[column].to_pylist()
        cells[row] = value
        at = table.column_names.index(column)
        table = table.set_column(
            at, table.schema.field(column), pa.array(cells, table.schema.field(column).type)
        )
        write_table(table, folder / f"{dataset}.parquet")
    return table["parcel_id"][row].as_py()[:6]


def test_pieces_of_any_size_give_the_same_bytes(province, tmp_path, monkeypatch):
    ws = copy(province, tmp_path / "ws", results=False)
    monkeypatch.setattr(counties.pieces, "__defaults__", (20,))
    assess(ws, as_of=DAY)
    assert hashes(ws) == hashes(province)


def test_after_a_small_change_only_the_county_touched_is_judged_and_the_bytes_are_those_of_a_fresh_run(
    province, tmp_path
):
    ws = copy(province, tmp_path / "ws")
    county = change(ws, "contracts", "works_done", 7, 0.01)
    fresh = copy(ws, tmp_path / "fresh", results=False)
    assess(ws, as_of=DAY)
    assess(fresh, as_of=DAY)
    assert told(ws)["counties"] == {"judged": 1, "taken_over": 125}
    assert told(fresh)["counties"] == {"judged": 126, "taken_over": 0}
    assert hashes(ws) == hashes(fresh)
    facts = ws.assessment("facts")
    changed = facts.filter(pc.equal(facts["works_done"], 0.01))
    assert changed["division"].to_pylist() == [county]


def test_the_first_value_of_a_field_touches_its_own_county_alone(province, tmp_path):
    assert province.dataset("parcels")["height_max_m"].null_count == province.dataset("parcels").num_rows
    ws = copy(province, tmp_path / "ws")
    county = change(ws, "parcels", "height_max_m", 9, 24.0)
    assess(ws, as_of=DAY)
    assert told(ws)["counties"] == {"judged": 1, "taken_over": 125}
    facts = ws.assessment("facts")
    assert facts.filter(pc.equal(facts["height_max_m"], 24.0))["division"].to_pylist() == [county]


def test_the_ground_read_from_a_file_in_any_order_is_that_of_the_table(province, tmp_path):
    ws = copy(province, tmp_path / "ws", results=False)
    before = ws.snapshot_dir()
    with ws.locked(), ws.write_snapshot("mixed") as folder:
        shutil.copytree(before, folder, dirs_exist_ok=True)
        table = pq.read_table(before / "parcels.parquet")
        past = table.slice(100, 20).set_column(
            table.column_names.index("ended_on"), "ended_on", pa.array([date(2026, 2, 1)] * 20)
        )
        mixed = pa.concat_tables([past, table])
        order = np.random.default_rng(7).permutation(mixed.num_rows)
        pq.write_table(mixed.take(order), folder / "parcels.parquet", row_group_size=5)
    for place in ("", "4301"):
        read = module.read(ws, place)
        held = ws.dataset("parcels")
        held = held.filter(pc.starts_with(held["division"], place))
        assert "geometry" not in read["parcels"].column_names
        assert 0 < held.num_rows == read["parcels"].num_rows
        law = LandLaw(1.0)
        whole = {name: ws.dataset(name) for name in ("contracts", "occupancies")}
        ours, theirs = land(ws, read, law), land(ws, {**whole, "parcels": held}, law)
        assert ours.facts.equals(theirs.facts)
        assert ours.conflicts.equals(theirs.conflicts)
        assert ours.problems == theirs.problems


def test_another_day_takes_no_county_over(province, tmp_path):
    ws = copy(province, tmp_path / "ws")
    assess(ws, as_of=date(2026, 11, 24))
    assert told(ws)["counties"]["taken_over"] == 0


def test_a_firm_s_figures_touch_the_counties_whose_land_it_uses(province, tmp_path):
    ws = copy(province, tmp_path / "ws")
    uses = ws.dataset("occupancies")
    firm = uses["enterprise_id"][0].as_py()
    before = ws.snapshot_dir()
    with ws.locked(), ws.write_snapshot("changed") as folder:
        shutil.copytree(before, folder, dirs_exist_ok=True)
        firms = pq.read_table(before / "enterprises.parquet")
        status = pc.if_else(pc.equal(firms["enterprise_id"], firm), "stopped", firms["status"])
        at = firms.column_names.index("status")
        write_table(firms.set_column(at, "status", status.cast(pa.string())), folder / "enterprises.parquet")
    touched = {
        p[:6]
        for p, e in zip(*uses.select(["parcel_id", "enterprise_id"]).to_pydict().values(), strict=True)
        if e == firm
    }
    assess(ws, as_of=DAY)
    assert told(ws)["counties"]["judged"] == len(touched)


def test_result_tables_are_read_as_words_and_lie_county_by_county(province):
    folder = province.assessment_dir()
    options = pq.ParquetFile(folder / "options.parquet")
    assert options.schema_arrow.field("because").type == pa.string()
    assert options.metadata.num_row_groups == 126
    codes = [options.read_row_group(g, columns=["parcel_id"])["parcel_id"][0].as_py()[:6] for g in range(126)]
    assert codes == sorted(codes)


def test_an_import_meanwhile_is_waited_for_and_the_newer_snapshot_is_named(province, tmp_path, monkeypatch):
    ws = copy(province, tmp_path / "ws", results=False)
    before, judge = ws.snapshot, module.judge_counties
    importing = threading.Event()

    def import_now():
        with ws.locked():
            importing.set()
            time.sleep(1.0)
            with ws.write_snapshot("newer") as folder:
                shutil.copytree(ws.root / "inventory" / before, folder, dirs_exist_ok=True)

    other = threading.Thread(target=import_now)

    def judge_while_others_import(*given):
        judge(*given)
        other.start()
        importing.wait()

    monkeypatch.setattr(module, "judge_counties", judge_while_others_import)
    result = assess(ws, as_of=DAY)
    other.join()
    assert result["snapshot_now"] == ws.snapshot == "newer"
    assert told(ws)["snapshot"] == before


def test_a_writer_that_never_ends_is_named_and_nothing_is_left(province, tmp_path, monkeypatch):
    ws = copy(province, tmp_path / "ws", results=False)
    monkeypatch.setattr(store, "WAIT_S", 0.3)
    with ws.locked(), pytest.raises(PanhuoError, match="another process is writing"):
        assess(ws, as_of=DAY)
    assert list((ws.root / "assessments").iterdir()) == []


def test_an_interrupted_run_leaves_no_half_result(province, tmp_path):
    ws = copy(province, tmp_path / "ws", results=False)
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from panhuo.workspace import assess as module\n"
        "from panhuo.workspace.store import Workspace\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's background job ignores it
        "def tick(stage, done, total):\n"
        "    if stage == 'diagnose and match' and done == 3: os.kill(os.getpid(), signal.SIGINT)\n"
        "module.assess(Workspace.open(Path(sys.argv[1])), tick=tick)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(ws.root)], capture_output=True, text=True, check=False
    )
    assert "KeyboardInterrupt" in done.stderr
    assert list((ws.root / "assessments").iterdir()) == []


def test_what_a_dead_writer_left_is_cleared_and_a_living_one_left_alone(province, tmp_path):
    ws = copy(province, tmp_path / "ws")
    folder = ws.root / "assessments"
    for name in ("dead", "alive"):
        (folder / f".new-{name}").mkdir()
        (folder / f".new-{name}" / store.LOCK).touch()
    with (folder / ".new-alive" / store.LOCK).open("a+b") as stream:
        assert store.try_lock(stream)
        assess(ws, as_of=date(2026, 11, 25))
        assert {p.name for p in folder.glob(".new-*")} == {".new-alive"}
