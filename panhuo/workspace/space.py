"""What the land itself says, as an assessment needs it: spatial facts, conflicts, slopes, by the law of a day."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from panhuo.core.problems import Problem
from panhuo.engines import Engine, Partition, Stage
from panhuo.inventory.conflicts import CONFLICTS_SCHEMA
from panhuo.inventory.drawn import Drawn
from panhuo.inventory.elsewhere import Run
from panhuo.inventory.geometry import required_column
from panhuo.inventory.spatial_facts import ROADS, Survey, survey
from panhuo.inventory.spec import dataset_spec
from panhuo.rulebook import Rulebook
from panhuo.rulebook.facts import Tables
from panhuo.workspace.memory import FolderMemory
from panhuo.workspace.store import FILE_ROW, Workspace


@dataclass(frozen=True, slots=True)
class LandLaw:
    """The numbers of the law that facts of the land rest on. boundary_min_m: boundary that makes neighbours [m];
    slope_bounds_deg, gentle_deg: of the slope classes, None where the law of the day does not say."""

    boundary_min_m: float = 0.0
    slope_bounds_deg: tuple[float, ...] | None = None
    gentle_deg: tuple[float, float] | None = None


def land_law(book: Rulebook, on: date, place: str = "") -> LandLaw:
    """The numbers on a day; a number that is not yet law leaves what rests on it unlimited or unknown."""

    def value(name: str) -> Any:
        return book.parameter(name, on, place).value if book.has_value(name, on) else None

    bounds = value("terrain.slope_class_bounds_deg")
    gentle = value("land_form.gentle_slope_min_deg"), value("land_form.gentle_slope_max_deg")
    return LandLaw(
        value("land_form.boundary_min_m") or 0.0,
        None if bounds is None else tuple(bounds),
        None if None in gentle else gentle,
    )


def land(ws: Workspace, tables: Tables, law: LandLaw, engine: Engine | None = None) -> Survey:
    """The survey of `tables["parcels"]` over the layers and elevation grids the workspace holds.

    Only layers that a fact of the dataset `spatial` speaks of are laid over; `panhuo land overlay` lays the others.
    engine: what works on outlines instead of this process's threads.
    """
    parcels = tables.get("parcels")
    if parcels is None:
        none = pa.table({"parcel_id": pa.array([], pa.string())})
        return Survey(none, CONFLICTS_SCHEMA.empty_table(), [])
    drawn = outlines_of(ws, parcels)
    slopes, problems = slope_table(ws, parcels, law, drawn)
    memory = FolderMemory(ws.root / "cache" / "space")
    found = survey(
        parcels,
        Layers(ws),
        contracts=tables.get("contracts"),
        occupancies=tables.get("occupancies"),
        slopes=slopes,
        boundary_min_m=law.boundary_min_m,
        memory=memory,
        drawn=drawn,
        run=None if engine is None else _by(engine),
    )
    memory.trim()
    return Survey(found.facts, found.conflicts, [*found.problems, *problems])


def _by(engine: Engine) -> Run:
    """Stages of the survey mapped by an engine."""

    def run(stage: Stage, pieces: Iterable[tuple[str, Tables]]) -> Iterator[Tables]:
        for _, found in engine.map(stage, (Partition(key, tables) for key, tables in pieces)):
            yield found

    return run


def outlines_of(ws: Workspace, parcels: pa.Table) -> Drawn:
    """The outlines of parcels: the table's own, or those of the workspace where it names its rows there (FILE_ROW)."""
    if FILE_ROW not in parcels.column_names:
        return Drawn.of_column(required_column(parcels, "geometry"))
    return ws.outlines("parcels").only(parcels[FILE_ROW].to_numpy())


class Layers(Mapping[str, pa.Table]):
    """The roads of a workspace and each layer whose share of a parcel is a fact, by kind; read when asked for.

    The largest comes first: to prepare it takes the most room, and what is prepared stays.
    """

    def __init__(self, ws: Workspace) -> None:
        facts = dataset_spec("spatial").fields
        names = (name.removeprefix("layers/") for name in ws.dataset_names() if name.startswith("layers/"))
        kinds = [kind for kind in names if kind == ROADS or f"{kind}_m2" in facts]
        sizes = {kind: path.stat().st_size for kind in kinds if (path := ws.dataset_path(f"layers/{kind}"))}
        self.ws, self.kinds = ws, sorted(sizes, key=lambda kind: (-sizes[kind], kind))

    def __getitem__(self, kind: str) -> pa.Table:
        layer = self.ws.dataset(f"layers/{kind}", columns=["geometry"]) if kind in self.kinds else None
        if layer is None:
            raise KeyError(kind)
        return layer

    def __iter__(self) -> Iterator[str]:
        return iter(self.kinds)

    def __len__(self) -> int:
        return len(self.kinds)


def slope_table(
    ws: Workspace, parcels: pa.Table, law: LandLaw, drawn: Drawn
) -> tuple[pa.Table | None, list[Problem]]:
    """Slopes of the parcels on the elevation grids held; None without a grid or without classes in the law."""
    files = ws.elevation_files()
    if not files or law.slope_bounds_deg is None or law.gentle_deg is None:
        return None, []
    # Raster libraries take a second to load; a workspace without a grid need not wait for them.
    from panhuo.inventory.slopes import slopes  # noqa: PLC0415

    ids = parcels.select(["parcel_id"])
    return slopes(ids, files, list(law.slope_bounds_deg), law.gentle_deg, drawn)
