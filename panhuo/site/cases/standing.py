"""Where a case stands, read from its tables: the file for the pure course, and what lists keep of it."""

from datetime import date
from functools import cache
from typing import Any

from django.utils import timezone

from panhuo.core.dates import WorkCalendar
from panhuo.dispose.course import Act, CaseFile, Course, course
from panhuo.rulebook.calendar import work_calendar
from panhuo.site.cases import facts, roles
from panhuo.site.cases.models import Case, standing
from panhuo.site.labels import rulebook


@cache
def calendar() -> WorkCalendar:
    """The official calendar of the packaged law."""
    return work_calendar(rulebook())


def settled(case: Case) -> dict[str, Any]:
    """The facts that the case before it, and people in this one, found out; later ones go first."""
    return facts.kept(case.carried | {given.fact: given.value for given in case.given.all()})


def file_of(case: Case) -> CaseFile:
    """The case as the pure course reads it."""
    procedure = case.procedure
    held = facts.held(case.parcel_id, facts.behind(facts.guarded(procedure)))
    acts = [Act(d.step, d.day, d.outcome) for d in standing(case.doings)]
    beside = {
        child.procedure_id: child.state in ("ended", "closed")
        for child in case.children.filter(link="beside").order_by("id")
    }
    return CaseFile(
        procedure, case.began, tuple(acts), str(held.get("division") or ""), held, settled(case), beside
    )


def course_of(case: Case, on: date | None = None) -> Course:
    """Where the case stands today, or on another day."""
    return course(file_of(case), on or timezone.localdate(), rulebook(), calendar())


def refresh(case: Case, now: Course) -> None:
    """Writes what lists keep of where the case stands. Only acts call it."""
    on_hand = [
        s for s in now.steps if s.state in ("open", "held") or (s.why and {r.kind for r in s.why} <= {"not_before"})
    ]  # fmt: skip
    first = now.next_due
    case.frontier = [s.step.id for s in on_hand]
    case.turns = "".join(f",{act}," for act in sorted({roles.needs(case.procedure, s.step) for s in on_hand}))
    case.due_step = first.step.id if first else ""
    case.due_on = first.due.due if first else None
    if now.end:
        case.state, case.end = "ended", now.end
    elif case.state == "ended":
        case.state, case.end = "running", ""
    case.save()
