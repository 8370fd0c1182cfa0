"""What can be done on the land market: draft a lot, publish it by a second person, withdraw it, supply it; settle the
former holder's priority; take, answer and delete enquiries."""

import csv
import io
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from panhuo.core.problems import PanhuoError
from panhuo.site import gate
from panhuo.site.doors.events import announce
from panhuo.site.jobs import acts as jobs
from panhuo.site.jobs.models import Job
from panhuo.site.market import rules
from panhuo.site.market.models import Enquiry, Lot, Photo, on_offer
from panhuo.site.market.pictures import retaken
from panhuo.site.market.standard import STANDARD, indicators, start_by_law
from panhuo.site.parcel.acts import attach
from panhuo.site.shelf import Row, shelf
from panhuo.site.trail import performing, system_note
from panhuo.site.words import pick
from panhuo.workspace.files import keep_file

OPEN_TO_EDIT: Final = ("draft", "withdrawn")
UNSEEN: Final = (*OPEN_TO_EDIT, "submitted")
"""States in which a priority is settled, and its holder supplied."""
HOURLY: Final = 5
"""As many enquiries as one address may send in an hour."""
WINDOW: Final = timedelta(hours=1)
PHOTOS: Final = 12


def _held(pk: int, *states: str) -> Lot:
    """The lot, locked until the act is done. Raises PanhuoError where it is in none of the states."""
    lot: Lot = Lot.objects.select_for_update(of=("self",)).get(pk=pk)
    if states and lot.state not in states:
        raise PanhuoError(
            pick(
                f"“{lot.get_state_display()}”的供应项不能这样办",
                f"not open to a lot that is “{lot.get_state_display()}”",
            ),
            remedy=pick("请刷新页面看最新状态", "reload the page to see how it stands"),
        )
    return lot


def _lock_parcel(pk: int) -> None:
    """Locks all lots of a lot's parcel, in one order, so that two persons do not promise the same land at once."""
    parcel = Lot.objects.values_list("parcel_id", flat=True).get(pk=pk)
    list(Lot.objects.select_for_update(of=("self",)).filter(parcel_id=parcel).order_by("pk"))


def _unchanged(lot: Lot, seen: int) -> None:
    """Raises PanhuoError where somebody changed the lot since the version that the person has seen."""
    if lot.version != seen:
        raise PanhuoError(
            pick("打开之后，这一项已被他人改动", "somebody changed this lot after you opened it"),
            remedy=pick("请刷新页面看最新内容", "reload the page to see how it stands"),
        )


def draft(by: Any, lot: Lot, parcel: Row, part: Any = None, seen: int = 0) -> Lot:
    """Keeps a lot of the parcel as a draft: new, or changed while nobody reviews it.

    part: GeoJSON text of the part that is offered, for less than the whole parcel; seen: the version of a kept lot that
    the change was made to. Raises PanhuoError, `where` naming the field at fault, for what the ledger or the law does
    not allow, and where somebody else changed the lot meanwhile; nothing is kept then.
    """
    with performing(by, "offer", "lot.draft", lot.parcel_id, name=lot.title):
        if lot.pk:
            before = _held(lot.pk, *OPEN_TO_EDIT)
            _unchanged(before, seen)
            if lot.priority_holder != before.priority_holder:
                lot.priority, lot.priority_on = "none", None
        rules.check(lot, parcel)
        rules.lay(lot, parcel, part)
        if lot.priority == "none" and lot.priority_holder:
            lot.priority = "open"
        if not lot.pk:
            lot.by = by
        lot.state, lot.edited_by = "draft", by
        lot.save()
    return lot


def submit(by: Any, pk: int) -> None:
    """Puts a draft before the second person."""
    with performing(by, "offer", "lot.submit", str(pk)):
        lot = _held(pk, *OPEN_TO_EDIT)
        lot.state, lot.edited_by = "submitted", by
        lot.save()


def publish(by: Any, pk: int, reason: str = "", seen: int | None = None) -> None:
    """Opens a reviewed lot to the public; whoever wrote any version of it never does.

    seen: the version that was reviewed; None takes the one that stands. Raises PanhuoError for another version, while a
    priority stands in the way, for land that is on offer already, for a day that is past, and without a reason where
    the assessment says the way is closed to this parcel.
    """
    with performing(by, "publish", "lot.publish", str(pk), reason=reason.strip()):
        _lock_parcel(pk)
        lot = _held(pk, "submitted")
        if lot.written_by(by):
            raise PermissionDenied("whoever wrote a lot does not publish it")
        if seen is not None:
            _unchanged(lot, seen)
        rules.check_open(lot)
        rules.check_free(lot)
        if rules.way_closed(lot) and not reason.strip():
            raise PanhuoError(
                pick(
                    "评估认为这种方式对该宗地不可行，发布须写明理由",
                    "the assessment closes this way to the parcel: say why it is offered all the same",
                ),
                where="reason",
            )
        today = timezone.localdate()
        lot.indicators = indicators(lot.division, today) if lot.way == STANDARD else []
        lot.state, lot.published_by, lot.published_at, lot.reason = (
            "published",
            by,
            timezone.now(),
            reason.strip(),
        )
        lot.save()
        announce("lot.published", {"lot": lot.pk})


def send_back(by: Any, pk: int, reason: str) -> None:
    """Returns a lot to its writer. Raises PanhuoError without a reason."""
    with performing(by, "publish", "lot.return", str(pk), reason=reason.strip()):
        lot = _held(pk, "submitted")
        lot.state, lot.reason = "draft", _said(reason)
        lot.save()


def withdraw(by: Any, pk: int, reason: str) -> None:
    """Takes a lot out of the public's sight. Raises PanhuoError without a reason."""
    act: gate.Act = "publish" if gate.may(by, "publish") else "offer"
    with performing(by, act, "lot.withdraw", str(pk), reason=reason.strip()):
        lot = _held(pk, "published", "submitted")
        seen = lot.state == "published"
        lot.state, lot.reason = "withdrawn", _said(reason)
        lot.save()
        if seen:
            announce("lot.withdrawn", {"lot": lot.pk})


def _said(reason: str) -> str:
    if not reason.strip():
        raise PanhuoError(pick("须写明理由", "say why"), where="reason")
    return reason.strip()


def conclude(
    by: Any, pk: int, supplied_on: date | None, start_by: date | None, taker: str, contract_no: str
) -> None:
    """Records that a lot was supplied: once, to one taker. From that day its start is tracked.

    start_by: as the contract sets it; None counts from the day of supply by law. A lot whose priority was exercised is
    supplied to its holder without ever having been open to others.
    """
    with performing(by, "offer", "lot.conclude", str(pk)) as detail:
        _lock_parcel(pk)
        used = _held(pk).priority == "exercised"
        lot = _held(pk, *(UNSEEN if used else ("published",)))
        if used:
            rules.check_free(lot)
        rules.check_supply(lot, supplied_on, start_by, taker)
        assert supplied_on is not None
        lot.supplied_on, lot.taker, lot.contract_no = supplied_on, taker.strip(), contract_no.strip()
        lot.start_by = start_by or start_by_law(supplied_on, lot.division)
        lot.state = "concluded"
        lot.save()
        detail |= {"supplied_on": str(supplied_on), "start_by": str(lot.start_by)}
        announce("lot.concluded", {"lot": lot.pk})


def record_start(by: Any, pk: int, started_on: date | None) -> None:
    """Records the day works began on supplied land."""
    with performing(by, "offer", "lot.start", str(pk), started_on=str(started_on or "")):
        lot = _held(pk, "concluded")
        rules.check_start(lot, started_on)
        lot.started_on = started_on
        lot.save()


def settle_priority(by: Any, pk: int, outcome: str, on: date | None, note: str, upload: Any) -> None:
    """Records that the former holder used the priority, waived it or let it lapse, on evidence in a file."""
    with performing(by, "offer", "lot.priority", str(pk), priority=outcome):
        lot = _held(pk, *UNSEEN)
        rules.check_settled(lot, outcome, on, note)
        if upload is None:
            raise PanhuoError(pick("须附证据文件", "a document is needed as evidence"), where="file")
        lot.priority_file = attach(by, "parcels", lot.parcel_id, upload)
        lot.priority, lot.priority_on, lot.priority_note = outcome, on, note.strip()
        lot.save()


def add_photo(by: Any, pk: int, upload: Any) -> Photo:
    """Keeps a photograph of a lot, made anew without what it told of place and camera."""
    with performing(by, "offer", "lot.photo", str(pk)):
        lot = _held(pk, *OPEN_TO_EDIT)
        if lot.photos.count() >= PHOTOS:
            raise PanhuoError(pick(f"至多 {PHOTOS} 张照片", f"{PHOTOS} photographs at most"), where="file")
        digest, _ = keep_file(shelf().workspace.root, [retaken(upload)])
        lot.edited_by = by
        lot.save()
        return Photo.objects.create(lot=lot, digest=digest, by=by)


def remove_photo(by: Any, pk: int, photo: int) -> None:
    with performing(by, "offer", "lot.photo", str(pk)):
        _held(pk, *OPEN_TO_EDIT).photos.filter(pk=photo).delete()


def sender_of(address: str) -> str:
    """What is kept of the address an enquiry came from: enough to count by, not to find it again."""
    return str(salted_hmac("panhuo.market", address, algorithm="sha256").hexdigest())


def enquire(lot_pk: int, given: Mapping[str, Any], address: str) -> Enquiry:
    """Takes a stranger's enquiry about a lot on offer. Raises PanhuoError past the limit of an address.

    Nothing of the sender stands in the trail, which is never deleted.
    """
    sender = sender_of(address)
    with transaction.atomic():
        # locked, so that what one address sends at once is counted one by one
        lot = on_offer().select_for_update().filter(pk=lot_pk).first()
        if lot is None:
            raise PanhuoError(pick("这一项已不在供应", "this lot is no longer on offer"))
        if Enquiry.objects.filter(sender=sender, consented_at__gt=timezone.now() - WINDOW).count() >= HOURLY:
            raise PanhuoError(
                pick("一小时内收到的咨询太多", "too many enquiries within the hour"),
                remedy=pick("请稍后再试，或直接致电", "try again later, or call the office"),
            )
        made = Enquiry.objects.create(lot=lot, sender=sender, **given)
        system_note("enquiry.receive", str(lot.pk), id=made.pk)
        announce("enquiry.received", {"lot": lot.pk, "enquiry": made.pk})
    return made


def _asked(enquiry: Enquiry) -> Enquiry:
    """The enquiry, locked until the act is done. Raises PanhuoError where it was deleted meanwhile."""
    held = Enquiry.objects.select_for_update().filter(pk=enquiry.pk).first()
    if held is None:
        raise PanhuoError(pick("这条咨询已删除", "this enquiry was deleted"))
    return held


def answer(by: Any, enquiry: Enquiry, seen: str, state: str, text: str) -> None:
    """Marks an enquiry, with what was answered.

    seen: its state as the person read it. Raises PanhuoError where somebody else marked it since.
    """
    with performing(by, "offer", "enquiry.answer", str(enquiry.lot_id), id=enquiry.pk):
        held = _asked(enquiry)
        if held.state != seen:
            raise PanhuoError(
                pick("这条咨询已有人办理", "somebody else has dealt with this enquiry"),
                remedy=pick("请看最新的答复再办", "read what was answered first"),
            )
        if state not in ("answered", "closed") or (state == "answered" and not text.strip()):
            raise PanhuoError(pick("请写明答复了什么", "say what was answered"), where="answer")
        held.state, held.answer = state, text.strip()
        held.answered_by, held.answered_at = by, timezone.now()
        held.save()


def remove_enquiry(by: Any, enquiry: Enquiry) -> None:
    """Deletes an enquiry and with it all that is known of its sender."""
    with performing(by, "offer", "enquiry.remove", str(enquiry.lot_id), id=enquiry.pk):
        _asked(enquiry).delete()


def demand_row(enquiry: Enquiry) -> Row:
    """An enquiry as a row of `demands`, under the name of its lot: who sent it stays here, where it can be deleted."""
    return {
        "demand_id": f"enquiry-{enquiry.pk}",
        "name": enquiry.lot.title,
        "industry": enquiry.industry,
        "area_m2_min": enquiry.area_m2,
        "floor_area_m2": enquiry.floor_area_m2,
        "investment_wan": enquiry.investment_wan,
        "needs": enquiry.needs,
        "parcel_id": enquiry.lot.parcel_id,
        "division": enquiry.lot.division,
    }


def to_demand(by: Any, enquiry: Enquiry) -> Job:
    """Brings an enquiry into the workspace's demands, by the import everybody uses; `panhuo place` matches it there."""
    with performing(by, "upload", "enquiry.demand", str(enquiry.lot_id), id=enquiry.pk):
        text, row = io.StringIO(), demand_row(enquiry)
        writer = csv.DictWriter(text, row)
        writer.writeheader()
        writer.writerow(row)
        file = ContentFile(text.getvalue().encode(), f"enquiry-{enquiry.pk}.csv")
        return jobs.ask_import(by, jobs.upload(by, file), {"dataset": "demands"})
