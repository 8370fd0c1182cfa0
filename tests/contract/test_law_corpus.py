"""The law files as a body: all they name exists, and every situation a lawyer wrote comes out as written."""

from collections.abc import Iterator

import pytest

from panhuo.match.situations import Outcome, run_situations
from panhuo.rulebook.book import Rulebook
from panhuo.rulebook.predicate import parse
from panhuo.rulebook.schema import Cite


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return Rulebook.load()


@pytest.fixture(scope="module")
def outcomes(book: Rulebook) -> list[Outcome]:
    return run_situations(book)


def test_every_situation_comes_out_as_written(outcomes: list[Outcome]) -> None:
    wrong = [f"{o.topic} {o.situation}: {o.id} {o.expected} ≠ {o.got}" for o in outcomes if not o.holds]
    assert outcomes
    assert wrong == []


def test_every_rule_fires_in_one_situation_and_not_in_another(
    book: Rulebook, outcomes: list[Outcome]
) -> None:
    told = {(o.id, o.expected) for o in outcomes if o.kind == "finding"}
    assert [r for r in book.rules if (r, "yes") not in told] == []
    assert [r for r in book.rules if (r, "no") not in told] == []


def test_every_tool_opens_in_one_situation_and_not_in_another(
    book: Rulebook, outcomes: list[Outcome]
) -> None:
    told = {(o.id, o.expected) for o in outcomes if o.kind == "tool"}
    assert [t for t in book.tools if (t, "open") not in told] == []
    assert [t for t in book.tools if not {(t, "closed"), (t, "absent")} & told] == []


def _cites(book: Rulebook) -> Iterator[tuple[str, Cite]]:
    for rule_id, rule in book.rules.items():
        yield from ((rule_id, cite) for cite in rule.cites)
    for tool_id, tool in book.tools.items():
        conditions = [*tool.requires, *tool.blocked_by]
        yield from ((tool_id, cite) for cite in tool.cites)
        yield from ((tool_id, cite) for condition in conditions for cite in condition.cites)


def test_every_cite_is_an_article_of_a_card(book: Rulebook) -> None:
    stray = [
        f"{owner}: {cite.source} {cite.article}"
        for owner, cite in _cites(book)
        if cite.source not in book.sources
        or (cite.article and cite.article not in book.sources[cite.source].articles)
    ]
    assert stray == []


def _expressions(book: Rulebook) -> Iterator[tuple[str, str]]:
    for rule_id, rule in book.rules.items():
        yield from ((rule_id, text) for text in (rule.when, rule.applies, rule.since) if text)
    for tool_id, tool in book.tools.items():
        clauses = [*tool.requires, *tool.blocked_by, *tool.favoured_by]
        yield from ((tool_id, clause.when) for clause in clauses)
    for name, fact in book.facts.items():
        yield name, fact.sql


def test_every_parameter_named_is_defined(book: Rulebook) -> None:
    stray = [
        f"{owner}: {name}"
        for owner, text in _expressions(book)
        for name in parse(text, aggregate=True).parameters
        if name not in book.parameters
    ]
    assert stray == []


def test_every_value_names_a_source_card(book: Rulebook) -> None:
    values = [
        (name, leaf) for name, parameter in book.parameters.items() for leaf in parameter.values.values()
    ]
    values += [
        (f"{prefix} {name}", leaf)
        for prefix, place in book.places.items()
        for name, dated in place.parameters.items()
        for leaf in dated.values()
    ]
    assert [name for name, leaf in values if leaf.source not in book.sources] == []


def test_tools_name_each_other_and_findings_that_exist(book: Rulebook) -> None:
    assert [t for t, tool in book.tools.items() if {*tool.excludes, *tool.after} - book.tools.keys()] == []
    assert [t for t, tool in book.tools.items() if set(tool.addresses) - book.rules.keys()] == []


def test_every_finding_has_a_tool(book: Rulebook) -> None:
    addressed = {finding for tool in book.tools.values() for finding in tool.addresses}
    assert sorted(book.rules.keys() - addressed) == []


def test_order_between_tools_has_no_circle(book: Rulebook) -> None:
    done: set[str] = set()
    left = dict(book.tools)
    while ready := [t for t, tool in left.items() if set(tool.after) <= done]:
        done.update(ready)
        for tool in ready:
            del left[tool]
    assert sorted(left) == []
