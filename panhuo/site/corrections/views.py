"""Pages of corrections: propose one on a parcel, and the list where a second person decides."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from panhuo.core.problems import PanhuoError
from panhuo.inventory.spec import dataset_specs
from panhuo.site import gate
from panhuo.site.corrections import acts
from panhuo.site.corrections.models import Correction
from panhuo.site.gate import gated
from panhuo.site.parcel.story import parcel_row
from panhuo.site.shelf import rows


@gated("propose")
def propose(request: HttpRequest, parcel_id: str) -> HttpResponse:
    """Says that one value of a parcel is otherwise, and why."""
    row = parcel_row(request.user, parcel_id)
    spec = dataset_specs()["parcels"]
    fields = [f for f, s in spec.fields.items() if f not in spec.key and s.type != "geometry"]
    if request.method == "POST":
        field = request.POST.get("field", "")
        value, evidence = request.POST.get("value", "").strip(), request.POST.get("evidence", "")
        try:
            acts.propose(request.user, parcel_id, field, row.get(field), value, evidence)
            return redirect("parcel", parcel_id)
        except PanhuoError as fault:
            messages.error(request, str(fault))
    return render(request, "corrections/propose.html", {"parcel": row, "fields": fields})


def visible_keys(person: object, keys: list[str]) -> set[str]:
    """Which of the parcels the person may see."""
    where = gate.parcels(person).also("list_contains(?::VARCHAR[], parcel_id)", (keys,))
    return {
        row["parcel_id"] for row in rows(f"SELECT parcel_id FROM parcels WHERE {where.sql}", where.values)
    }


@gated("see")
def corrections(request: HttpRequest) -> HttpResponse:
    """Corrections of the person's land, those to decide first."""
    state = request.GET.get("state", "proposed")
    found = Correction.objects.filter(state=state).select_related("by", "decided_by")
    seen = visible_keys(request.user, list(found.values_list("key", flat=True).distinct()))
    page = Paginator(found.filter(key__in=seen), 50).get_page(request.GET.get("page"))
    return render(request, "corrections/corrections.html", {"page": page, "state": state})


@gated("decide")
@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """The second person's word."""
    correction = Correction.objects.filter(pk=pk).first()
    if correction is None or not visible_keys(request.user, [correction.key]):
        raise Http404
    try:
        acts.decide(request.user, pk, request.POST.get("do") == "approve", request.POST.get("reason", ""))
    except PanhuoError as fault:
        messages.error(request, str(fault))
    return redirect("corrections")
