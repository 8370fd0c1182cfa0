"""Diagnose, score and match every parcel of a workspace as of a date, and keep the result tables.

An assessment's id is a fingerprint of its inputs: the same snapshot, law, date and code give the same id and the same
bytes, and running it again writes nothing.
"""

import hashlib
import json
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import panhuo
from panhuo.core.ids import checked_division
from panhuo.core.memory import lean_memory
from panhuo.core.problems import PanhuoError, Problem, problem_table
from panhuo.core.progress import Tick, silent
from panhuo.core.provenance import tree_hash
from panhuo.diagnose.findings import FINDINGS, unjudged
from panhuo.engines import Partition, Tables, open_engine
from panhuo.flow import judge_county, law_on
from panhuo.match.options import OPTIONS
from panhuo.match.routes import ROUTES
from panhuo.rulebook import Rulebook
from panhuo.rulebook.facts import GEOMETRY, OWN_DATASETS
from panhuo.rulebook.spec import dataset_fields
from panhuo.score.potential import GRADES, potential_facts, potential_parts
from panhuo.workspace.counties import Counties, County, pieces
from panhuo.workspace.parquet import write_table
from panhuo.workspace.rankings import rankings
from panhuo.workspace.results import Earlier, Results, split
from panhuo.workspace.space import land, land_law
from panhuo.workspace.store import WAIT_S, Workspace, write_text

DATASETS: Final = (
    "parcels", "contracts", "batches", "encumbrances", "buildings", "occupancies", "enterprises", "demands",
)  # fmt: skip


UNITS_OWN: Final = frozenset(name for names in OWN_DATASETS.values() for name in names)


@dataclass(frozen=True)
class Part:
    """Units to be judged as of one date; `units` None means all."""

    as_of: date
    units: frozenset[str] | None = None


@dataclass
class Clock:
    """Seconds spent in each stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Times what runs inside."""
        begun = time.perf_counter()
        yield
        pa.default_memory_pool().release_unused()  # what a stage let go of is no later stage's
        self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - begun, 3)


def assess(
    ws: Workspace,
    *,
    as_of: date | None = None,
    place: str = "",
    engine: str = "local",
    law: Path | None = None,
    parts: Sequence[Part] = (),
    tick: Tick = silent,
) -> dict[str, Any]:
    """Assesses the current snapshot; gives `{assessment, as_of, parcels, findings, options, seconds}`.

    place: division code whose parcels are assessed (all by default); parts: units with dates of their own, instead of
    `as_of`; law: another law folder than the packaged one. Counties whose inputs and law are those of the latest
    assessment are taken over from it. Others may import meanwhile: the results are those of the snapshot that was the
    current one at the start, and `snapshot_now` names the newer one. Raises PanhuoError when nothing is to be assessed.
    """
    book = Rulebook.load(law)
    asked = list(parts) or [Part(as_of or date.today())]
    home = checked_division(place) or str(ws.config.get("place", ""))
    held = ws.held()
    assessment = fingerprint(held, book, asked, (place, home))
    folder = ws.root / "assessments" / assessment
    manifest = read_manifest(folder)
    if manifest is None:
        with ws.write_assessment(assessment) as staging, lean_memory():
            manifest = made(held, book, asked, place, home, engine, tick, staging)
            manifest = {"assessment": assessment, **manifest}
            write_text(staging / "manifest.json", json.dumps(manifest, ensure_ascii=False, indent=1) + "\n")
    else:  # the same inputs, law, day and code: the same bytes
        with ws.locked(WAIT_S):
            write_text(folder.parent / "latest", assessment + "\n")
    told = ("assessment", "as_of", "parcels", "findings", "options", "seconds", "not_assessed")
    newer = {} if ws.snapshot == held.snapshot else {"snapshot_now": ws.snapshot}
    return {key: manifest[key] for key in told} | newer


def made(
    ws: Workspace,
    book: Rulebook,
    asked: Sequence[Part],
    place: str,
    home: str,
    engine: str,
    tick: Tick,
    folder: Path,
) -> dict[str, Any]:
    """Writes the result tables into `folder`; gives what the manifest says of them."""
    clock = Clock()
    with clock.stage("inventory"):
        tick("inventory", 0, 1)
        tables = read(ws, place)
    latest = max(part.as_of for part in asked)
    with clock.stage("space"):
        tick("space", 0, 1)
        # This machine's threads the survey has itself.
        elsewhere = None if engine == "local" else open_engine(engine)
        surveyed = land(ws, tables, land_law(book, latest, place), elsewhere)
        tables["spatial"] = surveyed.facts.select(filled(surveyed.facts))
        conflicts, problems = surveyed.conflicts, surveyed.problems
        del surveyed
    tables = without_outlines(tables)
    results, earlier = Results(folder), Earlier(ws.assessment_dir())
    not_assessed: dict[str, str] = {}
    try:
        for part in asked:
            mine = only(tables, part.units)
            with clock.stage("diagnose and match"):
                judge_counties(mine, book, part.as_of, engine, tick, results, earlier)
                not_assessed |= unjudged(mine, law_on(book.root, part.as_of))
            with clock.stage("score"):
                tick("score", 0, 1)
                for name, rows in scored(mine, book, home, part.as_of, problems):
                    results.append(name, rows)
        with clock.stage("potential"):
            tick("potential", 0, 1)
            try:
                for rows in graded(results, book, latest, home):
                    results.append("potential", rows)
            except PanhuoError as refused:
                not_assessed["potential"] = refused.what
        with clock.stage("write"):
            tick("write", 0, 1)
            write_table(conflicts, folder / "conflicts.parquet")
            write_table(problem_table(problems), folder / "problems.parquet")
            results.finish({"findings": FINDINGS, "options": OPTIONS, "routes": ROUTES})
    finally:
        earlier.close()
        results.close()
    return manifest_of(ws, book, tables, results, folder) | {
        "as_of": latest.isoformat(),
        "place": place,
        "not_assessed": dict(sorted(not_assessed.items())),
        "seconds": clock.seconds,
    }


def manifest_of(
    ws: Workspace, book: Rulebook, tables: Tables, results: Results, folder: Path
) -> dict[str, Any]:
    """What the manifest says of the inputs and of the result tables in `folder`."""
    return {
        "snapshot": ws.snapshot,
        "inputs": ws.manifest().get("datasets", {}),
        "law_version": book.version,
        "code_version": panhuo.__version__,
        "parcels": tables["parcels"].num_rows if "parcels" in tables else 0,
        "findings": results.found(),
        "options": results.rows["options"],
        "counties": {"judged": results.judged, "taken_over": results.taken_over},
        "tables": sorted(path.stem for path in folder.glob("*.parquet")),
    }


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of an assessment that is there whole, or None."""
    path = folder / "manifest.json"
    if not path.is_file():
        return None
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    names = manifest.get("tables", ())
    return manifest if names and all((folder / f"{n}.parquet").is_file() for n in names) else None


def read(ws: Workspace, place: str = "") -> dict[str, pa.Table]:
    """What rules read of the datasets, corrections laid over, kept to `place` where one is given; parcels with FILE_ROW
    instead of their outlines, and without fields nobody filled in.

    Raises PanhuoError when the workspace has neither parcels nor batches, or none in the place.
    """
    tables = {}
    for name in DATASETS:
        if path := ws.dataset_path(name):
            read_by_rules = dataset_fields(name).keys() - {GEOMETRY}
            columns = [c for c in pq.read_schema(path).names if c in read_by_rules]
            table = ws.dataset(name, columns=columns, numbered=name == "parcels")
            if table is not None:
                tables[name] = table.select(filled(table)) if name in UNITS_OWN else table
    if place:
        for name in ("parcels", "batches"):
            if name in tables:
                tables[name] = tables[name].filter(
                    pc.starts_with(pc.fill_null(tables[name]["division"], ""), place)
                )
    if not any(name in tables and tables[name].num_rows for name in ("parcels", "batches")):
        raise PanhuoError(
            "没有可诊断的地块 nothing to assess",
            where=f"{ws.root}" + (f" · {place}" if place else ""),
            remedy=f"没有 {place} 开头的 none begins with {place}: --place"
            if place
            else "先运行 panhuo import 导入宗地或批次 import parcels or batches first",
        )
    return tables


def filled(table: pa.Table) -> list[str]:
    """The columns that hold a value; a field of a unit's own that holds none is as unknown as one that is not there."""
    needed = {"parcel_id", "batch_id", "division"}
    return [c for c in table.column_names if c in needed or table[c].null_count < table.num_rows]


def only(tables: Tables, units: frozenset[str] | None) -> dict[str, pa.Table]:
    """The rows of `tables` that belong to some units (parcel or batch ids); all rows when None."""
    if units is None:
        return dict(tables)
    wanted = pa.array(sorted(units), pa.string())
    kept = {}
    for name, table in tables.items():
        key = "batch_id" if name == "batches" else "parcel_id"
        kept[name] = (
            table.filter(pc.is_in(table[key], wanted))
            if key in table.column_names and name != "demands"
            else table
        )
    if "occupancies" in kept and "enterprises" in kept:
        users = pc.unique(kept["occupancies"]["enterprise_id"].combine_chunks())
        kept["enterprises"] = kept["enterprises"].filter(
            pc.is_in(kept["enterprises"]["enterprise_id"], users)
        )
    return kept


def judge_counties(
    tables: Tables, book: Rulebook, as_of: date, engine: str, tick: Tick, results: Results, earlier: Earlier
) -> None:
    """Diagnosis and matching of every county into `results`, in the order of their codes."""
    counties = Counties(tables)
    rests_on = counties.fingerprints(book.version, as_of.isoformat(), code_hash())
    fresh = [c for c, print_ in zip(counties.list, rests_on, strict=True) if print_ not in earlier]
    found = _judged(counties, fresh, book, as_of, engine)
    try:
        for done, print_ in enumerate(rests_on, 1):
            taken = print_ in earlier
            results.add(print_, earlier.read(print_) if taken else next(found), taken_over=taken)
            tick("diagnose and match", done, len(counties.list))
    finally:
        found.close()


def _judged(
    counties: Counties, wanted: Sequence[County], book: Rulebook, as_of: date, engine: str
) -> Generator[dict[str, pa.Table], None, None]:
    """The result tables of each of some counties, judged by the handful."""
    handful = list(pieces(wanted))
    partitions = (Partition(piece[0].key, counties.inputs(piece)) for piece in handful)
    found = open_engine(engine).map(judge_county(book.root, as_of), partitions)
    for piece, (_, tables) in zip(handful, found, strict=True):
        yield from split(tables, piece)


def judged(tables: Tables, book: Rulebook, as_of: date) -> Iterator[tuple[str, pa.Table]]:
    """Result tables of diagnosis and matching on this machine, a handful of counties at a time, nothing written."""
    counties = Counties(without_outlines(tables))
    partitions = (Partition(piece[0].key, counties.inputs(piece)) for piece in pieces(counties.list))
    for _, found in open_engine("local").map(judge_county(book.root, as_of), partitions):
        yield from found.items()


def without_outlines(tables: Tables) -> dict[str, pa.Table]:
    """What rules read of each dataset: the fields of its spec but the outlines, and not where a row came from."""
    return {
        name: table.select([c for c in table.column_names if c in dataset_fields(name) and c != GEOMETRY])
        for name, table in tables.items()
    }


@cache
def code_hash() -> str:
    """Digest of the program that results are made by."""
    root = Path(panhuo.__file__).parent
    return tree_hash((p for p in root.rglob("*.py") if "site" not in p.relative_to(root).parts), root)[:12]


def scored(
    tables: Tables, book: Rulebook, place: str, on: date, problems: list[Problem]
) -> Iterator[tuple[str, pa.Table]]:
    """Scores of the enterprises by the scheme of their city; firms of one city are ranked together."""
    for scheme, inputs in rankings(tables, book, place, on, problems):
        result = inputs.score(scheme)
        problems.extend(p for p in result.problems if p not in problems)
        yield "scores", result.scores
        yield "score_items", result.items


def graded(results: Results, book: Rulebook, on: date, place: str) -> Iterator[pa.Table]:
    """The potential grade of every parcel, and the order from easy to hard over all of them, part by part.

    Raises PanhuoError when no scheme is in force in the place on the day.
    """
    names = potential_facts(book, on, place)
    yield GRADES.empty_table()
    yield from potential_parts(lambda: results.parts("facts", names), book, on, place)


def fingerprint(ws: Workspace, book: Rulebook, parts: Iterable[Part], place: tuple[str, str]) -> str:
    """The id of an assessment: the latest date and eight hex digits over everything it rests on."""
    dates = sorted(f"{part.as_of} {' '.join(sorted(part.units or ()))}" for part in parts)
    rests_on = [ws.snapshot, book.version, panhuo.__version__, code_hash(), place, dates]
    digest = hashlib.sha256(json.dumps(rests_on).encode()).hexdigest()
    return f"{max(d.split(' ')[0] for d in dates)}-{digest[:8]}"
