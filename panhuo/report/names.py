"""Names of coded places, land uses and industries, for readers of either language (`lang`: zh or en)."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from panhuo.diagnose.findings import NO_TABLE, NOT_LAW
from panhuo.inventory.spec import code_list, code_rows, dataset_spec
from panhuo.report.chain import shown
from panhuo.rulebook import Rulebook
from panhuo.rulebook.book import SPEC, read_yaml
from panhuo.rulebook.schema import Label


def place_name(code: str, lang: str) -> str:
    """A division with its city: 株洲市天元区; Tianyuan District, Zhuzhou. The code itself where it is not listed.

    Two or four digits name a province or a city. Where the list has no English name the Chinese one is told.
    """
    listed, own = code_list("divisions"), code[:6].ljust(6, "0")
    if own not in listed:
        return code
    city = own[:4] + "00" if own[2:4] != "90" else own  # 429004 lies in no city: its province governs it
    names = [listed[part] for part in dict.fromkeys((own, city)) if part in listed]
    if lang == "en" and all(name["en"] for name in names):
        return ", ".join(dict.fromkeys(name["en"] for name in names))
    narrow, wide = names[0]["zh"], names[-1]["zh"]
    return narrow if narrow.startswith(wide) else wide + narrow  # 益阳市大通湖管理区 says its city itself


@cache
def _land_uses() -> Mapping[str, Sequence[Mapping[str, str]]]:
    """Code → its rows, one in each scheme that has it."""
    found: dict[str, list[Mapping[str, str]]] = {}
    for row in code_rows("land_use"):
        found.setdefault(row["code"], []).append(row)
    return found


def land_use_name(code: str, schemes: tuple[str | None, ...], lang: str) -> str:
    """A land use by its name in the schemes it may be of: 工业用地; Industrial land. An unlisted one as it is written.

    The same code means other things in other schemes: where several are possible, or none is known, all are told.
    """
    rows = _land_uses().get(code, ())
    held = [row for row in rows if row["scheme"] in schemes] or rows
    return " / ".join(dict.fromkeys(row[lang] for row in held)) or code


def industry_name(code: str, lang: str) -> str:
    """An industry of GB/T 4754, with or without its section's letter: 轮胎制造; the code itself where it is not listed.

    One without an English name goes by its nearest group's, its code beside: Manufacture of rubber products (2911).
    """
    listed = code_list("industry")
    own = code if code in listed else code.lstrip("ABCDEFGHIJKLMNOPQRST")
    if own not in listed:
        return code
    if lang == "zh":
        return listed[own]["zh"]
    group = own
    while not listed[group]["en"]:
        group = listed[group]["parent"]
    return listed[group]["en"] + ("" if group == own else f" ({own})")


def worded(row: Mapping[str, Any], field: str, lang: str) -> str:
    """A cell of a row in words: a place, land use or industry by its name beside its code."""
    given = row[field]
    match field:
        case "division":
            name, both = place_name(given, lang), "{name} {code}"
        case "land_use" | "planned_use":
            name, both = land_use_name(given, (row.get("land_use_scheme"),), lang), "{code} {name}"
        case "industry":
            name, both = industry_name(given, lang), "{code} {name}"
        case _:
            return shown(given, lang, field)
    return name if given in name or not given.isascii() else both.format(name=name, code=given)


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
