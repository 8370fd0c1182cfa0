"""Reading the workspace: parameterised SQL over the reading copy, one cursor per thread, never a write."""

import threading
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
from django.conf import settings
from django.http import Http404

from panhuo.site.words import say
from panhuo.workspace.files import file_path
from panhuo.workspace.reading import key_of, open_copy, reading_copy
from panhuo.workspace.store import Workspace

Row = dict[str, Any]
TURNS: Final = tuple(threading.Lock() for _ in range(64))
"""Whoever asks what somebody is already working out waits for that answer."""


class Shelf:
    """The open reading copy; follows the workspace to a newer one as soon as that is built."""

    def __init__(self, root: Path) -> None:
        self.workspace = Workspace.create(root)
        self.lock = threading.Lock()
        self.building = threading.Lock()
        self.key = ""
        self.db: duckdb.DuckDBPyConnection | None = None

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor on the newest copy that is ready. Only the very first reader waits for a copy to be built."""
        if self.db is None:
            with self.lock:
                if self.db is None:
                    self._open()
        elif self.key != (key := key_of(self.workspace)):
            if self._ready(key):
                with self.lock:
                    if self.key != key:
                        self._open()
            elif self.building.acquire(blocking=False):
                threading.Thread(target=self._follow, daemon=True).start()
        assert self.db is not None
        return self.db.cursor()

    def _ready(self, key: str) -> bool:
        """Whether the worker has built that copy already: to open it takes no time worth an old page."""
        return (self.workspace.root / "cache" / f"{key}.duckdb").is_file()

    def follow(self) -> None:
        """Opens the newest copy now, building it if need be."""
        with self.building:
            self._open()

    def _follow(self) -> None:
        try:
            self._open()
        finally:
            self.building.release()

    def _open(self) -> None:
        path = reading_copy(self.workspace)
        self.db, self.key = open_copy(self.workspace, path), path.stem


@cache
def shelf() -> Shelf:
    """The shelf of the workspace this process serves."""
    return Shelf(settings.WORKSPACE)


class FileGone(Http404):
    """The bytes of a kept file are not in the workspace any more; the page for what is missing says so."""


def kept_file(digest: str) -> Path:
    """Where the bytes of a kept file lie. Raises: FileGone, a 404."""
    path = file_path(shelf().workspace.root, digest)
    if not path.is_file():
        raise FileGone(
            say(
                f"文件内容已不在工作区的 files/ 中（{digest[:12]}）；请从备份恢复，或重新上传、重新生成。",
                f"The bytes of this file are no longer in the workspace's files/ ({digest[:12]}): "
                "restore them from a backup, or upload or make the file again.",
            )
        )
    return path


def rows(sql: str, values: Sequence[Any] = ()) -> list[Row]:
    """The rows of a query as dictionaries."""
    with shelf().cursor() as cursor:
        answer = cursor.execute(sql, list(values))
        names = [column[0] for column in answer.description]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def kept(sql: str, values: Sequence[Any] = ()) -> list[Row]:
    """As `rows`, remembered while the same copy is read: for counts and groups over all of a person's land."""
    with shelf().cursor():
        fixed = tuple(tuple(v) if isinstance(v, list) else v for v in values)
        with TURNS[hash((sql, fixed)) % len(TURNS)]:
            return [dict(row) for row in _answer(shelf().key, sql, fixed)]


@lru_cache(maxsize=1000)
def _answer(key: str, sql: str, values: tuple[Any, ...]) -> list[Row]:
    return rows(sql, [list(v) if isinstance(v, tuple) else v for v in values])


def one(sql: str, values: Sequence[Any] = ()) -> Row | None:
    """The first row of a query, or None."""
    found = rows(sql, values)
    return found[0] if found else None


def table(sql: str, values: Sequence[Any] = ()) -> pa.Table:
    """The answer of a query as an Arrow table."""
    with shelf().cursor() as cursor:
        return cursor.execute(sql, list(values)).to_arrow_table()
