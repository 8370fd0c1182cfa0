"""Enquiries as the office of the lot reads, answers, exports and deletes them."""

import io
from typing import Any

import xlsxwriter
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from panhuo.core.problems import PanhuoError
from panhuo.site import labels
from panhuo.site.gate import found, gated
from panhuo.site.ledger.export import FORMATS
from panhuo.site.market import acts, search, whose
from panhuo.site.market.models import ASKED, Enquiry
from panhuo.site.market.shown import worded
from panhuo.site.words import fault_words, pick, say

FITS = 5
"""As many lots as are shown to fit an enquiry."""


@gated("offer")
def listed(request: HttpRequest) -> HttpResponse:
    """What was asked of the lots of the person's land, by state."""
    mine = whose.enquiries(request.user)
    counts = dict(mine.order_by().values_list("state").annotate(n=Count("pk")))
    state = request.GET.get("state", "new")
    page = Paginator(mine.filter(state=state), 50).get_page(request.GET.get("page"))
    states = [(code, words, counts.get(code, 0)) for code, words in ASKED]
    return render(request, "market/enquiries.html", {"page": page, "state": state, "states": states})


@gated("offer")
def one(request: HttpRequest, pk: int) -> HttpResponse:
    """One enquiry, and which lots on offer its project fits best."""
    held = whose.enquiry(request.user, pk)
    context = {"enquiry": held, "fits": fits(held)}
    return render(request, "market/enquiry.html", context)


def fits(held: Enquiry) -> list[dict[str, Any]]:
    """The lots on offer that fit an enquiry's project, best first."""
    if not (held.industry or held.area_m2 or held.floor_area_m2 or held.needs):
        return []
    best = search.matched(acts.demand_row(held) | {"division": None}, search.offered())  # near or far
    return [worded(row) for row in best.rows(best.lots[:FITS])]


@gated("offer")
@require_POST
def act(request: HttpRequest, pk: int, do: str) -> HttpResponse:
    """Marks an enquiry as answered or closed, or deletes it."""
    held = whose.enquiry(request.user, pk)
    try:
        match do:
            case "mark":
                given = (request.POST.get(name, "") for name in ("seen", "state", "answer"))
                acts.answer(request.user, held, *given)
            case "remove":
                acts.remove_enquiry(request.user, held)
                messages.success(request, say("已删除", "Deleted"))
                return redirect("enquiries")
            case _:
                raise Http404
    except PanhuoError as fault:
        messages.error(request, fault_words(fault))
    return redirect("enquiry", pk)


@gated("upload")
@require_POST
def demand(request: HttpRequest, pk: int) -> HttpResponse:
    """Makes an enquiry a row of the workspace's demands."""
    held = whose.enquiry(request.user, pk)
    job = acts.to_demand(request.user, held)
    return redirect("job", job.pk)


@gated("offer")
def download(request: HttpRequest, name: str) -> HttpResponse:
    """Enquiries of the person's lots as a workbook: `enquiries` with who asked, `demands` as the import reads."""
    mine = whose.enquiries(request.user).order_by("pk")
    rows = {"enquiries": map(_told, mine), "demands": map(acts.demand_row, mine)}
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet(name if name in rows else found(None))
    bold = book.add_format({"bold": True})
    for at, row in enumerate(rows[name], 1):
        for column, (head, value) in enumerate(row.items()):
            if at == 1:
                sheet.write_string(
                    0, column, labels.field("demands", head) if name == "demands" else head, bold
                )
            if isinstance(value, int | float):
                sheet.write_number(at, column, value)
            elif value is not None:
                sheet.write_string(at, column, str(value))
    sheet.set_column(0, 20, 16)
    book.close()
    headers = {"Content-Disposition": f'attachment; filename="{name}.xlsx"'}
    return HttpResponse(out.getvalue(), content_type=FORMATS["xlsx"], headers=headers)


def _told(one: Enquiry) -> dict[str, Any]:
    """An enquiry as a row of a workbook; text, so that no cell is a formula."""
    industry = labels.coded("industry", one.industry) if one.industry else ""
    at = timezone.localtime(one.consented_at)
    return {
        pick("编号", "No."): one.pk,
        pick("时间", "When"): f"{at:%Y-%m-%d %H:%M}",
        pick("供应项", "Lot"): one.lot.title,
        pick("单位", "Company"): one.company,
        pick("联系人", "Contact"): one.contact,
        pick("电话", "Telephone"): one.phone,
        pick("邮箱", "E-mail"): one.email,
        pick("行业", "Industry"): industry,
        pick("需要土地（m²）", "Land wanted (m²)"): one.area_m2,
        pick("需要厂房（m²）", "Floor wanted (m²)"): one.floor_area_m2,
        pick("计划投资（万元）", "Investment (10k CNY)"): one.investment_wan,
        pick("配套要求", "Services needed"): one.needs,
        pick("留言", "Question"): one.message,
        pick("状态", "State"): str(one.get_state_display()),
        pick("答复", "Answer"): one.answer,
    }
