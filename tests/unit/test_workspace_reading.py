"""The reading copy of a workspace."""

from concurrent.futures import ThreadPoolExecutor

from benchmarks.province import make_workspace
from panhuo.workspace.reading import reading_copy


def test_threads_that_ask_at_once_share_one_copy(tmp_path):
    workspace = make_workspace(tmp_path / "ws", 200)
    with ThreadPoolExecutor(4) as pool:
        paths = set(pool.map(reading_copy, [workspace] * 4))
    assert [*(tmp_path / "ws" / "cache").glob("*.duckdb")] == [*paths]
