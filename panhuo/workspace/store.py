"""The workspace folder: snapshots of the inventory and assessments, each written whole or not at all.

    panhuo.toml
    inventory/<snapshot>/<dataset>.parquet, problems.parquet, manifest.json     inventory/latest
    inventory/<snapshot>/layers/elevation/<name>.tif
    assessments/<id>/<table>.parquet, manifest.json                             assessments/latest

`latest` is a text file naming the current folder; moving it is the one step that makes new work visible.
"""

import json
import os
import shutil
import sys
import time
import tomllib
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from panhuo.core.ids import checked_division
from panhuo.core.problems import PanhuoError
from panhuo.inventory.corrections import lay_over
from panhuo.inventory.drawn import Drawn
from panhuo.inventory.spec import ARROW_TYPES, Dataset, dataset_spec, dataset_specs

CONFIG: Final = "panhuo.toml"
LOCK: Final = ".lock"
STAGING: Final = ".new-"
ABANDONED_S: Final = 3600.0
WAIT_S: Final = 900.0
"""How long a finished assessment waits for a running import before it gives up."""
FILE_ROW: Final = "file_row"
ELEVATION: Final = "layers/elevation"


@dataclass(frozen=True, slots=True)
class Workspace:
    """One workspace folder. Make it with `Workspace.create` or `Workspace.open`.

    held_at: the snapshot that counts as the current one, whatever is imported meanwhile; "" for the newest.
    """

    root: Path
    held_at: str = ""

    @classmethod
    def create(cls, root: Path | str, *, name: str = "", place: str = "") -> "Workspace":
        """The workspace at `root`, made when it is not there yet (an existing one is opened as it is).

        place: division code whose law overlays apply by default.
        """
        root = Path(root)
        if (root / CONFIG).is_file():
            return cls.open(root)
        checked_division(place)
        if root.is_file():
            raise PanhuoError(
                "工作区应是文件夹 a workspace is a folder",
                where=str(root),
                remedy="换一个文件夹 name a folder",
            )
        if root.is_dir() and any(root.iterdir()):
            raise PanhuoError(
                "文件夹不空，也不是工作区 folder is neither empty nor a workspace",
                where=str(root),
                remedy="换一个空文件夹 name an empty or new folder",
            )
        root.mkdir(parents=True, exist_ok=True)
        title = json.dumps(name or root.resolve().name, ensure_ascii=False)
        write_text(root / CONFIG, f"name = {title}\nplace = {json.dumps(place)}\n")
        return cls(root)

    @classmethod
    def open(cls, root: Path | str) -> "Workspace":
        """The workspace at `root`. Raises PanhuoError when there is none."""
        root = Path(root)
        if not (root / CONFIG).is_file():
            raise PanhuoError(
                "这里没有工作区 no workspace here",
                where=str(root),
                remedy="核对路径；新建用 panhuo import 工作区 文件…，或 panhuo serve 工作区 --new 从网站导入"
                " check the path; make one by panhuo import WS FILE…, or panhuo serve WS --new to import on the site",
            )
        return cls(root)

    @property
    def config(self) -> dict[str, Any]:
        """panhuo.toml as a mapping (`name`, `place`)."""
        try:
            return tomllib.loads((self.root / CONFIG).read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
            raise PanhuoError(
                "工作区配置读不懂 cannot read the workspace's settings",
                where=str(self.root / CONFIG),
                why=str(fault),
            ) from None

    @property
    def snapshot(self) -> str | None:
        """The id of the current snapshot, or None before the first import."""
        return self.held_at or read_pointer(self.root / "inventory")

    def held(self) -> "Workspace":
        """The workspace as it is now: reads the present snapshot even when a newer one is imported."""
        return replace(self, held_at=self.snapshot or "")

    def snapshot_dir(self, snapshot: str | None = None) -> Path | None:
        """The folder of `snapshot` (the current one by default)."""
        return named_dir(self.root / "inventory", snapshot or self.held_at or None)

    def dataset_names(self, snapshot: str | None = None) -> list[str]:
        """The datasets a snapshot holds, layers as `layers/<kind>`."""
        folder = self.snapshot_dir(snapshot)
        if folder is None:
            return []
        names = [p.relative_to(folder).with_suffix("").as_posix() for p in folder.rglob("*.parquet")]
        return sorted(n for n in names if n.split("/", 1)[0] in dataset_specs())

    def dataset_path(self, name: str, snapshot: str | None = None) -> Path | None:
        """The Parquet file of a dataset, ended rows included (`ended_on` set), corrections not laid over."""
        dataset_spec(name)
        folder = self.snapshot_dir(snapshot)
        path = folder / f"{name}.parquet" if folder else None
        return path if path and path.is_file() else None

    def elevation_files(self, snapshot: str | None = None) -> list[Path]:
        """The elevation grids a snapshot holds (GeoTIFF with its CRS, north up), by name."""
        folder = self.snapshot_dir(snapshot)
        return sorted((folder / ELEVATION).glob("*.tif")) if folder else []

    def dataset(
        self,
        name: str,
        *,
        columns: Sequence[str] | None = None,
        corrected: bool = True,
        ended: bool = False,
        snapshot: str | None = None,
        numbered: bool = False,
    ) -> pa.Table | None:
        """A dataset's current rows, or None when it was never imported.

        columns: which to read; corrected: lay verified corrections over; ended: rows of the past too; numbered: with
        the row each has in its file, FILE_ROW, by which `outlines` knows it. Columns that the spec does not know, of an
        older program's snapshot, are not read.
        """
        path = self.dataset_path(name, snapshot)
        if path is None:
            return None
        spec = dataset_spec(name)
        known = spec.arrow_schema().names
        wanted = (
            [*dict.fromkeys([*columns, *spec.key, "ended_on"])]
            if columns is not None
            else [c for c in pq.read_schema(path).names if c in known]
        )
        table = pq.read_table(path, columns=wanted)
        if numbered:
            table = table.append_column(FILE_ROW, pa.array(np.arange(table.num_rows)))
            columns = None if columns is None else [*columns, FILE_ROW]
        if not ended and table["ended_on"].null_count < table.num_rows:
            table = table.filter(pc.is_null(table["ended_on"]))
        if corrected and name != "corrections":
            notes = self.dataset("corrections", snapshot=snapshot)
            if notes is not None:
                table = lay_over(with_corrected(table, name, spec, notes, columns), name, spec, notes)
        return table if columns is None else table.select(list(columns))

    def outlines(self, name: str) -> Drawn:
        """The corrected outlines of a dataset by row of its file, read when they are asked for."""
        path = self.dataset_path(name)
        if path is None:
            return Drawn.of_column(pa.chunked_array([], pa.binary()))
        notes = self.dataset("corrections", columns=["dataset", "field"])
        if notes is None or {"dataset": name, "field": "geometry"} not in notes.to_pylist():
            return Drawn.of_file(path)
        table = self.dataset(name, columns=["geometry"], ended=True)
        assert table is not None
        return Drawn.of_column(table["geometry"])

    def problems(self, snapshot: str | None = None) -> pa.Table | None:
        """The problem rows of a snapshot (columns of core.problems.Problem)."""
        folder = self.snapshot_dir(snapshot)
        path = folder / "problems.parquet" if folder else None
        return pq.read_table(path) if path and path.is_file() else None

    def manifest(self, snapshot: str | None = None) -> dict[str, Any]:
        """What a snapshot was made of: parent, imports (file, hash, dataset, rows), hashes of datasets."""
        folder = self.snapshot_dir(snapshot)
        if folder is None or not (folder / "manifest.json").is_file():
            return {}
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        return manifest

    def assessment_dir(self, assessment: str | None = None) -> Path | None:
        """The folder of an assessment (the latest by default), or None when there is none."""
        return named_dir(self.root / "assessments", assessment)

    def past_assessments(self) -> list[tuple[date, Path]]:
        """The day and folder of each assessment, the oldest day first; of one day only the one made last."""
        latest = self.assessment_dir()
        made = [
            (date.fromisoformat(json.loads(path.read_text(encoding="utf-8"))["as_of"]), path)
            for path in (self.root / "assessments").glob("*/manifest.json")
        ]
        made.sort(key=lambda one: (one[0], one[1].parent == latest, one[1].stat().st_mtime_ns, one[1]))
        return [(day, path.parent) for day, path in dict(made).items()]

    def assessment(
        self,
        table: str,
        assessment: str | None = None,
        columns: Sequence[str] | None = None,
        rows: pc.Expression | None = None,
    ) -> pa.Table | None:
        """A result table of an assessment (the latest by default), or `columns` and `rows` of it, or None where there
        is none."""
        folder = self.assessment_dir(assessment)
        path = folder / f"{table}.parquet" if folder else None
        if path is None or not path.is_file() or not pq.read_schema(path).names:
            return None
        return pq.read_table(path, columns=None if columns is None else [*columns], filters=rows)

    @contextmanager
    def write_assessment(self, assessment: str) -> Iterator[Path]:
        """An empty folder to write result tables into; left without a fault, it becomes `assessment`, the latest.

        A fault inside leaves the workspace as it was. An assessment of the same id is replaced. Others may write
        meanwhile: the right to write is taken only to move the folder in, and waited for, up to `WAIT_S` seconds.
        """
        with new_folder(self.root / "assessments", assessment, lambda: self.locked(WAIT_S)) as folder:
            yield folder

    @contextmanager
    def write_snapshot(self, snapshot: str) -> Iterator[Path]:
        """The same for a snapshot of the inventory; the caller holds `locked()`."""
        with new_folder(self.root / "inventory", snapshot) as folder:
            yield folder

    @contextmanager
    def locked(self, wait_s: float = 0.0) -> Iterator[None]:
        """The one right to write. Raises PanhuoError when another process still holds it after `wait_s` seconds."""
        last = time.monotonic() + wait_s
        with (self.root / LOCK).open("a+b") as stream:
            while not try_lock(stream):
                if time.monotonic() < last:
                    time.sleep(0.2)
                    continue
                raise PanhuoError(
                    "另一个进程正在写这个工作区 another process is writing this workspace",
                    where=str(self.root),
                    remedy="等它结束后再试 try again when it has finished",
                )
            yield


def with_corrected(
    table: pa.Table, name: str, spec: Dataset, notes: pa.Table, columns: Sequence[str] | None
) -> pa.Table:
    """`table` with an empty column for each field corrected that an older program's snapshot does not have.

    columns: those asked for, where not all are.
    """
    fields = notes.filter(pc.equal(notes["dataset"], name))["field"]
    for field in pc.unique(fields).to_pylist():
        if field in spec.fields and field not in table.column_names and (columns is None or field in columns):
            kind = ARROW_TYPES[spec.fields[field].type]
            table = table.append_column(field, pa.nulls(table.num_rows, kind))
    return table


def write_text(path: Path, text: str) -> None:
    """`text` in `path` as UTF-8, whole or not at all."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """`content` in `path`, through a neighbour file so that a crash never leaves half of it."""
    part = path.with_name(f"{STAGING}{os.getpid()}-{path.name}")
    with part.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)


def read_pointer(parent: Path) -> str | None:
    """The folder that `parent/latest` names, if it is there."""
    pointer = parent / "latest"
    name = pointer.read_text(encoding="utf-8").strip() if pointer.is_file() else ""
    return name if name and (parent / name).is_dir() else None


def named_dir(parent: Path, name: str | None) -> Path | None:
    """`parent/name`, or the folder `latest` names. Raises PanhuoError when a name given is not there."""
    if name is None:
        name = read_pointer(parent)
        return parent / name if name else None
    if not (parent / name).is_dir():
        raise PanhuoError(f"没有 {name!r} not found", where=str(parent))
    return parent / name


@contextmanager
def new_folder(
    parent: Path, name: str, moving: Callable[[], AbstractContextManager[None]] = nullcontext
) -> Iterator[Path]:
    """A staging folder that becomes `parent/name` and the latest when the block ends without a fault.

    moving: entered to move the folder in, where the caller does not hold the right to write all along.
    """
    parent.mkdir(parents=True, exist_ok=True)
    staging = parent / f"{STAGING}{os.getpid()}-{uuid.uuid4().hex[:8]}"
    staging.mkdir()
    try:
        with (staging / LOCK).open("a+b") as stream:
            try_lock(stream)  # says that its writer lives, for as long as it does
            yield staging
        with moving():
            (staging / LOCK).unlink()
            final = parent / name
            if final.exists():
                shutil.rmtree(final)
            staging.rename(final)
            write_text(parent / "latest", name + "\n")
            _clear(parent)
    finally:
        if staging.exists():
            shutil.rmtree(staging)


def _clear(parent: Path) -> None:
    """Removes what writers that died have left behind; the caller has the right to write."""
    for path in parent.glob(f"{STAGING}*"):
        if path.is_file():
            path.unlink()
        elif (path / LOCK).is_file():
            with (path / LOCK).open("a+b") as stream:
                dead = try_lock(stream)
            if dead:
                shutil.rmtree(path)
        elif time.time() - path.stat().st_mtime > ABANDONED_S:
            shutil.rmtree(path)


if sys.platform == "win32":
    import msvcrt

    def try_lock(stream: IO[bytes]) -> bool:
        """Whether the exclusive lock of `stream` was free and is now ours, until it is closed."""
        stream.seek(0)
        try:
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def try_lock(stream: IO[bytes]) -> bool:
        """Whether the exclusive lock of `stream` was free and is now ours, until it is closed."""
        try:
            fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
