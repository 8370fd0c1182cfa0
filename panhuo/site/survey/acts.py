"""What can be done to visits: take what the field sends, once; approve or refuse it, by somebody else."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from panhuo.core.problems import PanhuoError, Problem
from panhuo.inventory.survey import Held, Settled, Visit, settle
from panhuo.inventory.survey_form import PARCELS, SurveyForm, survey_form
from panhuo.site import labels
from panhuo.site.corrections import acts as corrections
from panhuo.site.corrections.models import Correction
from panhuo.site.gate import found, scope_of
from panhuo.site.jobs.models import Job
from panhuo.site.parcel.acts import attach, checked
from panhuo.site.parcel.story import outlines
from panhuo.site.records import record
from panhuo.site.shelf import one, rows
from panhuo.site.survey.models import Visit as Arrived
from panhuo.site.trail import performing
from panhuo.site.words import pick
from panhuo.workspace.survey_arrivals import evidence_of

VISIT_ID: Final = re.compile(r"[0-9A-Za-z-]{8,64}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What is told of a visit sent: the visit as kept, whether it was there before, and what to look at."""

    visit: Arrived
    again: bool
    told: tuple[str, ...]


def arrive(
    by: Any, visit: Visit, uploads: Sequence[Any], seen: Mapping[str, str], source: str = ""
) -> Answer:
    """Keeps a visit and proposes what it found otherwise, on its photographs as evidence.

    seen: question → what the record said when it was taken along; source: the file of a survey tool. The same visit
    again changes nothing. Raises PanhuoError where it cannot be taken, 404 where the parcel is not of the person's
    land.
    """
    if not VISIT_ID.fullmatch(visit.visit_id):
        raise PanhuoError(
            pick(
                "核查编号须为8至64位字母、数字或连字符", "a visit's id is 8 to 64 letters, digits or hyphens"
            )
            + f": {visit.visit_id[:64]}"
        )
    with transaction.atomic():
        if before := Arrived.objects.filter(visit_id=visit.visit_id).first():
            if before.by_id != by.pk:
                raise PanhuoError(
                    pick("这个编号已有别人的记录", "somebody else's visit has this id"), where="visit_id"
                )
            return Answer(before, True, _edited(before, visit))
        form = survey_form(visit.form)
        held = on_record(by, visit, form)
        if known([visit.visit_id]):
            raise PanhuoError(
                pick("这条核查已在工作区中", "the workspace holds this visit already"), where="visit_id"
            )
        settled = settle(form, visit, held, timezone.localdate())
        if settled.refused:
            raise PanhuoError(
                pick("；", "; ").join(
                    problem_words(form, p) for p in settled.problems if p.severity == "error"
                )
            )
        pictures = _pictures(uploads, form)
        kept = _keep(by, visit, settled, held, source)
        told = [*(problem_words(form, p) for p in settled.problems), *_changed(form, settled, seen)]
        told += _pending(settled)
        evidence = evidence_of(visit, settled, (), source)
        made: list[Correction] = []
        for cell in settled.cells:
            made.append(corrections.propose_cell(by, cell, evidence, made[0] if made else None))
        kept.head = made[0] if made else None
        for upload in pictures:
            file = attach(by, PARCELS, visit.subject, upload, visit.visited_on, kept.head)
            kept.photos.append([file.name, file.digest, file.kind])
        kept.save()
    return Answer(kept, False, tuple(told))


def _edited(before: Arrived, visit: Visit) -> tuple[str, ...]:
    """What is told of a visit sent again: whatever was changed since it arrived is not taken."""
    if (before.answers, before.remark) == (dict(visit.answers), visit.remark):
        return ()
    text = pick(
        "这条记录先前已送达，之后的改动没有收：请另填一条，或请审核人退回",
        "this record had arrived before; what was changed since is not taken: fill in another, or have it refused",
    )
    return (text,)


def known(ids: Sequence[str]) -> set[str]:
    """Of ids of visits those that arrived here before, from whomever, or that the workspace holds."""
    stored = rows("SELECT visit_id FROM visits WHERE visit_id IN (SELECT unnest(?::VARCHAR[]))", (list(ids),))
    arrived = Arrived.objects.filter(visit_id__in=ids).values_list("visit_id", flat=True)
    return {row["visit_id"] for row in stored} | set(arrived)


def on_record(by: Any, visit: Visit, form: SurveyForm) -> Held:
    """What is on record of the parcel visited; 404 where it is not of the person's land."""
    if not visit.parcel_id:
        division = visit.answers.get("division", "")
        if not scope_of(by).covers_division(division):
            raise PanhuoError(
                pick("行政区不在您的范围之内", "the division is not of your land"), where="division"
            )
        if (
            one("SELECT 1 FROM parcels WHERE parcel_id = ?", (visit.subject,))
            or Arrived.objects.filter(parcel_id=visit.subject).exists()
        ):
            raise PanhuoError(
                pick("新空间的编号已被占用", "the id of the new space is taken"), where="visit_id"
            )
        return Held(None)
    parcel = record(by, PARCELS, visit.parcel_id)
    shape = outlines([visit.parcel_id]).get(visit.parcel_id)
    others = {
        name: rows(f"SELECT * FROM {name} WHERE parcel_id = ?", (visit.parcel_id,))
        for name in form.groups
        if name != PARCELS
    }
    return Held(parcel | {"geometry": shape}, others)


def problem_words(form: SurveyForm, problem: Problem) -> str:
    """A problem of a visit as its surveyor reads it: what, about which question, what stood there."""
    named = next((f"{labels.field(d, q.field)} " for d, q in form.questions() if q.name == problem.field), "")
    value = pick(f"：{problem.value}", f": {problem.value}") if problem.value else ""
    return f"{named}{labels.problem(problem.type)}{value}"


def _pictures(uploads: Sequence[Any], form: SurveyForm) -> Sequence[Any]:
    """The photographs, where they may be kept. Raises PanhuoError for any other kind of file, or too many."""
    if len(uploads) > form.photos_most:
        raise PanhuoError(
            pick(f"照片最多 {form.photos_most} 张", f"at most {form.photos_most} photographs"), where="photos"
        )
    for upload in uploads:
        name, kind = checked(upload)
        if not kind.startswith("image/"):
            raise PanhuoError(pick("不是照片", "not a photograph") + f": {name}", where="photos")
    return uploads


def _keep(by: Any, visit: Visit, settled: Settled, held: Held, source: str) -> Arrived:
    """The visit as a row, written into the trail."""
    made = {name: dict(row) for name, row in settled.made.items()}
    place = held.parcel or made[PARCELS]
    with performing(by, "survey", "survey.arrive", visit.subject, name=visit.form):
        return Arrived.objects.create(
            visit_id=visit.visit_id, form=visit.form, parcel_id=visit.subject, division=place["division"] or "",
            is_new=held.parcel is None, name=str(place.get("name") or "")[:200], visited_on=visit.visited_on,
            surveyor=visit.surveyor[:100], lon=visit.lon, lat=visit.lat, accuracy_m=visit.accuracy_m,
            distance_m=settled.distance_m, answers=dict(visit.answers), facts=list(settled.facts), made=made,
            told=[(p.type, p.field, p.value) for p in settled.problems], remark=visit.remark, source=source[:200],
            by=by,
        )  # fmt: skip


def _changed(form: SurveyForm, settled: Settled, seen: Mapping[str, str]) -> list[str]:
    """What the record has come to say since it was taken along."""
    names = {(d, q.field): q.name for d, q in form.questions()}
    told = []
    for cell in settled.cells:
        name = names.get((cell.dataset, cell.field), "")
        if name in seen and seen[name] != cell.was:
            was, now = (labels.written(cell.dataset, cell.field, t) for t in (seen[name], cell.was))
            what = labels.field(cell.dataset, cell.field)
            told.append(
                pick(
                    f"{what}：下载后台账已由“{was}”改为“{now}”",
                    f"{what}: the record has changed from “{was}” to “{now}” since it was taken along",
                )
            )
    return told


def _pending(settled: Settled) -> list[str]:
    """Other proposals for the same cells that nobody has decided yet."""
    told = []
    for cell in settled.cells:
        others = Correction.objects.filter(
            dataset=cell.dataset, key=cell.key, field=cell.field, state="proposed"
        ).exclude(value=cell.value)
        for other in others.select_related("by")[:3]:
            what = labels.field(cell.dataset, cell.field)
            value = labels.written(cell.dataset, cell.field, other.value)
            told.append(
                pick(
                    f"{what}：{other.by.shown_name()} 另有待审更正“{value}”",
                    f"{what}: {other.by.shown_name()} has proposed “{value}”, not yet decided",
                )
            )
    return told


def decide(by: Any, pk: int, approve: bool, reason: str = "") -> Arrived:
    """Approves a visit with all it proposes (and queues its storing), or refuses it. The surveyor never decides."""
    if not approve and not reason.strip():
        raise PanhuoError(pick("退回须写明理由", "a refusal says why"))
    with transaction.atomic():
        visit: Arrived = found(Arrived.objects.select_for_update().filter(pk=pk).first())
        what = "survey.approve" if approve else "survey.refuse"
        with performing(by, "decide", what, visit.parcel_id, name=visit.form, reason=reason.strip()):
            if visit.is_of(by):
                raise PermissionDenied("the surveyor cannot decide")
            if visit.state != "proposed":
                raise PanhuoError(pick("已经决定过了", "already decided"))
            waiting = list(visit.corrections().filter(state="proposed").select_for_update())
            for correction in waiting:
                corrections.decide_one(by, correction, approve, reason.strip())
            visit.state = "approved" if approve else "refused"
            visit.decided_by, visit.decided_at, visit.reason = by, timezone.now(), reason.strip()
            visit.save()
        if approve:
            asked = {"corrections": [c.pk for c in waiting], "visits": [visit.pk]}
            Job.objects.create(kind="correct", asked=asked, by=by)
    return visit
