"""The office's side of the survey: progress, a visit and the second person's word, exports of survey tools taken in."""

import io
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.core.files.base import ContentFile
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from panhuo.core.problems import PanhuoError
from panhuo.inventory.survey_file import picture_of, submissions
from panhuo.inventory.survey_form import PARCELS, survey_form, survey_forms
from panhuo.measure.space_uses import WORDS
from panhuo.site import labels
from panhuo.site.gate import found, gated
from panhuo.site.records import address
from panhuo.site.shelf import kept_file
from panhuo.site.survey import acts, lists
from panhuo.site.survey.models import Visit
from panhuo.site.words import fault_words, pick, pick_label, say

SHOWN_FAULTS = 8


@gated("see")
def survey(request: HttpRequest) -> HttpResponse:
    """How far the survey is, and the visits of one's land by state."""
    state = request.GET.get("state", "proposed")
    mine = lists.seen(request.user, Visit.objects.filter(state=state)).annotate(
        proposals=Count("head", distinct=True) + Count("head__others", distinct=True)
    )
    told = lists.progress(request.user)
    for row in told["uses"]:
        row["words"] = (
            pick_label(WORDS[row["use"]], row["use"])
            if row["use"] in WORDS
            else labels.coded("space_use", row["use"])
        )
    context = {
        "told": told,
        "page": Paginator(mine.order_by("-id"), 50).get_page(request.GET.get("page")),
        "state": state,
        "forms": forms(),
    }
    return render(request, "survey/survey.html", context)


def forms() -> dict[str, str]:
    """Every form by name with its label."""
    return {name: pick(form.label.zh, form.label.en) for name, form in survey_forms().items()}


def of_mine(person: Any, pk: int) -> Visit:
    """The visit; 404 where it is not of the person's land."""
    visit: Visit = found(
        lists.seen(person, Visit.objects.filter(pk=pk)).select_related("by", "decided_by", "head").first()
    )
    return visit


@gated("see")
def visit(request: HttpRequest, pk: int) -> HttpResponse:
    """One visit: where, answers beside the record, photographs, and the second person's word."""
    one = of_mine(request.user, pk)
    form = survey_form(one.form)
    context = {
        "visit": one,
        "own": one.is_of(request.user),
        "form": pick(form.label.zh, form.label.en),
        "answers": [
            (d, q.field, one.answers[q.name]) for d, q in form.questions() if one.answers.get(q.name)
        ],
        "corrections": one.corrections(),
        "told": [(labels.problem(kind), value) for kind, _, value in one.told],
        "back": "" if one.is_new and one.state != "approved" else address(PARCELS, one.parcel_id),
    }
    return render(request, "survey/visit.html", context)


@gated("see")
def photo(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """A photograph of a visit."""
    photos = of_mine(request.user, pk).photos
    name, digest, kind = found(photos[number] if number < len(photos) else None)
    response = FileResponse(kept_file(digest).open("rb"), filename=name, content_type=kind)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@gated("decide")
@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """The second person's word on a visit and all it proposes."""
    of_mine(request.user, pk)
    try:
        acts.decide(request.user, pk, request.POST.get("do") == "approve", request.POST.get("reason", ""))
    except PanhuoError as fault:
        messages.error(request, fault_words(fault))
        return redirect("visit", pk)
    return redirect("survey")


@gated("survey")
@require_POST
def take(request: HttpRequest) -> HttpResponse:
    """Takes what a survey tool exported: each submission a visit; one that cannot be is told by its row."""
    given = request.FILES.get("file")
    if given is None:
        return redirect("survey")
    beside = request.FILES.get("photos")
    taken, again, faults = 0, 0, []
    try:
        with tempfile.TemporaryDirectory() as folder:
            paths = [_saved(Path(folder), upload) for upload in (given, beside) if upload is not None]
            photos = paths[1] if beside is not None else None
            with submissions(paths[0], photos=photos, form=request.POST.get("form", "")) as read:
                faults = [
                    f"{_row(p.file, p.row)} {labels.problem(p.type)} {p.field} {p.value}"
                    for p in read.problems
                ]
                before = acts.known([one.visit_id for one in read.visits])
                for one in read.visits:
                    if one.visit_id in before:
                        again += 1
                        continue
                    pictures = [(name, picture_of(name, one, read.pictures)) for name in one.photos]
                    try:
                        if lost := [name for name, path in pictures if path is None]:
                            raise PanhuoError(labels.problem("visit_photo_missing") + f": {', '.join(lost)}")
                        uploads = [ContentFile(path.read_bytes(), name) for name, path in pictures if path]
                        answer = acts.arrive(request.user, one, uploads, {}, given.name)
                        taken, again = taken + (not answer.again), again + answer.again
                    except Http404:
                        words = labels.problem("visit_parcel_unknown")
                        faults.append(f"{_row(one.file, one.row)} {words}{pick('：', ': ')}{one.parcel_id}")
                    except PanhuoError as fault:
                        faults.append(f"{_row(one.file, one.row)} {fault_words(fault)}")
    except PanhuoError as fault:
        messages.error(request, fault_words(fault))
        return redirect("survey")
    if taken or again:
        text = say(f"收到 {taken} 条，先前已收 {again} 条", f"{taken} taken, {again} taken before")
        messages.success(request, text)
    for fault_text in faults[:SHOWN_FAULTS]:
        messages.error(request, fault_text)
    if len(faults) > SHOWN_FAULTS:
        messages.error(
            request, say(f"另有 {len(faults) - SHOWN_FAULTS} 条未收", f"{len(faults) - SHOWN_FAULTS} more")
        )
    return redirect("survey")


def _row(file: str, number: int | None) -> str:
    """A row as messages name it, with its file where that lies in an archive."""
    inside = file.partition("/")[2]
    return f"{inside} " * bool(inside) + pick(f"第 {number} 行：", f"row {number}:")


def _saved(folder: Path, upload: Any) -> Path:
    path = folder / f"{len(list(folder.iterdir()))}-{Path(upload.name).name}"
    with path.open("wb") as stream:
        for chunk in upload.chunks():
            stream.write(chunk)
    return path


@gated("survey")
def form(request: HttpRequest, name: str) -> HttpResponse:
    """A form as XLSForm with its lists of one's own land, for ODK, Kobo and QField tools."""
    found(name in survey_forms())
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, content in lists.form_archive(request.user, name).items():
            archive.writestr(file, content)
    stream.seek(0)
    return FileResponse(stream, as_attachment=True, filename=f"{name}.zip")
