"""Cases as programs read them: ids and ISO dates, words only where the law's own."""

from typing import Any

from panhuo.dispose.course import Standing
from panhuo.site.cases.models import Case
from panhuo.site.cases.standing import course_of


def line(case: Case) -> dict[str, Any]:
    """A case as one row."""
    return {
        "case": case.pk,
        "parcel_id": case.parcel_id,
        "procedure": case.procedure_id,
        "tool_id": case.tool_id,
        "state": case.state,
        "end": case.end,
        "began": case.began,
        "on_hand": case.frontier,
        "due_step": case.due_step,
        "due_on": case.due_on,
        "opened_on": case.at,
        "opened_by": case.by.get_username(),
    }


def whole(case: Case) -> dict[str, Any]:
    """A case with each step: state, why not, first and last day, and the acts, those undone marked."""
    done = case.doings.select_related("by").prefetch_related("files")
    acts = [
        {
            "step": d.step,
            "day": d.day,
            "outcome": d.outcome,
            "note": d.note,
            "confirmed": d.confirmed,
            "files": [f.pk for f in d.files.all()],
            "by": d.by.get_username(),
            "undone": d.undone_why if d.undone_at else None,
        }
        for d in done
    ]
    steps = [_step(standing) for standing in course_of(case).steps]
    return {**line(case), "law_version": case.law_version, "steps": steps, "acts": acts}


def _step(held: Standing) -> dict[str, Any]:
    return {
        "step": held.step.id,
        "label": held.step.label.model_dump(),
        "role": held.step.role,
        "state": held.state,
        "why": [{"kind": r.kind, "names": r.names, **r.words.model_dump()} for r in held.why],
        "not_before": held.due.not_before,
        "due": held.due.due,
        "official": held.due.official,
        "late": held.due.late,
    }
