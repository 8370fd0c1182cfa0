"""The reading copy of a workspace."""

from concurrent.futures import ThreadPoolExecutor

from benchmarks.province import assessed, make_workspace
from panhuo.workspace import reading
from panhuo.workspace.reading import open_copy, reading_copy


def test_threads_that_ask_at_once_share_one_copy(tmp_path):
    workspace = make_workspace(tmp_path / "ws", 200)
    with ThreadPoolExecutor(4) as pool:
        paths = set(pool.map(reading_copy, [workspace] * 4))
    assert [*(tmp_path / "ws" / "cache").glob("*.duckdb")] == [*paths]


def test_gathered_share_by_share_the_parcels_are_the_same(monkeypatch):
    def parcels():
        path = reading_copy(workspace)
        with open_copy(workspace, path) as db:
            found = db.execute("SELECT findings, tools, * EXCLUDE (findings, tools) FROM parcels").fetchall()
        path.unlink()
        return found

    with assessed(None, 200) as workspace:
        at_once = parcels()
        monkeypatch.setattr(reading, "SHARE", 30)
        assert parcels() == at_once
    findings, tools = (sum(map(bool, found)) for found in zip(*[p[:2] for p in at_once], strict=True))
    assert findings > 100 and tools > 100
