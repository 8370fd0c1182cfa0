"""What can be done to corrections: propose with evidence; approve or refuse, by somebody else."""

from collections.abc import Sequence
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from panhuo.core.problems import PanhuoError
from panhuo.inventory.corrections import text_of
from panhuo.inventory.survey import Cell
from panhuo.site.corrections import values
from panhuo.site.corrections.models import Correction
from panhuo.site.doors.events import announce
from panhuo.site.gate import scope_of
from panhuo.site.jobs.models import Job
from panhuo.site.parcel.acts import attach, checked
from panhuo.site.records import key_of, page
from panhuo.site.shelf import Row
from panhuo.site.trail import performing
from panhuo.site.words import pick

TOGETHER: Final = 500
"""As many rows as one piece of evidence may correct: a second person still reads them."""


def propose(
    by: Any, dataset: str, rows: Sequence[Row], field: str, text: str, evidence: str, uploads: Sequence[Any]
) -> list[Correction]:
    """Puts one value of a field, for one row or several on the same evidence, before a second person.

    Raises PanhuoError for a value that does not fit, without words of evidence or a file, or for a file not taken;
    `where` is the field of the form at fault (value, evidence, file); nothing is kept then.
    """
    value = values.read(dataset, field, text)
    if field == "division" and not scope_of(by).covers_division(value):
        raise PanhuoError(
            pick("不能移到您的范围之外", "it cannot be moved outside your own land"), where="value"
        )
    if not evidence.strip():
        raise PanhuoError(pick("须写明证据", "say what the evidence is"), where="evidence")
    if not uploads:
        raise PanhuoError(
            pick("须附证据文件或照片", "a document or photograph is needed as evidence"), where="file"
        )
    if not 0 < len(rows) <= TOGETHER:
        raise PanhuoError(
            pick(f"一次更正 1 至 {TOGETHER} 条", f"1 to {TOGETHER} rows are corrected at a time")
        )
    rows = [row for row in rows if text_of(row.get(field)) != value]
    if not rows:
        raise PanhuoError(pick("现值已是如此，无须更正", "the record already says so"), where="value")
    for upload in uploads:
        checked(upload)
    with transaction.atomic():
        made: list[Correction] = []
        for row in rows:
            cell = Cell(dataset, key_of(dataset, row), field, text_of(row.get(field)), value)
            made.append(propose_cell(by, cell, evidence.strip(), made[0] if made else None))
            subject = page(dataset, row)
            for upload in uploads:
                attach(by, *subject, upload, correction=made[-1])
    return made


def propose_cell(by: Any, cell: Cell, evidence: str, head: Correction | None) -> Correction:
    """Puts one cell before a second person. head: the first on the same evidence, none for the first itself."""
    said = {"dataset": cell.dataset, "field": cell.field, "value": cell.value}
    with performing(by, "propose", "correction.propose", cell.key, **said):
        return Correction.objects.create(
            key=cell.key, was=cell.was, **said, evidence=evidence, head=head, by=by
        )


def decide(by: Any, pks: Sequence[int], approve: bool, reason: str = "") -> list[Correction]:
    """Approves corrections (and queues their storing) or refuses them, all or none.

    The proposer never decides; a decision is made once; a refusal says why.
    """
    if not approve and not reason.strip():
        raise PanhuoError(pick("退回须写明理由", "a refusal says why"))
    with transaction.atomic():
        found = list(Correction.objects.select_for_update().filter(pk__in=pks).order_by("pk"))
        for correction in found:
            decide_one(by, correction, approve, reason.strip())
        if approve:
            Job.objects.create(kind="correct", asked={"corrections": [c.pk for c in found]}, by=by)
    return found


def decide_one(by: Any, correction: Correction, approve: bool, reason: str) -> None:
    """The second person's word on one correction; what was approved is stored by whoever calls."""
    cell = {"dataset": correction.dataset, "field": correction.field, "value": correction.value}
    what = "correction.approve" if approve else "correction.refuse"
    with performing(by, "decide", what, correction.key, **cell, reason=reason):
        visit = correction.of_visit()
        if correction.by_id == by.pk or (visit and visit.is_of(by)):
            raise PermissionDenied("the proposer cannot decide")
        if correction.state != "proposed":
            raise PanhuoError(pick("已经决定过了", "already decided"))
        correction.state = "approved" if approve else "refused"
        correction.decided_by, correction.decided_at, correction.reason = by, timezone.now(), reason
        correction.save()
        announce(
            "correction.decided",
            {"key": correction.key, "field": correction.field, "state": correction.state},
        )
