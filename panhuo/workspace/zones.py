"""`panhuo zone`: how intensively development zones use their land, indicator by indicator, as TD/T 1029 defines it."""

from collections.abc import Mapping
from datetime import date
from math import inf
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from panhuo.core.problems import PanhuoError
from panhuo.inventory.spec import dataset_spec, units
from panhuo.measure.zone import zone_indicators, zone_types
from panhuo.report.chain import both, scheme_chain, split
from panhuo.rulebook import Rulebook
from panhuo.rulebook.scheme import pick
from panhuo.rulebook.scheme_schema import ZoneScheme
from panhuo.workspace.exports import writer_of
from panhuo.workspace.given import given_rows
from panhuo.workspace.outputs import TABLES, write_tables

HEADS: Final = {
    "zh": ("开发区编号", "开发区", "类型", "指标", "值", "单位", "理想值", "实现度", "缺"),
    "en": ("Zone id", "Zone", "Type", "Indicator", "Value", "Unit", "Ideal", "Degree", "Missing"),
}
UNKNOWN: Final = {"zh": "待补数据", "en": "unknown"}


def evaluate_zones(
    source: Path,
    ideals: Mapping[str, float] | None = None,
    *,
    on: date | None = None,
    output: Path | None = None,
    lang: str = "zh",
) -> dict[str, Any]:
    """The indicators of every zone of a table (xlsx, csv …), a yaml list or a workspace with `zones`.

    ideals: indicator → the ideal of this evaluation, above 0; without one an indicator has a value but no degree. Gives
    {as_of, scheme, label, law, assumed, indicators, types, zones: [{zone_id, name, type, indicators: [{indicator,
    value, unit, ideal, degree, missing}]}], problems, files}. Raises PanhuoError for what cannot be read as zones.
    """
    if output is not None:
        writer_of(output, TABLES)
    book, on = Rulebook.load(), on or date.today()
    rule = pick(book, ZoneScheme, "", on)
    bars = _ideals(rule, ideals or {})
    rows, problems, _ = given_rows(source, "zones")
    types = {row["zone_id"]: row["type"] for row in zone_types(rows, rule).to_pylist()}
    found: dict[str, list[dict[str, Any]]] = {}
    for row in zone_indicators(rows, rule, bars).to_pylist():
        found.setdefault(row.pop("zone_id"), []).append(row | {"missing": split(row["missing"])})
    zones = [
        {"zone_id": one, "name": name, "type": types[one], "indicators": found[one]}
        for one, name in zip(rows["zone_id"].to_pylist(), rows["name"].to_pylist(), strict=True)
    ]
    result = {
        "as_of": on,
        "scheme": rule.id,
        "label": both(rule.label),
        "law": scheme_chain(book, rule),
        "assumed": {what: both(why) for what, why in rule.assumed.items()},
        "indicators": {
            name: {**both(one.label), "unit": one.unit, "better": one.better, "formula": one.formula}
            for name, one in rule.indicators.items()
        },
        "types": {name: both(one.label) for name, one in rule.types.items()},
        "zones": zones,
        "problems": problems.to_pylist(),
    }
    files = [] if output is None else write_tables(output, _sheet(result, lang))
    return result | {"files": files}


def _ideals(rule: ZoneScheme, given: Mapping[str, float]) -> pa.Table:
    """(indicator, ideal). Raises PanhuoError for an indicator the scheme does not have or an ideal not above 0."""
    for name, ideal in given.items():
        if name not in rule.indicators:
            known = ", ".join(f"{one} {words.label.zh}" for one, words in rule.indicators.items())
            raise PanhuoError(
                f"没有指标 no such indicator: {name}", where="--ideal", remedy=f"可用 use: {known}"
            )
        if not 0 < ideal < inf:
            raise PanhuoError(
                f"理想值须为大于 0 的数 an ideal is a number above 0: {name} = {ideal:g}", where="--ideal"
            )
    return pa.table(
        {
            "indicator": pa.array(list(given), pa.string()),
            "ideal": pa.array(list(given.values()), pa.float64()),
        }
    )


def missing_words(names: list[str], lang: str) -> str:
    """Figures of a zone as a reader names them."""
    fields = dataset_spec("zones").fields
    return ("、" if lang == "zh" else ", ").join(fields[name].label.model_dump()[lang] for name in names)


def _sheet(result: Mapping[str, Any], lang: str) -> dict[str, pa.Table]:
    """A row per zone and indicator, with headings in a language."""
    rows = [
        (
            zone["zone_id"], zone["name"], result["types"].get(zone["type"], UNKNOWN)[lang],
            result["indicators"][one["indicator"]][lang], one["value"], units()[one["unit"]].label.model_dump()[lang],
            one["ideal"], one["degree"], missing_words(one["missing"], lang),
        )
        for zone in result["zones"]
        for one in zone["indicators"]
    ]  # fmt: skip
    listed = [dict(zip(HEADS[lang], row, strict=True)) for row in rows]
    return {"集约利用" if lang == "zh" else "intensity": pa.Table.from_pylist(listed)}
