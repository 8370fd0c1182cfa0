"""Submissions as survey tools export them: CSV (also zipped with its media) and workbooks, in any of their habits.

Headers stand alone, behind their group (`contracts-work_state`, `contracts/work_state`) or as the question's words in
either language; a position is one cell of `lat lon altitude accuracy` or a cell each; choices are codes or words.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from panhuo.core.problems import PanhuoError, Problem
from panhuo.inventory.codes import to_code
from panhuo.inventory.corrections import text_of
from panhuo.inventory.mapping import normal
from panhuo.inventory.readers import RawTable, read
from panhuo.inventory.readers.archive import unpacked
from panhuo.inventory.spec import FieldSpec, dataset_specs, problem
from panhuo.inventory.survey import Visit
from panhuo.inventory.survey_form import (
    PARCELS,
    question_label,
    survey_form,
    survey_forms,
    visit_label,
)
from panhuo.inventory.values import Converted, as_text, to_bool, to_date, to_float, to_int

PICTURES: Final = (".jpg", ".jpeg", ".png", ".webp")
FORM_COLUMN: Final = "panhuo_form"
IDS: Final = ("instanceid", "meta-instanceid", "_uuid", "key", "uuid", "visit_id")
"""Where tools write the id that a submission keeps for ever, most particular first."""
PART: Final = re.compile(r"_?position[-_/ ](?P<part>latitude|longitude|accuracy|precision|altitude)$")
PHOTO: Final = re.compile(r"photo_\d+$")
KEPT: Final = ("parcel_id", "visited_on", "surveyor", "remark", "position", FORM_COLUMN)
PARTS: Final = {"latitude": "lat", "longitude": "lon", "accuracy": "accuracy_m", "precision": "accuracy_m"}


@dataclass(frozen=True, slots=True)
class Submissions:
    """What a file holds: visits in its order, where each photograph lies, and problems of single rows."""

    visits: tuple[Visit, ...]
    pictures: Mapping[str, Path]
    problems: tuple[Problem, ...]


@cache
def words_of(name: str) -> Mapping[str, str]:
    """Normal header → column of a form: questions, rows meant, and what every visit says."""
    form = survey_form(name)
    found = {normal(c): c for c in KEPT}
    for column in ("parcel_id", "visited_on", "surveyor", "remark"):
        found |= {normal(w): column for w in visit_label(column).model_dump().values()}
    for dataset, question in form.questions():
        field = form.spec(dataset, question)
        asked = (question_label(field), field.label)
        found |= {normal(w): question.name for words in asked for w in words.model_dump().values()}
        found[normal(question.name)] = question.name
    for dataset in form.groups:
        if dataset != PARCELS:
            found[normal(dataset_specs()[dataset].key[0])] = dataset_specs()[dataset].key[0]
    return found


def column_of(header: str, name: str) -> str:
    """The column of a form that a header means, or ""."""
    lower = header.strip().lower()
    if lower in IDS or lower.rsplit("/", 1)[-1] in ("instanceid",):
        return "visit_id"
    if part := PART.search(lower):
        return PARTS.get(part["part"], "")
    last = re.split(r"[/:]", header)[-1].strip()
    for word in (header, last, last.rsplit("-", 1)[-1]):
        if found := words_of(name).get(normal(word)):
            return found
        if PHOTO.match(word.strip().lower()):
            return word.strip().lower()
    return ""


def known_cells(cells: Sequence[str]) -> int:
    """How many cells of a row are columns of the form that fits it best."""
    return max(sum(bool(column_of(c, name)) for c in cells if c) for name in survey_forms())


@contextmanager
def submissions(path: Path, *, photos: Path | None = None, form: str = "") -> Iterator[Submissions]:
    """The visits of a file, with the folder its photographs were unpacked to while it is open.

    photos: a zip or folder of the photographs where the file does not hold them; form: the form's name where the file
    does not say. Raises PanhuoError for a file that holds no submissions, or of no known form.
    """
    if form:
        survey_form(form)
    folders: list[Path] = []
    with _opened(path) as inside, _opened(photos) as beside:
        folders = [f for f in (inside, beside) if f is not None and f.is_dir()]
        files = [path] if inside is None or not inside.is_dir() else sorted(
            p for p in inside.rglob("*") if p.suffix.lower() in (".csv", ".xlsx", ".xls")
        )  # fmt: skip
        pictures = {
            p.relative_to(folder).as_posix(): p
            for folder in folders
            for p in sorted(folder.rglob("*"))
            if p.suffix.lower() in PICTURES
        }
        visits: list[Visit] = []
        problems: list[Problem] = []
        seen: list[str] = []
        for file, raw in ((f, t) for f in files for t in read(f, score=known_cells) if t.rows):
            name = _form_of(raw, form)
            if name is None:
                seen += raw.headers
                continue
            some, told = visits_of(raw, name, path.name if file == path else f"{path.name}/{file.name}")
            visits += some
            problems += told
        if not visits and not problems:
            raise PanhuoError(
                "文件里没有调查记录 no submissions in the file",
                where=str(path),
                why=f"表头 headers: {', '.join(seen)[:300] or '—'}",
                remedy="用 panhuo survey form 的表填写后导出；不是本程序的表用 --form 指明 export what the form of "
                "panhuo survey form was filled with, or name it by --form",
            )
        yield Submissions(tuple(visits), pictures, tuple(problems))


@contextmanager
def _opened(path: Path | None) -> Iterator[Path | None]:
    """A zip unpacked, a folder as it is, None for any other file."""
    if path is None:
        yield None
    elif not path.exists():
        raise PanhuoError("文件不存在 no such file", where=str(path), remedy="检查路径 check the path")
    elif path.suffix.lower() == ".zip":
        with unpacked(path, path.name) as folder:
            yield folder
    else:
        yield path if path.is_dir() else None


def _form_of(raw: RawTable, named: str) -> str | None:
    """The form a table was filled by: named, said in its own column, or None where it is none."""
    for name in survey_forms():
        for at, header in enumerate(raw.headers):
            if column_of(header, name) == FORM_COLUMN:
                said: set[str] = {t for t in as_text(raw.columns[at]).to_pylist() if t}
                if len(said) == 1 and said <= survey_forms().keys():
                    return said.pop()
    if named and any(column_of(h, named) == "parcel_id" for h in raw.headers):
        return named
    return None


def visits_of(raw: RawTable, name: str, file: str) -> tuple[list[Visit], list[Problem]]:
    """The visits of a table, and the problems of the rows that are none."""
    form = survey_form(name)
    where = file if not raw.layer else f"{file} [{raw.layer}]"
    columns: dict[str, pa.Array] = {}
    order = {header: i for i, header in enumerate(IDS)}
    for at in sorted(range(len(raw.headers)), key=lambda i: order.get(raw.headers[i].lower(), 0)):
        column = column_of(raw.headers[at], name)
        if column and column not in columns:
            columns[column] = as_text(raw.columns[at])
    numbers = raw.row_numbers.tolist()
    problems: list[Problem] = []
    wrong: set[int] = set()

    def tell(converted: Converted, column: str) -> list[str]:
        values, faults = converted
        for fault in faults:
            if fault.action.startswith("mended"):
                continue
            for at, value in zip(fault.rows.tolist(), fault.values.to_pylist(), strict=True):
                wrong.add(at)
                problems.append(
                    problem(
                        "visit_value",
                        file=where,
                        row=numbers[at],
                        field=column,
                        value=str(value),
                        action="refused",
                    )
                )
        return [text_of(v) for v in values.to_pylist()]

    answers = {
        q.name: tell(_typed(columns[q.name], form.spec(dataset, q)), q.name)
        for dataset, q in form.questions()
        if q.name in columns
    }
    kept = dataset_specs()["visits"].fields
    day = to_date(_plain_days(columns.get("visited_on"), raw.rows), kept["visited_on"], date.today())
    days = tell(day, "visited_on")
    places = {
        name: tell(_typed(texts, kept[name]), name) for name, texts in _positions(columns, raw.rows).items()
    }
    visits: list[Visit] = []
    for at in range(raw.rows):
        said = {c: (columns[c][at].as_py() or "") if c in columns else "" for c in (*KEPT, "visit_id")}
        if not any(said.values()) and not any(a[at] for a in answers.values()):
            continue
        missing = [
            c
            for c in ("visit_id", "visited_on", "surveyor")
            if not (days[at] if c == "visited_on" else said[c])
        ]
        for column in missing:
            problems.append(
                problem("required_missing", file=where, row=numbers[at], field=column, action="refused")
            )
        if missing or at in wrong:
            continue
        keys = {d: dataset_specs()[d].key[0] for d in form.groups if d != PARCELS}
        lon, lat, accuracy_m = (float(texts[at]) if texts[at] else None for texts in places.values())
        visits.append(
            Visit(
                said["visit_id"].removeprefix("uuid:"),
                name,
                said["parcel_id"],
                date.fromisoformat(days[at]),
                said["surveyor"],
                {q: v[at] for q, v in answers.items() if v[at]},
                {d: text for d, k in keys.items() if k in columns and (text := columns[k][at].as_py())},
                lon,
                lat,
                accuracy_m,
                tuple(p for c in sorted(columns) if PHOTO.match(c) and (p := columns[c][at].as_py())),
                said["remark"],
                where,
                numbers[at],
            )
        )
    return visits, problems


def _plain_days(texts: pa.Array | None, rows: int) -> pa.Array:
    """Days of moments: 2026-11-20T09:12:33.000+08:00 is that day where it was written."""
    if texts is None:
        return pa.nulls(rows, pa.string())
    return pc.replace_substring_regex(texts, r"^(\d{4}-\d{2}-\d{2})[T ].*$", r"\1")


def _typed(texts: pa.Array, field: FieldSpec) -> Converted:
    """A column of answers in the type of its field."""
    if field.codes:
        return to_code(texts, field.codes)
    match field.type:
        case "float":
            return to_float(texts, field, "")
        case "int":
            return to_int(texts, field)
        case "date":
            return to_date(texts, field, date.today())
        case "bool":
            return to_bool(texts)
    return texts, []


def _positions(columns: Mapping[str, pa.Array], rows: int) -> dict[str, pa.Array]:
    """lon, lat and accuracy_m [m] of each row as texts: of their own columns, or else of the one cell, which holds
    `lat lon altitude accuracy`."""
    blank = pa.nulls(rows, pa.string())
    cells = [(text or "").split() for text in columns.get("position", blank).to_pylist()]
    apart = columns.get("lon", blank).to_pylist()

    def part(name: str, nth: int) -> pa.Array:
        own = columns.get(name, blank).to_pylist()
        texts = (
            mine if lon else cell[nth] if nth < len(cell) else None
            for lon, mine, cell in zip(apart, own, cells, strict=True)
        )
        return pa.array(texts, pa.string())

    return {"lon": part("lon", 1), "lat": part("lat", 0), "accuracy_m": part("accuracy_m", 3)}


def picture_of(name: str, visit: Visit, pictures: Mapping[str, Path]) -> Path | None:
    """Where a photograph lies: by its name, the one in a folder of the visit's id first; None where it is not there."""
    same = [path for known, path in pictures.items() if known.rsplit("/", 1)[-1] == name.rsplit("/", 1)[-1]]
    own = [path for path in same if visit.visit_id in path.as_posix()]
    return next(iter(own or same), None)
