"""Diagnose, score and match every parcel of a workspace as of a date, and keep the result tables.

An assessment's id is a fingerprint of its inputs: the same snapshot, law, date and code give the same id and the same
bytes, and running it again writes nothing.
"""

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

import panhuo
from panhuo.core.problems import PanhuoError, Problem, problem_table
from panhuo.core.progress import Tick, silent
from panhuo.engines import Partition, Tables, open_engine
from panhuo.flow import judge_county
from panhuo.rulebook import Rulebook
from panhuo.rulebook.scheme import pick_scheme
from panhuo.score.engine import score
from panhuo.score.potential import GRADES, potential
from panhuo.workspace.space import land, land_law
from panhuo.workspace.store import Workspace, write_table, write_text

DATASETS: Final = (
    "parcels", "contracts", "batches", "encumbrances", "buildings", "occupancies", "enterprises", "demands",
)  # fmt: skip
GEOMETRY: Final = ("geometry", "geometry_given")
WHOLE: Final = ("enterprises", "demands")
"""Datasets every county sees whole: a firm or a project is not tied to one county."""
SMALL: Final = 50_000
"""A workspace of no more parcels is judged in one piece."""


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
    `as_of`; law: another law folder than the packaged one. Raises PanhuoError when there is nothing to assess.
    """
    book = Rulebook.load(law)
    clock = Clock()
    with clock.stage("inventory"):
        tables = read(ws, place)
    asked = list(parts) or [Part(as_of or date.today())]
    latest = max(part.as_of for part in asked)
    assessment = fingerprint(ws, book, asked, place)
    with clock.stage("space"):
        tick("space", 0, 1)
        surveyed = land(ws, tables, land_law(book, latest, place))
        tables["spatial"], problems = surveyed.facts, surveyed.problems
    results: dict[str, list[pa.Table]] = {"conflicts": [surveyed.conflicts]}
    not_assessed: dict[str, str] = {}
    for part in asked:
        mine = only(tables, part.units)
        with clock.stage("diagnose and match"):
            for name, rows in judged(mine, book, part.as_of, engine, tick):
                results.setdefault(name, []).append(rows)
        with clock.stage("score"):
            for name, rows in scored(
                mine, book, place or str(ws.config.get("place", "")), part.as_of, problems
            ):
                results.setdefault(name, []).append(rows)
    with clock.stage("potential"):
        try:
            results["potential"] = [
                graded(results.get("facts", []), book, latest, place or str(ws.config.get("place", "")))
            ]
        except PanhuoError as refused:
            not_assessed["potential"] = refused.what
    notes = results.pop("not_assessed", [])
    for rule, why in {(row["rule"], row["why"]) for table in notes for row in table.to_pylist()}:
        not_assessed[rule] = why
    with clock.stage("write"):
        whole = {
            name: pa.concat_tables(map(plain, rows), promote_options="default")
            for name, rows in results.items()
        }
        whole["problems"] = problem_table(problems)
        counts = counted(whole)
        manifest = {
            "assessment": assessment,
            "as_of": latest.isoformat(),
            "place": place,
            "snapshot": ws.snapshot,
            "inputs": ws.manifest().get("datasets", {}),
            "law_version": book.version,
            "code_version": panhuo.__version__,
            "parcels": tables["parcels"].num_rows if "parcels" in tables else 0,
            **counts,
            "not_assessed": dict(sorted(not_assessed.items())),
            "seconds": clock.seconds,
        }
        keep(ws, assessment, whole, manifest)
    return {
        key: manifest[key] for key in ("assessment", "as_of", "parcels", "findings", "options", "seconds")
    } | {"not_assessed": manifest["not_assessed"]}


def read(ws: Workspace, place: str = "") -> dict[str, pa.Table]:
    """The datasets an assessment reads, corrections laid over, kept to `place` where one is given.

    Raises PanhuoError when the workspace has neither parcels nor batches, or none in the place.
    """
    tables = {name: table for name in DATASETS if (table := ws.dataset(name)) is not None}
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
            remedy="先运行 panhuo import 导入宗地或批次 import parcels or batches first",
        )
    return tables


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


def judged(
    tables: Tables, book: Rulebook, as_of: date, engine: str, tick: Tick
) -> Iterator[tuple[str, pa.Table]]:
    """Result tables of diagnosis and matching, county by county in the order of their codes."""
    counties = partitions(tables)
    stage = judge_county(book.root, as_of)
    for done, (_, found) in enumerate(open_engine(engine).map(stage, counties), 1):
        tick("diagnose and match", done, len(counties))
        yield from found.items()


def partitions(tables: Tables) -> list[Partition]:
    """The tables cut by county, so that each holds all rows of its parcels; one partition when they are few."""
    plain = {
        name: table.drop_columns([c for c in GEOMETRY if c in table.column_names])
        for name, table in tables.items()
    }
    if "parcels" not in plain or plain["parcels"].num_rows <= SMALL:
        return [Partition("", plain)]
    county = pc.utf8_slice_codeunits(pc.fill_null(plain["parcels"]["division"], ""), 0, 6)
    home = pa.table({"parcel_id": plain["parcels"]["parcel_id"], "county__": county})
    cut: dict[str, dict[str, pa.Table]] = {}
    for name, table in plain.items():
        if name in WHOLE:
            continue
        for code, rows in _by_county(name, table, home):
            cut.setdefault(code, {})[name] = rows
    shared = {name: plain[name] for name in WHOLE if name in plain}
    held = [name for name in plain if name not in WHOLE]
    return [
        Partition(code, {name: cut[code].get(name, plain[name].slice(0, 0)) for name in held} | shared)
        for code in sorted(cut)
    ]


def _by_county(name: str, table: pa.Table, home: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """(county, its rows) of a table of parcels, of rows tied to parcels, or of batches."""
    if name in ("parcels", "batches"):
        code = pc.utf8_slice_codeunits(pc.fill_null(table["division"], ""), 0, 6)
    else:
        at = pc.index_in(table["parcel_id"], home["parcel_id"].combine_chunks())
        code = pc.fill_null(home["county__"].take(at), "")
    order = pc.sort_indices(code)
    ordered, codes = table.take(order), code.take(order)
    runs = pc.run_end_encode(codes.combine_chunks() if isinstance(codes, pa.ChunkedArray) else codes)
    begin = 0
    for value, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
        yield value, ordered.slice(begin, end - begin)
        begin = end


def scored(
    tables: Tables, book: Rulebook, place: str, on: date, problems: list[Problem]
) -> Iterator[tuple[str, pa.Table]]:
    """Scores of the enterprises by the scheme of their city; firms of one city are ranked together."""
    firms = tables.get("enterprises")
    if firms is None or not firms.num_rows:
        return
    county = pc.fill_null(pc.utf8_slice_codeunits(firms["division"], 0, 6), place)
    schemes: dict[str, str] = {}
    for code in sorted(set(county.to_pylist())):
        try:
            schemes[code] = pick_scheme(book, code or place, on).id
        except PanhuoError as refused:
            problems.append(Problem("not_scored", field="enterprises", value=code, action=str(refused.what)))
    # Firms of one city under one scheme are ranked together.
    groups = sorted({(scheme_id, code[:4]) for code, scheme_id in schemes.items()})
    for scheme_id, city in groups:
        mine = [code for code, chosen in schemes.items() if (chosen, code[:4]) == (scheme_id, city)]
        rows = firms.filter(pc.is_in(county, pa.array(mine, pa.string())))
        scheme = pick_scheme(book, mine[0] or place, on)
        result = score(rows, tables.get("occupancies"), tables.get("parcels"), scheme, on=on)
        problems.extend(result.problems)
        yield "scores", result.scores
        yield "score_items", result.items


def graded(facts: Sequence[pa.Table], book: Rulebook, on: date, place: str) -> pa.Table:
    """The potential grade of every parcel, and the order from easy to hard over all of them.

    Raises PanhuoError when no scheme is in force in the place on the day.
    """
    held = [table for table in facts if "parcel_id" in table.column_names]
    if not held:
        return GRADES.empty_table()
    return potential(pa.concat_tables(held, promote_options="default"), book, on, place).grades


def fingerprint(ws: Workspace, book: Rulebook, parts: Iterable[Part], place: str) -> str:
    """The id of an assessment: the latest date and eight hex digits over everything it rests on."""
    dates = sorted(f"{part.as_of} {' '.join(sorted(part.units or ()))}" for part in parts)
    digest = hashlib.sha256(
        json.dumps([ws.snapshot, book.version, panhuo.__version__, place, dates]).encode()
    ).hexdigest()
    return f"{max(d.split(' ')[0] for d in dates)}-{digest[:8]}"


def plain(table: pa.Table) -> pa.Table:
    """`table` with words instead of dictionary codes."""
    return table.cast(
        pa.schema(
            [
                pa.field(f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type)
                for f in table.schema
            ]
        )
    )


def counted(tables: Mapping[str, pa.Table]) -> dict[str, Any]:
    """Findings by id and status, and options by status."""
    findings: dict[str, dict[str, int]] = {}
    if "findings" in tables:
        groups = tables["findings"].group_by(["finding_id", "status"]).aggregate([([], "count_all")])
        for row in sorted(groups.to_pylist(), key=lambda r: (r["finding_id"], r["status"])):
            findings.setdefault(row["finding_id"], {"yes": 0, "unknown": 0})[row["status"]] = row["count_all"]
    return {"findings": findings, "options": tables["options"].num_rows if "options" in tables else 0}


def keep(ws: Workspace, assessment: str, tables: Mapping[str, pa.Table], manifest: Mapping[str, Any]) -> None:
    """Writes the assessment. One of the same id is already the same bytes and only becomes the latest again."""
    folder = ws.root / "assessments" / assessment
    if (folder / "manifest.json").is_file():
        with ws.locked():
            write_text(ws.root / "assessments" / "latest", assessment + "\n")
        return
    with ws.write_assessment(assessment) as staging:
        for name, table in sorted(tables.items()):
            write_table(table, staging / f"{name}.parquet")
        write_text(staging / "manifest.json", json.dumps(manifest, ensure_ascii=False, indent=1) + "\n")
