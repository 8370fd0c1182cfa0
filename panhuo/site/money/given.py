"""Inputs on screen: each with its unit, value, where the value comes from, and the text in which it is edited.

A number may carry its range: `12300 (12000~12300)` or `12300 ±10%`. Payments: `2026-06-30 500; 2027-06-30 300`.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from panhuo.appraise.inputs import Inputs, InputSpec, money_spec, resolve
from panhuo.appraise.law import Law
from panhuo.appraise.run import Case, model_files, model_of
from panhuo.core.problems import PanhuoError
from panhuo.rulebook import Rulebook
from panhuo.rulebook.schema import Label
from panhuo.site.labels import number, units
from panhuo.site.words import pick, pick_label

Row = dict[str, Any]
NUMBER: Final = r"-?[\d,]*\.?\d+(?:e[+-]?\d+)?"
RANGE: Final = re.compile(rf"({NUMBER})?\s*[(（]\s*({NUMBER})\s*[~～–—-]\s*({NUMBER})\s*[)）]", re.IGNORECASE)
SPREAD: Final = re.compile(rf"({NUMBER})?\s*(?:±|\+-)\s*({NUMBER})\s*[%％]", re.IGNORECASE)
PREFIX: Final = "i."
"""Before the name of an input in the form."""


def names_of(tools: Iterable[str], book: Rulebook) -> list[str]:
    """Every input the models of `tools` may read, each once."""
    models = [model_files(book.root)[m] for tool in tools if (m := model_of(tool, book))]
    return list(dict.fromkeys(name for model in models for name in model.names))


def told(value: Any) -> str:
    """A given value as the text in which it is edited."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        middle = "" if value.get("value") is None else f"{value['value']:g}"
        if "spread" in value:
            return f"{middle} ±{value['spread'] * 100:g}%".strip()
        return f"{middle} ({value['low']:g}~{value['high']:g})".strip()
    if isinstance(value, (list, tuple)):
        return "; ".join(f"{p['on']} {p['amount_wan']:g}" for p in value)
    return f"{value:.10g}" if isinstance(value, (int, float)) else str(value)


def read(name: str, text: str) -> Any:
    """The value that `text` means for input `name`, ready for JSON. Raises PanhuoError where it means none."""
    spec = money_spec().inputs[name]
    try:
        return _read(spec, text.strip())
    except (ValueError, IndexError):
        raise PanhuoError(
            pick(f"看不懂这个值：{spec.label.zh}", f"this value is not understood: {spec.label.en}"),
            where=f"{name} = {text}",
            remedy=pick(
                "数字写作 12300、12300 (12000~12600) 或 12300 ±10%",
                "write a number as 12300, 12300 (12000~12600) or 12300 ±10%",
            ),
        ) from None


def _read(spec: InputSpec, text: str) -> Any:
    match spec.type:
        case "number":
            if found := RANGE.fullmatch(text):
                value, low, high = (_number(part) for part in found.groups())
                return {"value": value, "low": low, "high": high}
            if found := SPREAD.fullmatch(text):
                value, share = (_number(part) for part in found.groups())
                return {"value": value, "spread": (share or 0) / 100}
            return _number(text)
        case "bool":
            return {"yes": True, "no": False}[text] if text in ("yes", "no") else _refuse()
        case "payments":
            pairs = (part.split() for part in re.split(r"[;；\n]", text) if part.strip())
            return [{"on": on, "amount_wan": float(amount)} for on, amount in pairs]
        case _:
            return text


def _number(text: str | None) -> float | None:
    return float(text.replace(",", "")) if text else None


def _refuse() -> Any:
    raise ValueError


def form_values(form: Mapping[str, str]) -> dict[str, Any]:
    """The inputs a form gives; an empty field gives none."""
    known = money_spec().inputs
    return {
        name: read(name, text)
        for key, text in form.items()
        if key.startswith(PREFIX) and (name := key.removeprefix(PREFIX)) in known and text.strip()
    }


def shown(
    names: list[str],
    case: Case,
    book: Rulebook,
    sources: Mapping[str, str],
    texts: Mapping[str, str],
    needed: set[str],
) -> list[Row]:
    """The inputs `names` as rows of the form: those still asked for first, then given, of the ledger, defaulted.

    sources: by input, who or what gave it; texts: what the form holds; needed: inputs without which a tool is refused.
    """
    found: Inputs = resolve(names, case.given, case.ledger, Law(book, case.place), case.on)
    rows = [_row(name, found, sources, texts, needed) for name in names]
    order = {"asked": 0, "given": 1, "ledger": 2, "defaulted": 3, "missing": 4}
    return sorted(rows, key=lambda row: order[row["rank"]])


def _row(
    name: str, found: Inputs, sources: Mapping[str, str], texts: Mapping[str, str], needed: set[str]
) -> Row:
    item, spec = found.items[name], money_spec().inputs[name]
    leaf, _, start = item.source.removesuffix(" (unverified)").partition(" @ ")
    unit = units().get(spec.unit, {}).get("label") if spec.unit not in ("", "ratio") else None
    return {
        "name": name,
        "label": pick(spec.label.zh, spec.label.en),
        "unit": pick_label(unit, spec.unit if spec.unit != "ratio" else ""),
        "type": spec.type,
        "one_of": {code: pick(label.zh, label.en) for code, label in spec.one_of.items()},
        "mark": item.mark,
        "rank": "asked" if item.mark == "missing" and name in needed else item.mark,
        "value": _told_value(item.value, spec.one_of),
        "source": sources.get(name) if item.mark == "given" else item.source,
        "leaf": leaf if item.mark == "defaulted" and start else "",
        "start": start,
        "field": item.source if item.mark == "ledger" else "",
        "unverified": item.source.endswith("(unverified)"),
        "text": texts.get(name, ""),
    }


def _told_value(value: Any, words: Mapping[str, Label]) -> str:
    if value is None:
        return "—"
    if isinstance(value, bool):
        return pick("是", "yes") if value else pick("否", "no")
    if isinstance(value, float):
        return number(value, 4)
    if value in words:
        return pick(words[value].zh, words[value].en)
    if isinstance(value, tuple):
        return "; ".join(f"{p.on} {p.amount_wan:g}" for p in value)
    return str(value)
