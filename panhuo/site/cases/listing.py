"""The list of cases: of one's own land, filtered, counted, and as a file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from panhuo.site import gate, labels
from panhuo.site.among import Among
from panhuo.site.cases import offered
from panhuo.site.cases.models import STATES, Case
from panhuo.site.shelf import Row, rows
from panhuo.site.words import listed, pick

SOON_DAYS: Final = 7
"""A limit this near is soon."""
COLUMNS: Final = (
    ("pk", "案件号", "Case"), ("parcel_id", "宗地", "Parcel"), ("name", "名称", "Name"),
    ("division", "行政区", "Division"), ("procedure", "程序", "Procedure"), ("tool", "工具", "Tool"),
    ("state", "状态", "State"), ("doing", "在办步骤", "On hand"), ("due_on", "期限", "Due"),
    ("days_left", "剩余天数", "Days left"), ("began", "起算日", "Began"), ("end", "结果", "End"),
    ("by", "立案人", "Opened by"), ("at", "立案日", "Opened on"),
)  # fmt: skip


@dataclass(frozen=True)
class Listed:
    """Cases of a person's land, the parcels they are of, and how many there are in each state and how urgent."""

    cases: QuerySet[Case]
    parcels: Mapping[str, Row]
    counts: Mapping[str, int]
    choices: Mapping[str, list[tuple[str, str]]]
    """What the list may be narrowed to: procedures and divisions that have cases."""


def parcels_of(person: Any, ids: list[str]) -> dict[str, Row]:
    """Those of the parcels that are of the person's land, by id."""
    where = gate.parcels(person).also("parcel_id IN (SELECT unnest(?::VARCHAR[]))", (ids,))
    sql = f"SELECT parcel_id, name, division, holder FROM parcels WHERE {where.sql}"
    return {row["parcel_id"]: row for row in rows(sql, where.values)} if ids else {}


def visible(person: Any) -> tuple[QuerySet[Case], dict[str, Row]]:
    """The cases of the person's land, and their parcels."""
    ids = list(Case.objects.order_by().values_list("parcel_id", flat=True).distinct())
    held = parcels_of(person, ids)
    return Case.objects.filter(Among(F("parcel_id"), held)).defer("law").select_related("by"), held


def urgent(cases: QuerySet[Case]) -> dict[str, QuerySet[Case]]:
    """Running cases past a limit, and those near one."""
    today = timezone.localdate()
    running = cases.filter(state="running")
    return {
        "late": running.filter(due_on__lt=today),
        "soon": running.filter(due_on__gte=today, due_on__lte=today + timedelta(days=SOON_DAYS)),
    }


def find(person: Any, asked: Mapping[str, str]) -> Listed:
    """The list that an address asks for: state, due (late, soon), mine (turn, opened), procedure, division, q."""
    cases, parcels = visible(person)
    choices = _choices(cases, parcels)
    if division := asked.get("division", ""):
        inside = [i for i, row in parcels.items() if (row["division"] or "").startswith(division)]
        cases = cases.filter(Among(F("parcel_id"), inside))
    if procedure := asked.get("procedure"):
        cases = cases.filter(procedure_id=procedure)
    if text := asked.get("q", "").strip():
        named = [i for i, row in parcels.items() if text in f"{i} {row['name']} {row['holder']}"]
        cases = cases.filter(
            Q(Among(F("parcel_id"), named)) | Q(pk=int(text) if text.isdecimal() and len(text) < 10 else None)
        )
    match asked.get("mine"):
        case "turn":
            acts = [act for act in ("work", "decide") if gate.may(person, act)]
            mine = Q(pk__in=())
            for act in acts:
                mine |= Q(turns__contains=f",{act},")
            cases = cases.filter(mine, state="running")
        case "opened":
            cases = cases.filter(by=person)
    by_state = cases.order_by().values_list("state").annotate(n=Count("pk"))
    counts = dict.fromkeys((state for state, _ in STATES), 0) | dict(by_state)
    hurried = urgent(cases)
    counts |= {name: found.count() for name, found in hurried.items()}
    if asked.get("due") in hurried:
        cases = hurried[asked["due"]]
    elif state := asked.get("state", "running"):
        cases = cases.filter(state=state)
    return Listed(cases.order_by(F("due_on").asc(nulls_last=True), "-id"), parcels, counts, choices)


def _choices(cases: QuerySet[Case], parcels: Mapping[str, Row]) -> dict[str, list[tuple[str, str]]]:
    names = cases.order_by("procedure_id").values_list("procedure_id", flat=True).distinct()
    codes = {row["division"] for row in parcels.values() if row["division"]}
    wide = {code[:size] for code in codes for size in (4, 6)}
    return {
        "procedures": [(n, offered.told(n)) for n in dict.fromkeys(names) if n in offered.procedures()],
        "divisions": [(code, labels.division(code.ljust(6, "0"))) for code in sorted(wide)],
    }


def line(case: Case, parcel: Row | None) -> dict[str, Any]:
    """A case as a row of a file."""
    parcel = parcel or {}
    return {
        "pk": case.pk,
        "parcel_id": case.parcel_id,
        "name": parcel.get("name") or "",
        "division": labels.division(parcel.get("division")),
        "procedure": case.label,
        "tool": labels.tool(case.tool_id) if case.tool_id else "",
        "state": str(case.get_state_display()),
        "doing": listed(case.doing),
        "due_on": case.due_on,
        "days_left": case.days_left,
        "began": case.began,
        "end": case.end_label,
        "by": case.by.shown_name(),
        "at": timezone.localtime(case.at).date(),
    }


def table(found: Listed) -> tuple[list[str], Iterator[list[Any]]]:
    """The list for a file: its heads, and its rows."""
    rows = (
        list(line(case, found.parcels.get(case.parcel_id)).values()) for case in found.cases.iterator(500)
    )
    return [pick(zh, en) for _, zh, en in COLUMNS], rows
