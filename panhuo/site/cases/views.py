"""Pages of cases: the list, one case with its steps, what is done to it, and what other pages show of it."""

import io
from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from panhuo.core.problems import PanhuoError
from panhuo.dispose.course import course
from panhuo.site.cases import acts, listing, offered, page, papers
from panhuo.site.cases.models import STATES, Case
from panhuo.site.cases.standing import calendar, file_of
from panhuo.site.gate import found, gated
from panhuo.site.labels import rulebook
from panhuo.site.ledger.export import FORMATS
from panhuo.site.parcel.story import parcel_row
from panhuo.site.sheets import csv_text, write_xlsx
from panhuo.site.words import day_given, fault_words, pick, say

PAGE: Final = 50
NOTICES: Final = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
}


def of_mine(person: Any, pk: int) -> tuple[Case, dict[str, Any]]:
    """The case and its parcel; 404 where the parcel is not of the person's land."""
    case: Case = found(Case.objects.select_related("by", "parent").filter(pk=pk).first())
    return case, parcel_row(person, case.parcel_id)


@gated("see")
def cases(request: HttpRequest) -> HttpResponse:
    """The cases of the person's land, the most urgent first."""
    held = listing.find(request.user, request.GET)
    shown = Paginator(held.cases, PAGE).get_page(request.GET.get("page"))
    lines = [(case, held.parcels.get(case.parcel_id)) for case in shown]
    context = {
        "page": shown,
        "lines": lines,
        "counts": held.counts,
        "soon_days": listing.SOON_DAYS,
        "states": [(code, label, held.counts[code]) for code, label in STATES],
        "state": "" if request.GET.get("due") else request.GET.get("state", "running"),
        **held.choices,
    }
    return render(request, "cases/cases.html", context)


@gated("export")
def export(request: HttpRequest, kind: str) -> HttpResponse:
    """The list on screen as a file, all pages."""
    found(kind in ("csv", "xlsx"))
    head, rows = listing.table(listing.find(request.user, request.GET))
    headers = {"Content-Disposition": f'attachment; filename="cases.{kind}"'}
    if kind == "csv":
        return StreamingHttpResponse(csv_text(head, rows), content_type=FORMATS[kind], headers=headers)
    book = io.BytesIO()
    write_xlsx(book, pick("案件", "Cases"), head, rows)
    return HttpResponse(book.getvalue(), content_type=FORMATS[kind], headers=headers)


@gated("see")
def case(request: HttpRequest, pk: int) -> HttpResponse:
    """One case: its steps with state, actor, limit, paper and articles, who did what, and what may be done now."""
    held, row = of_mine(request.user, pk)
    return shown(request, held, row)


def shown(
    request: HttpRequest, held: Case, row: dict[str, Any], fault: PanhuoError | None = None, at: str = ""
) -> HttpResponse:
    """The page of a case; after a fault with what was filled in, marked where it is at fault."""
    file = file_of(held)
    now = course(file, timezone.localdate(), rulebook(), calendar())
    context = page.context(request.user, held, file, now) | {
        "case": held,
        "parcel": row,
        "given_back": request.POST if fault else {},
        "fault": {"at": at, "where": fault.where, "words": fault_words(fault)} if fault else {},
    }
    return render(request, "cases/case.html", context, status=400 if fault else 200)


@gated("see")
def of_parcel(request: HttpRequest, parcel_id: str) -> HttpResponse:
    """What the parcel's page shows: its cases, and what may be opened."""
    parcel_row(request.user, parcel_id)
    context = {
        "parcel_id": parcel_id,
        "cases": Case.objects.filter(parcel_id=parcel_id).select_related("by"),
        "offered": offered.of_parcel(parcel_id),
    }
    return render(request, "cases/of_parcel.html", context)


@gated("see")
def due(request: HttpRequest) -> HttpResponse:
    """What the first page shows: cases past a limit or near one."""
    mine, parcels = listing.visible(request.user)
    hurried = listing.urgent(mine)
    first = [(c, parcels.get(c.parcel_id)) for c in hurried["late"].order_by("due_on")[:5]]
    counts = {name: held.count() for name, held in hurried.items()}
    context = {
        "counts": counts,
        "late": first,
        "running": mine.filter(state="running").count(),
        "soon_days": listing.SOON_DAYS,
    }
    return render(request, "cases/due.html", context)


@gated("work")
@require_POST
def open_case(request: HttpRequest, parcel_id: str) -> HttpResponse:
    """Opens a case of a parcel."""
    parcel_row(request.user, parcel_id)
    name = request.POST.get("procedure", "")
    try:
        began = day_given(request.POST.get("began", ""), "began")
        made = acts.open_case(request.user, parcel_id, name, began, offered.tool_of(parcel_id, name))
    except PanhuoError as fault:
        messages.error(request, fault_words(fault))
        return redirect("parcel", parcel_id)
    messages.success(request, say("已立案", "The case is opened"))
    return redirect("casefile", made.pk)


@gated("work")
def notice(request: HttpRequest, pk: int, kind: str, ending: str) -> HttpResponse:
    """A notice of the case as a file: for those who work cases, as it speaks for the office."""
    held, row = of_mine(request.user, pk)
    found(ending in NOTICES and kind in papers.kinds(held))
    try:
        body = papers.write(held, file_of(held), kind, ending)
    except PanhuoError as fault:
        return shown(request, held, row, fault, "notices")
    response = HttpResponse(body, content_type=NOTICES[ending])
    response["Content-Disposition"] = f'attachment; filename="{kind}-{pk}.{ending}"'
    return response


@gated("answer")
@require_POST
def do(request: HttpRequest, pk: int) -> HttpResponse:
    """Records a step, or a chain at once, as done."""
    held, row = of_mine(request.user, pk)
    names = request.POST.getlist("step")
    try:
        steps = [(name, request.POST.get(f"outcome-{name}", "")) for name in names]
        acts.do(
            request.user, held, steps, day_given(request.POST.get("day", ""), "day"), request.POST.get("note", ""),
            request.POST.getlist("tick"), request.FILES.getlist("file"),
        )  # fmt: skip
    except PanhuoError as fault:
        return shown(request, held, row, fault, names[0] if names else "")
    messages.success(request, say("已登记", "Recorded"))
    return redirect("casefile", pk)


@gated("answer")
@require_POST
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes the last step back."""
    held, row = of_mine(request.user, pk)
    try:
        acts.undo(request.user, held, request.POST.get("reason", ""))
    except PanhuoError as fault:
        return shown(request, held, row, fault, "undo")
    messages.success(request, say("已撤销，留在经过中", "Undone; it stays on record"))
    return redirect("casefile", pk)


@gated("work")
@require_POST
def state(request: HttpRequest, pk: int) -> HttpResponse:
    """Pauses, resumes or closes a case."""
    held, row = of_mine(request.user, pk)
    try:
        acts.set_state(request.user, held, request.POST.get("do", ""), request.POST.get("reason", ""))
    except PanhuoError as fault:
        return shown(request, held, row, fault, "state")
    return redirect("casefile", pk)


@gated("work")
@require_POST
def fact(request: HttpRequest, pk: int) -> HttpResponse:
    """Settles a fact that the case needs."""
    held, row = of_mine(request.user, pk)
    given, name = request.POST, request.POST.get("fact", "")
    try:
        acts.give(request.user, held, name, given.get("value", ""), given.get("note", ""))
    except PanhuoError as fault:
        return shown(request, held, row, fault, f"fact-{name}")
    messages.success(request, say("已登记", "Recorded"))
    return redirect("casefile", pk)


@gated("work")
@require_POST
def another(request: HttpRequest, pk: int) -> HttpResponse:
    """Opens the case that follows this one, or one beside it."""
    held, row = of_mine(request.user, pk)
    try:
        began = day_given(request.POST.get("began", ""), "began")
        made = acts.open_case(
            request.user, held.parcel_id, request.POST.get("procedure", ""), began, "", held,
            "beside" if request.POST.get("link") == "beside" else "follows",
        )  # fmt: skip
    except PanhuoError as fault:
        return shown(request, held, row, fault, "another")
    return redirect("casefile", made.pk)
