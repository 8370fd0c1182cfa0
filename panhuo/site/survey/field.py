"""The page that surveys with no network: its shell, its list, and where what was filled is sent."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_POST

from panhuo.core.problems import PanhuoError
from panhuo.inventory.corrections import value_text
from panhuo.inventory.spec import FieldSpec, Words, dataset_specs
from panhuo.inventory.survey import MADE_IN, Visit
from panhuo.inventory.survey_form import (
    PARCELS,
    Question,
    SurveyForm,
    choices_of,
    question_label,
    survey_forms,
)
from panhuo.site import gate, labels
from panhuo.site.corrections.values import kind
from panhuo.site.gate import gated, open_to_all
from panhuo.site.parcel.story import parcel_row
from panhuo.site.shelf import kept
from panhuo.site.survey import acts, lists
from panhuo.site.words import fault_words, pick

WORDS: Final = {
    "online": ("在线", "Online"),
    "offline": ("离线，照常填写", "Offline: fill in as usual"),
    "take": ("下载待查清单", "Take along"),
    "taken": ("已下载 {n} 宗，{at}", "{n} parcels taken along, {at}"),
    "none_taken": ("还没有下载清单。联网时下载，离线也能填。", "Nothing taken along yet: do so while online."),
    "nothing_due": ("没有待查的宗地。", "No parcels left to visit."),
    "find": ("按名称、编号、坐落找", "Find by name, id or place"),
    "nearest": ("由近到远", "Nearest first"),
    "fill": ("填写", "Fill in"),
    "resume": ("继续填写", "Go on"),
    "add": ("新增台账外的空间", "Add a space not on record"),
    "waiting": ("待发送", "Waiting to be sent"),
    "sent": ("已送达", "Arrived"),
    "draft": ("草稿", "Draft"),
    "refused": ("未被接收", "Not taken"),
    "failed": ("没有送到，稍后自动再发。", "Not delivered: it will be tried again."),
    "sending": ("正在发送…", "Sending…"),
    "send": ("全部发送", "Send all"),
    "signin": ("登录已过期：联网登录后自动发送。", "Signed out: sign in again and it will be sent."),
    "signin_link": ("去登录", "Sign in"),
    "others": ("本机还有别人的 {n} 条记录待其本人登录发送。", "{n} of another account wait here for its owner."),
    "measure": ("定位", "Take position"),
    "measuring": ("正在定位…", "Finding the position…"),
    "no_position": ("无法定位，请打开定位权限", "No position: allow it in the browser"),
    "position": ("位置", "Position"),
    "accuracy": ("精度 ±{n} 米", "±{n} m"),
    "inside": ("在图形内", "inside the outline"),
    "away": ("距图形 {n} 米", "{n} m from the outline"),
    "far": ("离图形太远，请确认没有走错地块。", "Far from the outline: make sure this is the right parcel."),
    "photos": ("照片", "Photographs"),
    "photo_add": ("拍照或选图", "Take or choose a photograph"),
    "photo_remove": ("删除照片 {n}", "Remove photograph {n}"),
    "photo_bad": ("这个文件不是照片", "this file is no photograph"),
    "photos_least": ("至少 {n} 张，最多 {m} 张，会自动缩小", "{n} at least, {m} at most; made smaller here"),
    "unknown": ("不清楚", "Not known"),
    "yes": ("是", "Yes"),
    "no": ("否", "No"),
    "record": ("台账：", "On record: "),
    "which": ("哪一条？", "Which one?"),
    "done": ("填完，发送", "Done: send"),
    "later": ("存为草稿", "Keep as draft"),
    "drop": ("删除", "Delete"),
    "drop_sure": ("删除这条记录？", "Delete this record?"),
    "needed": ("请填写", "Please answer"),
    "not_value": ("不是可能的值", "is not a possible value"),
    "back": ("返回清单", "Back to the list"),
    "facts": ("待查明：", "To find out: "),
    "more": ("等 {n} 项", "and {n} more"),
    "full": ("手机存储空间不足，请先发送已填记录。", "The phone's storage is full: send what is filled first."),
    "list": ("待查清单", "To visit"),
    "outbox": ("我的记录", "My records"),
    "form": ("调查表", "Form"),
    "no_secure": ("离线填写和定位要用 HTTPS 打开本站。", "Work offline and positions need this site over HTTPS."),
    "form_gone": ("服务器没有接受", "the server did not take it"),
    "open": ("查看", "Open"),
}  # fmt: skip
"""What the page says by itself, in both languages; labels of questions come from the spec."""


@gated("survey")
@ensure_csrf_cookie
def page(request: HttpRequest) -> HttpResponse:
    """The shell, with every form in it; a service worker keeps it for when there is no network."""
    setting = {
        "person": request.user.get_username(),
        "forms": {name: form_of(request.user, form) for name, form in survey_forms().items()},
        "words": {name: pick(*words) for name, words in WORDS.items()},
        "links": {
            "list": reverse("survey_list", args=["FORM"]), "send": reverse("survey_send"),
            "worker": reverse("survey_worker"), "login": f"{reverse('account_login')}?next={request.path}",
        },
        "day": visit_field("visited_on"), "remark": visit_field("remark"),
    }  # fmt: skip
    return render(request, "survey/field.html", {"setting": setting})


def visit_field(name: str) -> str:
    """What a field of the visit itself is called."""
    return labels.field("visits", name)


def form_of(person: Any, form: SurveyForm) -> dict[str, Any]:
    """A form as the page draws it."""
    return {
        "label": _pick(form.label), "far_m": form.far_m,
        "photos_least": form.photos_least, "photos_most": form.photos_most, "may_add": form.may_add,
        "groups": [
            {
                "dataset": dataset, "label": labels.dataset(dataset),
                "key": labels.field(dataset, dataset_specs()[dataset].key[0]),
                "whole": dataset == PARCELS, "makes": dataset == MADE_IN,
                "questions": [question_of(person, form, dataset, q) for q in group.questions],
            }
            for dataset, group in form.groups.items()
        ],
    }  # fmt: skip


def question_of(person: Any, form: SurveyForm, dataset: str, question: Question) -> dict[str, Any]:
    """A question as the page draws it."""
    field = form.spec(dataset, question)
    return {
        "name": question.name, "label": _pick(question_label(field)), "type": kind(field),
        "required": question.required, "long": question.long, "only_new": question.only_new,
        "when": question.when, "hint": _pick(question.hint) if question.hint else "", "min": field.min,
        "max": field.max, "past": field.span == "past", "choices": choices(person, field),
    }  # fmt: skip


def choices(person: Any, field: FieldSpec) -> list[tuple[str, str]]:
    """The codes of a question with their words; of divisions, those the person's land lies in."""
    if field.codes != "divisions":
        return [(code, _pick(words)) for code, words in choices_of(field).items()]
    where = gate.parcels(person)
    held = kept(f"SELECT DISTINCT division FROM parcels WHERE {where.sql} ORDER BY 1", where.values)
    return [(r["division"], labels.division(r["division"])) for r in held if r["division"]]


def _pick(words: Words) -> str:
    return pick(words.zh, words.en)


@open_to_all
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker, at an address below which it may serve."""
    path = finders.find("dist/survey-worker.js")
    return HttpResponse(
        Path(str(path)).read_bytes(),
        content_type="text/javascript; charset=utf-8",
        headers={"Cache-Control": "no-cache"},
    )


@gated("survey")
def to_visit(request: HttpRequest, name: str) -> HttpResponse:
    """The parcels of one's land still to be visited; lon and lat: nearest first; parcel: that one, whatever it is."""
    gate.found(name in survey_forms())
    if parcel_id := request.GET.get("parcel"):
        return JsonResponse(
            {"visits": lists.along(survey_forms()[name], [parcel_row(request.user, parcel_id)])}
        )
    try:
        lon, lat = (number(request.GET, part) for part in ("lon", "lat"))
    except ValueError:
        return JsonResponse({"fault": pick("不是位置", "this is no position")}, status=400)
    at = None if lon is None or lat is None else (lon, lat)
    return JsonResponse({"visits": lists.to_visit(request.user, name, at)})


@gated("survey")
@require_POST
def send(request: HttpRequest) -> HttpResponse:
    """Takes one filled form with its photographs; the same one again is answered as arrived.

    A page kept on the phone may be older than the session it sends in: what one filled nobody else sends.
    """
    photos = request.FILES.getlist("photo")
    try:
        given = json.loads(request.POST.get("visit", ""))
        own = given["person"] == request.user.get_username()
        visit, seen = visit_of(request.user, given, len(photos))
    except (ValueError, KeyError, TypeError, AttributeError):
        return JsonResponse({"fault": pick("记录不完整", "the record is not whole")}, status=400)
    if not own:
        return JsonResponse({"fault": pick("由填写人本人登录发送", "whoever filled it sends it")}, status=403)
    try:
        answer = acts.arrive(request.user, visit, photos, seen)
    except PanhuoError as fault:
        status = 409 if fault.where == "visit_id" else 422
        return JsonResponse({"fault": fault_words(fault)}, status=status)
    return JsonResponse(
        {
            "visit": reverse("visit", args=[answer.visit.pk]), "again": answer.again, "told": answer.told,
            "corrections": answer.visit.corrections().count(),
        }
    )  # fmt: skip


def number(given: Mapping[str, Any], name: str) -> float | None:
    """A field of the visit that is a number, None where there is none. Raises ValueError for what it cannot be."""
    if given.get(name) is None:
        return None
    return float(value_text(dataset_specs()["visits"].fields[name], str(given[name])))


def visit_of(person: Any, given: dict[str, Any], photos: int) -> tuple[Visit, dict[str, str]]:
    """A visit as the page sends it with so many photographs, and what the record said when it was taken along."""
    texts = {
        part: {str(k): str(v) for k, v in given.get(part, {}).items() if v not in (None, "")}
        for part in ("answers", "rows")
    }
    visit = Visit(
        str(given["visit_id"]), given["form"], str(given["parcel_id"]), date.fromisoformat(given["visited_on"]),
        person.shown_name(), texts["answers"], texts["rows"], number(given, "lon"), number(given, "lat"),
        number(given, "accuracy_m"), tuple(f"{n}.jpg" for n in range(photos)),
        str(given.get("remark", ""))[:2000],
    )  # fmt: skip
    held = {str(k): "" if v is None else str(v) for k, v in given.get("held", {}).items()}
    return visit, held
