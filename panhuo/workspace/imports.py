"""`panhuo import`: files into a new snapshot, all of them or none."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from panhuo.core.memory import lean_memory
from panhuo.core.problems import PanhuoError, problem_table
from panhuo.core.progress import Tick, silent
from panhuo.core.provenance import file_hash, growing_hash, tree_hash
from panhuo.core.threads import give_way
from panhuo.inventory.intake import ImportRefusedError, Options, read_tables, refuse_or_accept, take_tables
from panhuo.inventory.mapping import MappingFile, load_mapping, save_mapping
from panhuo.inventory.merge import merge
from panhuo.inventory.moving import outlines_to_lonlat
from panhuo.inventory.spec import dataset_spec
from panhuo.inventory.take import Taken
from panhuo.workspace.parquet import ROW_GROUP, TableFile, write_table
from panhuo.workspace.store import CONFIG, ELEVATION, Workspace, write_text

if TYPE_CHECKING:
    from panhuo.workspace.elevation import Grid

__all__ = ["ImportRefusedError", "Options", "import_files"]

NOTE: Final = ["type", "field", "value", "action"]
"""What is told of a problem of a whole table."""
RASTERS: Final = (".tif", ".tiff", ".asc", ".img")
"""Files taken for elevation grids."""
SIDECARS: Final = (".dbf", ".shx", ".prj", ".cpg")

Say = Callable[[str], None]


@dataclass
class Job:
    """One file of an import: its hash, and what was taken from it (empty when it was imported before)."""

    path: Path
    signature: str
    taken: list[Taken] = field(default_factory=list)
    grid: "Grid | None" = None
    hashing: Future[str] | None = None

    def begin_hash(self, beside: Executor) -> None:
        """Has the file hashed by another thread."""
        self.hashing = self.hashing or beside.submit(input_hash, self.path)

    @property
    def hash(self) -> str:
        """SHA-256 of the file, waited for."""
        assert self.hashing is not None, "begun before it is asked for"
        return self.hashing.result()


@dataclass(frozen=True, slots=True)
class Unwritten:
    """Rows of a dataset whose outlines are still in `crs`, "" where they have none or are in EPSG:4490."""

    table: pa.Table
    crs: str

    def moved(self) -> pa.Table:
        """All rows, their outlines in EPSG:4490."""
        return moved(self.table, self.crs)

    def groups(self) -> Iterator[pa.Table]:
        """The same a row group at a time; the next one is worked out while one is used."""
        slices = [self.table.slice(at, ROW_GROUP) for at in range(0, max(self.table.num_rows, 1), ROW_GROUP)]
        with ThreadPoolExecutor(1) as beside:
            coming = beside.submit(moved, slices[0], self.crs)
            for following in slices[1:]:
                ready = coming.result()
                coming = beside.submit(moved, following, self.crs)
                yield ready
            yield coming.result()


def moved(table: pa.Table, crs: str) -> pa.Table:
    """`table` with its outlines moved from `crs` to EPSG:4490."""
    if not crs:
        return table
    at = table.column_names.index("geometry")
    return table.set_column(at, table.schema.field(at), outlines_to_lonlat(table["geometry"], crs))


def import_files(
    root: Path,
    files: Sequence[Path],
    options: Options,
    say: Say = lambda text: None,
    *,
    tick: Tick = silent,
) -> dict[str, Any]:
    """Imports `files` into the workspace at `root` (made when new); gives the report of design §5.

    The report has, for each file and dataset, `rows` = `taken` + `refused` (+ rows repeated word for word), and how
    many of the taken were there `unchanged`. Raises PanhuoError, the workspace unchanged, for a file that cannot be
    read and for rows that must be refused. say: told which file is read; tick: told of rows done and in all.
    """
    mapping = load_mapping(options.map_file)
    with (
        writing(root, options.dry_run) as ws,
        ThreadPoolExecutor(1, initializer=give_way) as beside,
        lean_memory(),
    ):
        before = ws.manifest() if ws else {}
        jobs = [Job(path, signature(options, mapping)) for path in files]
        known = {(i["hash"], i["signature"]): i for i in before.get("imports", [])}
        for job in jobs if known else ():
            job.begin_hash(beside)
        fresh = [job for job in jobs if not known or (job.hash, job.signature) not in known]
        place = ws.config.get("place", "") if ws else options.place
        for job in fresh:
            say(f"读取 reading {job.path.name}")
            read_job(job, options, mapping, place, tick, None if options.dry_run else beside)
        refuse_or_accept([t for job in fresh for t in job.taken], options)
        if options.save_map:
            save_mapping(options.save_map, [(t.raw, t.plan) for job in fresh for t in job.taken], options.crs)
        entries = [known_entry(known[(job.hash, job.signature)]) for job in jobs if job not in fresh]
        if options.dry_run or not fresh:
            entries += [entry for job in fresh for entry in fresh_entries(job, {})]
            return {"imports": entries, "snapshot": ws.snapshot if ws else None}
        say("写入 writing")
        with nullcontext(ws) if ws else new_workspace(root, options.place) as target:
            snapshot, unchanged = write(target, fresh, before, options, tick, beside)
        entries += [entry for job in fresh for entry in fresh_entries(job, unchanged)]
        return {"imports": entries, "snapshot": snapshot}


def read_job(
    job: Job, options: Options, mapping: MappingFile, place: str, tick: Tick, beside: Executor | None
) -> None:
    """Reads a file and takes what it gives. beside: hashes it once it is read, for all that comes then leaves a
    processor half idle."""
    if job.path.suffix.lower() in RASTERS:
        # Raster libraries take a second to load; a ledger need not wait for them.
        from panhuo.workspace.elevation import read_grid  # noqa: PLC0415

        job.grid = read_grid(job.path, options.crs)
        tables = None
    else:
        tables = read_tables(job.path, options, mapping, tick)
    if beside:
        job.begin_hash(beside)
    if tables is not None:
        job.taken = take_tables(job.path, tables, options, mapping, place, tick)


@contextmanager
def writing(root: Path, dry_run: bool) -> Iterator[Workspace | None]:
    """The workspace under its lock; None while there is none, so that a bad file leaves no folder behind."""
    if not (root / CONFIG).is_file():
        yield None
    elif dry_run:
        yield Workspace.open(root)
    else:
        ws = Workspace.open(root)
        with ws.locked():
            yield ws


@contextmanager
def new_workspace(root: Path, place: str) -> Iterator[Workspace]:
    """A new workspace under its lock."""
    ws = Workspace.create(root, place=place)
    with ws.locked():
        yield ws


def input_hash(path: Path) -> str:
    """SHA-256 of a file with its sidecars, or of a folder. Raises PanhuoError when it is not there."""
    if not path.exists():
        raise PanhuoError("文件不存在 no such file", where=str(path), remedy="检查路径 check the path")
    if path.is_dir():
        return tree_hash((p for p in path.rglob("*") if p.is_file()), path)
    if path.suffix.lower() == ".shp":
        parts = [path, *(p for p in path.parent.glob(f"{path.stem}.*") if p.suffix.lower() in SIDECARS)]
        return tree_hash(parts, path.parent)
    return file_hash(path)


def signature(options: Options, mapping: MappingFile) -> str:
    """What besides the bytes of a file decides what comes of it."""
    parts = [options.as_dataset, mapping.model_dump_json(), options.crs, options.encoding, options.replace]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def fresh_entries(job: Job, unchanged: dict[int, int]) -> Iterator[dict[str, Any]]:
    """The report of what was taken from one file, an entry a dataset and table."""
    if job.grid is not None:
        yield job.grid.entry()
    for taken in job.taken:
        counts = pc.value_counts(taken.problems["type"]).to_pylist()
        yield {
            "file": taken.raw.where,
            "dataset": taken.dataset,
            "rows": taken.rows,
            "taken": taken.table.num_rows,
            "refused": taken.refused,
            "unchanged": unchanged.get(id(taken), 0),
            "crs": taken.crs or None,
            "problems": {c["values"]: c["counts"] for c in counts},
            "notes": taken.problems.filter(pc.is_null(taken.problems["row"])).select(NOTE).to_pylist(),
        }


def known_entry(entry: dict[str, Any]) -> dict[str, Any]:
    """The report of a file imported before: everything unchanged."""
    kept = ("file", "dataset", "rows", "taken", "refused", "crs", "problems", "notes")
    return {**{k: entry[k] for k in kept}, "unchanged": entry["taken"]}


def write(
    ws: Workspace, jobs: list[Job], before: dict[str, Any], options: Options, tick: Tick, beside: Executor
) -> tuple[str, dict[int, int]]:
    """A new snapshot: the datasets touched merged, the others linked; (its id, unchanged rows of each table taken).

    beside: hashes what is written.
    """
    vintage = options.vintage or options.today
    datasets: dict[str, Unwritten] = {}
    unchanged: dict[int, int] = {}
    for taken in (t for job in jobs for t in job.taken):
        new, held = Unwritten(taken.table, taken.crs), datasets.get(taken.dataset)
        old = held.moved() if held else ws.dataset(taken.dataset, corrected=False, ended=True)
        if old is not None and old.num_rows:
            new = Unwritten(new.moved(), "")
        merged = merge(old, new.table, dataset_spec(taken.dataset), vintage, options.replace)
        datasets[taken.dataset] = Unwritten(merged.table, new.crs)
        unchanged[id(taken)] = merged.unchanged
    problems = all_problems(ws, jobs)
    number = int((ws.snapshot or "0").split("-")[0]) + 1
    staged = f"{number:04d}"
    with ws.write_snapshot(staged) as folder:
        linked = link_others(
            ws, folder, set(datasets), {job.path.stem for job in jobs if job.grid is not None}
        )
        # What is only linked need not be read again.
        hashes = {name: before["datasets"][name] for name in linked if name in before.get("datasets", {})}
        rows, total = 0, sum(unwritten.table.num_rows for unwritten in datasets.values())

        def count(more: int) -> None:
            nonlocal rows
            rows += more
            tick("写入 writing", rows, total)

        count(0)
        for name, unwritten in datasets.items():
            hashes[name] = write_hashed(unwritten, folder / f"{name}.parquet", beside, count)
        for job in jobs:
            if job.grid is not None:
                job.grid.write(folder / ELEVATION)
        write_table(problems, folder / "problems.parquet")
        manifest = manifest_of(folder, ws.snapshot, jobs, before, hashes, unchanged, vintage)
        write_text(
            folder / "manifest.json", json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True)
        )
    return staged, unchanged


def write_hashed(unwritten: Unwritten, path: Path, beside: Executor, count: Callable[[int], None]) -> str:
    """Writes a dataset; gives the SHA-256 of the file, worked out meanwhile. count: told of rows written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    ended = Event()
    hashing = beside.submit(growing_hash, path, ended)
    try:
        file = TableFile(path)
        for group in unwritten.groups():
            file.write(group)
            count(group.num_rows)
        file.close()
    finally:
        ended.set()
    return hashing.result()


def link_others(ws: Workspace, folder: Path, touched: set[str], grids: set[str]) -> list[str]:
    """What an import does not touch, datasets and elevation grids: links to, or copies of, the files held before.

    Gives their names.
    """
    before = ws.snapshot_dir()
    if before is None:
        return []
    kept = [before / f"{name}.parquet" for name in set(ws.dataset_names()) - touched]
    kept += [path for path in ws.elevation_files() if path.stem not in grids]
    for source in kept:
        target = folder / source.relative_to(before)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source, target)
        except OSError:
            shutil.copyfile(source, target)
    return [path.relative_to(before).with_suffix("").as_posix() for path in kept]


def all_problems(ws: Workspace, jobs: list[Job]) -> pa.Table:
    """The problems of the files imported now, and of those before that were not replaced."""
    now = [t.problems for job in jobs for t in job.taken]
    names = pa.array(sorted({t.raw.where for job in jobs for t in job.taken}), pa.string())
    past = ws.problems()
    if past is None:
        return pa.concat_tables([problem_table([]), *now])
    return pa.concat_tables([past.filter(pc.invert(pc.is_in(past["file"], names))), *now])


def manifest_of(
    folder: Path,
    parent: str | None,
    jobs: list[Job],
    before: dict[str, Any],
    hashes: dict[str, str],
    unchanged: dict[int, int],
    vintage: date,
) -> dict[str, Any]:
    """What the snapshot was made of; hashes: those of its files that are known."""
    entries = [
        {**entry, "hash": job.hash, "signature": job.signature, "vintage": vintage.isoformat()}
        for job in jobs
        for entry in fresh_entries(job, unchanged)
    ]
    files = sorted([*folder.rglob("*.parquet"), *(folder / ELEVATION).glob("*.tif")])
    names = {path.relative_to(folder).with_suffix("").as_posix(): path for path in files}
    return {
        "parent": parent,
        "imports": [*before.get("imports", []), *entries],
        "datasets": {name: hashes.get(name) or file_hash(path) for name, path in names.items()},
    }
