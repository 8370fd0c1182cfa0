"""A made-up province as a workspace: `python -m benchmarks.province FOLDER [--parcels N] [--gpkg] [--shp]`.

Parcels, contracts, enterprises, occupancies and three layers in the columns of our datasets, so that every verb runs on
it; the same seed and size give the same bytes. Fourteen cities of nine counties each; parcels lie county by county and
along a Hilbert curve within each.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pyproj
import shapely
from numpy.typing import NDArray

from benchmarks import shapes
from panhuo.core.ids import org_check_digit, uscc_check_digit
from panhuo.inventory.overlay import ground_areas
from panhuo.inventory.spec import dataset_spec
from panhuo.workspace.parquet import geo_metadata, write_table
from panhuo.workspace.store import Workspace

Ints = NDArray[np.int64]
Column: TypeAlias = NDArray[np.generic] | pa.Array | list[object]

CITIES, COUNTIES = (2, 7), (3, 3)
PROVINCE = "43"
SEED = 20261123
TODAY = np.datetime64("2026-11-23")
DAY = np.timedelta64(1, "D")
ENTERPRISES_PER_PARCEL = 0.2
FIELDS_PER_PARCEL, HUGE_PER_PARCEL = 0.05, 0.0003
GROWTH_AREAS = 40
SOURCE = "made-up province"
_TO_DEGREES = pyproj.Transformer.from_crs(shapes.CRS, "EPSG:4490", always_xy=True)


def make_workspace(root: Path, parcels: int) -> Workspace:
    """A workspace of about `parcels` parcels (a square of them) with all that is asked of them."""
    side = max(round(parcels**0.5), CITIES[1] * COUNTIES[1])
    net = shapes.lattice(side, side, SEED)
    row, column, division = _county_order(side)
    workspace = Workspace.create(root, name="made-up province", place=PROVINCE)
    with workspace.locked(), workspace.write_snapshot("made-up") as folder:
        area, ids = _write_parcels(folder, net, row, column, division)
        rng = np.random.default_rng(SEED + 1)
        write_table(_contracts(ids, area, rng), folder / "contracts.parquet")
        users = _enterprises(ids, division, rng)
        write_table(users, folder / "enterprises.parquet")
        write_table(_occupancies(ids, area, users, rng), folder / "occupancies.parquet")
        _write_layers(folder, side)
    return workspace


def parcels_of(workspace: Workspace, columns: Sequence[str]) -> pa.Table:
    """Columns of its parcels. Raises SystemExit when it holds none."""
    parcels = workspace.dataset("parcels", columns=columns)
    if parcels is None:
        raise SystemExit(f"{workspace.root} holds no parcels")
    return parcels


@contextmanager
def assessed(root: Path | None, parcels: int) -> Iterator[Workspace]:
    """The assessed workspace at `root`; where none is named, one of about `parcels` parcels for the time being."""
    if root is not None:
        yield Workspace.open(root)
        return
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        workspace = make_workspace(Path(folder) / "province", parcels)
        subprocess.run([sys.executable, "-m", "panhuo", "assess", str(workspace.root)], check=True)
        yield workspace


def _county_order(side: int) -> tuple[Ints, Ints, NDArray[np.str_]]:
    """(row, column, division code) of all parcels, by county and then along a Hilbert curve."""
    row, column = hilbert_order(side, side)
    down, across = CITIES[0] * COUNTIES[0], CITIES[1] * COUNTIES[1]
    at_row, at_column = row * down // side, column * across // side
    city = at_row // COUNTIES[0] * CITIES[1] + at_column // COUNTIES[1] + 1
    county = at_row % COUNTIES[0] * COUNTIES[1] + at_column % COUNTIES[1] + 1
    order = np.argsort(city * 100 + county, kind="stable")
    code = np.char.add(PROVINCE, np.char.zfill((city * 100 + county)[order].astype(str), 4))
    return row[order], column[order], code


def _write_parcels(
    folder: Path, net: shapes.Lattice, row: Ints, column: Ints, division: NDArray[np.str_]
) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
    """Writes parcels.parquet, a row group for each county; gives all areas [m²] and ids."""
    schema = dataset_spec("parcels").arrow_schema().with_metadata({b"geo": geo_metadata()})
    begins = np.flatnonzero(np.concatenate([[True], division[1:] != division[:-1]])).tolist()
    areas: list[NDArray[np.float64]] = []
    ids: list[NDArray[np.str_]] = []
    with pq.ParquetWriter(folder / "parcels.parquet", schema, compression="snappy") as out:
        for begin, end in zip(begins, [*begins[1:], len(row)], strict=True):
            part = slice(begin, end)
            rng = np.random.default_rng([SEED, begin])
            table = _parcels(shapes.outlines(net, row[part], column[part]), division[part], rng)
            out.write_table(_fill(table, "parcels", begin).cast(schema))
            areas.append(np.asarray(table["area_m2"]))
            ids.append(np.asarray(table["parcel_id"]))
    return np.concatenate(areas), np.concatenate(ids)


def _parcels(
    outlines: NDArray[np.object_], division: NDArray[np.str_], rng: np.random.Generator
) -> Mapping[str, Column]:
    n = len(outlines)
    degrees = shapely.transform(outlines, _TO_DEGREES.transform, interleaved=False)
    wkb = shapes.wkb(degrees)
    area = ground_areas(pa.chunked_array([wkb]))
    industrial = rng.random(n) < 0.6
    acquired = TODAY - rng.integers(200, 9000, n) * DAY
    far = rng.choice([0.6, 0.8, 1.0, 1.2, 1.5], n)
    number = np.char.zfill(np.arange(n).astype(str), 5)
    return {
        "parcel_id": np.char.add(np.char.add(division, "001001GB"), number),
        "name": np.char.add("地块", number),
        "division": division,
        "geometry": wkb,
        "crs_given": np.full(n, shapes.CRS),
        "area_m2": area,
        "drawn_area_m2": area,
        "land_use": np.where(industrial, "100101", "0701"),
        "land_use_scheme": np.full(n, "mnr_2023"),
        "tenure": rng.choice(["granted", "allocated", "contributed", "leased"], n, p=[0.7, 0.2, 0.05, 0.05]),
        "holder": np.char.add("单位", rng.integers(0, max(n // 3, 1), n).astype(str)),
        "term_end": acquired + 365 * 50 * DAY,
        "acquired_on": acquired,
        "price_wan": _some(area * rng.uniform(0.01, 0.08, n), 0.9, rng),
        "floor_area_m2": _some(area * rng.gamma(2.0, 0.35, n), 0.85, rng),
        "base_area_m2": _some(area * rng.uniform(0.05, 0.6, n), 0.85, rng),
        "far_planned_min": _some(far, 0.7, rng),
        "far_planned_max": _some(far + 1.0, 0.7, rng),
        "density_max": _some(rng.choice([0.3, 0.4, 0.6], n), 0.7, rng),
        "use_state": rng.choice(
            ["in_use", "part_used", "vacant", "open_storage"], n, p=[0.8, 0.1, 0.07, 0.03]
        ),
    }


def _contracts(ids: NDArray[np.str_], area: NDArray[np.float64], rng: np.random.Generator) -> pa.Table:
    """A contract for three parcels in five; one in nine of them never begun or stopped."""
    chosen = np.flatnonzero(rng.random(len(ids)) < 0.6)
    n = len(chosen)
    signed = TODAY - rng.integers(200, 6000, n) * DAY
    start_by = signed + rng.integers(180, 400, n) * DAY
    state = rng.choice(
        ["finished", "under_way", "not_started", "suspended", ""], n, p=[0.7, 0.15, 0.07, 0.04, 0.04]
    )
    begun = np.isin(state, ["finished", "under_way", "suspended"])
    done = np.where(state == "finished", 1.0, rng.random(n))
    total = area[chosen] * rng.uniform(0.2, 0.6, n)
    columns: dict[str, Column] = {
        "contract_no": np.char.add("HT", np.char.zfill(chosen.astype(str), 9)),
        "parcel_id": ids[chosen],
        "signed_on": signed,
        "delivered_on": signed + rng.integers(10, 120, n) * DAY,
        "start_by": start_by,
        "finish_by": start_by + 730 * DAY,
        "work_state": pa.array(state, mask=state == ""),
        "observed_on": np.full(n, TODAY - 30 * DAY),
        "started_on": pa.array(start_by + rng.integers(-60, 200, n) * DAY, mask=~begun),
        "finished_on": pa.array(start_by + rng.integers(400, 900, n) * DAY, mask=state != "finished"),
        "works_type": rng.choice(["deep_pit", "piled", "other"], n),
        "works_done": _some(done, 0.8, rng),
        "developed_m2": _some(area[chosen] * done, 0.85, rng),
        "due_m2": area[chosen],
        "invested_wan": _some(total * done, 0.85, rng),
        "investment_total_wan": total,
        "suspended_on": pa.array(TODAY - rng.integers(30, 1200, n) * DAY, mask=state != "suspended"),
        "delay_cause": pa.array(
            rng.choice(["holder", "gov_late_delivery", "gov_plan_change", "force_majeure"], n),
            mask=begun | (rng.random(n) < 0.5),
        ),
    }
    return _fill(columns, "contracts", 0)


def _enterprises(ids: NDArray[np.str_], division: NDArray[np.str_], rng: np.random.Generator) -> pa.Table:
    n = round(len(ids) * ENTERPRISES_PER_PARCEL)
    home = rng.integers(0, len(ids), n)
    revenue = rng.lognormal(8.0, 1.3, n)
    columns: dict[str, Column] = {
        "enterprise_id": [_uscc(code, k) for k, code in enumerate(division[home].tolist())],
        "name": np.char.add("企业", np.arange(n).astype(str)),
        "industry": rng.choice(["3511", "3670", "2611", "1713", "3912", "2710"], n),
        "status": rng.choice(["operating", "half_stopped", "stopped"], n, p=[0.9, 0.06, 0.04]),
        "division": division[home],
        "revenue_wan": _some(revenue, 0.95, rng),
        "tax_wan": _some(revenue * rng.beta(2, 40, n), 0.95, rng),
        "output_wan": revenue * 1.05,
        "value_added_wan": _some(revenue * rng.uniform(0.1, 0.4, n), 0.9, rng),
        "rd_wan": _some(revenue * rng.beta(2, 60, n), 0.8, rng),
        "energy_tce": _some(revenue * rng.lognormal(-3, 1, n), 0.9, rng),
        "emission_eq": _some(rng.lognormal(0, 1, n), 0.8, rng),
        "employees": np.ceil(revenue / rng.uniform(40, 120, n)),
        "year": np.full(n, 2025),
        "opened_on": TODAY - rng.integers(400, 8000, n) * DAY,
    }
    return _fill(columns, "enterprises", 0)


def _occupancies(
    ids: NDArray[np.str_], area: NDArray[np.float64], users: pa.Table, rng: np.random.Generator
) -> pa.Table:
    n = users.num_rows
    parcel = rng.choice(len(ids), n, replace=False)
    columns: dict[str, Column] = {
        "parcel_id": ids[parcel],
        "enterprise_id": users["enterprise_id"].combine_chunks(),
        "kind": rng.choice(["own", "lease_in"], n, p=[0.8, 0.2]),
        "area_m2": area[parcel],
        "from_on": TODAY - rng.integers(100, 4000, n) * DAY,
    }
    return _fill(columns, "occupancies", 0)


def _uscc(division: str, number: int) -> str:
    body = f"{number:08d}"
    first = f"91{division}{body}{org_check_digit(body)}"
    return first + uscc_check_digit(first)


def _write_layers(folder: Path, side: int) -> None:
    extent, parcels = side * shapes.PITCH_M, side * side
    make: dict[str, Callable[[], NDArray[np.object_]]] = {
        "permanent_farmland": lambda: shapes.fields(
            round(parcels * FIELDS_PER_PARCEL), extent, extent, SEED + 2
        ),
        "red_line": lambda: shapes.huge(max(4, round(parcels * HUGE_PER_PARCEL)), extent, extent, SEED + 3),
        "growth_boundary": lambda: shapes.huge(GROWTH_AREAS, extent, extent, SEED + 4),
    }
    for kind, polygons in make.items():
        name = f"layers/{kind}"
        degrees = shapely.transform(polygons(), _TO_DEGREES.transform, interleaved=False)
        known = set(dataset_spec(name).arrow_schema().names)
        columns: dict[str, Column] = {"geometry": shapes.wkb(degrees)}
        numbers = np.char.add(kind, np.arange(len(degrees)).astype(str))
        columns |= {k: numbers for k in dataset_spec(name).key if k in known}
        write_table(_fill(columns, name, 0), folder / f"{name}.parquet")


def _some(values: NDArray[np.float64], share: float, rng: np.random.Generator) -> pa.Array:
    """The values with all but `share` of them unknown: real ledgers have holes."""
    return pa.array(values, mask=rng.random(len(values)) >= share)


def _fill(columns: Mapping[str, Column], dataset: str, first_row: int) -> pa.Table:
    """The columns as a table of the dataset's schema, the others empty, with provenance."""
    schema = dataset_spec(dataset).arrow_schema()
    n = len(next(iter(columns.values())))
    known = dict(columns)
    known["source_file"] = pa.repeat(pa.scalar(SOURCE), n)
    known["source_row"] = np.arange(first_row, first_row + n)
    known["valid_from"] = pa.repeat(pa.scalar(date(2026, 1, 1)), n)
    arrays = [
        pa.array(known[f.name]).cast(f.type) if f.name in known else pa.nulls(n, f.type) for f in schema
    ]
    return pa.table(arrays, schema=schema)


def hilbert_order(rows: int, columns: int) -> tuple[Ints, Ints]:
    """(row, column) of every parcel of a lattice along a Hilbert curve, so that neighbours are near in the file."""
    row, column = (a.ravel() for a in np.mgrid[0:rows, 0:columns])
    size = 1 << int(max(rows, columns) - 1).bit_length()
    x, y = column.copy(), row.copy()
    distance = np.zeros_like(x)
    half = size // 2
    while half:
        east, north = (x & half) > 0, (y & half) > 0
        distance += half * half * ((3 * east) ^ north)
        flip = ~north & east
        x, y = np.where(flip, size - 1 - x, x), np.where(flip, size - 1 - y, y)
        x, y = np.where(north, x, y), np.where(north, y, x)
        half //= 2
    order = np.argsort(distance, kind="stable")
    return row[order], column[order]


def write_gdal(workspace: Workspace, path: Path) -> None:
    """The parcels' outlines and plain columns as .gpkg or .shp, to try imports with."""
    parcels = parcels_of(workspace, ["parcel_id", "division", "tenure", "area_m2", "geometry"])
    pyogrio.write_arrow(parcels, path, geometry_name="geometry", geometry_type="Polygon", crs="EPSG:4490")


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--parcels", type=int, default=1_000_000)
    parser.add_argument("--gpkg", action="store_true", help="also parcels.gpkg beside the workspace")
    parser.add_argument("--shp", action="store_true", help="also parcels.shp beside the workspace")
    options = parser.parse_args()
    workspace = make_workspace(options.folder, options.parcels)
    for wanted, suffix in ((options.gpkg, "gpkg"), (options.shp, "shp")):
        if wanted:
            write_gdal(workspace, options.folder.with_name(f"{options.folder.name}_parcels.{suffix}"))
    print(options.folder)


if __name__ == "__main__":
    main()
