"""The office's side of the market: its lots, from draft to supply; the second person's word; the start that follows."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any, Final

import shapely
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from panhuo.core.dates import add_months
from panhuo.core.problems import PanhuoError
from panhuo.site.gate import gated, may
from panhuo.site.market import acts, rules, whose
from panhuo.site.market.forms import STATUS, LotForm
from panhuo.site.market.models import PRIORITY, STATES, Lot
from panhuo.site.market.shown import told, worded
from panhuo.site.market.standard import STANDARD, bar_words, indicators, promise, starts
from panhuo.site.market.views import map_setup
from panhuo.site.parcel.story import of_parcel, options, outlines, parcel_row
from panhuo.site.shelf import Row
from panhuo.site.words import day_given, fault_words, number_given, pick, say

MONTHS: Final = 6
"""How far ahead a new lot's last day is proposed."""
START: Final = {
    "met": say("已动工", "Started"),
    "met_late": say("逾期动工", "Started late"),
    "ahead": say("未到期", "Not yet due"),
    "due_soon": say("将到期", "Due soon"),
    "overdue": say("逾期未动工", "Overdue"),
    "unknown": say("待核实是否动工", "To verify whether works began"),
    "no_date": say("无期限", "No date"),
}
RANKED: Final = ("open", "check", "closed")
BAD: Final = ("overdue", "met_late")


@gated("see")
def lots(request: HttpRequest) -> HttpResponse:
    """The lots of the person's land by state; of those supplied, how their start stands."""
    mine = whose.lots(request.user)
    counts = dict(mine.order_by().values_list("state").annotate(n=Count("pk")))
    state = request.GET.get("state") or next(
        (s for s in ("submitted", "published") if counts.get(s)), "draft"
    )
    shown = mine.filter(state=state).select_related("by", "edited_by")
    if may(request.user, "offer"):
        shown = shown.annotate(asked=Count("enquiries", filter=Q(enquiries__state="new")))
    page = Paginator(shown.order_by("-pk"), 50).get_page(request.GET.get("page"))
    rows = list(page)
    started = starts(rows, timezone.localdate()) if state == "concluded" else {}
    context = {
        "page": page,
        "rows": [
            (one, row, start_words(started.get(one.pk)))
            for one, row in zip(rows, map(worded, told(rows)), strict=True)
        ],
        "closed": rules.closed_since(rows) if state in ("submitted", "published") else (),
        "state": state,
        "states": [(code, words, counts.get(code, 0)) for code, words in STATES],
        "waiting": whose.enquiries(request.user).filter(state="new").count(),
    }
    return render(request, "market/lots.html", context)


def start_words(start: Row | None) -> dict[str, Any] | None:
    """How a start stands, in words."""
    if start is None:
        return None
    return start | {
        "words": START[start["state"]],
        "bad": start["state"] in BAD,
        "open": start["state"] in ("due_soon", "unknown"),
    }


@gated("offer")
def new(request: HttpRequest) -> HttpResponse:
    """A lot of a parcel: of its land, or of one of its buildings. Without a parcel the page asks for one."""
    if not (number := request.GET.get("parcel", "").strip()):
        return render(request, "market/choose.html")
    parcel = parcel_row(request.user, number)
    buildings = of_parcel("buildings", number)
    kind = "plant" if request.GET.get("kind") == "plant" else "plot"
    building = next((b for b in buildings if b["building_id"] == request.GET.get("building")), None)
    return writing(request, proposed(parcel, kind, building, buildings), parcel, buildings)


def proposed(parcel: Row, kind: str, building: Row | None, buildings: list[Row]) -> Lot:
    """A lot as the ledger alone would write it."""
    lot = Lot(
        kind=kind, parcel_id=parcel["parcel_id"], title=(parcel["name"] or "")[:80], address=parcel["address"] or "",
        valid_until=add_months(timezone.localdate(), MONTHS),
    )  # fmt: skip
    if kind == "plot":
        lot.area_m2 = parcel["area_m2"]
        return lot
    if building is not None:
        lot.building_id, lot.floor_area_m2, lot.use = (
            building["building_id"],
            rules.room(building),
            building["use"] or "",
        )
    elif len(buildings) != 1:
        lot.floor_area_m2 = sum(rules.room(b) or 0 for b in buildings) or None
    else:
        return proposed(parcel, kind, buildings[0], buildings)
    return lot


@gated("offer")
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Changes a draft, or a lot that was withdrawn."""
    one = whose.lot(request.user, pk)
    if one.state not in acts.OPEN_TO_EDIT:
        return redirect("lot_office", pk)
    parcel = parcel_row(request.user, one.parcel_id)
    return writing(request, one, parcel, of_parcel("buildings", one.parcel_id))


def writing(request: HttpRequest, lot: Lot, parcel: Row, buildings: list[Row]) -> HttpResponse:
    """The form of a lot, and what it submits: kept as a draft, or at once put before the second person."""
    weighed = {row["tool_id"]: row["status"] for row in options(lot.parcel_id)}
    ranked = dict(sorted(weighed.items(), key=lambda held: RANKED.index(held[1])))
    form = LotForm(request.POST or None, instance=lot, statuses=ranked)
    seen = _seen(request) if request.method == "POST" else lot.version
    if request.method == "POST" and form.is_valid():
        try:
            acts.draft(request.user, lot, parcel, form.cleaned_data.get("part"), seen)
            if request.POST.get("do") == "submit":
                acts.submit(request.user, lot.pk)
            return redirect("lot_office", lot.pk)
        except PanhuoError as fault:
            form.add_error(fault.where if fault.where in form.fields else None, fault_words(fault))
    context = {"form": form, "lot": lot, "seen": seen, "parcel": parcel, "buildings": buildings}
    context["setup"] = part_map(lot)
    return render(request, "market/write.html", context)


def part_map(lot: Lot) -> dict[str, Any] | None:
    """The map on which a part of a plot is drawn, or None for a building and for land without an outline."""
    drawn = outlines([lot.parcel_id]).get(lot.parcel_id)
    if lot.kind != "plot" or drawn is None:
        return None
    land = shapely.from_wkb(drawn)
    setup = map_setup([], list(land.bounds), "")
    setup["words"] |= {
        "polygon": pick(
            "逐点勾画，双击或点回起点结束", "Click each corner; double-click or click the first to end"
        ),
        "about": pick(
            "所画约 {mu} 亩（{m2} m²）；面积请填勘测的数",
            "About {mu} mu ({m2} m²) drawn; give the surveyed area",
        ),
        "again": pick("重画", "Draw again"),
    }
    return setup | {"parcel": json.loads(shapely.to_geojson(land)), "part": lot.outline if lot.pk else None}


@gated("see")
def lot(request: HttpRequest, pk: int) -> HttpResponse:
    """One lot of the person's land: as the public reads it, what the office alone knows, and what may be done."""
    one = whose.lot(request.user, pk)
    row = worded(told([one])[0])
    asked = one.indicators
    if one.way == STANDARD and not asked:  # as they would be published today
        asked = indicators(one.division, timezone.localdate())
        row["commitment"] = row["commitment"] or promise(asked)
    started = starts([one], timezone.localdate()) if one.state == "concluded" else {}
    status = rules.way_status(one)
    context = {
        "lot": one,
        "row": row,
        "parcel": _parcel(request, one),
        "indicators": [i | {"bar_label": bar_words(i)} for i in asked],
        "status": status and status | {"words": STATUS[status["status"]]},
        "start": start_words(started.get(one.pk)),
        "outcomes": [(code, words) for code, words in PRIORITY if code in ("exercised", "waived", "lapsed")],
        "past": list(one.history.select_related("history_user").order_by("history_date", "history_id")),
        "asked": whose.enquiries(request.user).filter(lot=one),
        "is_writer": one.written_by(request.user),
    }
    return render(request, "market/office.html", context)


def _parcel(request: HttpRequest, one: Lot) -> Row | None:
    """The lot's parcel, should the ledger still have it on the person's land."""
    try:
        return parcel_row(request.user, one.parcel_id)
    except Http404:
        return None


def _seen(request: HttpRequest) -> int:
    """The version of the lot that the page showed."""
    return number_given(request.POST.get("seen", ""))


def _day(request: HttpRequest, name: str) -> date | None:
    """A day of the form. Raises PanhuoError for what is none."""
    text = request.POST.get(name, "").strip()
    return day_given(text, name) if text else None


def _act(request: HttpRequest, one: Lot, do: str) -> None:
    given = request.POST
    match do:
        case "submit":
            acts.submit(request.user, one.pk)
        case "withdraw":
            acts.withdraw(request.user, one.pk, given.get("reason", ""))
        case "supply":
            acts.conclude(
                request.user, one.pk, _day(request, "supplied_on"), _day(request, "start_by"), given.get("taker", ""),
                given.get("contract_no", ""),
            )  # fmt: skip
        case "start":
            acts.record_start(request.user, one.pk, _day(request, "started_on"))
        case "priority":
            acts.settle_priority(
                request.user, one.pk, given.get("outcome", ""), _day(request, "on"), given.get("note", ""),
                request.FILES.get("file"),
            )  # fmt: skip
        case _:
            raise Http404


def _done(request: HttpRequest, one: Lot, run: Any) -> HttpResponse:
    try:
        run()
        messages.success(request, say("已办理", "Done"))
    except PanhuoError as fault:
        messages.error(request, fault_words(fault))
    return redirect("lot_office", one.pk)


@gated("offer")
@require_POST
def act(request: HttpRequest, pk: int, do: str) -> HttpResponse:
    """What the office does with its lot: submit, withdraw, record supply, start or the outcome of a priority."""
    one = whose.lot(request.user, pk)
    return _done(request, one, lambda: _act(request, one, do))


@gated("offer")
@require_POST
def photo(request: HttpRequest, pk: int) -> HttpResponse:
    """Adds photographs, or takes one away."""
    one = whose.lot(request.user, pk)

    def run() -> None:
        if gone := number_given(request.POST.get("remove", "")):
            acts.remove_photo(request.user, one.pk, gone)
        for upload in request.FILES.getlist("file"):
            acts.add_photo(request.user, one.pk, upload)

    return _done(request, one, run)


@gated("publish")
@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """The second person's word: publish, send back, or withdraw what is on offer."""
    one, reason = whose.lot(request.user, pk), request.POST.get("reason", "")
    runs: dict[str, Callable[[], None]] = {
        "publish": lambda: acts.publish(request.user, one.pk, reason, _seen(request)),
        "return": lambda: acts.send_back(request.user, one.pk, reason),
        "withdraw": lambda: acts.withdraw(request.user, one.pk, reason),
    }
    run = runs.get(request.POST.get("do", ""))
    if run is None:
        raise Http404
    return _done(request, one, run)
