"""Routes: ordered sets of tools that together clear what blocks a parcel, composed from its options."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Any, Final

import pyarrow as pa

from panhuo.diagnose.findings import BATCH_UNIT, Diagnosis
from panhuo.rulebook.book import Rulebook
from panhuo.rulebook.facts import Law, connect
from panhuo.rulebook.schema import Tool

LONGEST: Final = 3
KEPT: Final = 3

ORDER: Final = "CASE status WHEN 'open' THEN 0 ELSE 1 END, fit DESC, tool_id"
"""Candidates are taken in the order of the options themselves."""

ROUTES: Final = pa.schema(
    [
        ("parcel_id", pa.string()),
        ("route_no", pa.int32()),
        ("tools", pa.string()),
        ("status", pa.string()),
        ("fit", pa.float64()),
        ("clears", pa.string()),
        ("leaves", pa.string()),
        ("because", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A tool as offered to a parcel: open or to be checked, with its fit."""

    tool: str
    status: str
    fit: float


@dataclass(frozen=True, slots=True)
class Terms:
    """How routes are weighed ($match.…): see law/parameters/match.yaml."""

    severity_weight: Mapping[str, float]
    clears: Sequence[str]
    step_cost: float
    follow_gain: float
    check_share: float
    candidates: int

    @classmethod
    def of(cls, book: Rulebook, on: date) -> "Terms":
        def value(name: str) -> Any:
            return book.parameter(f"match.{name}", on).value

        return cls(
            value("severity_weight"),
            value("route_clears"),
            value("route_step_cost"),
            value("route_follow_gain"),
            value("route_check_share"),
            value("route_candidates"),
        )


@dataclass(frozen=True, slots=True)
class Route:
    """Tools in order. `leaves` are the blocking findings no tool of it addresses."""

    tools: tuple[str, ...]
    status: str
    fit: float
    clears: tuple[str, ...]
    leaves: tuple[str, ...]
    because: tuple[tuple[str, str], ...]


def routes(diagnosis: Diagnosis, options: pa.Table, law: Law) -> pa.Table:
    """The routes table: up to three routes per parcel or batch, the best first.

    Parcels alike in their options, certain findings and kind of holder share one composition.
    """
    con = connect()
    for name, table in (("options", options), ("findings", diagnosis.findings), ("facts", diagnosis.facts)):
        con.register(name, table)
    usable = f"""SELECT parcel_id, list(tool_id || ':' || status || ':' || fit ORDER BY {ORDER}) AS offers
        FROM options WHERE status <> 'closed' GROUP BY parcel_id"""
    held = """SELECT parcel_id, list(finding_id ORDER BY finding_id) AS held
        FROM findings WHERE status = 'yes' GROUP BY parcel_id"""
    public = f"""SELECT parcel_id FROM facts WHERE holder_type = 'government'
        UNION ALL SELECT parcel_id FROM options WHERE starts_with(parcel_id, '{BATCH_UNIT}')"""
    rows = con.sql(f"""SELECT parcel_id, array_to_string(offers, ',') || '|' || coalesce(array_to_string(held, ','), '')
        || '|' || (parcel_id IN ({public})) AS pattern
        FROM ({usable}) LEFT JOIN ({held}) USING (parcel_id) ORDER BY parcel_id""").to_arrow_table()
    con.close()
    terms = Terms.of(law.book, law.as_of)
    encoded = rows["pattern"].combine_chunks().dictionary_encode()
    found = [_composed(pattern, law.book, terms) for pattern in encoded.dictionary.to_pylist()]
    listed = zip(rows["parcel_id"].to_pylist(), encoded.indices.to_pylist(), strict=True)
    return pa.Table.from_pylist(
        [{"parcel_id": parcel_id, **row} for parcel_id, index in listed for row in found[index]],
        schema=ROUTES,
    )


def _composed(pattern: str, book: Rulebook, terms: Terms) -> list[dict[str, object]]:
    """The rows of one pattern, without their parcel."""
    offers, held, public = pattern.split("|")
    listed = [part.split(":") for part in offers.split(",")]
    parsed = [Offer(tool, status, float(fit)) for tool, status, fit in listed]
    found = compose(parsed, held.split(",") if held else [], book, terms, public=public == "true")
    return [
        {
            "route_no": number,
            "tools": ",".join(route.tools),
            "status": route.status,
            "fit": route.fit,
            "clears": ",".join(route.clears),
            "leaves": ",".join(route.leaves),
            "because": json.dumps([{"tool": t, "step": why} for t, why in route.because], ensure_ascii=False),
        }
        for number, route in enumerate(found, start=1)
    ]


def compose(
    offers: Sequence[Offer], findings: Sequence[str], book: Rulebook, terms: Terms, *, public: bool = False
) -> list[Route]:
    """The best routes for one pattern of offers (best first) and certain findings, best first, none part of another.

    public: the land is not in private hands, so that it can be supplied without being taken back first.
    """
    held = frozenset(findings)
    blocking = frozenset(f for f in findings if book.rules[f].severity in terms.clears)
    usable = [o for o in offers if o.status != "closed"][: terms.candidates]
    steps = [_step(offer, held, book, terms) for offer in usable]
    found = [
        route
        for size in range(1, min(LONGEST, len(steps)) + 1)
        for chosen in combinations(steps, size)
        if (route := _route(chosen, blocking, book, terms, public=public))
    ]
    kept: list[Route] = []
    for route in sorted(found, key=lambda r: (-r.fit, r.tools)):
        if not any(set(route.tools) <= set(k.tools) for k in kept):
            kept.append(route)
    return kept[:KEPT]


@dataclass(frozen=True, slots=True)
class _Step:
    """An offer with what a route asks of it. `favour`: what speaks for it apart from the findings it addresses."""

    tool: str
    status: str
    favour: float
    addresses: frozenset[str]
    excludes: frozenset[str]
    after: frozenset[str]
    resupplies: bool


def _step(offer: Offer, held: frozenset[str], book: Rulebook, terms: Terms) -> _Step:
    tool = book.tools[offer.tool]
    addressed = held.intersection(tool.addresses)
    favour = offer.fit - _weight(addressed, book, terms)
    return _Step(
        tool=offer.tool,
        status=offer.status,
        favour=favour if offer.status == "open" else favour * terms.check_share,
        addresses=addressed,
        excludes=frozenset(tool.excludes),
        after=frozenset(tool.after),
        resupplies=_resupplies(tool, book),
    )


def _route(
    chosen: Sequence[_Step], blocking: frozenset[str], book: Rulebook, terms: Terms, *, public: bool
) -> Route | None:
    """The route of `chosen`, or None when two exclude each other or a step neither follows on nor clears anything."""
    names = {step.tool for step in chosen}
    if any(names & step.excludes for step in chosen):
        return None
    ordered = _in_order(chosen)
    cleared: set[str] = set()
    because: list[tuple[str, str]] = []
    follows = 0
    for position, step in enumerate(ordered):
        fresh = step.addresses - cleared
        ahead = [earlier.tool for earlier in ordered[:position] if earlier.tool in step.after]
        if not ahead and ((position and not fresh & blocking) or (step.resupplies and not public)):
            return None
        follows += bool(ahead)
        cleared |= fresh
        because.append((step.tool, ahead[-1] if ahead else ",".join(sorted(fresh))))
    fit = sum(step.favour for step in chosen) + _weight(cleared, book, terms)
    fit += terms.follow_gain * follows - terms.step_cost * (len(chosen) - 1)
    return Route(
        tools=tuple(step.tool for step in ordered),
        status="open" if all(step.status == "open" for step in chosen) else "check",
        fit=round(fit, 6),
        clears=tuple(sorted(cleared)),
        leaves=tuple(sorted(blocking - cleared)),
        because=tuple(because),
    )


def _in_order(steps: Sequence[_Step]) -> list[_Step]:
    """`steps` so that each comes after the tools it follows, otherwise in the order given (best first)."""
    left, ordered = list(steps), list[_Step]()
    while left:
        names = {step.tool for step in left}
        ready = next(step for step in left if not step.after & (names - {step.tool}))
        ordered.append(ready)
        left.remove(ready)
    return ordered


def _resupplies(tool: Tool, book: Rulebook) -> bool:
    """Whether the tool supplies land that must first be back in public hands."""
    return tool.class_ == "supply" and any(book.tools[name].batch == "store" for name in tool.after)


def _weight(findings: Iterable[str], book: Rulebook, terms: Terms) -> float:
    return sum(terms.severity_weight[book.rules[f].severity] for f in findings)
