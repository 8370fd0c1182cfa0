"""docs/reference: what the law, the data specs and the flow hold, as Markdown pages, Chinese first.

The pages are written by `python -m panhuo.report.reference docs/reference` and never by hand; a test holds them to
what this module gives now.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any, Final

from panhuo.report.markdown import both, bullets, cell, code, table
from panhuo.report.reference_data import datasets_page, glossary_page, problems_page, results_page
from panhuo.rulebook import Rulebook
from panhuo.rulebook.book import read_yaml
from panhuo.rulebook.precedents import Figure, Precedent, load_precedents
from panhuo.rulebook.schema import Cite, Condition, DatedValue, Label, Rule, Tool

LAW_LINK: Final = "../../panhuo/law"
SPEC_LINK: Final = "../../panhuo/spec"
UNVERIFIED: Final = "**未核实 unverified**"
LONG_CELL: Final = 160
NOT_STATED: Final = "文中未写，推算 not stated, our own"
VERDICTS: Final = {
    "agree": "相符 agree",
    "disagree": "**不符 disagree**",
    "uncheckable": "无法核对 uncheckable",
}


def pages(root: Path | None = None) -> dict[str, str]:
    """Every page of the reference by file name, for the law under `root` (the packaged one when None)."""
    book = Rulebook.load(root)
    bodies = {name: body for name, (_, page) in PAGES.items() if (body := page(book))}
    texts = {f"{name}.md": f"{head(name)}\n{body.rstrip()}\n" for name, body in bodies.items()}
    return {"index.md": index_page(bodies), **texts}


def value_text(value: object) -> str:
    """A value of the law; a long table by its size and first entries."""
    if value is None:
        return "终止 ended"
    if not isinstance(value, Mapping | list):
        return cell(value)
    entries = (
        [f"{k}: {v}" for k, v in value.items()] if isinstance(value, Mapping) else [str(v) for v in value]
    )
    text = "；".join(entries)
    return text if len(text) <= LONG_CELL else "；".join(entries[:3]) + f" …（{len(entries)} 项 entries）"


def mark_text(mark: str) -> str:
    """The mark of a fact; M is shown as unverified."""
    return UNVERIFIED if mark == "M" else mark


def law_file(kind: str, name: str) -> str:
    """A link to a law file from docs/reference."""
    return f"[law/{kind}/{name}.yaml]({LAW_LINK}/{kind}/{name}.yaml)"


def cites_text(book: Rulebook, cites: Iterable[Cite]) -> str:
    """Instruments and articles, linked to the page of sources."""
    return "；".join(
        f"[{book.sources[c.source].label.zh}](sources.md#{c.source}) {c.article}".rstrip() for c in cites
    )


def in_force(start: date | None, end: date | None) -> str:
    """The span in which an item is law; empty when it is not bounded."""
    return "" if start is None and end is None else f"{start or ''} – {end or ''}"


# --- law -----------------------------------------------------------------------------------------------------------


def parameters_page(book: Rulebook) -> str:
    """Every dated value of every parameter, national first, then what places set differently."""
    places: dict[str, list[tuple[str, date, DatedValue]]] = {}
    for prefix, place in book.places.items():
        for name, values in place.parameters.items():
            places.setdefault(name, []).extend((prefix, start, leaf) for start, leaf in values.items())
    parts = ["标记 mark：V 查到原文 read in the text；V* 二手来源 secondary；S 案例原文 the "
             f"source cases；{UNVERIFIED} 凭记忆或惯例，用前须核 check before use.\n"]  # fmt: skip
    for topic in sorted({name.split(".")[0] for name in book.parameters}):
        rows = [
            row
            for name in book.parameters
            if name.split(".")[0] == topic
            for row in parameter_rows(book, name, places.get(name, []))
        ]
        parts.append(f"## {topic}\n\n{law_file('parameters', topic)}\n")
        parts.append(table(("名称 name", "含义 meaning", "单位 unit", "地区 place", "自 from", "值 value",
                            "依据 source", "标记 mark"), rows))  # fmt: skip
    return "\n".join(parts)


def parameter_rows(
    book: Rulebook, name: str, local: Iterable[tuple[str, date, DatedValue]]
) -> Iterator[tuple[str, ...]]:
    """One row per dated value of a parameter."""
    parameter = book.parameters[name]
    everywhere = (("", start, leaf) for start, leaf in parameter.values.items())
    for place, start, leaf in sorted(chain(everywhere, local), key=lambda row: (row[0], row[1])):
        cite = cites_text(book, [Cite(source=leaf.source, article=leaf.article)])
        where = f"{place} {book.places[place].label.zh}" if place else "全国 nation"
        yield (code(name), both(parameter.label), parameter.unit, where, str(start), value_text(leaf.value),
               cite, mark_text(leaf.mark))  # fmt: skip


def rules_page(book: Rulebook) -> str:
    """Every finding: when it holds, since when, what it cites."""
    rows = (
        (f"[{name}](#{name})", rule.label.zh, rule.label.en, rule.unit, rule.severity)
        for name, rule in book.rules.items()
    )
    parts = [table(("编号 id", "结论", "Finding", "对象 of", "程度 severity"), rows)]
    parts += [rule_text(book, name, rule) for name, rule in book.rules.items()]
    return "\n".join(parts)


def rule_text(book: Rulebook, name: str, rule: Rule) -> str:
    """One finding."""
    rows = [
        ("前提 applies", code(rule.applies)),
        ("成立条件 when", code(rule.when)),
        ("起始日 since", code(rule.since)),
        ("依据事实 evidence", "、".join(map(code, rule.evidence))),
        ("核实 verify", "；".join(f"{fact}: {check}" for fact, check in rule.verify.items())),
        ("依据 cites", cites_text(book, rule.cites)),
        ("公开 disclosed", cites_text(book, [rule.disclosed] if rule.disclosed else [])),
        ("有效期 in force", in_force(rule.in_force_from, rule.in_force_to)),
        ("提示 message", both(rule.message)),
        ("存疑 flags", "；".join(map(both, rule.flags))),
    ]
    return titled(name, rule.label, "rules", rows, rule.note)


def titled(name: str, label: Label, kind: str, rows: Iterable[tuple[str, str]], note: str = "") -> str:
    """A section named by its id, with its label, its file and the rows that say something."""
    said = [row for row in rows if row[1]]
    shown = table(("", ""), said) if said else ""
    return f"## {name}\n\n{both(label)}　{law_file(kind, name)}\n\n{shown}" + (f"\n{note}\n" if note else "")


def tools_page(book: Rulebook) -> str:
    """Every tool: what it needs, what bars it, what favours it."""
    rows = (
        (f"[{name}](#{name})", tool.label.zh, tool.label.en, tool.class_, tool.batch, len(tool.precedents))
        for name, tool in book.tools.items()
    )
    headers = ("编号 id", "工具", "Tool", "类 class", "五个一批 batch", "先例 precedents")
    parts = [table(headers, rows)]
    parts += [tool_text(book, name, tool) for name, tool in book.tools.items()]
    return "\n".join(parts)


def tool_text(book: Rulebook, name: str, tool: Tool) -> str:
    """One tool."""
    months = tool.months
    span = f"{months.low:g}–{months.high:g} 个月 months（{mark_text(months.mark)}）" if months else ""
    rows = [
        ("说明 summary", both(tool.summary)),
        ("针对 addresses", "、".join(f"[{f}](rules.md#{f})" for f in tool.addresses)),
        ("依据 cites", cites_text(book, tool.cites)),
        ("有效期 in force", in_force(tool.in_force_from, tool.in_force_to)),
        ("测算模型 model", tool.model or ""),
        ("程序 procedure", tool.procedure or ""),
        ("在土地超市供 offers", "、".join(tool.offers)),
        ("只租不转 lets", "是 yes" if tool.lets else ""),
        ("原权利人优先 priority", "是 yes" if tool.priority else ""),
        ("用时 time", span),
        ("互斥 excludes", "、".join(tool.excludes)),
        ("接在其后 after", "、".join(tool.after)),
        ("材料 papers", "；".join(map(both, tool.papers))),
        ("风险 risks", "；".join(map(both, tool.risks))),
        ("存疑 flags", "；".join(map(both, tool.flags))),
        ("先例 precedents", "、".join(f"[{p}](precedents.md#{p})" for p in tool.precedents)),
    ]
    favours = (f"`{cell(f.when)}` {f.weight:+g}：{both(f.because)}" for f in tool.favoured_by)
    return (
        titled(name, tool.label, "tools", rows, tool.note)
        + bullets("\n要求 requires", map(condition_text, tool.requires))
        + bullets("\n不得 blocked by", map(condition_text, tool.blocked_by))
        + bullets("\n适宜 favoured by", favours)
    )


def condition_text(condition: Condition) -> str:
    """A requirement or a bar with its reason."""
    return f"`{cell(condition.when)}`：{both(condition.because)}"


def sources_page(book: Rulebook) -> str:
    """Every instrument with the articles cited."""
    parts = []
    for name, source in book.sources.items():
        facts = [
            ("文号 number", source.number),
            ("机关 issuer", source.issuer),
            ("有效期 in force", in_force(source.in_force_from, source.in_force_to)),
            ("被替代 replaced by", source.replaced_by),
            ("标记 mark", mark_text(source.mark)),
            ("核对日 checked on", str(source.checked_on or "")),
            *((f"条 article {number}", both(words)) for number, words in source.articles.items()),
        ]
        parts.append(titled(name, source.label, "sources", facts, source.note))
    return "\n".join(parts)


def precedents_page(book: Rulebook) -> str:
    """The twenty cases: obstacles, tools used, findings expected, each figure with its recomputation."""
    cases = load_precedents(book.root)
    rows = ((f"[{name}](#{name})", case.label.zh, case.label.en, case.as_of) for name, case in cases.items())
    intro = table(("编号 id", "案例", "Case", "基准日 as of"), rows)
    return "\n".join([intro, *(precedent_text(n, c, book) for n, c in cases.items())])


def noted(figure: Figure) -> str:
    """What a figure is, with what there is to say of it."""
    return f"{both(figure.label)}（{both(figure.note)}）" if figure.note else both(figure.label)


def precedent_text(name: str, case: Precedent, book: Rulebook) -> str:
    """One case."""
    expected = {f for findings in case.findings_expected.values() for f in findings}
    facts = [
        ("地点 place", both({"zh": case.place.zh, "en": case.place.en})),
        ("基准日 as of", f"{case.as_of}　{both(case.as_of_note)}"),
        ("概况 summary", both(case.summary)),
        ("障碍 obstacles", "；".join(map(both, case.obstacles))),
        ("应有结论 findings expected", "、".join(f"[{f}](rules.md#{f})" for f in sorted(expected))),
        ("原文 source", f"{case.source.document} {case.source.lines[0]}–{case.source.lines[1]} 行 lines"),
    ]
    tools = table(
        ("工具 tool", "主次 role", "原因 why"),
        (
            (f"[{book.tools[t.tool].label.zh}](tools.md#{t.tool})", t.role, both(t.why))
            for t in case.tools_used
        ),
    )
    figures = table(
        ("数字 figure", "原文 stated", "重算 computed", "结论 verdict", "算式 arithmetic"),
        (
            (
                noted(checked.figure),
                NOT_STATED if checked.figure.derived else f"{quoted.qualifier}{quoted.value} {quoted.unit}",
                "" if checked.computed is None else f"{checked.computed:.6g}",
                "" if checked.figure.derived else VERDICTS.get(checked.verdict or "", ""),
                code(checked.arithmetic),
            )
            for checked in case.check_figures()
            for quoted in [checked.figure.stated]
        ),
    )
    return f"{titled(name, case.label, 'precedents', facts)}\n{tools}\n{figures}"


def labelled(node: object, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each mapping with a label inside a law file, by its path."""
    if isinstance(node, Mapping):
        if path and isinstance(node.get("label"), Mapping):
            yield path, node
        for key, child in node.items():
            yield from labelled(child, f"{path}.{key}" if path else str(key))
    elif isinstance(node, list):
        for number, child in enumerate(node):
            name = child.get("id", number) if isinstance(child, Mapping) else number
            yield from labelled(child, f"{path}.{name}")


def files_page(kind: str) -> Callable[[Rulebook], str]:
    """The page of a folder of law files whose labelled parts stand one a row with their plain values."""

    def page(book: Rulebook) -> str:
        parts = []
        for path in sorted((book.root / kind).glob("*.yaml")):
            content = read_yaml(path)
            plain = [(key, cell(value)) for key, value in content.items() if is_plain(value)]
            assumed = [(f"假定 assumed · {k}", both(v)) for k, v in content.get("assumed", {}).items()]
            rows = ((code(where), both(node["label"]), rest(node)) for where, node in labelled(content))
            parts.append(titled(path.stem, Label(**content["label"]), kind, [*plain, *assumed]))
            parts.append(table(("项 item", "含义 meaning", "内容 content"), rows))
        return "\n".join(parts)

    return page


def is_plain(value: object) -> bool:
    """Whether a value of a law file fits one cell."""
    return value is not None and not isinstance(value, Mapping | list)


def compact(value: object) -> str:
    """A plain value, a list of them, or mappings of them, on one line; anything deeper is left to the file."""
    if is_plain(value):
        return str(value)
    if isinstance(value, list):
        return ", ".join(filter(None, map(compact, value)))
    if isinstance(value, Mapping) and value.keys() != {"zh", "en"} and all(map(is_plain, value.values())):
        return " ".join(f"{key} {item}" for key, item in value.items())
    return ""


def rest(node: Mapping[str, Any]) -> str:
    """What a labelled part says beside its label."""
    said = ((key, compact(value)) for key, value in node.items() if key != "label")
    return "；".join(f"{key}: {code(text)}" for key, text in said if text)


PAGES: Final[dict[str, tuple[str, Callable[[Rulebook], str]]]] = {
    "parameters": ("参数 Parameters", parameters_page),
    "rules": ("诊断规则 Rules (findings)", rules_page),
    "tools": ("处置工具 Tools", tools_page),
    "schemes": ("评价与准入办法 Schemes", files_page("schemes")),
    "procedures": ("程序 Procedures", files_page("procedures")),
    "notices": ("文书 Notices", files_page("notices")),
    "sources": ("法规与出处 Sources", sources_page),
    "precedents": ("先例：二十个案例 Precedents", precedents_page),
    "datasets": ("数据集与字段 Datasets", datasets_page),
    "results": ("流程与结果表 Flow and result tables", results_page),
    "problems": ("数据问题 Problem types", problems_page),
    "glossary": ("术语与单位 Glossary and units", glossary_page),
}


def head(name: str) -> str:
    """The title of a page and the warning not to edit it."""
    return f"# {PAGES[name][0]}\n\n<!-- python -m panhuo.report.reference docs/reference 生成，勿手改 do not edit -->\n"


def index_page(names: Iterable[str]) -> str:
    """The list of pages."""
    lines = [f"- [{PAGES[name][0]}]({name}.md)" for name in names]
    how = "由 `panhuo/law`、`panhuo/spec` 和 `panhuo/flow.py` 生成。Generated from the law, the specs and the flow:"
    command = "`python -m panhuo.report.reference docs/reference`"
    return "\n".join(["# 参考 Reference", "", f"{how} {command}", "", *lines, ""])


def write(folder: Path) -> list[Path]:
    """Writes every page into `folder`; the paths written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")
        written.append(folder / name)
    return written


if __name__ == "__main__":
    sys.stdout.writelines(
        f"{path}\n" for path in write(Path(sys.argv[1] if sys.argv[1:] else "docs/reference"))
    )
