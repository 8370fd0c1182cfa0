"""The four checks of one parcel on its page: what is to be found out, what was, and on what evidence."""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from panhuo.inventory.survey_form import PARCELS
from panhuo.report.four_checks import Check, Found, check_of, four_checks
from panhuo.report.plan_document import CHECKS
from panhuo.site.corrections.models import Correction
from panhuo.site.gate import gated
from panhuo.site.labels import rulebook
from panhuo.site.parcel.story import parcel_row
from panhuo.site.shelf import Row, rows
from panhuo.site.survey.models import Visit
from panhuo.site.words import pick
from panhuo.workspace.found_facts import facts_of_fields

KEYED: Final = ("contracts", "buildings")
"""Datasets beside the parcels whose rows belong to a parcel and may be corrected."""


@gated("see")
def of_parcel(request: HttpRequest, parcel_id: str) -> HttpResponse:
    """The part of a parcel's page: the four checks with their facts."""
    parcel_row(request.user, parcel_id)
    open_rows = rows("SELECT * FROM findings WHERE parcel_id = ? AND status = 'unknown'", (parcel_id,))
    found = found_of(parcel_id)
    book = rulebook()
    told = four_checks(book, check_of(book), open_rows, {fact: one for fact, (one, _, _) in found.items()})
    groups = [
        {
            "label": pick(*words),
            "open": [one for one in told if one.check == check and one.found is None],
            "found": [_line(one, found[one.fact]) for one in told if one.check == check and one.found],
        }
        for check, words in CHECKS.items()
    ]
    context = {"groups": [g for g in groups if g["open"] or g["found"]], "parcel_id": parcel_id}
    return render(request, "survey/checks.html", context)


Told = tuple[Found, str, str]
"""What was found out, the page that tells of it, and its state there."""


def found_of(parcel_id: str) -> dict[str, Told]:
    """Fact → what was found out of it last, in the workspace or still waiting for the second person."""
    found: dict[str, Told] = {}

    def put(fact: str, one: Found, link: str, state: str) -> None:
        if fact not in found or found[fact][0].on <= one.on:
            found[fact] = (one, link, state)

    for visit in rows("SELECT * FROM visits WHERE parcel_id = ?", (parcel_id,)):
        for fact in filter(None, (visit["answered"] or "").split(", ")):
            put(fact, Found("", fact, "", visit["surveyor"] or "", visit["visited_on"], ""), "", "approved")
    for sent in Visit.objects.filter(parcel_id=parcel_id).exclude(state="refused").order_by("visited_on"):
        for fact in sent.facts_standing():
            put(
                fact,
                Found("", fact, "", sent.surveyor, sent.visited_on, ""),
                reverse("visit", args=[sent.pk]),
                sent.state,
            )
    settles = facts_of_fields()
    for (dataset, field), one, link, state in _corrected(parcel_id):
        for fact in settles.get((dataset, field), ()):
            put(fact, one, link or found.get(fact, (one, "", ""))[1], state)
    return found


def _corrected(parcel_id: str) -> list[tuple[tuple[str, str], Found, str, str]]:
    """Corrections of the parcel and its rows: those stored, and those of the site that are not refused."""
    keys = {(PARCELS, parcel_id)}
    for dataset, key in zip(KEYED, ("contract_no", "building_id"), strict=True):
        held = rows(f"SELECT {key} AS key FROM {dataset} WHERE parcel_id = ?", (parcel_id,))
        keys |= {(dataset, row["key"]) for row in held}
    names = [key for _, key in keys]
    stored: list[Row] = rows("SELECT * FROM corrections WHERE list_contains(?::VARCHAR[], key)", (names,))
    told = [
        (
            (r["dataset"], r["field"]),
            Found(r["dataset"], r["field"], r["value"] or "", r["by"] or "", r["on"], r["evidence"]),
            "",
            "approved",
        )
        for r in stored
        if (r["dataset"], r["key"]) in keys and r["on"] is not None
    ]
    proposed: Any = Correction.objects.filter(key__in=names).exclude(state="refused")
    proposed = proposed.select_related("by", "visit", "head__visit")
    for one in proposed.order_by("at"):
        if (one.dataset, one.key) in keys:
            on = one.of_visit().visited_on if one.of_visit() else timezone.localdate(one.at)
            found = Found(one.dataset, one.field, one.value, one.by.shown_name(), on, one.evidence)
            told.append(((one.dataset, one.field), found, reverse("correction", args=[one.pk]), one.state))
    return told


def _line(check: Check, told: Told) -> dict[str, Any]:
    """A fact found out as the page shows it."""
    found, link, state = told
    return {"check": check, "found": found, "link": link, "state": state}
