"""A value of the law tried on the workspace: asked on the parameter's page, told as a list of what would differ."""

import json
from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from panhuo.appraise.inputs import money_spec
from panhuo.core.problems import PanhuoError
from panhuo.diagnose.findings import BATCH_UNIT
from panhuo.site import gate, labels, shelf
from panhuo.site.gate import gated
from panhuo.site.jobs import acts
from panhuo.site.jobs.views import own_jobs
from panhuo.site.labels import rulebook
from panhuo.site.words import day_given, fault_words, pick

PAGE: Final = 50


@gated("assess")
@require_POST
def ask(request: HttpRequest, name: str) -> HttpResponse:
    """Asks for the trial of a value of parameter `name`; what cannot be tried is said on the parameter's page."""
    if name not in rulebook().parameters:
        raise Http404
    given = {k: request.POST.get(k, "").strip() for k in ("start", "value", "place", "as_of")}
    try:
        start = day_given(given["start"], "start")
        as_of = day_given(given["as_of"], "as_of") if given["as_of"] else None
        job = acts.ask_trial(request.user, name, start, given["value"], given["place"], as_of)
    except PanhuoError as fault:
        messages.error(request, fault_words(fault))
        return redirect("law_item", "parameters", name)
    return redirect("job", job.pk)


@gated("see")
def trial(request: HttpRequest, pk: int) -> HttpResponse:
    """What a finished trial found, of the reader's own land."""
    job = get_object_or_404(own_jobs(request.user).filter(kind="trial", state="done"), pk=pk)
    told = json.loads(shelf.kept_file(job.result["digest"]).read_bytes())
    found = visible(told["parcels"], request.user)
    counts: dict[tuple[str, str], int] = {}
    for unit in found:
        for change in unit["changes"]:
            key = (change["kind"], change["id"])
            counts[key] = counts.get(key, 0) + 1
    pages = Paginator(found, PAGE)
    page = pages.get_page(request.GET.get("page"))
    context = {
        "job": job,
        "asked": job.asked,
        "parameter": rulebook().parameters.get(job.asked["name"]),
        "told": told,
        "found": len(found),
        "units": [unit | {"changes": [in_words(c) for c in unit["changes"]]} for unit in page],
        "page": page.number,
        "last": pages.num_pages,
        "counts": sorted(((*key, n) for key, n in counts.items()), key=lambda row: -row[2]),
    }
    return render(request, "lawbook/trial.html", context)


def in_words(change: dict[str, Any]) -> dict[str, Any]:
    """A change with what stands now and then as words."""
    say = {"finding": _finding, "tool": _tool, "appraisal": _cash}[change["kind"]]
    return change | {side: say(change[side]) if change[side] else "" for side in ("old", "new")}


def _finding(row: dict[str, Any]) -> str:
    return " ".join(filter(None, (labels.value("findings", "status", row["status"]), row["since"])))


def _tool(row: dict[str, Any]) -> str:
    return f"{labels.value('options', 'status', row['status'])} · {labels.number(row['fit'])}"


def _cash(row: dict[str, float]) -> str:
    spec = money_spec().parties
    return pick("；", "; ").join(
        f"{pick(spec[party].zh, spec[party].en)} {labels.number(amount)} {pick('万元', '10k CNY')}"
        for party, amount in row.items()
    )


def visible(units: list[dict[str, Any]], person: Any) -> list[dict[str, Any]]:
    """The parcels and batches of a trial that lie on the person's land, with their names."""
    mine = gate.parcels(person)
    ids = [unit["parcel_id"] for unit in units]
    names = {
        row["parcel_id"]: {"name": row["name"], "division": row["division"], "has_page": True}
        for row in shelf.rows(
            f"SELECT parcel_id, name, division FROM parcels WHERE ({mine.sql}) AND parcel_id IN (SELECT unnest(?))",
            [*mine.values, ids],
        )
    }
    land = gate.scope_of(person)
    names |= {
        BATCH_UNIT + row["batch_id"]: {"name": row["batch_id"], "division": row["division"]}
        for row in _batches([i.removeprefix(BATCH_UNIT) for i in ids if i.startswith(BATCH_UNIT)])
        if land.everywhere or land.covers_division(row["division"] or "")
    }
    return [unit | names[unit["parcel_id"]] for unit in units if unit["parcel_id"] in names]


def _batches(ids: list[str]) -> list[dict[str, Any]]:
    sql = "SELECT batch_id, division FROM batches WHERE batch_id IN (SELECT unnest(?))"
    return shelf.rows(sql, [ids]) if ids else []
