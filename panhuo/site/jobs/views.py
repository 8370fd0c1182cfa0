"""Pages of background work: the list, one job with live progress, upload with preview, assessment."""

import json
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from panhuo.core.problems import PanhuoError
from panhuo.inventory.spec import dataset_specs
from panhuo.site import gate
from panhuo.site.gate import gated
from panhuo.site.jobs import acts, imports, reports
from panhuo.site.jobs.models import Job, Upload
from panhuo.site.jobs.results import open_to
from panhuo.site.labels import rulebook
from panhuo.site.ledger import bulk
from panhuo.site.parcel.story import parcel_row
from panhuo.site.shelf import kept_file
from panhuo.site.words import day_given, fault_words, pick


def own_jobs(person: Any) -> Any:
    """One's own jobs; whoever may read the trail sees everybody's."""
    found = Job.objects.select_related("by")
    return found if gate.may(person, "trail") else found.filter(by=person)


@gated("see")
def jobs(request: HttpRequest) -> HttpResponse:
    """The latest jobs, and what may be asked for."""
    return render(
        request, "jobs/jobs.html", {"jobs": own_jobs(request.user)[:50], "findings": sorted(rulebook().rules)}
    )


@gated("see")
def job(request: HttpRequest, pk: int) -> HttpResponse:
    """One job; htmx asks for its state again while it runs."""
    template = "jobs/state.html" if request.headers.get("HX-Request") else "jobs/job.html"
    return render(request, template, {"job": get_object_or_404(own_jobs(request.user), pk=pk)})


@gated("upload")
@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Takes a file and shows what it gives."""
    given = request.FILES.get("file")
    if given is None:
        return redirect("jobs")
    try:
        return redirect("preview", acts.upload(request.user, given).pk)
    except PanhuoError as fault:
        messages.error(request, fault_words(fault))
        return redirect("jobs")


@gated("upload")
def preview(request: HttpRequest, pk: int) -> HttpResponse:
    """The file as the import would read it: mapping, first rows, problems; then the import itself."""
    what = get_object_or_404(Upload, pk=pk, by=request.user)
    given = request.POST if request.method == "POST" else request.GET
    asked: dict[str, Any] = {k: given.get(k, "") for k in ("dataset", "crs", "encoding", "accept_partial")}
    asked["map"] = imports.chosen_headers(request.POST)
    if request.method == "POST" and given.get("do") != "preview":
        return redirect("job", acts.ask_import(request.user, what, asked).pk)
    tables: list[dict[str, Any]] = []
    fault = None
    try:
        with imports.named(what) as path:
            tables = imports.preview(path, asked)
            imports.check_scope(path, asked, gate.scope_of(request.user))
    except PanhuoError as found:
        fault = found
    return render(
        request,
        "jobs/preview.html",
        {
            "upload": what,
            "tables": tables,
            "fault": fault,
            "asked": asked,
            "map": json.dumps(asked["map"]),
            "datasets": [name for name in dataset_specs() if name not in ("layers", "corrections")],
        },
    )


@gated("assess")
@require_POST
def assess(request: HttpRequest) -> HttpResponse:
    """Asks for an assessment."""
    as_of = request.POST.get("as_of", "")
    try:
        as_of = day_given(as_of, "as_of").isoformat() if as_of else ""
    except PanhuoError as fault:
        messages.error(request, fault_words(fault))
        return redirect("jobs")
    return redirect("job", acts.ask_assess(request.user, as_of).pk)


@gated("export")
@require_POST
def report(request: HttpRequest) -> HttpResponse:
    """Asks for a report of a parcel, of those ticked, of a finding's parcels, or of all one's land."""
    try:
        asked: dict[str, Any] = reports.read_form(request.POST)
        if asked["what"] in reports.OF_CHOSEN:
            asked["ids"] = bulk.chosen(request.user, "parcels", request.POST, "report")
    except PanhuoError as fault:
        return render(request, "problem.html", {"fault": fault}, status=400)
    if asked["what"] == "parcel":
        parcel_row(request.user, asked["id"])
    return redirect("job", acts.ask_report(request.user, {**asked, "lang": pick("zh", "en")}).pk)


@gated("export")
def report_file(request: HttpRequest, pk: int) -> HttpResponse:
    """A finished report, to whoever holds the land it tells of."""
    job = get_object_or_404(Job, pk=pk, kind="report", state="done")
    if job.asked["what"] == "parcel":
        parcel_row(request.user, job.asked["id"])
    elif not open_to(request.user, job):
        raise Http404
    stream = kept_file(job.result["digest"]).open("rb")
    return FileResponse(
        stream,
        as_attachment=True,
        filename=job.result["name"],
        content_type=reports.TYPES[job.result["name"].rpartition(".")[2]],
    )
