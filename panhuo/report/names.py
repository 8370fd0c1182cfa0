"""Names of coded places and land uses, for readers."""

from collections.abc import Mapping
from functools import cache
from typing import Final

from panhuo.diagnose.findings import NO_TABLE, NOT_LAW
from panhuo.inventory.spec import code_rows, dataset_spec
from panhuo.rulebook import Rulebook
from panhuo.rulebook.book import SPEC, read_yaml
from panhuo.rulebook.schema import Label

LEVELS: Final = (2, 4, 6)
"""Digits of a division code that name a province, a city, a county."""


@cache
def place_name(code: str) -> str:
    """A division by its name, city and county together: 株洲市天元区; the code itself where it has none."""
    names = {row["code"]: row["zh"] for row in code_rows("divisions")}
    codes = (code[:digits].ljust(6, "0") for digits in LEVELS[1:])
    parts = (names.get(part) for part in codes if part != code[:2] + "0000")
    found = list(dict.fromkeys(part for part in parts if part))
    if len(found) > 1 and found[-1].startswith(found[-2]):
        found.pop(-2)  # 益阳市大通湖管理区 says its city itself
    return "".join(found) or names.get(code, code)


@cache
def land_use_name(code: str, scheme: str) -> str:
    """A land use as code and name in its scheme: 0601 工业用地; the same code means other things in other schemes."""
    for row in code_rows("land_use"):
        if row["code"] == code and row["scheme"] == scheme:
            return f"{code} {row['zh']}"
    return code


def not_judged(reasons: Mapping[str, str], book: Rulebook, lang: str) -> list[tuple[str, list[str]]]:
    """What a run did not judge (`not_assessed` of its manifest: rules, or a result table) as (why, labels of what)."""
    found: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        label = (
            book.rules[name].label
            if name in book.rules
            else Label(**read_yaml(SPEC / "results" / f"{name}.yaml")["label"])
        )
        found.setdefault(_why(reason, lang), []).append(getattr(label, lang))
    return sorted((why, sorted(what)) for why, what in found.items())


def _why(reason: str, lang: str) -> str:
    en = lang == "en"
    if reason.startswith(NOT_LAW):
        return "not law on that day" if en else "基准日尚未施行或已失效"
    if reason.startswith(NO_TABLE):
        tables = [dataset_spec(name).label for name in reason.removeprefix(NO_TABLE).split(", ")]
        named = (", " if en else "、").join(getattr(label, lang) for label in tables)
        return f"not imported: {named}" if en else f"没有导入：{named}"
    return reason
