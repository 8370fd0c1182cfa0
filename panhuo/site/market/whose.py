"""Whose a lot is: of the land a person answers for. Rows outside do not exist (404)."""

from typing import Any

from django.db.models import Q

from panhuo.site import gate
from panhuo.site.gate import found
from panhuo.site.market.models import Enquiry, Lot


def _of(person: Any, act: gate.Act, prefix: str = "") -> Q:
    scope, nothing = gate.scope_of(person), Q(pk__in=())
    if not gate.may(person, act):
        return nothing
    if scope.everywhere:
        return Q()
    held = nothing
    for division in scope.divisions:
        held |= Q(**{f"{prefix}division__startswith": division})
    for holder in scope.holders:
        held |= Q(**{f"{prefix}holder_uscc": holder})
    return held


def lots(person: Any) -> Any:
    """The lots of the person's land."""
    return Lot.objects.filter(_of(person, "see"))


def lot(person: Any, pk: int) -> Lot:
    """The lot, or 404."""
    one: Lot = found(
        lots(person).select_related("by", "edited_by", "published_by", "priority_file").filter(pk=pk).first()
    )
    return one


def enquiries(person: Any) -> Any:
    """What strangers asked of the lots of the person's land: only for those who offer land."""
    return Enquiry.objects.filter(_of(person, "offer", "lot__")).select_related("lot", "answered_by")


def enquiry(person: Any, pk: int) -> Enquiry:
    """The enquiry, or 404."""
    one: Enquiry = found(enquiries(person).filter(pk=pk).first())
    return one
