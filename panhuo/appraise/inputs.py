"""Inputs of an appraisal: each is given, from the ledger, defaulted with its source, or missing.

What an input is (label, unit, bounds, ledger field, default, spread) stands in spec/money.yaml. A model may read only
the inputs its file in law/models declares. A missing needed input ends the appraisal with its
name; nothing is invented.

A given number may carry the range sensitivity runs vary it over: `{value: 12300, low: 11000, high: 14000}` or
`{value: 12300, spread: 0.1}` (± a share of it). Without `value` the range is put about the ledger's or default value.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

from panhuo.appraise.law import Law
from panhuo.core.problems import PanhuoError
from panhuo.rulebook.book import SPEC, validate
from panhuo.rulebook.schema import Label

InputMark = Literal["given", "ledger", "defaulted", "missing"]
WANTED: Final = {
    "payments": "应为逐笔的日期和万元，如 [{on: 2020-06-30, amount_wan: 2875}]"
    " (should list each payment's day and amount)",
    "number": "应为数 (should be a number)",
    "date": "应为日期，如 2020-06-30 (should be a date)",
    "bool": "应为 true 或 false (should be true or false)",
}
InputType = Literal["number", "date", "text", "bool", "payments"]
RANGE_KEYS: Final = ({"low", "high"}, {"spread"})


class InputSpec(BaseModel):
    """One input. Bounds are inclusive (`least`, `most`) or strict (`above`); `pick`: the input that indexes a table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: Label
    type: InputType = "number"
    unit: str = ""
    ledger: str = ""
    default: str = ""
    pick: str = ""
    pick_item: str = ""
    least: float | None = None
    most: float | None = None
    above: float | None = None
    one_of: Mapping[str, Label] = {}
    spread: bool = False
    """Whether the input is uncertain: it is varied in sensitivity runs."""


class FlowSpec(BaseModel):
    """A kind of cash flow; `is_tax` counts it as tax."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: Label
    is_tax: bool = False


class MoneySpec(BaseModel):
    """spec/money.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    inputs: dict[str, InputSpec]
    flows: dict[str, FlowSpec]
    figures: dict[str, Label]
    parties: dict[str, Label]
    notes: dict[str, Label]


@lru_cache(maxsize=1)
def money_spec() -> MoneySpec:
    """The words of money: inputs, flows, figures, parties, notes."""
    return validate(TypeAdapter(MoneySpec), SPEC / "money.yaml")


@dataclass(frozen=True, slots=True)
class Input:
    """One resolved input. `source` says where the value comes from (file, dataset field, parameter).

    bounds: low and high the user gave for sensitivity runs, or None.
    """

    name: str
    value: Any
    unit: str
    mark: InputMark
    source: str = ""
    bounds: tuple[float, float] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The input as the chain shows it; `low` and `high` only where the user gave them."""
        value = self.value.isoformat() if isinstance(self.value, date) else self.value
        shown = {
            "name": self.name,
            "value": value,
            "unit": self.unit,
            "mark": self.mark,
            "source": self.source,
        }
        return shown | dict(zip(("low", "high"), self.bounds, strict=True)) if self.bounds else shown


@dataclass(frozen=True, slots=True)
class Payment:
    """One dated amount [万元] of a list such as instalments."""

    on: date
    amount_wan: float


@dataclass(frozen=True)
class Inputs:
    """The inputs a model declared, resolved. Reading an undeclared one is a fault of the program."""

    items: Mapping[str, Input]

    def has(self, name: str) -> bool:
        """Whether `name` has a value."""
        return self.items[name].value is not None

    def number(self, name: str) -> float:
        """The number of a needed input."""
        return float(self._value(name))

    def number_or(self, name: str, otherwise: float) -> float:
        """The number of an optional input, or `otherwise` (which the caller's formula must state)."""
        return float(self._value(name)) if self.has(name) else otherwise

    def text(self, name: str) -> str:
        """The text of a needed input."""
        return str(self._value(name))

    def day(self, name: str) -> date:
        """The date of a needed input."""
        value = self._value(name)
        assert isinstance(value, date)
        return value

    def day_or_none(self, name: str) -> date | None:
        """The date of an optional input."""
        return self.day(name) if self.has(name) else None

    def flag(self, name: str) -> bool:
        """An optional yes/no; unknown counts as no and the input stays marked missing in the chain."""
        return self.has(name) and bool(self._value(name))

    def payments(self, name: str) -> tuple[Payment, ...]:
        """The dated amounts of an optional list; empty when there is none."""
        return tuple(self._value(name)) if self.has(name) else ()

    def with_number(self, name: str, value: float) -> "Inputs":
        """The same inputs with one number changed (for sensitivity runs); bounds still hold."""
        changed = Input(name, checked(name, value), self.items[name].unit, "given", "sensitivity")
        return Inputs({**self.items, name: changed})

    def missing(self, names: Iterable[str]) -> list[str]:
        """Which of `names` have no value."""
        return [name for name in names if not self.has(name)]

    def _value(self, name: str) -> Any:
        value = self.items[name].value
        if value is None:
            raise PanhuoError(f"缺少输入 (missing input): {name}")
        return value


def resolve(
    names: Iterable[str],
    given: Mapping[str, Any],
    ledger: Mapping[str, Any],
    law: Law,
    on: date,
    source: str = "",
) -> Inputs:
    """The inputs `names`, each from what the user gave, else the ledger's field, else the default parameter.

    `source` names the file of the given values. Raises PanhuoError naming any value out of bounds.
    """
    items: dict[str, Input] = {}
    specs = money_spec().inputs
    for each in dict.fromkeys(n for name in names for n in (specs[name].pick, name) if n):
        items[each] = _resolve_one(each, given, ledger, items, law, on, source)
    return Inputs(items)


def _resolve_one(
    name: str,
    given: Mapping[str, Any],
    ledger: Mapping[str, Any],
    done: Mapping[str, Input],
    law: Law,
    on: date,
    source: str,
) -> Input:
    spec, value = money_spec().inputs[name], given.get(name)
    limits: dict[str, Any] = {}
    if isinstance(value, Mapping):
        limits = {str(k): v for k, v in value.items() if k != "value"}
        value = value.get("value")
        if spec.type != "number" or (limits and set(limits) not in RANGE_KEYS):
            why = "应为 {value, low, high} 或 {value, spread} (a number with low and high, or with spread)"
            raise _refusal(name, spec, given[name], why)
    found = _found(name, spec, value, ledger, done, law, on, source)
    if not limits or found.value is None:
        return found
    return replace(found, bounds=_bounds(name, spec, found.value, limits))


def _bounds(name: str, spec: InputSpec, value: float, limits: Mapping[str, Any]) -> tuple[float, float]:
    """Low and high as given, each allowed for the input; a spread is kept within the input's bounds."""
    try:
        numbers = {key: float(limit) for key, limit in limits.items()}
    except (TypeError, ValueError):
        raise _refusal(name, spec, dict(limits), "范围应为数 (a range is made of numbers)") from None
    if "spread" in numbers:
        share = numbers["spread"]
        if not 0 <= share <= 1:
            raise _refusal(
                name, spec, f"spread {share:g}", "spread 应在 0 与 1 之间 (must lie between 0 and 1)"
            )
        return within(name, *sorted((value * (1 - share), value * (1 + share))))
    low, high = (float(checked(name, numbers[key])) for key in ("low", "high"))
    if not low <= value <= high:
        why = "值须在 low 与 high 之间 (the value must lie between low and high)"
        raise _refusal(name, spec, f"{value:g}, low {low:g}, high {high:g}", why)
    return low, high


def within(name: str, low: float, high: float) -> tuple[float, float]:
    """A range kept within the bounds of input `name`."""
    spec = money_spec().inputs[name]
    return (
        low if spec.least is None else max(low, spec.least),
        high if spec.most is None else min(high, spec.most),
    )


def _found(
    name: str,
    spec: InputSpec,
    value: Any,
    ledger: Mapping[str, Any],
    done: Mapping[str, Input],
    law: Law,
    on: date,
    source: str,
) -> Input:
    if value is not None:
        return Input(name, checked(name, value), spec.unit, "given", source)
    if spec.ledger and ledger.get(spec.ledger) is not None:
        return Input(name, checked(name, ledger[spec.ledger]), spec.unit, "ledger", spec.ledger)
    if spec.default and law.rulebook.has_value(spec.default, on):
        leaf = law.leaf(spec.default, on)
        value = leaf.value
        if spec.pick:
            key = done[spec.pick].value
            value = value.get(key) if key is not None else None
        if spec.pick_item and value is not None:
            value = value[spec.pick_item]
        if value is not None:
            mark = " (unverified)" if leaf.unverified else ""
            return Input(
                name, checked(name, value), spec.unit, "defaulted", f"{leaf.name} @ {leaf.start}{mark}"
            )
    return Input(name, None, spec.unit, "missing")


def checked(name: str, value: Any) -> Any:
    """`value` as input `name` wants it; PanhuoError naming the input when it is of another type or out of bounds."""
    spec = money_spec().inputs[name]
    try:
        typed = _typed(spec, value)
    except (TypeError, ValueError, KeyError):
        raise _refusal(
            name, spec, value, WANTED.get(spec.type, f"应为 {spec.type} (should be a {spec.type})")
        ) from None
    if isinstance(typed, float):
        if not math.isfinite(typed):
            raise _refusal(name, spec, value, "不是有限数 (not a finite number)")
        if spec.above is not None and not typed > spec.above:
            raise _refusal(name, spec, value, f"须大于 {spec.above:g} (must be above)")
        if spec.least is not None and typed < spec.least:
            raise _refusal(name, spec, value, f"不得小于 {spec.least:g} (must not be below)")
        if spec.most is not None and typed > spec.most:
            raise _refusal(name, spec, value, f"不得大于 {spec.most:g} (must not be above)")
    if spec.one_of and typed not in spec.one_of:
        raise _refusal(name, spec, value, f"应为其一 (one of): {', '.join(spec.one_of)}")
    return typed


def _typed(spec: InputSpec, value: Any) -> Any:
    if spec.type == "number":
        if isinstance(value, bool):
            raise TypeError
        return float(value)
    if spec.type == "date":
        return value if isinstance(value, date) else date.fromisoformat(str(value)[:10])
    if spec.type == "bool":
        if not isinstance(value, bool):
            raise TypeError
        return value
    if spec.type == "payments":
        return tuple(p if isinstance(p, Payment) else _payment(p) for p in value)
    return str(value)


def _payment(row: Mapping[Any, Any]) -> Payment:
    """One payment; YAML reads a bare `on` as true, so that key is taken for it."""
    day = row["on"] if "on" in row else row[True]
    return Payment(date.fromisoformat(str(day)[:10]), float(row["amount_wan"]))


def _refusal(name: str, spec: InputSpec, value: Any, why: str) -> PanhuoError:
    unit = f" [{spec.unit}]" if spec.unit else ""
    return PanhuoError(
        f"输入不合要求：{spec.label.zh} (bad input: {spec.label.en})",
        where=f"{name}{unit} = {value}",
        why=why,
        remedy="改正该输入 (correct this input)",
    )
