"""The law checked as a body: every file fits, every name resolves, every rule and tool is tested, nothing is idle.

What the law holds although nothing of it is named (an article kept to be read, a parameter callers of the library
pass themselves) is listed in law/kept.yaml; so whatever is deleted leaves a name that leads nowhere.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter

from panhuo.appraise.run import RUN, ModelFile
from panhuo.core.dates import add_years
from panhuo.core.problems import PanhuoError
from panhuo.match.situations import Outcome, run_situations
from panhuo.rulebook.book import LAW, Rulebook, read_yaml, validate
from panhuo.rulebook.evaluate import VERDICT
from panhuo.rulebook.facts import AS_OF, OWN_DATASETS
from panhuo.rulebook.notice import Notice, load_notices
from panhuo.rulebook.precedents import Precedent
from panhuo.rulebook.predicate import parse
from panhuo.rulebook.procedure import Procedure, load_procedures
from panhuo.rulebook.schema import (
    Calendar,
    DatedValue,
    Fact,
    Parameter,
    Place,
    Rule,
    Situation,
    Source,
    Tool,
)
from panhuo.rulebook.scheme import KINDS, load_schemes
from panhuo.rulebook.scheme_schema import FirmPlanScheme, LifecycleScheme, RemedyScheme, SchemeFile
from panhuo.rulebook.spec import dataset_fields
from panhuo.score.potential import PotentialScheme
from panhuo.workspace.enterprises import FIRM_FACTS
from panhuo.workspace.law_body import KEPT, Body, Kept, article_of

SCHEMES: Final[Mapping[str, type[SchemeFile]]] = {kind: model for model, kind in KINDS.items()} | {
    "potential": PotentialScheme
}
FOLDERS: Final[Mapping[str, Any]] = {
    "sources": Source,
    "parameters": dict[str, Parameter],
    "places": Place,
    "facts": dict[str, Fact],
    "rules": Rule,
    "tools": Tool,
    "procedures": Procedure,
    "notices": Notice,
    "models": ModelFile,
    "precedents": Precedent,
    "calendars": Calendar,
    "tests": list[Situation],
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with the law: the file (under the law folder), the field, why, and what to do."""

    file: str
    field: str
    why: str
    remedy: str


def check(root: Path | None = None, today: date | None = None) -> dict[str, Any]:
    """Every fault of the law under `root` (the packaged law when None) with counts and notices; writes nothing.

    Gives `{law_version, counts, faults, unchecked, unverified, situations}`: `unchecked` lists values read in their
    source more than a year before `today`, `unverified` counts values of mark M. Neither is a fault.
    """
    folder = Path(root or LAW).resolve()
    faults = list(schema_faults(folder))
    if faults:
        return {"law": str(folder), "law_version": "", "counts": {}, "faults": [asdict(f) for f in faults],
                "unchecked": [], "unverified": 0, "situations": 0}  # fmt: skip
    body = Body(folder)
    for part in (cite_faults, name_faults, predicate_faults, date_faults, idle_faults):
        faults += part(body)
    outcomes, tested = situation_faults(body.book)
    faults += tested
    old = add_years(today or date.today(), -1)
    return {
        "law": str(folder),
        "law_version": body.book.version,
        "counts": {name: len(list((folder / name).glob("*.yaml"))) for name in (*FOLDERS, "schemes")}
        | {"parameters": len(body.book.parameters), "facts": len(body.book.facts)},
        "faults": [asdict(f) for f in faults],
        "unchecked": sorted(m.field for m in body.values if m.value.checked_on < old),
        "unverified": sum(m.value.mark == "M" for m in body.values),
        "situations": len({(o.topic, o.situation) for o in outcomes}),
    }


def schema_faults(root: Path) -> Iterator[Fault]:
    """Files that do not fit their schema, and what the rulebook refuses as a whole."""
    found = False
    files = [(path, adapter) for name, adapter in FOLDERS.items() for path in _files(root, name)]
    files += [(root / KEPT, Kept)] if (root / KEPT).is_file() else []
    for path, model in files:
        if fault := refusal(root, path, partial(validate, TypeAdapter(model), path)):
            found = True
            yield fault
    for path in _files(root, "schemes"):
        if fault := refusal(root, path, partial(_scheme, path)):
            found = True
            yield fault
    if not found and (fault := refusal(root, root, lambda: Rulebook.load(root))):
        yield fault


def refusal(root: Path, path: Path, read: Callable[[], object]) -> Fault | None:
    """What `read` refuses, as a fault of `path`; None when it goes through."""
    try:
        read()
    except PanhuoError as error:
        return Fault(_name(root, path), error.where, f"{error.what}: {error.why}", error.remedy)
    return None


def _scheme(path: Path) -> BaseModel:
    content = read_yaml(path)
    kind = str(content.get("kind")) if isinstance(content, dict) else ""
    if kind not in SCHEMES:
        raise PanhuoError(
            f"不认识的方案种类 no such kind of scheme: {kind}", remedy=f"kind: {' | '.join(SCHEMES)}"
        )
    return validate(TypeAdapter(SCHEMES[kind]), path)


def _files(root: Path, folder: str) -> list[Path]:
    return sorted((root / folder).glob("*.yaml"))


def _name(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix() if path != root else root.name


def cite_faults(body: Body) -> Iterator[Fault]:
    """Cites of no card, or of an article the card does not hold."""
    for mention, source, article in body.cites:
        card = body.book.sources.get(source)
        if card is None:
            yield Fault(mention.file, mention.field, f"没有出处 {source} no such source card",
                        f"加 sources/{source}.yaml 或改正名称 add the card or mend the name")  # fmt: skip
        elif article and article_of(card, article) is None:
            yield Fault(mention.file, mention.field, f"{source} 没有第 {article} 条 the card has no such article",
                        f"在 sources/{source}.yaml 的 articles 中补上 add it to the card")  # fmt: skip


def name_faults(body: Body) -> Iterator[Fault]:
    """Parameters, tools, findings, procedures, models, precedents and schemes that are named but do not exist."""
    book = body.book
    for mention, name in body.named:
        if name not in book.parameters:
            yield Fault(mention.file, mention.field, f"没有参数 {name} no such parameter",
                        f"在 parameters/{name.split('.')[0]}.yaml 中定义 define it there")  # fmt: skip
    have = {folder: {path.stem for path in _files(body.root, folder)} for folder in (*FOLDERS, "schemes")}
    have["parameters"] = set(book.parameters)
    for file, field, folder, names in _links(body):
        for name in names:
            if name not in have[folder]:
                yield Fault(file, field, f"{folder} 中没有 {name} names nothing in {folder}",
                            f"加上 {folder}/{name} 或改正名称 add it or mend the name")  # fmt: skip
    for source, articles in body.kept.articles.items():
        for article in articles:
            if source in book.sources and article not in book.sources[source].articles:
                yield Fault(f"sources/{source}.yaml", f"articles.{article}", "保留的条文不见了 a kept article is gone",
                            f"补回，或从 {KEPT} 删去 put it back or take it off {KEPT}")  # fmt: skip
    appraised = {tool for model in body.models.values() for tool in model.tools}
    for tool_id, tool in book.tools.items():
        if tool.model and tool.model not in appraised:
            yield Fault(f"tools/{tool_id}.yaml", "model", f"没有模型测算 {tool.model} no model appraises it",
                        "在 law/models 的 tools 中列入 list it under `tools` of a model")  # fmt: skip
    for model in have["models"] ^ set(RUN):
        yield Fault(f"models/{model}.yaml", "", "模型与程序不对应 model file and program do not pair",
                    "模型文件与 panhuo/appraise 的函数一一对应 keep one file per model")  # fmt: skip


def _links(body: Body) -> Iterator[tuple[str, str, str, Iterable[str]]]:
    """(file, field, folder, names): what one file names of another folder."""
    book, kept = body.book, body.kept
    for tool_id, tool in book.tools.items():
        file = f"tools/{tool_id}.yaml"
        yield file, "addresses", "rules", tool.addresses
        yield file, "excludes", "tools", tool.excludes
        yield file, "after", "tools", tool.after
        yield file, "procedure", "procedures", filter(None, [tool.procedure])
        yield file, "precedents", "precedents", tool.precedents
    yield from _follow_ons(book)
    for prefix, place in book.places.items():
        yield f"places/{prefix}.yaml", "parameters", "parameters", place.parameters
        yield f"places/{prefix}.yaml", "schemes", "schemes", place.schemes
    for source_id, source in book.sources.items():
        yield f"sources/{source_id}.yaml", "replaced_by", "sources", filter(None, [source.replaced_by])
    for path in _files(body.root, "precedents"):
        case, file = validate(TypeAdapter(Precedent), path), f"precedents/{path.name}"
        yield file, "tools_used", "tools", (used.tool for used in case.tools_used)
        for parcel, tools in case.tools_by_parcel.items():
            yield file, f"tools_by_parcel.{parcel}", "tools", tools
        for parcel, findings in case.findings_expected.items():
            yield file, f"findings_expected.{parcel}", "rules", findings
    yield from _scheme_links(book)
    yield KEPT, "sources", "sources", (*kept.sources, *kept.articles)
    yield KEPT, "parameters", "parameters", kept.parameters


def _scheme_links(book: Rulebook) -> Iterator[tuple[str, str, str, Iterable[str]]]:
    for scheme_id, watched in load_schemes(book, LifecycleScheme).items():
        for name, found in watched.lists.items():
            yield f"schemes/{scheme_id}.yaml", f"lists.{name}.findings", "rules", found.findings
    for scheme_id, plan in load_schemes(book, FirmPlanScheme).items():
        for name, found in plan.counts.items():
            yield f"schemes/{scheme_id}.yaml", f"counts.{name}.findings", "rules", found.findings
        for name, action in plan.actions.items():
            yield f"schemes/{scheme_id}.yaml", f"actions.{name}.tool", "tools", [action.tool]
    for scheme_id, measures in load_schemes(book, RemedyScheme).items():
        for class_id, land in measures.classes.items():
            for name, remedy in land.remedies.items():
                where = f"classes.{class_id}.remedies.{name}.tools"
                yield f"schemes/{scheme_id}.yaml", where, "tools", remedy.tools


def _follow_ons(book: Rulebook) -> Iterator[tuple[str, str, str, Iterable[str]]]:
    """The procedures that a procedure names: what may follow its ends, or run beside a step."""
    for name, procedure in load_procedures(book.root).items():
        file = f"procedures/{name}.yaml"
        yield file, "then", "procedures", (follows for end in procedure.then.values() for follows in end)
        yield file, "notices", "notices", (held for step in procedure.steps for held in step.notices)
        yield file, "beside", "procedures", (held for step in procedure.steps for held in step.beside)


def predicate_faults(body: Body) -> Iterator[Fault]:
    """Predicates of rules, tools, procedures and firm plans that do not parse or speak of facts nobody defines."""
    book = body.book
    known = {AS_OF, *book.facts, *(VERDICT + rule for rule in book.rules)}
    known |= {f for names in OWN_DATASETS.values() for name in names for f in dataset_fields(name)}
    known.add("parcel_id")
    predicates = (*_predicates(book), *_notice_predicates(book))
    spoken = [(file, field, text, known) for file, field, text in predicates]
    for scheme_id, plan in load_schemes(book, FirmPlanScheme).items():
        own = {*FIRM_FACTS, *plan.counts}
        spoken += [
            (f"schemes/{scheme_id}.yaml", f"actions.{n}.when", a.when, own) for n, a in plan.actions.items()
        ]
    for scheme_id, measures in load_schemes(book, RemedyScheme).items():
        spoken += [
            (f"schemes/{scheme_id}.yaml", where, text, known) for where, text in measures.predicates().items()
        ]
    for file, field, text, facts in spoken:
        try:
            strange = sorted(set(parse(text).names) - facts)
        except PanhuoError as error:
            yield Fault(file, field, f"{error.what} {error.why}", error.remedy)
            continue
        if strange:
            yield Fault(file, field, f"没有事实 {', '.join(strange)} no such fact: {text}",
                        "改正名称，或在 law/facts、方案的 counts 中定义 mend the name, or define it there")  # fmt: skip


def _predicates(book: Rulebook) -> Iterator[tuple[str, str, str]]:
    for rule_id, rule in book.rules.items():
        for field in ("applies", "when", "since"):
            if text := getattr(rule, field):
                yield f"rules/{rule_id}.yaml", field, text
    for tool_id, tool in book.tools.items():
        for group in ("requires", "blocked_by", "favoured_by"):
            for number, clause in enumerate(getattr(tool, group)):
                yield f"tools/{tool_id}.yaml", f"{group}.{number}.when", clause.when
    for name, procedure in load_procedures(book.root).items():
        for key, guard in procedure.guards:
            if guard.when:
                yield f"procedures/{name}.yaml", f"{key}.when", guard.when
        for step in procedure.steps:
            settled = [step.confirms] if step.confirms else []
            settled += [fact for way in step.outcomes.values() for fact in way.sets]
            for fact in settled:
                yield f"procedures/{name}.yaml", f"{step.id}", fact


def _notice_predicates(book: Rulebook) -> Iterator[tuple[str, str, str]]:
    for name, notice in load_notices(book.root).items():
        for text in (*notice.predicates, *notice.fact_names):
            yield f"notices/{name}.yaml", "body", text


def date_faults(body: Body) -> Iterator[Fault]:
    """Values out of order or outside their source's time in force (unless a note says why), years without calendar."""
    order = "按日期先后排列 put the dates in order"
    for mention in body.mentions:
        if isinstance(mention.value, dict) and mention.file.startswith(("parameters/", "places/")):
            days = [key for key in mention.value if isinstance(key, date)]
            if days != sorted(days):
                yield Fault(mention.file, mention.field, "日期次序颠倒 dates out of order", order)
    for name, parameter in body.book.parameters.items():
        file = f"parameters/{name.split('.')[0]}.yaml"
        yield from _outlived(body.book, file, name, parameter.values)
    for prefix, place in body.book.places.items():
        for name, dated in place.parameters.items():
            yield from _outlived(body.book, f"places/{prefix}.yaml", name, dated)
    items: Mapping[str, Mapping[str, Any]] = {
        "sources": body.book.sources, "rules": body.book.rules, "tools": body.book.tools,
    }  # fmt: skip
    for folder, members in items.items():
        for item_id, item in members.items():
            start, end = item.in_force_from, item.in_force_to
            if start and end and end <= start:
                yield Fault(
                    f"{folder}/{item_id}.yaml",
                    "in_force_to",
                    f"{end} 不晚于 {start} ends before it starts",
                    order,
                )
    years = sorted(map(int, body.book.calendars))
    for year in set(range(years[0], years[-1] + 1) if years else ()) - set(years):
        yield Fault(f"calendars/{year}.yaml", "", "缺这一年的放假安排 no calendar of this year",
                    "按国务院办公厅通知补上 add what the State Council announced")  # fmt: skip


def _outlived(book: Rulebook, file: str, name: str, values: Mapping[date, DatedValue]) -> Iterator[Fault]:
    starts = sorted(values)
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        leaf = values[start]
        source = book.sources.get(leaf.source)
        if source is None or leaf.value is None or leaf.note:
            continue
        if source.in_force_from and start < source.in_force_from:
            yield Fault(file, f"{name} {start}", f"早于出处施行日 {source.in_force_from} before its source is in force",
                        "改日期，或在 note 中说明 mend the date or say why in `note`")  # fmt: skip
        if source.in_force_to and (end is None or end > source.in_force_to):
            yield Fault(file, f"{name} {start}", f"出处已于 {source.in_force_to} 失效 outlives its source",
                        "补上新规定或在 note 中说明 add the later law or say why in `note`")  # fmt: skip


def idle_faults(body: Body) -> Iterator[Fault]:
    """Parameters nothing reads, sources and articles nothing cites, that law/kept.yaml does not list."""
    remedy = f"用起来、删去，或列入 {KEPT} use it, delete it, or list it in {KEPT}"
    for name in body.book.parameters.keys() - {name for _, name in body.named} - body.kept.parameters.keys():
        yield Fault(
            f"parameters/{name.split('.')[0]}.yaml",
            name,
            "没有用到的参数 nothing reads this parameter",
            remedy,
        )
    cards = body.book.sources
    cited = {
        (source, article_of(cards[source], article)) for _, source, article in body.cites if source in cards
    }
    named = {source for source, _ in cited} | {card.replaced_by for card in cards.values()}
    for source in cards.keys() - named - set(body.kept.sources):
        yield Fault(f"sources/{source}.yaml", "", "没有引用的出处 nothing cites this source", remedy)
    for source, card in cards.items():
        for article in card.articles.keys() - set(body.kept.articles.get(source, ())):
            if (source, article) not in cited:
                yield Fault(
                    f"sources/{source}.yaml",
                    f"articles.{article}",
                    "没有引用的条文 nothing cites this article",
                    remedy,
                )


def situation_faults(book: Rulebook) -> tuple[list[Outcome], list[Fault]]:
    """Situations that come out otherwise than written, and rules and tools without one on each side."""
    try:
        outcomes = run_situations(book)
    except PanhuoError as error:
        return [], [Fault("tests", error.where, f"{error.what} {error.why}", error.remedy)]
    faults = [
        Fault(f"tests/{o.topic}.yaml", f"{o.situation} · {o.id}", f"应为 {o.expected}，得 {o.got} expected, got",
              "改规则或改情形 mend the law or the situation")
        for o in outcomes
        if not o.holds
    ]  # fmt: skip
    told = {(o.kind, o.id, o.expected) for o in outcomes}
    needs: list[tuple[str, str, str, tuple[str, ...]]]
    needs = [("rules", "finding", r, side) for r in book.rules for side in (("yes",), ("no",))]
    needs += [("tools", "tool", t, side) for t in book.tools for side in (("open",), ("closed", "absent"))]
    for folder, kind, item, sides in needs:
        if not any((kind, item, side) in told for side in sides):
            faults.append(
                Fault(f"{folder}/{item}.yaml", "", f"没有情形得出 {'/'.join(sides)} no situation gives it",
                      f"在 tests 中加一条 panhuo law new situation {item}")
            )  # fmt: skip
    return outcomes, faults
