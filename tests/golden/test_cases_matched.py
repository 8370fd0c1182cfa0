"""The twenty cases, from an office's files to tools and routes: what was really done is among the first offered."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pytest

from panhuo.diagnose import diagnose
from panhuo.inventory.spatial_facts import spatial_facts
from panhuo.match import match
from panhuo.match.routes import routes
from panhuo.rulebook.book import Rulebook
from panhuo.rulebook.facts import Law
from panhuo.rulebook.precedents import load_precedents
from panhuo.workspace.demo_ledgers import write_all
from panhuo.workspace.imports import Options, import_files
from panhuo.workspace.store import Workspace

CASES = load_precedents()
FIRST = 3


@dataclass(frozen=True)
class Judged:
    """What one parcel or batch of a case was given on its day, and the tools really used on it."""

    case_id: str
    unit: str
    used: frozenset[str]
    first_tools: tuple[str, ...]
    routes: tuple[frozenset[str], ...]
    findings: dict[str, str]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> list[Judged]:
    folder = tmp_path_factory.mktemp("cases")
    import_files(folder / "ws", write_all(CASES, folder / "ledgers"), Options(), lambda _: None)
    return list(_judge_all(Workspace.open(folder / "ws")))


def _judge_all(workspace: Workspace) -> Iterator[Judged]:
    tables = {name: workspace.dataset(name) for name in workspace.dataset_names()}
    contracts, occupancies = tables["contracts"], tables["occupancies"]
    tables["spatial"], _ = spatial_facts(tables["parcels"], {}, contracts=contracts, occupancies=occupancies)
    book = Rulebook.load()
    by_day: dict[
        date, tuple[dict[str, dict[str, str]], dict[str, list[str]], dict[str, list[frozenset[str]]]]
    ] = {}
    for case_id, case in CASES.items():
        for given, used in case.tools_by_parcel.items():
            on = case.assessed_on(given)
            if on not in by_day:
                by_day[on] = _assess(tables, Law(book, on))
            findings, options, ways = by_day[on]
            for unit in case.unit_ids(given):
                yield Judged(case_id, unit, frozenset(used), tuple(options.get(unit, [])[:FIRST]),
                             tuple(ways.get(unit, [])), findings.get(unit, {}))  # fmt: skip


def _assess(tables, law):
    diagnosis = diagnose(tables, law)
    options = match(diagnosis, law, CASES)
    findings: dict[str, dict[str, str]] = {}
    for row in diagnosis.findings.to_pylist():
        findings.setdefault(row["parcel_id"], {})[row["finding_id"]] = row["status"]
    offered: dict[str, list[str]] = {}
    for row in options.to_pylist():
        offered.setdefault(row["parcel_id"], []).append(row["tool_id"])
    ways: dict[str, list[frozenset[str]]] = {}
    for row in routes(diagnosis, options, law).to_pylist():
        ways.setdefault(row["parcel_id"], []).append(frozenset(row["tools"].split(",")))
    return findings, offered, ways


def _cases_where(judged: list[Judged], holds) -> set[str]:
    return CASES.keys() - {j.case_id for j in judged if not holds(j)}


def test_the_tools_used_are_among_the_first_three(judged: list[Judged]) -> None:
    met = _cases_where(judged, lambda j: j.used <= set(j.first_tools))
    assert len(met) >= 17, sorted(CASES.keys() - met)


def test_the_route_taken_is_within_the_first_three_routes(judged: list[Judged]) -> None:
    met = _cases_where(judged, lambda j: any(j.used <= route for route in j.routes))
    assert len(met) >= 19, sorted(CASES.keys() - met)


def test_the_route_taken_is_the_first_route_for_most(judged: list[Judged]) -> None:
    met = _cases_where(judged, lambda j: bool(j.routes) and j.used <= j.routes[0])
    assert len(met) >= 14, sorted(CASES.keys() - met)


def test_the_findings_a_reader_expects_are_found(judged: list[Judged]) -> None:
    got = {j.unit: j.findings for j in judged}
    missed = [
        f"{unit}: {finding} {status}"
        for case in CASES.values()
        for given, expected in case.findings_expected.items()
        for unit in case.unit_ids(given)
        for finding, status in expected.items()
        if unit in got and got[unit].get(finding) != status
    ]
    assert missed == []
