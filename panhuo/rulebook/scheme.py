"""Schemes: those of the law folder by kind, which one governs a place on a date, and its parameters filled in."""

from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final, TypeVar

from pydantic import TypeAdapter

from panhuo.core.problems import PanhuoError
from panhuo.rulebook.book import Rulebook, Value, read_yaml, validate
from panhuo.rulebook.predicate import PARAMETER, literal
from panhuo.rulebook.scheme_schema import (
    AdmissionScheme,
    FirmPlanScheme,
    LeaseScheme,
    LifecycleScheme,
    RemedyScheme,
    Scheme,
    SchemeFile,
    ScoreboardScheme,
    ZoneScheme,
)

S = TypeVar("S", bound=SchemeFile)
KINDS: Final[dict[type[SchemeFile], str]] = {
    Scheme: "score",
    AdmissionScheme: "admission",
    ScoreboardScheme: "scoreboard",
    LifecycleScheme: "lifecycle",
    FirmPlanScheme: "firm_plan",
    LeaseScheme: "lease",
    ZoneScheme: "zone",
    RemedyScheme: "remedies",
}


def load_schemes(rulebook: Rulebook, kind: type[S]) -> dict[str, S]:
    """The schemes of one kind under law/schemes, by id (the file's name); parameters are still names."""
    return dict(_schemes(rulebook.version, rulebook.root, kind))


@lru_cache(maxsize=64)
def _schemes(version: str, root: Path, kind: type[S]) -> dict[str, S]:
    """The schemes in a law folder, read once while its files (`version`) are the same."""
    schemes = {}
    for path in sorted((root / "schemes").glob("*.yaml")):
        head = read_yaml(path)
        if isinstance(head, dict) and head.get("kind") == KINDS[kind]:
            schemes[path.stem] = validate(TypeAdapter(kind), path).model_copy(update={"id": path.stem})
    return schemes


def scheme(rulebook: Rulebook, kind: type[S], scheme_id: str, on: date, place: str = "") -> S:
    """The scheme of that id with every parameter valued on a date at a place.

    Raises PanhuoError when there is none of that id and kind.
    """
    found = load_schemes(rulebook, kind)
    if scheme_id not in found:
        raise PanhuoError(
            f"没有方案 {scheme_id} (no such scheme)", remedy=f"可用 (available): {', '.join(sorted(found))}"
        )
    return bind(rulebook, found[scheme_id], on, place)


def governing(rulebook: Rulebook, kind: type[S], place: str, on: date) -> S | None:
    """The scheme of a kind that governs `place` (division code) on a date, bound; None when none is in force.

    A scheme named by a place overlay comes first, then the one whose `place` is the longest prefix of the
    division, then the one that came into force last.
    """
    found = {name: s for name, s in load_schemes(rulebook, kind).items() if s.in_force(on)}
    for prefix in rulebook.places_of(place):
        for name in rulebook.places[prefix].schemes:
            if name in found:
                return bind(rulebook, found[name], on, place)
    fitting = [s for s in found.values() if place.startswith(s.place)]
    if not fitting:
        return None
    return bind(rulebook, max(fitting, key=lambda s: (len(s.place), s.in_force_from or date.min)), on, place)


def pick(rulebook: Rulebook, kind: type[S], place: str, on: date) -> S:
    """The scheme that governs, as `governing`. Raises PanhuoError when none is in force there."""
    found = governing(rulebook, kind, place, on)
    if found is None:
        raise PanhuoError(
            f"{on} 在 {place or '全国'} 没有 {KINDS[kind]} 方案 (no scheme of this kind in force there)",
            remedy="在 law/schemes 中加一个带 place 的方案 (add one with its place)",
        )
    return found


def pick_scheme(rulebook: Rulebook, place: str, on: date) -> Scheme:
    """The scoring scheme that governs `place` on a date, bound (see `pick`)."""
    return pick(rulebook, Scheme, place, on)


def bind(rulebook: Rulebook, unbound: S, on: date, place: str = "") -> S:
    """A copy of the scheme with each $topic.name replaced by its value; `parameters` lists what was drawn.

    Values are those of `place`, or of the scheme's own place when `place` does not lie in it.
    """
    where = place if place.startswith(unbound.place) else unbound.place
    drawn: dict[str, Value] = {}

    def value(name: str) -> object:
        drawn[name] = rulebook.parameter(name, on, where)
        return drawn[name].value

    def fill(node: object) -> object:
        if isinstance(node, list):
            return [fill(item) for item in node]
        if isinstance(node, dict):
            return {key: fill(item) for key, item in node.items()}
        if isinstance(node, str):
            if whole := PARAMETER.fullmatch(node):
                return value(f"{whole[1]}.{whole[2]}")
            return PARAMETER.sub(lambda m: literal(value(f"{m[1]}.{m[2]}")), node)
        return node

    filled = type(unbound).model_validate(fill(unbound.model_dump()))
    return filled.model_copy(update={"parameters": tuple(drawn.values())})
