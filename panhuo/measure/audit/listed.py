"""A list of figures with formulas (yaml), each recomputed from the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from panhuo.core.figures import FigureError, Interval, Verdict, evaluate, parse_unit, stated, verdict
from panhuo.core.problems import PanhuoError
from panhuo.rulebook.quantities import quantities


@dataclass(frozen=True, slots=True)
class ListedCheck:
    """A listed figure, its recomputation in its own unit, and the verdict."""

    id: str
    label: str
    value: Decimal
    unit: str
    qualifier: str
    computed: float | None
    status: Verdict
    arithmetic: str


def check_listed(figures: Sequence[Any]) -> list[ListedCheck]:
    """The checks of figures `{id, value, unit, qualifier?, formula?}` (value and unit also under `stated`).

    Raises PanhuoError naming the figure that cannot be read.
    """
    rows = [_row(number, figure) for number, figure in enumerate(figures, 1)]
    known = {row["id"]: _interval(row, claim=False) for row in rows}
    return [_checked(row, known) for row in rows if row["formula"]]


def _row(number: int, figure: Any) -> dict[str, Any]:
    if not isinstance(figure, dict):
        raise PanhuoError("清单的每一项应有 id、value、unit", where=f"figures[{number}]")
    told = {**figure, **(figure.get("stated") or {})}
    label = told.get("label") or told.get("id", "")
    try:
        value = Decimal(str(told["value"]))
        return {
            "id": str(told["id"]),
            "label": label.get("zh", "") if isinstance(label, dict) else str(label),
            "value": value,
            "unit": str(told.get("unit", "1")),
            "qualifier": told.get("qualifier") or "",
            "formula": told.get("formula"),
        }
    except (KeyError, InvalidOperation) as fault:
        raise PanhuoError(
            "清单里有一项缺 id 或数值 a figure lacks id or number",
            where=f"figures[{number}]",
            why=str(fault),
        ) from None


def _interval(row: Mapping[str, Any], *, claim: bool) -> Interval:
    known = quantities()
    try:
        unit = parse_unit(row["unit"], known.units)
        return stated(row["value"], unit, known.bound(row["qualifier"]), claim=claim)
    except (FigureError, KeyError) as fault:
        raise PanhuoError(
            "单位或程度词不认识 unknown unit or word of degree", where=row["id"], why=str(fault)
        ) from None


def _checked(row: Mapping[str, Any], known: Mapping[str, Interval]) -> ListedCheck:
    told = (row["id"], row["label"], row["value"], row["unit"], row["qualifier"])
    try:
        found = evaluate(str(row["formula"]), known)
    except FigureError as fault:
        return ListedCheck(*told, None, "uncheckable", str(fault))
    factor = float(parse_unit(row["unit"], quantities().units).factor)
    status = verdict(_interval(row, claim=True), found)
    sign = {"agree": "＝", "disagree": "≠", "uncheckable": "单位不同于"}[status]
    arithmetic = f"{row['formula']} = {found.value / factor:.6g} {sign} {row['value']}{row['unit']}"
    return ListedCheck(*told, found.value / factor, status, arithmetic)
