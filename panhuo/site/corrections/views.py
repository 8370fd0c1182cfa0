"""Pages of corrections: propose one or several on one piece of evidence, the list, and the second person's word."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, F, Min, Q
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from panhuo.core.problems import PanhuoError
from panhuo.site.among import Among
from panhuo.site.corrections import acts, values
from panhuo.site.corrections.models import Correction
from panhuo.site.gate import found, gated
from panhuo.site.records import KEY, address, key_of, page, record, visible
from panhuo.site.shelf import Row
from panhuo.site.words import fault_words, number_given, say


@gated("propose")
def propose(request: HttpRequest, dataset: str, key: str) -> HttpResponse:
    """Says that one value of a row is otherwise, with the evidence; htmx asks for the control of another field."""
    row = record(request.user, dataset, key)
    return proposing(request, dataset, [row], address(*page(dataset, row)))


def proposing(request: HttpRequest, dataset: str, rows: Sequence[Row], back: str) -> HttpResponse:
    """The form over one row or several, and what it submits."""
    given = request.POST if request.method == "POST" else request.GET
    fields = values.correctable(dataset)
    name, faults = given.get("field", ""), {}
    if request.method == "POST" and given.get("do") == "propose":
        try:
            made = acts.propose(
                request.user, dataset, rows, name, given.get("value", ""), given.get("evidence", ""),
                request.FILES.getlist("file"),
            )  # fmt: skip
            messages.success(request, say("已提交，待另一人审核", "Proposed: a second person decides"))
            return redirect("correction", made[0].pk)
        except PanhuoError as fault:
            faults = {fault.where or "value": fault_words(fault)}
    field = name if name in fields else fields[0]
    context = {
        "dataset": dataset,
        "rows": rows,
        "keys": [key_of(dataset, row) for row in rows],
        "fields": fields,
        "control": values.control(request.user, dataset, field),
        "held": rows[0].get(field) if len(rows) == 1 else None,
        "given": given,
        "faults": faults,
        "back": back,
    }
    part = (
        "corrections/value_control.html" if request.headers.get("HX-Request") else "corrections/propose.html"
    )
    return render(request, part, context)


def seen(person: Any, corrections: Any) -> Any:
    """Those of a query of corrections whose rows the person may see."""
    mine = Q(pk__in=())
    for dataset in KEY:
        keys = corrections.filter(dataset=dataset).values_list("key", flat=True).distinct()
        if keys:
            mine |= Q(Among(F("key"), visible(person, dataset, keys)), dataset=dataset)
    return corrections.filter(mine)


@gated("see")
def corrections(request: HttpRequest) -> HttpResponse:
    """Corrections of the person's land by state, those to decide first; what was proposed together is one line."""
    state = request.GET.get("state", "proposed")
    mine = seen(request.user, Correction.objects.filter(state=state))
    groups = (
        mine.order_by()
        .annotate(group=Coalesce(F("head_id"), F("pk")))
        .values("group")
        .annotate(first=Min("pk"), n=Count("pk"))
        .order_by("-group")
    )
    shown = Paginator(groups, 50).get_page(request.GET.get("page"))
    counts = {g["first"]: g["n"] for g in shown}
    lines = list(Correction.objects.filter(pk__in=counts).select_related("by", "decided_by").order_by("-pk"))
    for line in lines:
        line.n = counts[line.pk]
    return render(request, "corrections/corrections.html", {"page": shown, "lines": lines, "state": state})


@gated("see")
def correction(request: HttpRequest, pk: int) -> HttpResponse:
    """One proposal: the values, the evidence in place, those proposed with it, and the second person's decision."""
    one = _of_mine(request.user, pk)
    together = seen(request.user, one.together()).select_related("by", "decided_by")
    context = {
        "correction": one,
        "together": together,
        "open": [c for c in together if c.state == "proposed"],
        "files": one.evidence_files().order_by("pk"),
        "visit": one.of_visit(),
        "back": address(*page(one.dataset, record(request.user, one.dataset, one.key))),
    }
    return render(request, "corrections/correction.html", context)


def _of_mine(person: Any, pk: int) -> Correction:
    """The correction; 404 where its row is not of the person's land."""
    one: Correction = found(Correction.objects.select_related("by", "decided_by").filter(pk=pk).first())
    record(person, one.dataset, one.key)
    return one


@gated("decide")
@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """The second person's word on a correction, or on those chosen of what was proposed together."""
    one = _of_mine(request.user, pk)
    ids = list(map(number_given, request.POST.getlist("id"))) or [pk]
    pks = found(list(seen(request.user, one.together().filter(pk__in=ids)).values_list("pk", flat=True)))
    try:
        acts.decide(request.user, pks, request.POST.get("do") == "approve", request.POST.get("reason", ""))
    except PanhuoError as fault:
        messages.error(request, fault_words(fault))
        return redirect("correction", pk)
    return redirect("corrections")
