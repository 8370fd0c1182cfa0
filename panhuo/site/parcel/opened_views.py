"""Pages that open a figure: a value of a parcel or an enterprise, a tool weighed for a parcel, a parcel's history."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from panhuo.site.gate import found, gated
from panhuo.site.labels import rulebook
from panhuo.site.parcel import firm, opened, story
from panhuo.site.shelf import shelf
from panhuo.workspace.reading import result_specs


@gated("see")
def parcel_value(request: HttpRequest, parcel_id: str, name: str) -> HttpResponse:
    """The chain behind one value of a parcel."""
    row = story.parcel_row(request.user, parcel_id)
    context = opened.value("parcels", parcel_id, row, name)
    back = {
        "back": reverse("parcel", args=[parcel_id]),
        "whose": row["name"] or parcel_id,
        "parcel_id": parcel_id,
    }
    return render(request, "parcel/value.html", context | back)


@gated("see")
def enterprise_value(request: HttpRequest, enterprise_id: str, name: str) -> HttpResponse:
    """The chain behind one value of an enterprise."""
    row = story.enterprise_row(request.user, enterprise_id)
    context = opened.value("enterprises", enterprise_id, row, name)
    back = {"back": reverse("enterprise", args=[enterprise_id]), "whose": row["name"] or enterprise_id}
    return render(request, "parcel/value.html", context | back)


@gated("see")
def option(request: HttpRequest, parcel_id: str, tool_id: str) -> HttpResponse:
    """Why a tool is open or closed for a parcel: each condition with its outcome, the sums of each party, the cases."""
    row = story.parcel_row(request.user, parcel_id)
    weighed = found(next((o for o in story.options(parcel_id) if o["tool_id"] == tool_id), None))
    context = {
        "parcel": row,
        "option": weighed,
        "sums_columns": [
            c for c in result_specs()["appraisals"]["columns"] if c not in ("parcel_id", "tool_id")
        ],
        "tool": rulebook().tools.get(tool_id),
        "snapshot": shelf().key.split("+"),
    }
    return render(request, "parcel/option.html", context)


@gated("see")
def history(request: HttpRequest, dataset: str, subject: str) -> HttpResponse:
    """Everything that happened to a parcel or an enterprise; its page asks for it once it stands."""
    story.row_of(request.user, dataset, subject)
    return render(
        request, "parcel/history.html", {"events": opened.history(dataset, subject), "dataset": dataset}
    )


@gated("see")
def score_item(request: HttpRequest, enterprise_id: str, scheme_id: str, indicator: str) -> HttpResponse:
    """What stands behind one item of a score: formula, values, dated parameters, rows."""
    row = story.enterprise_row(request.user, enterprise_id)
    context = found(firm.item(enterprise_id, scheme_id, indicator, row))
    land = firm.land(request.user, enterprise_id) if context.get("uses_land") else []
    more = {"enterprise": row, "land": land, "snapshot": shelf().key.split("+")}
    return render(request, "parcel/score_item.html", context | more)


@gated("see")
def action(request: HttpRequest, enterprise_id: str, action: str) -> HttpResponse:
    """Why something is proposed to an enterprise: the condition, its facts with what they rest on, the scheme."""
    row = story.enterprise_row(request.user, enterprise_id)
    context = found(firm.acted(enterprise_id, action, firm.land(request.user, enterprise_id)))
    more = {"enterprise": row, "snapshot": shelf().key.split("+")}
    return render(request, "parcel/action.html", context | more)
