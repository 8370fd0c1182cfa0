"""The form of a plan as what `make_plan` takes: budget, years, targets, limits, pairs, inputs for all parcels."""

from typing import Any, Final

from django.http import QueryDict

from panhuo.appraise.inputs import checked, money_spec
from panhuo.core.problems import PanhuoError
from panhuo.site.money import given
from panhuo.site.words import pick

ROWS: Final = 2
"""Empty rows offered beyond those filled in."""
YEARS_MOST: Final = 10
TARGET: Final = ("division", "measure", "year", "least_mu")


def read(form: QueryDict) -> dict[str, Any]:
    """What the form asks for. Raises PanhuoError naming the field that does not fit."""
    years = int(_number(form, "years", 1, YEARS_MOST) or 1)
    wishes: dict[str, Any] = {"targets": list(_targets(form, years))}
    for name in ("bond_quota_wan", "staff_days"):
        if (value := _number(form, name)) is not None:
            wishes[name] = value
    days = {
        t: _real(d, "staff_tool_days") for t, d in _rows(form, ("staff_tool", "staff_tool_days")) if t and d
    }
    if days:
        wishes["staff_days_per_tool"] = days
    for name in ("exclusive", "needs"):
        if pairs := [_pair(line, name) for line in form.get(name, "").splitlines() if line.strip()]:
            wishes[name] = pairs
    common = {}
    for name, text in _rows(form, ("input", "input_value")):
        if name and text:
            common[name] = given.read(name, text)
            value = common[name]
            checked(name, value.get("value") if isinstance(value, dict) else value)
    return {
        "budget_wan": _number(form, "budget_wan"),
        "years": years,
        "with_check": bool(form.get("with_check")),
        "wishes": wishes,
        "inputs": common,
    }


def blanks(asked: dict[str, Any]) -> dict[str, Any]:
    """What was asked before, with empty rows to fill in; a database need not keep the order it was asked in."""
    wishes = asked.get("wishes", {})
    given_before, spec = asked.get("inputs", {}), money_spec().inputs
    empty: list[Any] = [{}] * ROWS
    return {
        **asked,
        "years": asked.get("years", 3),
        "targets": [*wishes.get("targets", []), *empty],
        "staff": [*sorted(wishes.get("staff_days_per_tool", {}).items()), *[("", "")] * ROWS],
        "inputs": [
            *((n, given.told(given_before[n])) for n in spec if n in given_before),
            *[("", "")] * ROWS,
        ],
        "exclusive": "\n".join(", ".join(p) for p in wishes.get("exclusive", [])),
        "needs": "\n".join(", ".join(p) for p in wishes.get("needs", [])),
        "bond_quota_wan": wishes.get("bond_quota_wan", ""),
        "staff_days": wishes.get("staff_days", ""),
    }


def _rows(form: QueryDict, names: tuple[str, ...]) -> list[tuple[str, ...]]:
    return list(zip(*([v.strip() for v in form.getlist(n)] for n in names), strict=False))


def _targets(form: QueryDict, years: int) -> Any:
    for division, measure, year, least in _rows(form, tuple(f"target_{n}" for n in TARGET)):
        if not least:
            continue
        target: dict[str, Any] = {"least_mu": _real(least, "least_mu")}
        if division:
            target["division"] = division
        if measure:
            target["measure"] = measure
        if year:
            target["year"] = int(_real(year, "year", 1, years))
        yield target


def _pair(line: str, name: str) -> list[str]:
    parts = [p.strip() for p in line.replace("，", ",").split(",") if p.strip()]
    if len(parts) != 2:
        raise PanhuoError(
            pick(
                "每行应是两个宗地编号，以逗号分开", "each line should be two parcel ids with a comma between"
            ),
            where=f"{name}: {line}",
        )
    return parts


def _number(form: QueryDict, name: str, least: float = 0, most: float = float("inf")) -> float | None:
    text = form.get(name, "").strip()
    return _real(text, name, least, most) if text else None


def _real(text: str, name: str, least: float = 0, most: float = float("inf")) -> float:
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise PanhuoError(
            pick("这里应填一个数", "a number is wanted here"),
            where=f"{name} = {text}",
            why=pick(f"应不小于 {least:g}", f"at least {least:g}")
            + ("" if most == float("inf") else pick(f"、不大于 {most:g}", f", at most {most:g}")),
        )
    return value
