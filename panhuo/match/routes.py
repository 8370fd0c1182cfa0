"""Routes: ordered sets of tools that together clear what blocks a parcel, composed from its options."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from panhuo.diagnose.findings import Diagnosis
from panhuo.rulebook.book import Rulebook
from panhuo.rulebook.facts import Law
from panhuo.rulebook.patterns import Ints, coded, distinct, word_numbers
from panhuo.rulebook.schema import Tool

LONGEST: Final = 3
KEPT: Final = 3

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

    Units alike in their best options, certain findings and kind of holder share one composition.
    """
    if not options.num_rows:
        return ROUTES.empty_table()
    terms, units = Terms.of(law.book, law.as_of), diagnosis.units
    offers, offered = _offers(options, len(units), terms.candidates)
    findings, held = _held(diagnosis.findings, len(units))
    public = _public(diagnosis)
    unit = np.flatnonzero(offers[:, 0])  # who has any tool that is not closed
    columns = [*offers[unit].T, *held[unit].T, public[unit]]
    pattern, first = distinct(columns, len(unit))
    composed = [
        _composed(
            tuple(offered[n - 1] for n in offers[at] if n),
            tuple(f for f, holds in zip(findings, held[at], strict=True) if holds),
            law,
            terms,
            public=bool(public[at]),
        )
        for at in unit[first]
    ]
    return _exploded(unit, pattern, composed, units)


def _offers(options: pa.Table, units: int, most: int) -> tuple[NDArray[np.int32], list[Offer]]:
    """Each unit's best tools that are not closed, by rank: numbers from 1 of the offers, 0 where there are no more."""
    unit, tool, status = (_codes(options[name]) for name in ("parcel_id", "tool_id", "status"))
    rank, fit = options["rank"].to_numpy(), options["fit"].to_numpy()
    words = options["status"].combine_chunks().dictionary.to_pylist()
    usable = np.array([word != "closed" for word in words])[status] & (rank <= most)
    _, fits = np.unique(fit[usable], return_inverse=True)
    number, first = distinct((tool[usable], status[usable], fits), int(usable.sum()))
    tools = options["tool_id"].combine_chunks().dictionary.to_pylist()
    found = [
        Offer(tools[t], words[s], float(f))
        for t, s, f in zip(tool[usable][first], status[usable][first], fit[usable][first], strict=True)
    ]
    offers = np.zeros((units, most), dtype=np.int32)
    offers[unit[usable], rank[usable] - 1] = number + 1
    return offers, found


def _held(findings: pa.Table, units: int) -> tuple[list[str], NDArray[np.bool_]]:
    """Finding ids, sorted, and which of them are certain of each unit."""
    ids = findings["finding_id"].combine_chunks().dictionary.to_pylist() if findings.num_rows else []
    held = np.zeros((units, len(ids)), dtype=bool)
    if ids:
        certain = pc.equal(findings["status"], "yes").to_numpy()
        held[_codes(findings["parcel_id"])[certain], _codes(findings["finding_id"])[certain]] = True
    order = np.argsort(np.array(ids, dtype=str))
    return [ids[n] for n in order], held[:, order]


def _public(diagnosis: Diagnosis) -> NDArray[np.bool_]:
    """Which units are not in private hands: land of the state, and what is left of an approval batch."""
    parcels = diagnosis.facts
    mine = np.zeros(parcels.num_rows, dtype=bool)
    if parcels.num_rows:
        mine = pc.fill_null(pc.equal(parcels["holder_type"], "government"), False).to_numpy()
    return np.concatenate([mine, np.ones(diagnosis.batch_facts.num_rows, dtype=bool)])


def _codes(column: pa.ChunkedArray) -> NDArray[np.int32]:
    """The numbers of a dictionary-coded column."""
    return np.asarray(column.combine_chunks().indices.to_numpy())


def _exploded(
    unit: Ints, pattern: Ints, composed: Sequence[Sequence[Mapping[str, Any]]], units: pa.Array
) -> pa.Table:
    """Every unit's routes, from those of its pattern."""
    length = np.array([len(rows) for rows in composed], dtype=np.int64)
    begins = np.cumsum(length) - length
    many = length[pattern]
    within = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
    at = np.repeat(begins[pattern], many) + within
    listed = [row for rows in composed for row in rows]

    def of_route(name: str) -> pa.DictionaryArray:
        numbers, words = word_numbers([row[name] for row in listed])
        return coded(numbers[at], words)

    return pa.table(
        {
            "parcel_id": coded(np.repeat(unit, many), units),
            "route_no": (within + 1).astype(np.int32),
            "tools": of_route("tools"),
            "status": of_route("status"),
            "fit": np.array([row["fit"] for row in listed], dtype=np.float64)[at],
            "clears": of_route("clears"),
            "leaves": of_route("leaves"),
            "because": of_route("because"),
        }
    )


def _composed(
    offers: tuple[Offer, ...], held: tuple[str, ...], law: Law, terms: Terms, *, public: bool
) -> list[dict[str, Any]]:
    """The routes of one pattern as rows of the table, without their unit."""
    key = ("routes", offers, held, public)
    if key not in law.worked_out:
        law.worked_out[key] = [
            {
                "tools": ",".join(route.tools),
                "status": route.status,
                "fit": route.fit,
                "clears": ",".join(route.clears),
                "leaves": ",".join(route.leaves),
                "because": json.dumps(
                    [{"tool": t, "step": why} for t, why in route.because], ensure_ascii=False
                ),
            }
            for route in compose(offers, held, law.book, terms, public=public)
        ]
    found: list[dict[str, Any]] = law.worked_out[key]
    return found


def compose(
    offers: Sequence[Offer], findings: Sequence[str], book: Rulebook, terms: Terms, *, public: bool = False
) -> list[Route]:
    """The best routes for one pattern of offers (best first) and certain findings, best first, none part of another.

    public: the land is not in private hands, so that it can be supplied without being taken back first.
    """
    held = frozenset(findings)
    blocking = frozenset(f for f in findings if book.rules[f].severity in terms.clears)
    weights = {f: terms.severity_weight[book.rules[f].severity] for f in findings}
    usable = [o for o in offers if o.status != "closed"][: terms.candidates]
    steps = [_step(offer, held, weights, book, terms, public=public) for offer in usable]
    found = [
        (-fit, tuple(step.tool for step in ordered), ordered)
        for size in range(1, min(LONGEST, len(steps)) + 1)
        for chosen in combinations(steps, size)
        if (ordered := _in_order(chosen)) and (fit := _fit(ordered, blocking, weights, terms)) is not None
    ]
    kept: list[Route] = []
    for fit, tools, ordered in sorted(found, key=lambda f: f[:2]):
        if not any(set(tools) <= set(k.tools) for k in kept):
            kept.append(_route(ordered, -fit, blocking))
            if len(kept) == KEPT:
                break
    return kept


@dataclass(frozen=True, slots=True)
class _Step:
    """An offer with what a route asks of it. `favour`: what speaks for it apart from the findings it addresses."""

    tool: str
    status: str
    favour: float
    addresses: frozenset[str]
    excludes: frozenset[str]
    after: frozenset[str]
    needs_other: bool
    """It supplies land that must first be taken back, so that another step has to go ahead of it."""


def _step(
    offer: Offer,
    held: frozenset[str],
    weights: Mapping[str, float],
    book: Rulebook,
    terms: Terms,
    *,
    public: bool,
) -> _Step:
    tool = book.tools[offer.tool]
    addressed = held.intersection(tool.addresses)
    favour = offer.fit - sum(weights[f] for f in sorted(addressed))
    return _Step(
        tool=offer.tool,
        status=offer.status,
        favour=favour if offer.status == "open" else favour * terms.check_share,
        addresses=addressed,
        excludes=frozenset(tool.excludes),
        after=frozenset(tool.after),
        needs_other=not public and _resupplies(tool, book),
    )


def _fit(
    ordered: Sequence[_Step], blocking: frozenset[str], weights: Mapping[str, float], terms: Terms
) -> float | None:
    """The fit of a route, or None when a step neither follows on an earlier one nor clears anything."""
    cleared: frozenset[str] = frozenset()
    done: set[str] = set()
    follows = 0
    for step in ordered:
        if not step.after.isdisjoint(done):
            follows += 1
        elif step.needs_other or (done and (step.addresses - cleared).isdisjoint(blocking)):
            return None
        cleared |= step.addresses
        done.add(step.tool)
    fit = sum(step.favour for step in ordered) + sum(weights[f] for f in sorted(cleared))
    return round(fit + terms.follow_gain * follows - terms.step_cost * (len(ordered) - 1), 6)


def _route(ordered: Sequence[_Step], fit: float, blocking: frozenset[str]) -> Route:
    """What a route clears and leaves, and why each step is in it."""
    cleared: frozenset[str] = frozenset()
    because: list[tuple[str, str]] = []
    for position, step in enumerate(ordered):
        ahead = [earlier.tool for earlier in ordered[:position] if earlier.tool in step.after]
        because.append((step.tool, ahead[-1] if ahead else ",".join(sorted(step.addresses - cleared))))
        cleared |= step.addresses
    return Route(
        tools=tuple(step.tool for step in ordered),
        status="open" if all(step.status == "open" for step in ordered) else "check",
        fit=fit,
        clears=tuple(sorted(cleared)),
        leaves=tuple(sorted(blocking - cleared)),
        because=tuple(because),
    )


def _in_order(steps: Sequence[_Step]) -> list[_Step]:
    """`steps` so that each comes after the tools it follows, otherwise in the order given (best first).

    Empty when two of them exclude each other.
    """
    every = {step.tool for step in steps}
    if any(not step.excludes.isdisjoint(every) for step in steps):
        return []
    left, ordered = list(steps), list[_Step]()
    if all(step.after.isdisjoint(every) for step in steps):
        return left
    while left:
        names = {step.tool for step in left}
        ready = next(step for step in left if not step.after & (names - {step.tool}))
        ordered.append(ready)
        left.remove(ready)
    return ordered


def _resupplies(tool: Tool, book: Rulebook) -> bool:
    """Whether the tool supplies land that must first be back in public hands."""
    return tool.class_ == "supply" and any(book.tools[name].batch == "store" for name in tool.after)
