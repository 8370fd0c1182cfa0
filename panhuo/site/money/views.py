"""Pages of money: the tools of a parcel with inputs edited on screen; plans asked for, read, exported, adopted."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from panhuo.appraise.inputs import money_spec
from panhuo.appraise.run import model_of
from panhuo.core.problems import PanhuoError
from panhuo.site import gate
from panhuo.site.gate import gated
from panhuo.site.jobs.models import Job
from panhuo.site.jobs.results import KeptRows, open_to
from panhuo.site.labels import rulebook
from panhuo.site.money import acts, given, plan_form, side_by_side, workbook
from panhuo.site.money.models import InputSet
from panhuo.site.parcel.story import parcel_row
from panhuo.site.shelf import kept_file, rows, shelf
from panhuo.site.words import number_given, pick, say
from panhuo.workspace.compares import INPUTS_FILE, assessed, given_for, given_inputs, offered, parcel_case

FIRST: Final = 4
PAGE: Final = 100


def base_layer(parcel_id: str, chosen: InputSet | None) -> tuple[dict[str, Any], dict[str, str]]:
    """What is given for a parcel before anybody edits: a saved set, else the workspace's file; and who gave each."""
    if chosen:
        who = f"{chosen.by.shown_name()} {chosen.at:%Y-%m-%d}"
        return chosen.values, dict.fromkeys(chosen.values, who)
    values = given_for(given_inputs(shelf().workspace, None), parcel_id)
    return values, dict.fromkeys(values, INPUTS_FILE)


def chosen_set(request: HttpRequest, parcel_id: str) -> InputSet | None:
    """The saved set asked for, or the latest one; none when the file alone is asked for."""
    sets = InputSet.open_to(request.user).filter(parcel_id=parcel_id)
    asked = (request.POST or request.GET).get("set", "")
    if asked == "file":
        return None
    return get_object_or_404(sets, pk=number_given(asked)) if asked else sets.first()


@gated("see")
def compare(request: HttpRequest, parcel_id: str) -> HttpResponse:
    """The tools of a parcel side by side, worked out anew from the inputs in the form; nothing is stored."""
    row = parcel_row(request.user, parcel_id)
    ws, book, chosen = shelf().workspace, rulebook(), chosen_set(request, parcel_id)
    context: dict[str, Any] = {
        "parcel": row, "chosen": chosen, "only_file": (request.POST or request.GET).get("set") == "file",
        "sets": InputSet.open_to(request.user).filter(parcel_id=parcel_id)[:20],
    }  # fmt: skip
    try:
        base, sources = base_layer(parcel_id, chosen)
        values = given.form_values(request.POST) if request.method == "POST" else base
        case = parcel_case(ws, parcel_id, values)
        ranked = [t for t in offered(assessed(ws, "options", parcel_id)) if model_of(t, book)]
        tools = [t for t in request.POST.getlist("tool") if t in ranked] or ranked[:FIRST]
        result = side_by_side.weigh(case, parcel_case(ws, parcel_id, base), tools, book)
        texts = {name: given.told(value) for name, value in values.items()}
        by = {
            n: sources[n] if n in base and texts[n] == given.told(base[n]) else pick("本次填写", "this edit")
            for n in values
        }
        names = given.names_of(tools, book)
        inputs = given.shown(names, case, book, by, texts, result["needed"])
        kept = [(n, texts[n]) for n in values if n not in names]
        context |= {
            "ranked": ranked,
            "tools": tools,
            "inputs": inputs,
            "kept": kept,
            "result": result,
            "on": case.on,
        }
    except PanhuoError as fault:
        return render(request, "problem.html", {"fault": fault, "back": request.path}, status=400)
    return render(request, "money/compare.html", context)


@gated("plan")
@require_POST
def save(request: HttpRequest, parcel_id: str) -> HttpResponse:
    """Keeps the inputs of the form as the parcel's own."""
    parcel_row(request.user, parcel_id)
    try:
        acts.save_inputs(
            request.user, parcel_id, given.form_values(request.POST), request.POST.get("note", "").strip()
        )
        messages.success(request, say("已保存输入", "Inputs saved"))
    except PanhuoError as fault:
        return render(request, "problem.html", {"fault": fault}, status=400)
    return redirect("compare", parcel_id)


# --- plans -----------------------------------------------------------------------------------------------------------


@gated("plan")
def plans(request: HttpRequest) -> HttpResponse:
    """Budget, years, targets and constraints edited on screen; the plans asked for before."""
    earlier = [
        j for j in Job.objects.filter(kind="plan").select_related("by")[:100] if open_to(request.user, j)
    ]
    if request.method == "POST":
        try:
            return redirect("job", acts.ask_plan(request.user, plan_form.read(request.POST)).pk)
        except PanhuoError as fault:
            return render(request, "problem.html", {"fault": fault}, status=400)
    again = next((j for j in earlier if str(j.pk) == request.GET.get("from")), None)
    units = gate.parcels(request.user)
    divisions = rows(
        f"SELECT DISTINCT division AS id FROM parcels WHERE {units.sql} ORDER BY 1", units.values
    )
    return render(
        request,
        "money/plans.html",
        {
            "asked": plan_form.blanks(again.asked if again else {}),
            "divisions": [d["id"] for d in divisions if d["id"]],
            "tools": {t: x.label for t, x in rulebook().tools.items() if model_of(t, rulebook())},
            "inputs": money_spec().inputs,
            "earlier": earlier[:20],
        },
    )


def plan_of(person: Any, pk: int) -> tuple[Job, dict[str, Any]]:
    """A finished plan with its rows, or 404 where it was made for land beyond the person's."""
    job = get_object_or_404(Job, pk=pk, kind="plan", state="done")
    if not open_to(person, job):
        raise Http404
    totals = json.loads(kept_file(job.result["digest"]).read_bytes())
    return job, totals | {name: KeptRows(digest) for name, digest in job.result["rows"].items()}


def named(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows with their parcel's name and land."""
    ids = [row["parcel_id"] for row in found]
    known = {
        r["parcel_id"]: r
        for r in rows(
            "SELECT parcel_id, name, division, area_m2 FROM parcels WHERE parcel_id IN (SELECT unnest(?::VARCHAR[]))",
            (ids,),
        )
    }
    return [
        {
            **row,
            "ratio": row["benefit_wan"] / row["cost_wan"] if row["cost_wan"] else None,
            "asked": [asked_for(need) for need in row.get("missing", ())],
            **known.get(row["parcel_id"], {"name": None}),
        }
        for row in found
    ]


def asked_for(need: str) -> str:
    """A missing input in words; any of a choice will do."""
    spec = money_spec().inputs
    return " / ".join(pick(spec[n].label.zh, spec[n].label.en) for n in need.replace("+", "|").split("|"))


@gated("plan")
def plan(request: HttpRequest, pk: int) -> HttpResponse:
    """A plan: totals, what was chosen and why, what was left out and why, what each limit is worth."""
    job, content = plan_of(request.user, pk)
    part = "left" if request.GET.get("show") == "left" else "chosen"
    page = Paginator(content["left_out"] if part == "left" else content["chosen"], PAGE).get_page(
        request.GET.get("page")
    )
    return render(
        request,
        "money/plan.html",
        {"job": job, "plan": content, "part": part, "page": page, "rows": named(list(page.object_list)),
         "asked": job.asked},
    )  # fmt: skip


@gated("export")
def plan_file(request: HttpRequest, pk: int) -> HttpResponse:
    """The plan as a workbook: what was asked, the chosen, the left out."""
    job, content = plan_of(request.user, pk)
    stream = workbook.plan_book(job.asked, content, named)
    return FileResponse(stream, as_attachment=True, filename=f"plan-{pk}.xlsx")


@gated("decide")
@require_POST
def adopt(request: HttpRequest, pk: int) -> HttpResponse:
    """Makes a plan the plan of its land. Only its whole land's keeper may."""
    job, _ = plan_of(request.user, pk)
    return redirect("job", acts.adopt_plan(request.user, job).pk)
