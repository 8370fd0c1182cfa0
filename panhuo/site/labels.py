"""What things are called on screen: labels of spec/ and law/, code lists, figures in office units."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any, Final

from panhuo.appraise.inputs import money_spec
from panhuo.core.units import m2_to_mu
from panhuo.inventory.spec import code_list, dataset_specs, problem_types
from panhuo.report.names import industry_name, land_use_name, place_name
from panhuo.rulebook import Rulebook
from panhuo.rulebook.book import SPEC, read_yaml
from panhuo.rulebook.precedents import load_precedents
from panhuo.rulebook.schema import Label
from panhuo.rulebook.scheme import load_schemes
from panhuo.rulebook.scheme_schema import FirmPlanScheme, Scheme, ScoreboardScheme
from panhuo.score.potential import PotentialScheme
from panhuo.site.shelf import kept
from panhuo.site.words import language, listed, pick, pick_label, spoken
from panhuo.workspace.reading import result_specs

DERIVED: Final[dict[str, dict[str, str]]] = {
    "findings": {"zh": "诊断结论", "en": "Findings"},
    "unknowns": {"zh": "待核结论", "en": "To verify"},
    "since": {"zh": "起始日", "en": "Since"},
    "severity": {"zh": "程度", "en": "Severity"},
    "tools": {"zh": "可用工具", "en": "Tools open"},
    "first_tool": {"zh": "首选工具", "en": "First tool"},
    "tier": {"zh": "用地企业档次", "en": "Tier of its user"},
    "plan_tool": {"zh": "计划工具", "en": "Planned tool"},
    "plan_year": {"zh": "计划年度", "en": "Planned year"},
    "stage": {"zh": "所处环节", "en": "Stage"},
    "potential": {"zh": "潜力等级", "en": "Potential"},
    "easy_first": {"zh": "先易后难次序", "en": "Easy-first order"},
    "drawn_area_m2": {"zh": "图上面积", "en": "Area drawn"},
    "source_file": {"zh": "来源文件", "en": "Source file"},
    "source_row": {"zh": "来源行", "en": "Source row"},
    "crs_given": {"zh": "原坐标系", "en": "CRS given"},
    "as_of": {"zh": "基准日", "en": "As-of date"},
    "valid_from": {"zh": "启用日期", "en": "Valid from"},
    "parcels": {"zh": "宗地数", "en": "Parcels"},
}
STAGES: Final[dict[str, dict[str, str]]] = {
    "to_verify": {"zh": "待核实", "en": "To verify"},
    "found": {"zh": "已诊断，待安排", "en": "Diagnosed, unplanned"},
    "planned": {"zh": "已列计划", "en": "Planned"},
    "clear": {"zh": "未发现问题", "en": "Nothing found"},
}
"""How far a parcel has come on the way from diagnosis to plan: `stage` of the reading copy."""
UNIT_SHOWN: Final = {"m2": "m²", "degree": "°", "wan": ("万元", "10k CNY"), "tce": "tce"} | dict.fromkeys(
    ("ratio", "code", "bool", "flag", "table", "count", "date"), ""
)
"""Units written otherwise than spec/units.yaml names them; kinds of value that have none."""


@cache
def rulebook() -> Rulebook:
    """The packaged law."""
    return Rulebook.load()


@cache
def units() -> Mapping[str, Any]:
    return read_yaml(SPEC / "units.yaml")


def field(dataset: str, name: str) -> str:
    """The label of a dataset's or result table's field."""
    if dataset in dataset_specs() and name in dataset_specs()[dataset].fields:
        words = dataset_specs()[dataset].fields[name].label
        return pick(words.zh, words.en)
    if dataset in result_specs() and name in result_specs()[dataset]["columns"]:
        return pick_label(result_specs()[dataset]["columns"][name]["label"], name)
    if dataset == "enterprises" and name in ("score", "tier"):
        return field("scores", name)
    if name not in DERIVED and (home := _home(name)):
        return field(home, name)
    return pick_label(DERIVED.get(name), name)


def unit(dataset: str, name: str) -> str:
    """The unit a field is shown in, or ""."""
    spec = dataset_specs().get(dataset)
    given = spec.fields[name].unit if spec and name in spec.fields else ""
    if dataset in result_specs():
        given = result_specs()[dataset]["columns"].get(name, {}).get("unit", "")
    return unit_word(given)


def unit_word(given: str) -> str:
    """A unit of spec/units.yaml as it is written beside a figure."""
    if given in UNIT_SHOWN:
        shown = UNIT_SHOWN[given]
        return shown if isinstance(shown, str) else pick(*shown)
    return pick_label(units().get(given, {}).get("label"), given)


def coded(codes: str, value: str, row: Mapping[str, Any] | None = None) -> str:
    """A code's words, or the code itself. row: where a land use stands, which has its scheme."""
    match codes:
        case "divisions":
            return place_name(value, language())
        case "industry":
            return industry_name(value, language())
        case "land_use":
            schemes = land_use_schemes() if row is None else (row.get("land_use_scheme"),)
            return land_use_name(value, schemes, language())
    return pick_label(code_list(codes).get(value), value)


def land_use_schemes() -> tuple[str, ...]:
    """The land-use schemes that the inventory holds: what a code means in any other is not meant."""
    return tuple(row["id"] for row in kept("SELECT DISTINCT land_use_scheme AS id FROM parcels ORDER BY 1"))


def division(code: str | None) -> str:
    """A division's name with its city's; a prefix of two or four digits is a province or city."""
    return place_name(code, language()) if code else "—"


def finding(name: str) -> str:
    """A finding's label, of its rule in law/rules."""
    rule = rulebook().rules.get(name)
    return pick(rule.label.zh, rule.label.en) if rule else name


def tool(name: str | None) -> str:
    """A tool's label, of law/tools."""
    found = rulebook().tools.get(name or "")
    return pick(found.label.zh, found.label.en) if found else name or "—"


def source(name: str) -> str:
    """An instrument's title."""
    found = rulebook().sources.get(name)
    return pick(found.label.zh, found.label.en) if found else name


def _home(name: str) -> str:
    """The dataset a fact is a field of, parcels and then enterprises before any other; "" where it is none's."""
    first = ("parcels", "enterprises", *dataset_specs())
    return next((d for d in first if name in dataset_specs()[d].fields), "")


def fact(name: str) -> str:
    """A fact's label: declared in law/facts, or the field of that name in some dataset."""
    if declared := rulebook().facts.get(name):
        return pick(declared.label.zh, declared.label.en)
    return field(_home(name), name)


def rule_message(words: Label) -> str:
    """A rule's message with what each figure in it is called, for a page of the rule itself."""
    return re.sub(r"\{(\w+)\}", lambda hit: f"〔{fact(hit[1])}〕", pick(words.zh, words.en))


def facts(given: str | Iterable[str]) -> str:
    """Several facts by what they are called."""
    return listed(fact(n.strip()) for n in (given.split(",") if isinstance(given, str) else given))


CLAUSES: Final = {
    "requires": ("要求", "Requires"),
    "blocked_by": ("障碍", "Blocked by"),
    "favoured_by": ("有利", "Favoured by"),
}


def clause(code: str) -> str:
    """A clause of a tool's law file: `requires.0` is its first requirement."""
    kind, _, number = code.partition(".")
    words = pick(*CLAUSES.get(kind, (kind, kind)))
    return f"{words} {int(number) + 1}" if number.isdigit() else words


def fact_value(given: Any, name: str) -> str:
    """A fact's value as a person reads it, by the code list of the field of that name."""
    return value(_home(name), name, given)


def dataset(name: str) -> str:
    """A dataset's label."""
    spec = dataset_specs().get(name)
    return pick(spec.label.zh, spec.label.en) if spec else name


def problem(name: str) -> str:
    """What a kind of fault in the data is called, of spec/problems.yaml."""
    kind = problem_types().get(name)
    return pick(kind.label.zh, kind.label.en) if kind else name


def problem_remedy(name: str) -> str:
    """What to do about a kind of fault in the data."""
    kind = problem_types().get(name)
    return pick(kind.remedy.zh, kind.remedy.en) if kind else ""


def scheme(name: str) -> str:
    """A scoring scheme's label."""
    found = _schemes(Scheme).get(name)
    return pick(found.label.zh, found.label.en) if found else name


SCORE_LINES: Final[dict[str, dict[str, str]]] = {
    "land_mu": {"zh": "评价用地（亩）", "en": "Land base (mu)"},
    "bonus_cap": {"zh": "加分封顶扣回", "en": "Over the cap on bonuses"},
    "own_mu": {"zh": "自有用地（亩）", "en": "Land of its own (mu)"},
    "vacant_m2": {"zh": "空置建筑面积（m²）", "en": "Vacant floor area (m²)"},
}
"""Items of a score that are neither an indicator nor a bonus of its scheme, and the facts of a firm's plan."""


def score_line(name: str) -> str:
    """An item of a score or a fact of a firm's plan: the land base, what a scheme of theirs calls it, else the fact."""
    if name in SCORE_LINES:
        return pick_label(SCORE_LINES[name], name)
    lines = [s.bonus for s in _schemes(Scheme).values()]
    lines += [s.counts for s in _schemes(FirmPlanScheme).values()]
    label = next((line[name].label for line in lines if name in line), None)
    return pick(label.zh, label.en) if label else fact(name)


def holdings(kinds: str | None) -> str:
    """How land is held, of kinds joined by commas."""
    return listed(value("occupancies", "kind", kind) for kind in (kinds or "").split(",") if kind) or "—"


def parameter(name: str) -> str:
    """A parameter's label."""
    found = rulebook().parameters.get(name)
    return pick(found.label.zh, found.label.en) if found else name


def parameters(given: str) -> str:
    """Several parameters, comma-separated, by their labels."""
    return listed(map(parameter, given.split(",")))


def told(text: str) -> str:
    """A remark a table holds in both languages, in the reader's; names of facts in words."""
    return re.sub(r"[a-z]+(_[a-z0-9]+)+", lambda m: fact(m[0]), spoken(text))


def step(text: str) -> str:
    """How far a job has come, which it writes in both languages (`写入 writing 3/10`), in the reader's."""
    found = re.fullmatch(r"(\S+) ([a-z][a-z ]*?)( [\d,]+/[\d,]+)?", text)
    return pick(found[1], found[2]) + (found[3] or "") if found else text


def stage(code: str) -> str:
    """A stage's words."""
    return pick_label(STAGES.get(code), code)


def coordinate(text: str) -> str:
    """A longitude or latitude to a tenth of a metre."""
    return number(float(text), 6)


def article(number: str | None, instrument: str) -> str:
    """A part of an instrument as it is cited: 第14条, 案例11."""
    held = rulebook().sources.get(instrument)
    words = held.cite(number or "") if held else None
    return pick(words.zh, words.en) if words else number or ""


def case(name: str) -> str:
    """A precedent's title."""
    held = load_precedents(rulebook().root).get(name)
    return pick(held.label.zh, held.label.en) if held else name


def severity(code: str) -> str:
    """A severity's words."""
    return value("findings", "severity", code)


@cache
def _schemes(kind: type[Any]) -> Mapping[str, Any]:
    return load_schemes(rulebook(), kind)


def potential(code: str) -> str:
    """A potential grade's words: A 高潜力."""
    grades = next(iter(_schemes(PotentialScheme).values())).grades
    return (
        f"{code} {pick(grades[code].label.zh, grades[code].label.en)}"
        if code in grades
        else pick("待核", "To verify")
    )


def measure(code: str) -> str:
    """A scoreboard measure's words."""
    for found in _schemes(ScoreboardScheme).values():
        if code in found.measures:
            return pick(found.measures[code].label.zh, found.measures[code].label.en)
    return code


def number(value: float, places: int = 2) -> str:
    """A figure with thousands separated, trailing zeros dropped."""
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def mu(area_m2: float | None, places: int = 2) -> str:
    """An area as 亩 (mu)."""
    return "—" if area_m2 is None else f"{number(m2_to_mu(area_m2), places)} {pick('亩', 'mu')}"


LISTED: Final = {"findings": finding, "unknowns": finding, "tools": tool}
NAMED: Final = {
    "first_tool": tool,
    "plan_tool": tool,
    "tool_id": tool,
    "finding_id": finding,
    "division": division,
    "stage": stage,
    "potential": potential,
    "unverified": parameters,
    "lon": coordinate,
    "lat": coordinate,
}


def plain(given: Any) -> str:
    """A yes, day or figure in words."""
    if isinstance(given, bool):
        return pick("是", "Yes") if given else pick("否", "No")
    if isinstance(given, (date, datetime)):
        return given.isoformat()[:10]
    return number(given) if isinstance(given, float) else str(given)


def value(dataset: str, name: str, given: Any, row: Mapping[str, Any] | None = None) -> str:
    """A cell as a person reads it; unknown is a dash, never a zero. row: the cell's, which has a land use's scheme."""
    if given is None or given == "":
        return "—"
    if name in LISTED and isinstance(given, list):
        return listed(LISTED[name](v) for v in given) or "—"
    if name in NAMED:
        return NAMED[name](str(given))
    if not isinstance(given, str):
        return plain(given)
    spec = dataset_specs().get(dataset)
    if spec and name in spec.fields and spec.fields[name].codes:
        return coded(spec.fields[name].codes, given, row)
    codes = result_specs().get(dataset, {}).get("columns", {}).get(name, {}).get("codes") or {}
    if (dataset, name) == ("appraisals", "party"):
        codes = {party: words.model_dump() for party, words in money_spec().parties.items()}
    if name == "severity":
        codes = result_specs()["findings"]["columns"]["severity"]["codes"]
    return pick_label(codes.get(given), str(given)) if isinstance(codes, Mapping) else str(given)


def written(dataset: str, name: str, text: str) -> str:
    """A value as a correction writes it (stored units, ISO dates, `true`), as a person reads it."""
    spec = dataset_specs()[dataset].fields[name]
    match spec.type:
        case "float" | "int" if text:
            return number(float(text), 4)
        case "bool" if text:
            return plain(text == "true")
        case _:
            return value(dataset, name, text)


def worded(dataset: str, name: str, code: str) -> str:
    """One value of a coded field or of a list of codes."""
    return LISTED[name](code) if name in LISTED else value(dataset, name, code)
