"""The whole chain behind a parcel's results: rule, article, dated value, fact, input row, snapshot and code.

Every reader of a result (the explain verb, the documents, the site) shows this one structure.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from panhuo.rulebook import Rulebook, Value
from panhuo.rulebook.precedents import Precedent
from panhuo.rulebook.predicate import parse
from panhuo.rulebook.schema import Cite, Fact, Label
from panhuo.rulebook.scheme_schema import SchemeFile
from panhuo.rulebook.spec import code_labels, field_labels

Row = Mapping[str, Any]
ALWAYS: Final = ("as_of",)


def parcel_chain(
    book: Rulebook,
    precedents: Mapping[str, Precedent],
    facts: Row,
    findings: Iterable[Row],
    options: Iterable[Row],
    routes: Iterable[Row],
    on: date,
) -> dict[str, Any]:
    """The chain of one parcel or batch.

    facts: its row of the fact table; findings, options, routes: its rows of the result tables; on: the date as of
    which it was assessed.
    """
    place = str(facts.get("division") or "")
    return {
        "parcel_id": facts.get("parcel_id") or facts.get("batch_id"),
        "as_of": on,
        "findings": [finding_chain(book, row, facts, on, place) for row in ranked(findings)],
        "options": [option_chain(book, precedents, row) for row in options],
        "routes": [route_chain(book, row) for row in routes],
        "verify": tasks(book, findings),
    }


SEVERITY: Final = ("high", "medium", "low", "notice")


def ranked(findings: Iterable[Row]) -> list[Row]:
    """Findings that hold before undecided ones, the gravest first."""
    return sorted(
        findings, key=lambda r: (r["status"] != "yes", SEVERITY.index(r["severity"]), r["finding_id"])
    )


def finding_chain(book: Rulebook, row: Row, facts: Row, on: date, place: str) -> dict[str, Any]:
    """One finding opened: message, predicate, facts behind it with their own formulas, dated values, articles."""
    rule = book.rules[row["finding_id"]]
    expression = parse(rule.condition)
    missing = [name for name in (row["missing"] or "").split(",") if name]
    names = list(dict.fromkeys([*rule.evidence, *expression.names]))
    return {
        "finding_id": row["finding_id"],
        "label": both(rule.label),
        "status": row["status"],
        "since": row["since"],
        "severity": row["severity"],
        "message": message(rule.message, facts) if row["status"] == "yes" else None,
        "when": rule.condition,
        "facts": [fact_chain(book, name, facts, on, place) for name in names if name not in ALWAYS],
        "values": [value_chain(book, value) for value in values(book, expression.parameters, on, place)],
        "missing": [
            {"fact": n, "label": fact_label(book, n), "check": rule.verify.get(n, "documents")}
            for n in missing
        ],
        "cites": [cite_chain(book, cite) for cite in rule.cites],
        "flags": [both(flag) for flag in rule.flags],
        "law_version": row["law_version"],
    }


def fact_chain(
    book: Rulebook, name: str, facts: Row, on: date, place: str, above: tuple[str, ...] = ()
) -> dict[str, Any]:
    """A fact with its value; a derived one opens into its formula, dated values and the facts under it."""
    fact = book.facts.get(name)
    opened: dict[str, Any] = {"fact": name, "label": fact_label(book, name), "value": facts.get(name)}
    if fact is None:
        return opened
    expression = parse(fact.sql, aggregate=fact.dataset is not None)
    inner = () if fact.dataset else expression.names
    return opened | {
        "unit": fact.unit,
        "formula": fact.sql.strip(),
        "dataset": fact.dataset,
        "values": [value_chain(book, value) for value in values(book, expression.parameters, on, place)],
        "facts": [
            fact_chain(book, n, facts, on, place, (*above, name))
            for n in inner
            if n not in (*ALWAYS, *above, name)
        ],
    }


def values(book: Rulebook, names: Sequence[str], on: date, place: str) -> list[Value]:
    """The dated values of parameters that are in force."""
    return [book.parameter(name, on, place) for name in names if book.has_value(name, on)]


def value_chain(book: Rulebook, value: Value) -> dict[str, Any]:
    """A dated value of the law with its article; `unverified` where the sources could not confirm it."""
    return {
        "parameter": value.name,
        "label": both(book.parameters[value.name].label),
        "value": value.value,
        "unit": value.unit,
        "since": value.start,
        "place": value.place,
        "mark": value.mark,
        "unverified": value.unverified,
        "cite": cite_chain(book, Cite(source=value.source, article=value.article)),
    }


def scheme_chain(book: Rulebook, rule: SchemeFile) -> dict[str, Any]:
    """What a scheme itself rests on: its day, article and mark."""
    return {
        "since": rule.in_force_from,
        "mark": rule.mark,
        "unverified": rule.mark == "M",
        "cite": cite_chain(book, Cite(source=rule.source, article=rule.article)),
    }


def cite_chain(book: Rulebook, cite: Cite) -> dict[str, Any]:
    """An article with the instrument's name and number."""
    source = book.sources.get(cite.source)
    if source is None:
        return {
            "source": cite.source,
            "article": cite.article,
            "words": {"zh": cite.article, "en": cite.article},
            "label": both(Label(zh=cite.source, en=cite.source)),
        }
    text = source.articles.get(cite.article)
    return {
        "source": cite.source,
        "article": cite.article,
        "words": both(words) if (words := source.cite(cite.article)) else {"zh": "", "en": ""},
        "label": both(source.label),
        "number": source.number,
        "mark": source.mark,
        "text": both(text) if text else None,
    }


def option_chain(book: Rulebook, precedents: Mapping[str, Precedent], row: Row) -> dict[str, Any]:
    """One tool as offered: reasons clause by clause, papers, risks, time, articles and the precedents cited."""
    tool = book.tools[row["tool_id"]]
    cases = [case for case in (row["precedents"] or "").split(",") if case in precedents]
    return {
        "tool_id": row["tool_id"],
        "label": both(tool.label),
        "summary": both(tool.summary),
        "status": row["status"],
        "fit": row["fit"],
        "rank": row["rank"],
        "because": json.loads(row["because"]),
        "months": tool.months.model_dump() if tool.months else None,
        "papers": [both(paper) for paper in tool.papers],
        "risks": [both(risk) for risk in tool.risks],
        "flags": [both(flag) for flag in tool.flags],
        "cites": [cite_chain(book, cite) for cite in tool.cites],
        "precedents": [{"case_id": case, "label": both(precedents[case].label)} for case in cases],
    }


def route_chain(book: Rulebook, row: Row) -> dict[str, Any]:
    """An ordered set of tools that clears the blocking findings, with what it leaves."""
    tools = row["tools"].split(",")
    named = {
        name: [{"id": f, "label": both(book.rules[f].label)} for f in split(row[name])]
        for name in ("clears", "leaves")
    }
    return {
        "route_no": row["route_no"],
        "tools": [{"tool_id": tool, "label": both(book.tools[tool].label)} for tool in tools],
        "status": row["status"],
        "fit": row["fit"],
        **named,
    }


def tasks(book: Rulebook, findings: Iterable[Row]) -> list[dict[str, Any]]:
    """Verification tasks (四结合): each missing fact once, with the check that finds it and the findings it decides."""
    found: dict[str, dict[str, Any]] = {}
    for row in ranked(findings):
        rule = book.rules[row["finding_id"]]
        for name in split(row["missing"]):
            task = found.setdefault(
                name,
                {
                    "fact": name,
                    "label": fact_label(book, name),
                    "check": rule.verify.get(name, "documents"),
                    "decides": [],
                },
            )
            task["decides"].append(both(rule.label))
    return sorted(found.values(), key=lambda task: (-len(task["decides"]), task["fact"]))


PLACE: Final = re.compile(r"\{(\w+)(?::%)?\}")
"""A fact in a message: `{far}`, or `{vacant_share:%}` for a share to be told in per cent."""
CUTS: Final = re.compile(r"（[^）]*）|\([^)]*\)|([，；]|[,;] )")
"""Where a message may be cut into clauses: at its commas outside brackets (group 1)."""


def message(words: Label, facts: Row) -> dict[str, str]:
    """A rule's message with the parcel's own values in it.

    A clause of which nothing is known is left out; an unknown value among known ones reads 未知 / unknown.
    """
    return {
        lang: known_part(getattr(words, lang), facts).format_map(Shown(facts, lang)) for lang in ("zh", "en")
    }


def placed(words: Label) -> set[str]:
    """The facts a message names."""
    return {name for text in (words.zh, words.en) for name in PLACE.findall(text)}


def known_part(text: str, facts: Row) -> str:
    """The clauses of a message that name no fact or a known one; the whole of it when none does."""
    begins = [0, *(cut.end() for cut in CUTS.finditer(text) if cut[1])]
    clauses = [text[a:b] for a, b in zip(begins, [*begins[1:], len(text)], strict=True)]
    kept = [
        c for c in clauses if not (named := PLACE.findall(c)) or any(facts.get(n) is not None for n in named)
    ]
    if len(kept) == len(clauses) or not any(PLACE.search(c) for c in kept):
        return text
    told = "".join(kept)
    if kept[-1] is not clauses[-1]:
        told = told.rstrip("，；,; ") + text[-1]
    return told[0].upper() + told[1:]


class Shown(dict[str, str]):
    """Values of facts as people write them."""

    def __init__(self, facts: Row, lang: str) -> None:
        super().__init__()
        self.facts, self.lang = facts, lang

    def __missing__(self, name: str) -> "Told":
        value = self.facts.get(name)
        told = Told(shown(value, self.lang, name))
        if isinstance(value, float):
            told.share = f"{value * 100:.2f}".rstrip("0").rstrip(".") + "%"
        return told


class Told(str):
    """A value in words; `share` is the same in per cent, which the format `%` asks for."""

    share = ""

    def __format__(self, spec: str) -> str:
        return (self.share or str(self)) if spec == "%" else super().__format__(spec)


def shown(value: Any, lang: str = "zh", field: str = "") -> str:
    """A value in words: dates and numbers plainly, codes by their label, truth as 是/否, nothing as 未知."""
    if label := code_labels().get(field, {}).get(value):
        return label[lang]
    if value is None:
        return "未知" if lang == "zh" else "unknown"
    if isinstance(value, bool):
        return ("是" if value else "否") if lang == "zh" else ("yes" if value else "no")
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1 else f"{value:,.2f}".rstrip("0").rstrip(".")
    if isinstance(value, date):
        return f"{value.year}年{value.month}月{value.day}日" if lang == "zh" else value.isoformat()
    return str(value)


def remedy_chain(book: Rulebook, found: Row | None) -> dict[str, Any] | None:
    """The measures of a parcel's place (panhuo.match.remedies) with words and article; None where it has none."""
    if found is None:
        return None
    classes = [
        land | {
            "missing": [{"fact": name, "label": fact_label(book, name)} for name in land["missing"]],
            "remedies": [
                one | {"tools": [tool | {"label": both(book.tools[tool["tool_id"]].label)} for tool in one["tools"]]}
                for one in land["remedies"]
            ],
        }
        for land in found["classes"]
    ]  # fmt: skip
    cite = cite_chain(book, Cite(source=found["source"], article=found["article"]))
    return {**found, "cite": cite, "classes": classes}


def fact_label(book: Rulebook, name: str) -> dict[str, str]:
    """What a fact is called."""
    fact: Fact | None = book.facts.get(name)
    return both(fact.label) if fact else dict(field_labels().get(name, {"zh": name, "en": name}))


def both(label: Label) -> dict[str, str]:
    """The two languages of a label."""
    return {"zh": label.zh, "en": label.en}


def split(text: str | None) -> list[str]:
    """A comma-separated column as a list."""
    return [part for part in (text or "").split(",") if part]
