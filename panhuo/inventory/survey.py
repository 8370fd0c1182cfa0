"""A visit to a parcel: what it says against the record. Pure; files are read by survey_file, stored by the caller."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import numpy as np
import shapely

from panhuo.core.problems import Problem
from panhuo.inventory.corrections import text_of, value_text
from panhuo.inventory.geometry import to_plane, zone_of
from panhuo.inventory.spec import dataset_specs, problem
from panhuo.inventory.survey_form import PARCELS, Question, SurveyForm

Row = Mapping[str, Any]
Answers = list[tuple[Question, str]]
MADE_IN: Final = "buildings"
"""Rows of this dataset are added by a visit where the parcel has none yet."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One filled form.

    parcel_id: "" for a space not yet on record; answers: question → text as corrections write it, only what was
    answered; rows: dataset → key of the row meant (contract_no, building_id); photos: their file names; file, row:
    where it stands, for messages.
    """

    visit_id: str
    form: str
    parcel_id: str
    visited_on: date
    surveyor: str
    answers: Mapping[str, str]
    rows: Mapping[str, str] = field(default_factory=dict)
    lon: float | None = None
    lat: float | None = None
    accuracy_m: float | None = None
    photos: tuple[str, ...] = ()
    remark: str = ""
    file: str = ""
    row: int | None = None

    @property
    def subject(self) -> str:
        """The parcel visited, or the id that a space not yet on record is given."""
        return self.parcel_id or f"space-{re.sub('[^0-9A-Za-z]', '', self.visit_id)[:12]}"


@dataclass(frozen=True, slots=True)
class Held:
    """What is on record of the parcel visited: its row, None where there is none, and its rows of other datasets."""

    parcel: Row | None
    rows: Mapping[str, Sequence[Row]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of one row that the visit found otherwise; texts as corrections write them."""

    dataset: str
    key: str
    field: str
    was: str
    value: str


@dataclass(frozen=True, slots=True)
class Settled:
    """What comes of a visit.

    cells: corrections to propose; made: dataset → new rows to import; facts: facts of the law it found out, with those
    found to be as recorded; distance_m: of the position from the outline; problems: what stands against it.
    """

    cells: tuple[Cell, ...]
    made: Mapping[str, Row]
    facts: tuple[str, ...]
    distance_m: float | None
    problems: tuple[Problem, ...]

    @property
    def refused(self) -> bool:
        """Whether the visit cannot be taken."""
        return any(p.severity == "error" for p in self.problems)


def settle(form: SurveyForm, visit: Visit, held: Held, today: date) -> Settled:
    """What a visit says against the record. today: no day after it can have been seen."""
    problems: list[Problem] = []

    def note(kind: str, name: str = "", value: str = "", action: str = "kept") -> None:
        problems.append(problem(kind, file=visit.file, row=visit.row, field=name, value=value, action=action))

    if held.parcel is None and (visit.parcel_id or not form.may_add):
        note("visit_parcel_unknown", "parcel_id", visit.parcel_id or "—", "refused")
        return Settled((), {}, (), None, tuple(problems))
    distance = _distance(visit, held.parcel)
    _doubts(form, visit, held, distance, today, note)
    cells: list[Cell] = []
    made: dict[str, Row] = {}
    facts: list[str] = []
    for dataset in form.groups:
        given = _given(form, dataset, visit, held.parcel is None, today, note)
        if not given:
            continue
        rows = [held.parcel] if dataset == PARCELS else list(held.rows.get(dataset, ()))
        row = _row_meant(dataset, visit, [r for r in rows if r is not None])
        if isinstance(row, str):
            if row == "visit_row_missing" and dataset in (PARCELS, MADE_IN):
                made[dataset] = _new_row(dataset, visit, given)
            else:
                note(row, dataset, ", ".join(q.name for q, _ in given), "not taken")
                continue
        else:
            cells += _cells(dataset, row, given, form.groups[dataset].stamp, visit)
        facts += [name for q, _ in given for name in q.settles]
        if stamp := form.groups[dataset].stamp:
            facts.append(stamp)
    return Settled(tuple(cells), made, tuple(dict.fromkeys(facts)), distance, tuple(problems))


def _doubts(
    form: SurveyForm, visit: Visit, held: Held, distance: float | None, today: date, note: Any
) -> None:
    """Notes what makes one doubt that somebody stood there: position, photographs, day."""
    if visit.lon is None or visit.lat is None:
        note("visit_no_position")
        if held.parcel is None:
            note("required_missing", "lon, lat", "", "refused")
    elif distance is not None and form.is_far(distance, visit.accuracy_m):
        note("visit_far", "position", f"{distance:,.0f} m")
    if len(visit.photos) < form.photos_least:
        note("visit_no_photo", "photos", str(len(visit.photos)))
    if visit.visited_on > today:
        note("visit_value", "visited_on", visit.visited_on.isoformat(), "refused")


def asked(form: SurveyForm, question: Question, answers: Mapping[str, str], new: bool) -> bool:
    """Whether a question is asked: of new spaces only, or under another answer."""
    if question.only_new and not new:
        return False
    return all(answers.get(name, "") in values for name, values in question.when.items())


def _given(form: SurveyForm, dataset: str, visit: Visit, new: bool, today: date, note: Any) -> Answers:
    """The answers to the questions of a dataset, as corrections write them; what is no value is told."""
    found: Answers = []
    for question in form.groups[dataset].questions:
        text = visit.answers.get(question.name, "")
        if not text.strip():
            if question.required and question.only_new and new:
                note("required_missing", question.name, "", "refused")
            continue
        if not asked(form, question, visit.answers, new):
            continue
        spec = form.spec(dataset, question)
        try:
            value = value_text(spec, text)
            if spec.type == "date" and spec.span == "past" and value > today.isoformat():
                raise ValueError(value)
        except ValueError:
            note("visit_value", question.name, text, "refused")
            continue
        found.append((question, value))
    return found


def _row_meant(dataset: str, visit: Visit, rows: Sequence[Row]) -> Row | str:
    """The row a group of answers speaks of, or the type of problem why there is none."""
    if dataset == PARCELS:
        return rows[0] if rows else "visit_row_missing"
    key = dataset_specs()[dataset].key[0]
    if named := visit.rows.get(dataset):
        return next((row for row in rows if row[key] == named), "visit_row_unknown")
    if not rows:
        return "visit_row_missing"
    return rows[0] if len(rows) == 1 else "visit_row_unnamed"


def _cells(dataset: str, row: Row, given: Answers, stamp: str, visit: Visit) -> list[Cell]:
    """The cells of a row that the answers find otherwise, and the day it was seen."""
    key = text_of(row[dataset_specs()[dataset].key[0]])
    said = {question.field: value for question, value in given}
    if stamp and text_of(row.get(stamp)) < visit.visited_on.isoformat():
        said[stamp] = visit.visited_on.isoformat()
    return [
        Cell(dataset, key, name, was, value)
        for name, value in said.items()
        if (was := text_of(row.get(name))) != value
    ]


def _new_row(dataset: str, visit: Visit, given: Answers) -> Row:
    """A row that is not on record yet: a space where somebody stood, or a building of the parcel."""
    said = {question.field: value for question, value in given}
    if dataset == PARCELS:
        return {"parcel_id": visit.subject, **said, "lon": visit.lon, "lat": visit.lat}
    key = dataset_specs()[dataset].key[0]
    return {
        key: f"{visit.subject}-{re.sub('[^0-9A-Za-z]', '', visit.visit_id)[:8]}",
        "parcel_id": visit.subject,
        **said,
    }


def _distance(visit: Visit, parcel: Row | None) -> float | None:
    """Metres from the position to the outline, or to the parcel's point; 0 inside; None where either is unknown."""
    if parcel is None or visit.lon is None or visit.lat is None:
        return None
    if parcel.get("geometry") is not None:
        shape = shapely.from_wkb(bytes(parcel["geometry"]))
    elif parcel.get("lon") is not None and parcel.get("lat") is not None:
        shape = shapely.Point(parcel["lon"], parcel["lat"])
    else:
        return None
    both = to_plane(np.array([shape, shapely.Point(visit.lon, visit.lat)]), zone_of(visit.lon))
    return float(shapely.distance(both[0], both[1]))
