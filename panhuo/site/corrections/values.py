"""The value a correction gives: which fields take one, which control fits each, and how its text is read."""

import math
from datetime import date
from typing import Any, Final, Literal

from panhuo.core.ids import is_uscc
from panhuo.core.problems import PanhuoError
from panhuo.inventory.spec import FieldSpec, code_list, dataset_specs
from panhuo.site import gate, labels
from panhuo.site.words import pick

Kind = Literal["text", "number", "date", "bool", "code"]
SHORT: Final = 40
"""As many codes as a plain menu holds; longer lists are typed into, with what fits offered."""


def correctable(dataset: str) -> list[str]:
    """The fields that may be corrected: all but the key and the outline."""
    spec = dataset_specs()[dataset]
    return [f for f, s in spec.fields.items() if f not in (*spec.key, "parcel_id") and s.type != "geometry"]


def field_spec(dataset: str, name: str) -> FieldSpec:
    """The spec of a correctable field. Raises PanhuoError for any other."""
    if name not in correctable(dataset):
        raise PanhuoError(pick("这个字段不能更正", "this field cannot be corrected") + f": {name}")
    return dataset_specs()[dataset].fields[name]


def kind(spec: FieldSpec) -> Kind:
    """Which control fits the field."""
    if spec.codes:
        return "code"
    kinds: dict[str, Kind] = {"float": "number", "int": "number", "date": "date", "bool": "bool"}
    return kinds.get(spec.type, "text")


def choices(person: Any, spec: FieldSpec) -> list[tuple[str, str]]:
    """The codes a field takes, with their words; of divisions only those the person answers for."""
    found = code_list(spec.codes)
    if spec.codes != "divisions":
        return [(code, labels.coded(spec.codes, code)) for code in found]
    held = gate.scope_of(person)
    return [(code, labels.division(code)) for code in found if held.covers_division(code)]


def control(person: Any, dataset: str, name: str) -> dict[str, Any]:
    """What the form shows for a field."""
    spec = field_spec(dataset, name)
    given = choices(person, spec) if spec.codes else []
    return {
        "name": name,
        "kind": kind(spec),
        "unit": labels.unit(dataset, name),
        "choices": given,
        "menu": len(given) <= SHORT,
    }


def text_of(given: Any) -> str:
    """A stored value as corrections write it."""
    if given is None:
        return ""
    return str(given).lower() if isinstance(given, bool) else str(given)


def read(dataset: str, name: str, text: str) -> str:
    """The text of a value as corrections write it: stored units, ISO dates, codes; empty for unknown.

    Raises PanhuoError where the text is no value of the field.
    """
    spec, text = field_spec(dataset, name), text.strip()
    if not text:
        return ""
    try:
        return _read(spec, text)
    except ValueError:
        raise PanhuoError(
            pick(f"“{text[:40]}”不是{spec.label.zh}的值", f"“{text[:40]}” is no value of {spec.label.en}"),
            where="value",
            remedy=_remedy(spec),
        ) from None


def _read(spec: FieldSpec, text: str) -> str:
    match kind(spec):
        case "number":
            number = float(text.replace(",", ""))
            low, high = spec.min, spec.max
            if not math.isfinite(number) or (low is not None and number < low) or (high and number > high):
                raise ValueError
            return text_of(int(text.replace(",", "")) if spec.type == "int" else number)
        case "date":
            return date.fromisoformat(text).isoformat()
        case "bool" if text not in ("true", "false"):
            raise ValueError
        case "code" if text not in code_list(spec.codes):
            raise ValueError
        case _ if spec.check == "uscc" and not is_uscc(text):
            raise ValueError
    return text


def _remedy(spec: FieldSpec) -> str:
    match kind(spec):
        case "number":
            bounds = f"{labels.number(spec.min or 0.0)} ~ {labels.number(spec.max)}" if spec.max else ""
            return pick("填一个数字", "write a number") + (
                pick(f"（{bounds}）", f" ({bounds})") if bounds else ""
            )
        case "date":
            return pick("日期写作 2017-01-09", "write the date as 2017-01-09")
        case "code":
            return pick("从代码表中选一个", "choose one of the code list")
        case _:
            return pick("统一社会信用代码为18位，校验位须相符", "a credit code has 18 characters that check")
