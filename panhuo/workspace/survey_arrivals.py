"""What comes back from the field: submissions settled against the record, then stored as corrections with evidence."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import xlsxwriter
import yaml

from panhuo.core.problems import Problem, problem_table
from panhuo.inventory.intake import ImportRefusedError, Options
from panhuo.inventory.spec import problem
from panhuo.inventory.survey import Held, Settled, Visit, settle
from panhuo.inventory.survey_file import Submissions, picture_of, submissions
from panhuo.inventory.survey_form import PARCELS, survey_form
from panhuo.workspace.files import keep_file
from panhuo.workspace.imports import import_files
from panhuo.workspace.reshape import held
from panhuo.workspace.store import Workspace
from panhuo.workspace.surveys import rows_of

CORRECTION: Final = ("dataset", "key", "field", "value", "evidence", "by", "on")
CHUNK: Final = 1 << 20


def take_visits(
    root: Path,
    file: Path,
    *,
    approved_by: str,
    photos: Path | None = None,
    form: str = "",
    accept_partial: bool = False,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Takes what a survey tool exported: corrections with their evidence, new rows, and the visits themselves.

    approved_by: who read it and lets it stand, nobody of the surveyors. Gives {submissions, taken, refused, known,
    corrections, made: {dataset: rows}, photos, problems, snapshot}. Raises ImportRefusedError, the workspace unchanged,
    where a submission cannot be taken and `accept_partial` is not given.
    """
    ws = Workspace.open(root)
    with submissions(file, photos=photos, form=form) as read:
        known = ws.dataset("visits", columns=["visit_id"])
        before = set() if known is None else set(known["visit_id"].to_pylist())
        fresh = list({v.visit_id: v for v in read.visits if v.visit_id not in before}.values())
        settled = [
            (v, settle(survey_form(v.form), v, record, date.today())) for v, record in with_records(ws, fresh)
        ]
        problems = [*read.problems, *(p for v, s in settled for p in _told(v, s, read, approved_by))]
        bad = {(p.file, p.row) for p in problems if p.severity == "error"}
        good = [(v, s) for v, s in settled if (v.file, v.row) not in bad]
        counts = {
            "submissions": len(read.visits) + len({(p.file, p.row) for p in read.problems}),
            "taken": len(good), "refused": len(bad), "known": len(read.visits) - len(fresh),
            "corrections": sum(len(s.cells) for _, s in good),
            "made": dict(Counter(d for _, s in good for d in s.made)),
            "photos": sum(len(v.photos) for v, _ in good),
        }  # fmt: skip
        if bad and not accept_partial:
            raise refused(file, problems)
        if good and not dry_run:
            kept = {v.visit_id: _keep(root, v, read) for v, _ in good}
            store(root, file.name, good, kept, approved_by)
    return counts | {
        "problems": problem_table(problems).to_pylist(),
        "snapshot": Workspace.open(root).snapshot,
    }


def refused(file: Path, problems: Sequence[Problem]) -> ImportRefusedError:
    """The word for a file with rows that cannot be taken; it carries every problem."""
    errors = [p for p in problems if p.severity == "error"]
    shown = "; ".join(f"row {p.row} {p.field} {p.value} ({p.type})" for p in errors[:5])
    fault = ImportRefusedError(
        f"{len({(p.file, p.row) for p in errors})} 条记录不能接收 submissions that cannot be taken",
        where=str(file), why=shown + (f" … {len(errors)}" if len(errors) > 5 else ""),
        remedy="改正后重试，或加 --accept-partial 只收其余 mend them, or take the others with --accept-partial",
    )  # fmt: skip
    fault.problems = problem_table(problems)
    return fault


def _told(visit: Visit, settled: Settled, read: Submissions, approved_by: str) -> list[Problem]:
    """The problems of a visit, with those of its photographs and of who approves it."""
    told = list(settled.problems)
    told += [
        problem(
            "visit_photo_missing",
            file=visit.file,
            row=visit.row,
            field="photos",
            value=name,
            action="refused",
        )
        for name in visit.photos
        if picture_of(name, visit, read.pictures) is None
    ]
    if visit.surveyor.strip() == approved_by.strip():
        told.append(
            problem(
                "visit_own_approval", file=visit.file, row=visit.row, field="surveyor", value=visit.surveyor,
                action="refused",
            )
        )  # fmt: skip
    return told


def with_records(ws: Workspace, visits: Sequence[Visit]) -> list[tuple[Visit, Held]]:
    """Each visit with what is on record of its parcel."""
    ids = sorted({v.parcel_id for v in visits if v.parcel_id})
    parcels = held(ws, PARCELS)
    mine = parcels.filter(pc.is_in(parcels["parcel_id"], pa.array(ids, pa.string()))).to_pylist()
    by_id = {row["parcel_id"]: row for row in mine}
    others = {
        name: rows_of(ws, name, ids)
        for name in {d for v in visits for d in survey_form(v.form).groups} - {PARCELS}
    }
    return [
        (v, Held(by_id.get(v.parcel_id), {n: found.get(v.parcel_id, []) for n, found in others.items()}))
        for v in visits
    ]


def _keep(root: Path, visit: Visit, read: Submissions) -> list[tuple[str, str]]:
    """Keeps the photographs of a visit under files/: (name, digest) of each."""
    kept = []
    for name in visit.photos:
        path = picture_of(name, visit, read.pictures)
        assert path is not None, "told before anything is written"
        with path.open("rb") as stream:
            kept.append((name, keep_file(root, iter(lambda s=stream: s.read(CHUNK), b""))[0]))  # type: ignore[misc]
    return kept


def evidence_of(visit: Visit, settled: Settled, kept: Iterable[tuple[str, str]], source: str) -> str:
    """The evidence of a visit's corrections: what was filled, where one stood, the photographs by digest."""
    said = (survey_form(visit.form).label.zh, str(visit.visited_on), visit.surveyor, source, visit.visit_id)
    parts = [" ".join(word for word in said if word)]
    if visit.lon is not None and visit.lat is not None:
        at = f"{visit.lat:.6f}, {visit.lon:.6f}"
        accuracy = "" if visit.accuracy_m is None else f" ±{visit.accuracy_m:.0f} m"
        away = "" if settled.distance_m is None else f"，距图形 from the outline {settled.distance_m:.0f} m"
        parts.append(f"定位 at {at}{accuracy}{away}")
    if visit.remark:
        parts.append(visit.remark)
    return "；".join([*parts, *(f"{name} files/{digest}" for name, digest in kept)])


def store(
    root: Path,
    source: str,
    taken: Sequence[tuple[Visit, Settled]],
    kept: Mapping[str, Sequence[tuple[str, str]]],
    approved_by: str,
) -> dict[str, Any]:
    """Writes corrections, new rows and visits as one import, whole or not at all; gives the import's report.

    Of two visits that found one cell on one day the later in the file holds, on the evidence of both.
    """
    tables: dict[str, list[Mapping[str, Any]]] = {}
    said: dict[tuple[str, ...], Mapping[str, Any]] = {}
    for visit, settled in taken:
        for dataset, row in settled.made.items():
            tables.setdefault(dataset, []).append(row)
        evidence = evidence_of(visit, settled, kept[visit.visit_id], source)
        for cell in settled.cells:
            on = visit.visited_on.isoformat()
            key = (cell.dataset, cell.key, cell.field, on)
            told = [evidence, said[key]["evidence"]] if key in said else [evidence]
            values = (*key[:3], cell.value, "；".join(told), f"{visit.surveyor}/{approved_by}", on)
            said[key] = dict(zip(CORRECTION, values, strict=True))
        digests = [digest for _, digest in kept[visit.visit_id]]
        tables.setdefault("visits", []).append(visit_row(visit, settled, digests, approved_by))
    if said:
        tables["corrections"] = list(said.values())
    return import_tables(root, f"{Path(source).stem}-survey", tables)


def visit_row(visit: Visit, settled: Settled, digests: Sequence[str], approved_by: str) -> dict[str, Any]:
    """A visit as the dataset holds it."""
    return {
        "visit_id": visit.visit_id, "form": visit.form, "parcel_id": visit.subject,
        "visited_on": visit.visited_on.isoformat(), "surveyor": visit.surveyor, "approved_by": approved_by,
        "lon": visit.lon, "lat": visit.lat, "accuracy_m": visit.accuracy_m, "distance_m": settled.distance_m,
        "answered": ", ".join(settled.facts), "photos": len(visit.photos), "files": " ".join(digests),
        "remark": visit.remark,
    }  # fmt: skip


def import_tables(root: Path, name: str, tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """Imports rows of several datasets as one file, a sheet each, whose headers are the fields themselves."""
    with TemporaryDirectory() as folder:
        path, chosen = Path(folder) / f"{name}.xlsx", Path(folder) / "fields.yaml"
        mapping: dict[str, Any] = {}
        with xlsxwriter.Workbook(str(path), {"strings_to_numbers": False}) as workbook:
            for dataset, rows in tables.items():
                columns = list(dict.fromkeys(c for row in rows for c in row))
                sheet = workbook.add_worksheet(dataset)
                sheet.write_row(0, 0, columns)
                for at, row in enumerate(rows, 1):
                    for column, value in row.items():
                        if isinstance(value, str):
                            sheet.write_string(at, columns.index(column), value)
                        elif value is not None:
                            sheet.write_number(at, columns.index(column), value)
                mapping[dataset] = {"layer": dataset, "fields": {c: c for c in columns}}
        chosen.write_text(yaml.safe_dump({"datasets": mapping}), encoding="utf-8")
        return import_files(root, [path], Options(map_file=chosen))
