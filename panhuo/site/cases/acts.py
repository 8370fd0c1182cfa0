"""What can be done to cases: open, do a step, undo the last, pause and close, settle a fact."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from panhuo.core.problems import PanhuoError
from panhuo.dispose.admission import REHEARSE, admit, confirmations
from panhuo.dispose.course import Act
from panhuo.rulebook.procedure import load_procedures
from panhuo.site import gate
from panhuo.site.cases import facts, offered, roles
from panhuo.site.cases.models import ACTIVE, Case, Doing, Given, standing
from panhuo.site.cases.standing import calendar, course_of, file_of, refresh
from panhuo.site.doors.events import announce
from panhuo.site.labels import rulebook
from panhuo.site.parcel.acts import attach, checked
from panhuo.site.trail import performing
from panhuo.site.words import pick


def open_case(
    by: Any,
    parcel_id: str,
    procedure_id: str,
    began: date,
    tool_id: str = "",
    parent: Case | None = None,
    link: str = "",
) -> Case:
    """Opens a case of a parcel. Raises PanhuoError for a procedure not open to it, or one that runs already."""
    with performing(
        by, "work", "case.open", parcel_id, procedure=procedure_id, began=began.isoformat()
    ) as detail:
        parent = _locked(parent) if parent else None
        offered.demand(parcel_id, procedure_id, parent, link)
        if began > timezone.localdate():
            raise PanhuoError(
                pick("起算日不能晚于今天", "a case does not begin on a day to come"), where="began"
            )
        _demand_once(parcel_id, procedure_id, "procedure")
        procedure = load_procedures(rulebook().root)[procedure_id]
        case = Case(
            parcel_id=parcel_id, procedure_id=procedure_id, tool_id=tool_id, began=began, by=by,
            parent=parent, link=link,
            law=procedure.model_dump(mode="json", exclude_defaults=True), law_version=rulebook().version,
            carried={n: facts.written(v) for n, v in file_of(parent).known.items()} if parent else {},
        )  # fmt: skip
        try:
            with transaction.atomic():
                case.save()
        except IntegrityError:  # another opened it since it was looked for
            _demand_once(parcel_id, procedure_id, "procedure")
            raise
        refresh(case, course_of(case))
        _tell_parent(case)
        detail["case"] = case.pk
        announce("case.opened", _told(case))
    return case


def _demand_once(parcel_id: str, procedure_id: str, where: str) -> None:
    """Raises PanhuoError where a case of the parcel carries it through that procedure now."""
    if held := Case.objects.filter(parcel_id=parcel_id, procedure_id=procedure_id, state__in=ACTIVE).first():
        raise PanhuoError(
            pick(f"这宗地已有在办的同一程序（案件 {held.pk}）", f"it runs already (case {held.pk})"),
            where=where,
        )


def do(
    by: Any,
    case: Case,
    steps: Sequence[tuple[str, str]],
    day: date,
    note: str = "",
    ticks: Collection[str] = (),
    uploads: Sequence[Any] = (),
) -> list[Doing]:
    """Records a step as done, or a chain of steps at once: all or none.

    steps: (step, outcome); ticks: the keys of what the person confirmed. Raises PanhuoError for what may not be done,
    with reason, article and remedy; PermissionDenied where it is not the person's to do. Nothing is kept then.
    """  # fmt: skip
    for upload in uploads:
        checked(upload)
    with transaction.atomic():
        case = _running(case)
        found = {step.id: step for step in case.procedure.steps}
        for name, _ in steps:
            if name in found and not roles.may_do(by, case.procedure, found[name]):
                raise PermissionDenied(f"{name} is for another to do")
        acts = [Act(name, day, outcome) for name, outcome in steps]
        admit(file_of(case), acts, ticks, timezone.localdate(), rulebook(), calendar())
        words = confirmations(case.procedure, dict(steps))
        made: list[Doing] = []
        for act in acts:
            made.append(_done(by, case, act, note, words, made[0] if made else None))
        for upload in uploads:
            made[0].files.add(attach(by, "parcels", case.parcel_id, upload, act=_act(by, case, acts[0].step)))
        refresh(case, course_of(case))
        _tell_parent(case)
        announce(
            "case.ended" if case.state == "ended" else "case.step", {**_told(case), "step": acts[-1].step}
        )
    return made


def _done(by: Any, case: Case, act: Act, note: str, words: Mapping[str, Any], head: Doing | None) -> Doing:
    mine = {act.step} if head else {act.step, REHEARSE}
    own = [label.model_dump() for key, label in words.items() if key.split(".")[0] in mine]
    detail = {"case": case.pk, "procedure": case.procedure_id, "step": act.step, "day": act.day.isoformat()}
    with performing(by, _act(by, case, act.step), "case.do", case.parcel_id, **detail, outcome=act.outcome):
        return Doing.objects.create(
            case=case, step=act.step, day=act.day, outcome=act.outcome, note=note.strip(), confirmed=own,
            head=head, by=by,
        )  # fmt: skip


def _act(by: Any, case: Case, step_id: str) -> gate.Act:
    """The act under which the person does the step: its own, or an answer."""
    needed = roles.needs(case.procedure, case.procedure.step(step_id))
    return needed if gate.may(by, needed) else "answer"


def undo(by: Any, case: Case, reason: str) -> list[Doing]:
    """Takes the last act back, a chain whole; it stays on record with the reason.

    An approval is taken back by somebody who decides. Raises PanhuoError without a reason, or where nothing was done
    or a case follows on it.
    """
    if not reason.strip():
        raise PanhuoError(pick("撤销须写明理由", "say why it is undone"), where="reason")
    with transaction.atomic():
        case = _locked(case)
        last = standing(case.doings).last()
        if last is None or case.state == "closed":
            raise PanhuoError(pick("没有可以撤销的步骤", "there is nothing to undo"), where="reason")
        if follower := case.children.filter(link="follows").exclude(state="closed").first():
            raise PanhuoError(
                pick(
                    f"已有接续案件 {follower.pk}，先终止它",
                    f"case {follower.pk} follows on it: close that first",
                ),
                where="reason",
            )
        if case.state == "ended":
            _demand_once(case.parcel_id, case.procedure_id, "reason")
        head = last.head or last
        group = [d for d in standing(case.doings) if head.pk in (d.pk, d.head_id)]
        for doing in reversed(group):
            step = case.procedure.step(doing.step)
            with performing(by, roles.needs(case.procedure, step), "case.undo", case.parcel_id, case=case.pk,
                            procedure=case.procedure_id, step=doing.step, reason=reason.strip()):  # fmt: skip
                doing.undone_by, doing.undone_at, doing.undone_why = by, timezone.now(), reason.strip()
                doing.save()
        refresh(case, course_of(case))
        _tell_parent(case)
    return group


def set_state(by: Any, case: Case, state: str, reason: str) -> Case:
    """Pauses, resumes or closes a case; pausing and closing say why. A case that ended or was closed stays so."""
    if state not in ("running", "paused", "closed"):
        raise PanhuoError(pick("没有这种状态", "no such state") + f": {state}", where="state")
    if state != "running" and not reason.strip():
        raise PanhuoError(pick("须写明理由", "say why"), where="reason")
    with performing(by, "work", f"case.{state}", case.parcel_id, case=case.pk, reason=reason.strip()):
        case = _locked(case)
        if case.state not in ACTIVE or case.state == state:
            raise PanhuoError(
                pick("案件不在可改的状态", "the case is not in a state to change"), where="state"
            )
        case.state, case.reason = state, reason.strip()
        case.save()
        _tell_parent(case)
    return case


def give(by: Any, case: Case, fact: str, text: str, note: str) -> Given:
    """Settles a fact that a guard of the case needs. Raises PanhuoError for another fact, a text that is no value, or
    without words of evidence."""
    if fact not in facts.behind(facts.guarded(case.procedure)):
        raise PanhuoError(
            pick("本案不需要这个事实", "the case does not need this fact") + f": {fact}", where="fact"
        )
    value = facts.read(fact, text.strip())
    if not note.strip():
        raise PanhuoError(pick("须写明依据", "say what the evidence is"), where="note")
    with performing(by, "work", "case.fact", case.parcel_id, case=case.pk, values={fact: text.strip()}):
        case = _locked(case)
        if case.state not in ACTIVE:
            raise PanhuoError(pick("案件已办结", "the case has ended"), where="fact")
        made = Given.objects.create(
            case=case, fact=fact, value=facts.written(value), note=note.strip(), by=by
        )
        refresh(case, course_of(case))
    return made


def _locked(case: Case) -> Case:
    """The case as it is now, held until the transaction ends."""
    held: Case = Case.objects.select_for_update().get(pk=case.pk)
    return held


def _running(case: Case) -> Case:
    """As `_locked`. Raises PanhuoError for a case that takes no step."""
    held = _locked(case)
    if held.state in ("paused", "closed"):
        raise PanhuoError(
            pick(f"案件已{held.get_state_display()}：{held.reason}", f"the case is {held.state}: {held.reason}"),
            where="step", remedy=pick("恢复后再办", "resume it first") if held.state == "paused" else "",
        )  # fmt: skip
    return held


def _tell_parent(case: Case) -> None:
    """What the case runs beside may go on, or must wait again."""
    if case.parent and case.link == "beside":
        parent = _locked(case.parent)
        refresh(parent, course_of(parent))


def _told(case: Case) -> dict[str, Any]:
    return {
        "case": case.pk,
        "parcel": case.parcel_id,
        "procedure": case.procedure_id,
        "state": case.state,
        "end": case.end,
    }
