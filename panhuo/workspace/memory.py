"""Tables kept in a folder by key, the longest unused forgotten first."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pyarrow as pa

LEAST_BYTES = 64 * 2**20


class FolderMemory:
    """A folder of Arrow files, safe for several processes and threads: a file appears whole or not at all, and one that
    is gone or broken was never kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.used: set[str] = set()

    def get(self, key: str) -> list[pa.Table] | None:
        """The tables put under a key, None when there are none."""
        path = self.folder / f"{key}.arrow"
        tables = []
        try:
            size = path.stat().st_size
            with pa.memory_map(str(path)) as stream:  # read where it is looked at
                while stream.tell() < size:
                    tables.append(pa.ipc.open_stream(stream).read_all())
            os.utime(path)
        except (OSError, pa.ArrowInvalid):
            return None
        self.used.add(path.name)
        return tables

    def put(self, key: str, tables: Sequence[pa.Table]) -> None:
        """Keeps tables under a key; on a full or read-only disk they are not kept."""
        path = self.folder / f"{key}.arrow"
        part = path.with_name(f".new-{os.getpid()}-{key}")
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            with pa.OSFile(str(part), "wb") as stream:
                for table in tables:
                    with pa.ipc.new_stream(stream, table.schema) as batches:
                        batches.write_table(table)
            part.replace(path)
            self.used.add(path.name)

    def trim(self) -> None:
        """Forgets the longest unused until what is kept takes no more than twice what was used since the start."""
        with suppress(OSError):
            files = [(path.stat(), path) for path in self.folder.iterdir()]
            room = max(2 * sum(s.st_size for s, path in files if path.name in self.used), LEAST_BYTES)
            for stat, path in sorted(files, key=lambda file: file[0].st_mtime, reverse=True):
                room -= stat.st_size
                if room < 0:
                    path.unlink(missing_ok=True)
