"""One parcel, one page; one enterprise, one page; the chain behind a finding; files."""

from typing import Any, Final

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST

from panhuo.core.problems import PanhuoError
from panhuo.inventory.spec import dataset_spec
from panhuo.site.cases.models import ACTIVE, Case
from panhuo.site.gate import found, gated
from panhuo.site.labels import rulebook
from panhuo.site.ledger.models import Publication
from panhuo.site.market.models import Lot
from panhuo.site.parcel import acts, firm, story
from panhuo.site.parcel.models import Attachment
from panhuo.site.parcel.opened import UNTOLD
from panhuo.site.records import address, key_of
from panhuo.site.shelf import kept_file, shelf
from panhuo.site.words import day_given, fault_words

FILE_POLICY: Final = (
    "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'self'"
)
"""A kept file runs nothing; a browser's PDF viewer does not open in a sandbox, so a PDF goes without."""


@gated("see")
def parcel(request: HttpRequest, parcel_id: str) -> HttpResponse:
    """图数档一体: outline, data, findings, options, files and history of one parcel."""
    row = story.parcel_row(request.user, parcel_id)
    clashes = story.clashes(parcel_id)
    drawing, near = story.picture(request.user, row, clashes)
    related = story.related(parcel_id)
    weighed = story.options(parcel_id)
    judged = story.findings(parcel_id)
    context: dict[str, Any] = {
        "parcel": row,
        "drawing": drawing,
        "near": near,
        "data": story.data_groups(row),
        "price_per_mu": story.per_mu(row["price_wan"], row["area_m2"]),
        "findings": [f for f in judged if f["status"] == "yes"],
        "to_verify": [f for f in judged if f["status"] == "unknown"],
        "conflicts": story.conflicts(request.user, parcel_id, clashes),
        "potential": story.potential(parcel_id),
        "options": weighed,
        "valued": any(o["sums"] for o in weighed),
        "remedies": story.remedies(row, weighed),
        "closed": [o for o in weighed if o["status"] == "closed"],
        "related": related,
        "untold": (*UNTOLD, "parcel_id"),
        "users": story.users(request.user, related.get("occupancies", [])),
        "published": Publication.objects.filter(parcel_id=parcel_id).exists(),
        "lots": Lot.objects.filter(parcel_id=parcel_id).exclude(state="withdrawn"),
        "cases": Case.objects.filter(parcel_id=parcel_id, state__in=ACTIVE),
    }
    return render(request, "parcel/parcel.html", context | kept_with("parcels", parcel_id))


@gated("see")
def chain(request: HttpRequest, parcel_id: str, finding_id: str) -> HttpResponse:
    """What stands behind one finding: rule, articles, facts with their rows, snapshot, law version."""
    row = story.parcel_row(request.user, parcel_id)
    finding = found(next((f for f in story.findings(parcel_id) if f["finding_id"] == finding_id), None))
    context = {
        "parcel": row,
        "finding": finding,
        "rule": (rule := rulebook().rules.get(finding_id)),
        "message": story.told(rule, finding) if rule else None,
        "sources": {source: rulebook().sources.get(source) for source, _ in finding["articles"]},
        "related": story.related(parcel_id),
        "snapshot": shelf().key.split("+"),
    }
    return render(request, "parcel/chain.html", context)


@gated("see")
def enterprise(request: HttpRequest, enterprise_id: str) -> HttpResponse:
    """一企一档: figures by year, score taken apart, land, contracts, files and history of one enterprise."""
    row = story.enterprise_row(request.user, enterprise_id)
    held = firm.land(request.user, enterprise_id)
    told = firm.scores(enterprise_id)
    context = {
        "enterprise": row,
        "tiles": firm.tiles(row, held, told),
        "scores": told,
        "plan": firm.plan(enterprise_id),
        "parcels": held,
        "drawing": firm.plot(held),
        "years": firm.years(request.user, enterprise_id),
        "followed": firm.MONEY,
        "contracts": firm.contracts(request.user, [p["parcel_id"] for p in held]),
        "contract_columns": firm.CONTRACT,
        "leases": firm.lease_checks(enterprise_id, held),
        "promises": firm.promises(enterprise_id, held),
        "key": key_of("enterprises", row),
        "data": [(k, v) for k, v in row.items() if v is not None and k in dataset_spec("enterprises").fields],
    }
    return render(request, "parcel/enterprise.html", context | kept_with("enterprises", enterprise_id))


def kept_with(dataset: str, subject: str) -> dict[str, Any]:
    """The files and photographs kept with a parcel or enterprise, and where further ones go."""
    files = list(Attachment.objects.filter(dataset=dataset, subject=subject).select_related("by"))
    return {
        "files": [f for f in files if not f.is_picture],
        "pictures": sorted((f for f in files if f.is_picture), key=lambda f: (f.day, f.pk)),
        "attach_to": reverse("enterprise_attach" if dataset == "enterprises" else "attach", args=[subject]),
    }


@gated("attach")
@require_POST
def attach(request: HttpRequest, dataset: str, subject: str) -> HttpResponse:
    """Takes files for a parcel or an enterprise."""
    story.row_of(request.user, dataset, subject)
    try:
        day = day_given(said, "taken_on") if (said := request.POST.get("taken_on", "")) else None
        for upload in request.FILES.getlist("file"):
            acts.attach(request.user, dataset, subject, upload, day)
    except PanhuoError as fault:
        messages.error(request, fault_words(fault))
    return redirect(address(dataset, subject))


@gated("see")
@xframe_options_sameorigin
def file(request: HttpRequest, pk: int) -> HttpResponse:
    """An attached file, to those who may see whose it is; pictures and PDF open in place, the rest downloads."""
    attachment = get_object_or_404(Attachment, pk=pk)
    story.row_of(request.user, attachment.dataset, attachment.subject)
    stream = kept_file(attachment.digest).open("rb")
    inline = attachment.is_picture or attachment.is_pdf
    response = FileResponse(
        stream, as_attachment=not inline, filename=attachment.name, content_type=attachment.kind
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = FILE_POLICY if attachment.is_pdf else f"{FILE_POLICY}; sandbox"
    return response
