"""Vector tiles (PMTiles) of the parcels one scope holds, and of the workspace's own layers as an offline basemap.

An archive is read by range requests and cannot be filtered on the way, so there is one archive per scope (a division
prefix, a holder): a reader is given the archives of the scopes held and no other. Archives are baked when missing (by
the site's worker ahead of its readers) and lie in `tiles/<key of the reading copy>+<MAKE>/`. The
nearest zooms hold every parcel, those farther out a grid of cells (`overview`).
"""

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely

from panhuo.workspace.overview import NEAREST, blocks, coverage, overview, whole_from_zoom
from panhuo.workspace.pieces import Floats
from panhuo.workspace.pmtiles import WORLD, Block, join
from panhuo.workspace.reading import key_of, open_copy, reading_copy
from panhuo.workspace.store import Workspace, try_lock
from panhuo.workspace.tiler import POINT, Job, bake_files

TOP_ZOOM: Final = 14
COARSE_ABOVE: Final = 20_000
"""A layer of more polygons is drawn from afar by the cells it covers."""
MAKE: Final = 3
"""Raised whenever the tiles of the same rows come out otherwise."""
SCRATCH: Final = ".baking-"
"""Where an archive is made: whoever finds such a folder and its lock free may remove it."""
FEW_BYTES: Final = 5_000_000
"""So much is baked in less time than another process takes to begin."""
PLACED: Final = ("lon", "lat", "xmin", "ymin", "xmax", "ymax")
"""A point inside a parcel, and its box."""

FIELDS: Final = (
    "parcel_id, name, holder, area_m2, array_to_string(findings, ' ') AS finding, coalesce(severity, '') AS severity, "
    "coalesce(tier, '') AS tier, coalesce(plan_tool, '') AS plan, coalesce(stage, '') AS stage, "
    "coalesce(potential, '') AS potential, z_min_m, z_max_m"
)

NAMED: Final = ("name", "finding", "severity", "tier", "plan", "stage", "potential")
"""What a parcel's label says and is chosen by."""


class BeingMadeError(Exception):
    """Another process or thread is making the archive asked for. `older`: that of the data before, if any."""

    def __init__(self, name: str, older: Path | None) -> None:
        super().__init__(name)
        self.older = older


def parcel_tiles(workspace: Workspace, name: str, where: str, values: Sequence[Any]) -> Path:
    """The archive `name` of the parcels that satisfy `where` (SQL over `parcels`); baked if missing.

    Raises: BeingMadeError.
    """
    copy = reading_copy(workspace)

    def rows() -> pa.Table:
        with open_copy(workspace, copy) as db:
            sql = (
                f"SELECT {FIELDS}, s.geometry, {', '.join(PLACED)} FROM parcels p LEFT JOIN shapes s USING (parcel_id) "
                f"WHERE lon IS NOT NULL AND ({where})"
            )
            return _placed(db.execute(sql, list(values)).to_arrow_table())

    return _baked(workspace, copy.stem, name, rows, bake_parcels)


def _placed(table: pa.Table) -> pa.Table:
    """The rows with their outline, or their point (lon, lat) where none was ever drawn."""
    bare = pc.is_null(table["geometry"])
    if pc.any(bare).as_py():
        at = [table[name].to_numpy() for name in ("lon", "lat")]
        points = pa.array(shapely.to_wkb(shapely.points(*at)), pa.binary())
        drawn = pc.if_else(bare, points, table["geometry"].combine_chunks())
        table = table.set_column(table.column_names.index("geometry"), "geometry", drawn)
    return table


def conflict_tiles(workspace: Workspace, name: str, where: str, values: Sequence[Any]) -> Path:
    """The archive of the drawn conflicts that touch a parcel which satisfies `where`; baked if missing.

    Raises: BeingMadeError.
    """
    copy = reading_copy(workspace)

    def rows() -> pa.Table:
        with open_copy(workspace, copy) as db:
            db.register("drawn", workspace.assessment("conflicts"))
            sql = (
                f"WITH own AS (SELECT parcel_id FROM parcels WHERE {where}) SELECT kind, status, area_m2, geometry "
                "FROM drawn WHERE geometry IS NOT NULL AND "
                "(parcel_id IN (FROM own) OR other_id IN (FROM own))"
            )
            return db.execute(sql, list(values)).to_arrow_table()

    return _baked(workspace, copy.stem, f"conflicts-{name}", rows, partial(bake, layer="conflicts"))


def layer_kinds(workspace: Workspace) -> list[str]:
    """The kinds of polygon layer the workspace holds."""
    return sorted(n.split("/", 1)[1] for n in workspace.dataset_names() if n.startswith("layers/"))


def layer_tiles(workspace: Workspace, kind: str) -> Path:
    """The archive of one layer, for the offline basemap; baked if missing. `kind` is one of `layer_kinds`.

    Raises: BeingMadeError.
    """

    def rows() -> pa.Table:
        table = workspace.dataset(f"layers/{kind}")
        assert table is not None
        keep = [c for c in ("name", "geometry") if c in table.column_names]
        return table.select(keep).filter(pc.is_valid(table["geometry"]))

    return _baked(workspace, key_of(workspace), f"layer-{kind}", rows, partial(bake_layer, kind=kind))


def _baked(
    workspace: Workspace,
    key: str,
    name: str,
    rows: Callable[[], pa.Table],
    make: Callable[[pa.Table, Path], None],
) -> Path:
    folder = workspace.root / "tiles" / f"{key}+{MAKE}"
    target = folder / f"{name}.pmtiles"
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with held(folder, name):
        if not target.exists():
            clear(folder)
            scratch = folder / f"{SCRATCH}{name}"
            shutil.rmtree(scratch, ignore_errors=True)  # of a process that was killed: the lock is ours
            scratch.mkdir()
            part = scratch / target.name
            table = rows()
            if table.num_rows:
                make(table, part)
            else:
                part.write_bytes(b"")
            part.replace(target)
            scratch.rmdir()
            clear(folder)
    return target


@contextmanager
def held(folder: Path, name: str) -> Iterator[None]:
    """The one right to make the archive `name`, which ends with its process. Raises: BeingMadeError."""
    with (folder / f".{name}.lock").open("a+b") as stream:
        if not try_lock(stream):
            raise BeingMadeError(name, older(folder, name))
        yield


def older(folder: Path, name: str) -> Path | None:
    """The archive `name` as it was made of the data before."""
    found = [path for path in folder.parent.glob(f"*/{name}.pmtiles") if path.parent != folder]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def clear(folder: Path) -> None:
    """Removes the archives of the data before that stand in `folder` anew, their folder with the last of them, and what
    was left by processes that were killed."""
    have = {path.name for path in folder.glob("*.pmtiles")}
    for old in folder.parent.iterdir():
        for scratch in old.glob(f"{SCRATCH}*"):
            with suppress(BeingMadeError), held(old, scratch.name.removeprefix(SCRATCH)):
                shutil.rmtree(scratch, ignore_errors=True)
        if old.is_dir() and old != folder:
            left = {path.name for path in old.glob("[!.]*.pmtiles")}
            for name in left & have:
                (old / name).unlink(missing_ok=True)
            if left <= have and not any(old.glob(f"{SCRATCH}*")):  # else somebody is still at work there
                shutil.rmtree(old, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Sheet:
    """Outlines with their columns to be baked as one archive at some zooms, of which the tiles in `block` count."""

    rows: pa.Table
    zooms: tuple[int, int]
    block: Block = WORLD
    named: tuple[str, ...] = ()
    """What labels say of each row, the first the name."""


def bake_parcels(table: pa.Table, target: Path) -> None:
    """Parcels (`FIELDS`, `geometry` as WKB, and `PLACED` [degrees]) as the layer `parcels`, at the nearest zoom their
    names as the layer `names`."""
    lon, lat, *box = (table[name].to_numpy() for name in PLACED)
    boxes = np.column_stack(box)
    table = table.drop_columns(list(PLACED[2:]))
    near = whole_from_zoom(lon, lat, TOP_ZOOM)
    far = overview(table.drop_columns(list(POINT)), lon, lat, near)
    cells = (Sheet(rows, (zoom, zoom)) for zoom, rows in far)
    named = tuple(column for column in NAMED if column in table.column_names)
    bake_sheets(
        chain(cells, squares(table, boxes, near, named)), target, "parcels", apart=table.nbytes > FEW_BYTES
    )


def bake_layer(table: pa.Table, target: Path, *, kind: str) -> None:
    """The outlines of a layer with their columns as the layer `kind`; from afar only what a great many cover."""
    if table.num_rows <= COARSE_ABOVE:
        bake(table, target, layer=kind)
        return
    shapes = shapely.from_wkb(table["geometry"].to_numpy())
    cells = (
        Sheet(pa.table({"geometry": found}), (zoom, zoom))
        for zoom, found in coverage(shapes, NEAREST)
        if len(found)
    )
    near = squares(table, shapely.bounds(shapes), NEAREST)
    bake_sheets(chain(cells, near), target, kind, apart=table.nbytes > FEW_BYTES)


def bake(table: pa.Table, target: Path, *, layer: str) -> None:
    """Outlines with their columns as one layer of an archive."""
    bake_sheets([Sheet(table, (0, TOP_ZOOM))], target, layer, apart=table.nbytes > FEW_BYTES)


def squares(table: pa.Table, boxes: Floats, near: int, named: tuple[str, ...] = ()) -> Iterator[Sheet]:
    """The rows, whose boxes are `boxes`, square by square for the zooms from `near`."""
    for block, rows in blocks(boxes, near):
        yield Sheet(table.take(pa.array(rows)), (near, TOP_ZOOM), block, named)


def bake_sheets(sheets: Iterable[Sheet], target: Path, layer: str, *, apart: bool) -> None:
    """All sheets as one archive; each is let go of before the next is asked for. `apart`: in processes of their own."""
    with TemporaryDirectory(dir=target.parent) as scratch:
        archives: list[Path] = []

        def jobs() -> Iterator[Job]:
            for sheet in sheets:
                at = Path(scratch) / f"{len(archives)}"
                archives.append(at.with_suffix(".pmtiles"))
                source = at.with_suffix(".parquet")
                pq.write_table(sheet.rows.replace_schema_metadata(None), source)
                yield Job(
                    str(source), str(archives[-1]), layer, sheet.zooms, astuple(sheet.block), sheet.named
                )

        bake_files(jobs(), apart=apart)
        join([path for path in archives if path.exists()], target)
