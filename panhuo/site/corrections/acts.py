"""What can be done to corrections: propose with evidence; approve or refuse, by somebody else."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils import timezone

from panhuo.core.problems import PanhuoError
from panhuo.inventory.spec import dataset_specs
from panhuo.site.corrections.models import Correction
from panhuo.site.doors.events import announce
from panhuo.site.jobs.models import Job
from panhuo.site.trail import performing
from panhuo.site.words import pick


def propose(by: Any, parcel_id: str, field: str, was: Any, value: str, evidence: str) -> Correction:
    """Puts a correction of one field of a parcel before a second person. Raises PanhuoError without evidence."""
    spec = dataset_specs()["parcels"]
    if field not in spec.fields or field in spec.key or spec.fields[field].type == "geometry":
        raise PanhuoError(pick("这个字段不能更正", "this field cannot be corrected") + f": {field}")
    if not evidence.strip():
        raise PanhuoError(pick("须写明证据", "evidence is needed"))
    with performing(by, "propose", "correction.propose", parcel_id, field=field, value=value):
        return Correction.objects.create(
            key=parcel_id,
            field=field,
            was="" if was is None else str(was),
            value=value,
            evidence=evidence,
            by=by,
        )


def decide(by: Any, pk: int, approve: bool, reason: str = "") -> Correction:
    """Approves (and queues its storing) or refuses. The proposer never decides; a decision is made once."""
    with performing(by, "decide", "correction.approve" if approve else "correction.refuse") as detail:
        correction: Correction = Correction.objects.select_for_update().get(pk=pk)
        if correction.by_id == by.pk:
            raise PermissionDenied("the proposer cannot decide")
        if correction.state != "proposed":
            raise PanhuoError(pick("已经决定过了", "already decided"))
        detail |= {"key": correction.key, "field": correction.field, "value": correction.value}
        correction.state = "approved" if approve else "refused"
        correction.decided_by, correction.decided_at, correction.reason = by, timezone.now(), reason
        correction.save()
        if approve:
            Job.objects.create(kind="correct", asked={"correction": correction.pk}, by=by)
        announce(
            "correction.decided",
            {"key": correction.key, "field": correction.field, "state": correction.state},
        )
    return correction
