"""The value a correction gives: which fields take one, which control fits each, and how its text is read."""

from typing import Any, Final, Literal

from panhuo.core.problems import PanhuoError
from panhuo.inventory.corrections import value_text
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


def read(dataset: str, name: str, text: str) -> str:
    """The text of a value as corrections write it: stored units, ISO dates, codes; empty for unknown.

    Raises PanhuoError where the text is no value of the field.
    """
    spec = field_spec(dataset, name)
    try:
        return value_text(spec, text)
    except ValueError:
        said = text.strip()[:40]
        raise PanhuoError(
            pick(f"“{said}”不是{spec.label.zh}的值", f"“{said}” is no value of {spec.label.en}"),
            where="value",
            remedy=_remedy(spec),
        ) from None


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
