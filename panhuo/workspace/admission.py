"""`panhuo admit`: applying projects against the admission bar of their place, such as 448."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from panhuo.core.ids import checked_division
from panhuo.core.problems import PanhuoError, problem_table
from panhuo.inventory.spec import dataset_spec, units
from panhuo.report.chain import both, scheme_chain, split, value_chain
from panhuo.rulebook import Rulebook
from panhuo.rulebook.judged import held, opened
from panhuo.rulebook.scheme import load_schemes, pick
from panhuo.rulebook.scheme_schema import AdmissionScheme
from panhuo.score.admission import AdmissionResult, admit
from panhuo.workspace.exports import writer_of
from panhuo.workspace.given import given_rows
from panhuo.workspace.outputs import TABLES, write_tables

TEXT: Final = dict.fromkeys(("demand_id", "name", "division"), pa.string())
GIVEN: Final = (*TEXT, "area_m2_min", "area_m2_max", "investment_wan")

# A project that asks for a range of land is held to the most it asks for, the hardest case of every bar per mu.
FIGURES: Final = """
SELECT *, demand_id AS project_id, nullif(greatest(area_m2_min, area_m2_max), 0) * 3 / 2000 AS land_mu,
  investment_wan AS investment_total_wan FROM demands
"""
LAND: Final = {"zh": "用地面积", "en": "Land"}
OWN: Final = {"investment_total_wan": "investment_wan"}
"""Figures of schemes that `demands` holds under its own name."""

ADMITTED: Final = {
    "yes": {"zh": "准入", "en": "admitted"},
    "no": {"zh": "不准入", "en": "not admitted"},
    "unknown": {"zh": "待补数据", "en": "unknown"},
}
SIDES: Final = {"at_least": "≥", "at_most": "≤"}
HEADS: Final = {
    "zh": ("项目编号", "项目", "行政区", "准入", "等级", "最弱指标与门槛之比", "未知"),
    "en": ("Project id", "Project", "Division", "Admitted", "Grade", "Weakest over its bar", "Unknown"),
}
LAW_HEADS: Final = {
    "zh": ("行政区", "方案", "指标", "门槛", "单位", "施行日", "出处", "条文", "标记"),
    "en": ("Division", "Scheme", "Indicator", "Bar", "Unit", "Since", "Source", "Article", "Mark"),
}


def admit_projects(
    source: Path | None,
    figures: Mapping[str, float],
    *,
    place: str = "",
    on: date | None = None,
    output: Path | None = None,
    lang: str = "zh",
) -> dict[str, Any]:
    """Projects held against the admission scheme that governs their place on a day.

    source: a table (xlsx, csv …), a yaml list or a workspace with `demands`; figures: fields of `demands` of one
    project instead. place: division code for all of them, else that of each row, else the workspace's. Gives {as_of,
    bars: places, scheme, criteria and the dated law of each, one for all places of the same law; projects: verdict,
    grade and indicators; counts, problems, files}. Raises PanhuoError for input that cannot be read as projects.
    """
    if output is not None:
        writer_of(output, TABLES)
    if (source is None) != bool(figures):
        raise PanhuoError(
            "要判断哪些项目 which projects",
            remedy="给一个文件，或用选项给一个项目的指标，二者取一 give a file or the figures of one project, not both",
        )
    book, on = Rulebook.load(), on or date.today()
    checked_division(place)
    if source is None:
        demands, problems, home = pa.Table.from_pylist([{"demand_id": "1", **figures}]), problem_table([]), ""
    else:
        demands, problems, home = given_rows(source, "demands")
    rows = opened(demands=held(demands, GIVEN, types=TEXT)).execute(FIGURES).to_arrow_table()
    where = [place or division or home for division in rows["division"].to_pylist()]
    rules = {there: pick(book, AdmissionScheme, there, on) for there in dict.fromkeys(where)}
    alike: dict[tuple[Any, ...], list[str]] = {}
    for there, rule in rules.items():
        alike.setdefault((rule.id, rule.parameters), []).append(there)
    bars, judged = [], dict[str, dict[str, Any]]()
    for places in alike.values():
        rule = rules[places[0]]
        bars.append(bar_chain(book, rule, places))
        judged |= verdicts(admit(rows.filter(pa.array([w in places for w in where])), rule), rule)
    names = rows["name"].to_pylist()
    ids = rows["project_id"].to_pylist()
    projects = [
        {"project_id": p, "name": n, "place": w, **judged[p]}
        for p, n, w in zip(ids, names, where, strict=True)
    ]
    files = write_tables(output, tables(projects, bars, lang)) if output is not None else []
    told = [p["admitted"] for p in projects]
    return {
        "as_of": on,
        "bars": bars,
        "projects": projects,
        "counts": {verdict: told.count(verdict) for verdict in ("yes", "no", "unknown")},
        "problems": problems.to_pylist(),
        "files": files,
    }


def verdicts(result: AdmissionResult, rule: AdmissionScheme) -> dict[str, dict[str, Any]]:
    """Project id → its verdict with every indicator."""
    found = {
        row["project_id"]: {
            "scheme": rule.id,
            "admitted": row["admitted"],
            "grade": row["grade"],
            "margin": row["margin"],
            "missing": split(row["missing"]),
            "indicators": [],
        }
        for row in result.verdicts.to_pylist()
    }
    for item in result.items.to_pylist():
        found[item["project_id"]]["indicators"].append(
            {
                "criterion": item["criterion"],
                **{k: item[k] for k in ("value", "bar", "side", "unit", "passed", "gap")},
                "missing": split(item["missing"]),
            }
        )
    for verdict in found.values():
        verdict["missing"] = list(dict.fromkeys(m for i in verdict["indicators"] for m in i["missing"]))
    return found


def bar_chain(book: Rulebook, rule: AdmissionScheme, places: list[str]) -> dict[str, Any]:
    """A bound scheme with the dated value, article and mark behind each of its bars.

    A bar that the scheme itself states has the scheme's own source.
    """
    named = load_schemes(book, AdmissionScheme)[rule.id].criteria
    drawn = {f"${value.name}": value_chain(book, value) for value in rule.parameters}
    own = scheme_chain(book, rule)
    return {
        "places": places,
        "scheme": rule.id,
        "label": both(rule.label),
        **own,
        "grades": {name: {**both(one.label), "admits": one.admits} for name, one in rule.grades.items()},
        "assumed": {what: both(why) for what, why in rule.assumed.items()},
        "criteria": [
            {
                "criterion": name,
                "label": both(one.label),
                "side": one.side,
                "bar": float(one.bar),
                "unit": one.unit,
                "due": one.due,
                "law": drawn.get(str(named[name].bar), own),
            }
            for name, one in rule.criteria.items()
        ],
    }


def figure_words(names: Sequence[str], lang: str) -> str:
    """Figures of a project as a reader names them."""
    fields = dataset_spec("demands").fields
    labels = (LAND if name == "land_mu" else fields[OWN.get(name, name)].label.model_dump() for name in names)
    return ("、" if lang == "zh" else ", ").join(label[lang] for label in labels)


def tables(projects: list[dict[str, Any]], bars: list[dict[str, Any]], lang: str) -> dict[str, pa.Table]:
    """The verdicts, a row a project, and the law they rest on, with headings in a language."""
    at = {place: bar for bar in bars for place in bar["places"]}
    rows = [
        dict(zip(HEADS[lang], cells, strict=True))
        | {
            f"{one['label'][lang]} ({units()[one['unit']].label.model_dump()[lang]})": item["value"]
            for one, item in zip(at[p["place"]]["criteria"], p["indicators"], strict=True)
        }
        for p in projects
        for cells in [
            (
                p["project_id"],
                p["name"],
                p["place"],
                ADMITTED[p["admitted"]][lang],
                at[p["place"]]["grades"][p["grade"]][lang] if p["grade"] else None,
                p["margin"],
                figure_words(p["missing"], lang),
            )
        ]
    ]
    law = [
        (place, bar["label"][lang], one["label"][lang], SIDES[one["side"]] + f"{one['bar']:g}",
         units()[one["unit"]].label.model_dump()[lang], str(one["law"]["since"] or ""),
         one["law"]["cite"]["label"][lang], one["law"]["cite"]["words"][lang], one["law"]["mark"])
        for bar in bars
        for place in bar["places"]
        for one in bar["criteria"]
    ]  # fmt: skip
    columns = dict.fromkeys(name for row in rows for name in row)
    filled = [{name: row.get(name) for name in columns} for row in rows]
    names = ("准入", "依据") if lang == "zh" else ("projects", "law")
    sheets = (filled, [dict(zip(LAW_HEADS[lang], line, strict=True)) for line in law])
    return {name: pa.Table.from_pylist(sheet) for name, sheet in zip(names, sheets, strict=True)}
