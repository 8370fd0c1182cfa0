"""The development potential of each parcel by a declared scheme, and the order from easy to hard.

points of an indicator = weight × height of its curve at the value; a value not known earns and costs
nothing: the score is taken over the known weights, its range shows what the missing could make of it; with
too little known there is no grade. Obstacles take points off; an unknown one is named, never assumed away.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from panhuo.core.problems import PanhuoError
from panhuo.rulebook.book import Rulebook
from panhuo.rulebook.facts import connect
from panhuo.rulebook.predicate import parse
from panhuo.rulebook.schema import Label, LawFile
from panhuo.rulebook.scheme import KINDS, bind, load_schemes, pick
from panhuo.rulebook.scheme_schema import SchemeFile, Sql

Floats = NDArray[np.float64]

UNKNOWN: Final = "unknown"
ORDER_FACTS: Final = ("obstacle_count", "grade_no", "score", "cost_wan")

GRADES: Final = pa.schema(
    [
        ("parcel_id", pa.string()),
        ("scheme_id", pa.string()),
        ("grade", pa.string()),
        ("score", pa.float64()),
        ("score_low", pa.float64()),
        ("score_high", pa.float64()),
        ("known_share", pa.float64()),
        ("obstacle_count", pa.int64()),
        ("obstacles", pa.string()),
        ("unknown_obstacles", pa.string()),
        ("missing", pa.string()),
        ("order_no", pa.int64()),
        ("items", pa.string()),
    ]
)
ITEMS: Final = pa.schema(
    [
        ("parcel_id", pa.string()),
        ("scheme_id", pa.string()),
        ("indicator", pa.string()),
        ("value", pa.float64()),
        ("weight", pa.float64()),
        ("points", pa.float64()),
        ("status", pa.string()),
    ]
)


class Curve(LawFile):
    """One indicator: `value` is SQL over facts; `points` [[value, share of the weight 0–1], …] is joined by
    straight lines and level beyond its ends."""

    label: Label
    weight: float = Field(gt=0)
    value: Sql
    points: list[tuple[float, float]] = Field(min_length=2)

    @field_validator("points")
    @classmethod
    def _rising_values(cls, points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        values = [x for x, _ in points]
        if values != sorted(set(values)) or not all(0 <= share <= 1 for _, share in points):
            raise ValueError("points go by growing value and lie between 0 and 1")
        return points


class Obstacle(LawFile):
    """What stands in the way: `when` is a predicate over facts, `points` (negative) what it takes off."""

    label: Label
    when: Sql
    points: float = Field(le=0)


class Grade(LawFile):
    """A grade from a score on."""

    label: Label
    at_least: float


class Order(LawFile):
    """One key of the easy-first order, least first: SQL over the ORDER_FACTS (grade_no 0 is the best)."""

    label: Label
    by: Sql


class PotentialScheme(SchemeFile):
    """law/schemes/<id>.yaml of kind `potential`."""

    kind: Literal["potential"]
    known_min: float = Field(gt=0, le=1)
    indicators: dict[str, Curve] = Field(min_length=1)
    obstacles: dict[str, Obstacle] = Field(default={})
    grades: dict[str, Grade] = Field(min_length=1)
    order: list[Order] = Field(min_length=1)

    @model_validator(mode="after")
    def _falling_bars(self) -> "PotentialScheme":
        bars = [grade.at_least for grade in self.grades.values()]
        if bars != sorted(set(bars), reverse=True) or bars[-1] != 0:
            raise ValueError("grade bars must fall and end at 0")
        return self


KINDS[PotentialScheme] = "potential"


@dataclass(frozen=True, slots=True)
class Potential:
    """grades: one row per parcel (GRADES; `items` is JSON: indicator → its value and points, unknown ones left out)."""

    grades: pa.Table
    scheme: PotentialScheme
    values: dict[str, Floats]
    points: dict[str, Floats]

    @property
    def items(self) -> pa.Table:
        """Every sub-score and obstacle of every parcel as a row (ITEMS)."""
        return _item_table(self.scheme, self.grades["parcel_id"].to_pylist(), self.values, self.points)


def load_potential(rulebook: Rulebook, scheme_id: str = "potential") -> PotentialScheme:
    """The potential scheme of that id, its parameters still names; PanhuoError when there is none."""
    found = load_schemes(rulebook, PotentialScheme)
    if scheme_id not in found:
        raise PanhuoError(
            f"没有潜力评级方案 {scheme_id} no such scheme",
            remedy=f"可用 available: {', '.join(sorted(found))}",
        )
    return found[scheme_id]


def potential(
    facts: pa.Table, rulebook: Rulebook, on: date, place: str = "", scheme_id: str | None = None
) -> Potential:
    """Grades every parcel of `facts` (parcel_id and whatever facts are known) by the law of `on`.

    The scheme is the one that governs `place`, or that of `scheme_id`; PanhuoError when none is in force. `cost_wan`
    in `facts`, if there, is what clearing the parcel would cost [万元].
    """
    scheme = (
        pick(rulebook, PotentialScheme, place, on)
        if scheme_id is None
        else bind(rulebook, load_potential(rulebook, scheme_id), on, place)
    )
    return _graded(facts, scheme, _easy_first([facts], scheme))


def potential_parts(
    parts: Callable[[], Iterable[pa.Table]], rulebook: Rulebook, on: date, place: str = ""
) -> Iterator[pa.Table]:
    """The grades of `potential`, part by part, of facts that come part by part and are asked for twice: the order from
    easy to hard runs over all of them, and only its keys are held."""
    scheme = pick(rulebook, PotentialScheme, place, on)
    order, begin = _easy_first(parts(), scheme), 0
    for facts in parts():
        yield _graded(facts, scheme, order[begin : begin + facts.num_rows]).grades
        begin += facts.num_rows


def _graded(facts: pa.Table, scheme: PotentialScheme, order_no: NDArray[np.int64]) -> Potential:
    """The grades of parcels whose place in the easy-first order is known."""
    found = _judged(facts, scheme)
    ids = facts.column("parcel_id").cast(pa.string())
    names = pa.array([*scheme.grades, UNKNOWN])
    grades = {
        "parcel_id": ids,
        "scheme_id": pa.repeat(pa.scalar(scheme.id), len(ids)),
        "grade": names.take(pa.array(found.grade_no)),
        "score": found.score,
        "score_low": found.low,
        "score_high": found.high,
        "known_share": found.known,
        "obstacle_count": _count(found.hurdles, len(ids)),
        "obstacles": _named({name: v > 0 for name, v in found.hurdles.items()}, len(ids)),
        "unknown_obstacles": _named({name: np.isnan(v) for name, v in found.hurdles.items()}, len(ids)),
        "missing": _named({name: np.isnan(v) for name, v in found.points.items()}, len(ids)),
        "order_no": order_no,
        "items": _items_json(found.values, found.points),
    }
    columns = {
        f.name: pa.array(v, f.type, from_pandas=True) if isinstance(v := grades[f.name], np.ndarray) else v
        for f in GRADES
    }
    return Potential(pa.table(columns, schema=GRADES), scheme, found.values, found.points)


@dataclass(frozen=True, slots=True)
class _Judged:
    """Values of indicators and obstacles, points of indicators, and what they come to, by parcel."""

    values: dict[str, Floats]
    points: dict[str, Floats]
    hurdles: dict[str, Floats]
    score: Floats
    low: Floats
    high: Floats
    known: Floats
    grade_no: NDArray[np.int64]


def _judged(facts: pa.Table, scheme: PotentialScheme) -> _Judged:
    values = _evaluated(facts, scheme)
    points = {name: _points(curve, values[name]) for name, curve in scheme.indicators.items()}
    hurdles = {name: values[name] for name in scheme.obstacles}
    score, low, high, known = _scores(scheme, points, hurdles, facts.num_rows)
    return _Judged(values, points, hurdles, score, low, high, known, _grade_numbers(scheme, score, known))


def _easy_first(parts: Iterable[pa.Table], scheme: PotentialScheme) -> NDArray[np.int64]:
    """1, 2, 3 … from easy to hard over the parcels of all parts, in their order."""
    ids: list[pa.Array] = []
    keys: list[list[Floats]] = [[np.empty(0)] for _ in scheme.order]
    for facts in parts:
        found = _judged(facts, scheme)
        count = _count(found.hurdles, facts.num_rows)
        for column, key in zip(
            keys, _order_keys(facts, scheme, count, found.grade_no, found.score), strict=True
        ):
            column.append(key)
        ids += facts.column("parcel_id").cast(pa.string()).chunks
    return _ranks([np.concatenate(column) for column in keys], pa.chunked_array(ids, pa.string()))


def potential_facts(rulebook: Rulebook, on: date, place: str = "") -> list[str]:
    """The facts that grading a place's parcels reads. Raises PanhuoError when no scheme is in force there."""
    scheme = pick(rulebook, PotentialScheme, place, on)
    texts = [*(c.value for c in scheme.indicators.values()), *(o.when for o in scheme.obstacles.values())]
    return sorted({"parcel_id", "cost_wan", *(name for text in texts for name in parse(text).names)})


def _evaluated(facts: pa.Table, scheme: PotentialScheme) -> dict[str, Floats]:
    """Each indicator's value and each obstacle (1 yes, 0 no) per parcel, NaN unknown."""
    texts = {name: curve.value for name, curve in scheme.indicators.items()}
    texts |= {name: obstacle.when for name, obstacle in scheme.obstacles.items()}
    known = set(facts.column_names)
    wanted = {fact for text in texts.values() for fact in parse(text).names}
    absent = "".join(f", NULL AS {name}" for name in sorted(wanted - known))
    columns = ", ".join(
        f"CAST(({parse(text).sql(lambda name: name)}) AS DOUBLE) AS {name}" for name, text in texts.items()
    )
    con = connect(1)
    con.register("given", facts.select(["parcel_id", *sorted((wanted & known) - {"parcel_id"})]))
    table = con.execute(f"SELECT {columns} FROM (SELECT *{absent} FROM given)").to_arrow_table()
    return {name: table.column(name).to_numpy(zero_copy_only=False) for name in texts}


def _points(curve: Curve, value: Floats) -> Floats:
    """Points an indicator earns, 0 to its weight; NaN stays NaN."""
    x, share = zip(*curve.points, strict=True)
    earned: Floats = curve.weight * np.interp(value, x, share)
    return np.where(np.isnan(value), np.nan, earned)


def _scores(
    scheme: PotentialScheme, points: dict[str, Floats], hurdles: dict[str, Floats], count: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """Score over the known weights, its least and greatest were all known (0–100), and the share known."""
    whole = sum(curve.weight for curve in scheme.indicators.values())
    earned, weight = np.zeros(count), np.zeros(count)
    for name, curve in scheme.indicators.items():
        earned += np.nan_to_num(points[name])
        weight += np.where(np.isnan(points[name]), 0.0, curve.weight)
    off, doubt = np.zeros(count), np.zeros(count)
    for name, obstacle in scheme.obstacles.items():
        off += np.where(hurdles[name] > 0, obstacle.points, 0.0)
        doubt += np.where(np.isnan(hurdles[name]), obstacle.points, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        score = np.where(weight > 0, 100 * earned / weight + off, np.nan)
    low, high = 100 * earned / whole + off + doubt, 100 * (earned + whole - weight) / whole + off
    return np.clip(score, 0, 100), np.clip(low, 0, 100), np.clip(high, 0, 100), weight / whole


def _grade_numbers(scheme: PotentialScheme, score: Floats, known: Floats) -> NDArray[np.int64]:
    """The number of each parcel's grade, 0 the best; one more than the last where too little is known."""
    bars = np.array([grade.at_least for grade in scheme.grades.values()])
    number = np.argmax(score[:, None] >= bars[None, :], axis=1) if len(score) else np.empty(0, np.int64)
    return np.where(known >= scheme.known_min, number, len(bars)).astype(np.int64)


def _count(hurdles: dict[str, Floats], count: int) -> NDArray[np.int64]:
    return sum(((v > 0).astype(np.int64) for v in hurdles.values()), np.zeros(count, np.int64))


def _named(columns: dict[str, NDArray[np.bool_]], count: int) -> pa.Array:
    """For each parcel the names of the columns that hold for it. Few sets of names occur: each is written once."""
    code = np.zeros(count, np.int64)
    for bit, hit in enumerate(columns.values()):
        code |= hit.astype(np.int64) << bit
    sets, which = np.unique(code, return_inverse=True)
    words = [", ".join(name for bit, name in enumerate(columns) if held >> bit & 1) for held in sets.tolist()]
    return pa.array(words, pa.string()).take(pa.array(which.ravel()))


def _items_json(values: dict[str, Floats], points: dict[str, Floats]) -> pa.ChunkedArray:
    """{indicator: {value, points}} of each parcel as JSON text, what is unknown left out."""
    columns = {f"v_{name}": pa.array(values[name], from_pandas=True) for name in points}
    columns |= {f"p_{name}": pa.array(column, from_pandas=True) for name, column in points.items()}
    con = connect(1)
    con.register("given", pa.table(columns))
    parts = ", ".join(
        f"CASE WHEN p_{n} IS NOT NULL THEN "
        f"'\"{n}\":{{\"value\":' || round(v_{n}, 4) || ',\"points\":' || round(p_{n}, 2) || '}}' END"
        for n in points
    )
    return con.execute(
        f"SELECT '{{' || concat_ws(',', {parts}) || '}}' AS items FROM given"
    ).to_arrow_table()["items"]


def _order_keys(
    facts: pa.Table,
    scheme: PotentialScheme,
    count: NDArray[np.int64],
    grade_no: NDArray[np.int64],
    score: Floats,
) -> list[Floats]:
    """The keys of the easy-first order; an unknown value comes last."""
    given = facts.column("cost_wan").cast(pa.float64()) if "cost_wan" in facts.column_names else None
    cost = given.to_numpy(zero_copy_only=False) if given is not None else np.full(facts.num_rows, np.nan)
    known = pa.table(dict(zip(ORDER_FACTS, (count, grade_no, score, cost), strict=True)))
    con = connect(1)
    con.register("known", known)
    texts = [parse(key.by).sql(lambda name: name) for key in scheme.order]
    columns = ", ".join(f"CAST(({text}) AS DOUBLE) AS key{i}" for i, text in enumerate(texts))
    table = con.execute(f"SELECT {columns} FROM known").to_arrow_table()
    keys = [table.column(i).to_numpy(zero_copy_only=False) for i in range(len(texts))]
    return [np.where(np.isnan(key), np.inf, key) for key in keys]


def _ranks(keys: list[Floats], ids: pa.ChunkedArray) -> NDArray[np.int64]:
    """1, 2, 3 … by the keys in turn, ties by parcel id."""
    by_id = pc.sort_indices(ids).to_numpy()
    order = by_id[np.lexsort([key[by_id] for key in reversed(keys)])]
    ranks = np.empty(len(ids), np.int64)
    ranks[order] = np.arange(1, len(ids) + 1)
    return ranks


def _item_table(
    scheme: PotentialScheme, ids: list[str], values: dict[str, Floats], points: dict[str, Floats]
) -> pa.Table:
    """Every sub-score and obstacle of every parcel: known, unknown, or an obstacle that stands."""
    parts = [ITEMS.empty_table()]
    weights = {name: curve.weight for name, curve in scheme.indicators.items()}
    weights |= {name: obstacle.points for name, obstacle in scheme.obstacles.items()}
    for name, weight in weights.items():
        value = values[name]
        earned = points[name] if name in points else np.where(value > 0, weight, 0.0 * value)
        columns = {
            "parcel_id": pa.array(ids, pa.string()),
            "scheme_id": pa.array([scheme.id] * len(ids)),
            "indicator": pa.array([name] * len(ids)),
            "value": pa.array(value, from_pandas=True),
            "weight": pa.array([weight] * len(ids), pa.float64()),
            "points": pa.array(earned, from_pandas=True),
            "status": pa.array(np.where(np.isnan(value), UNKNOWN, "known").tolist(), pa.string()),
        }
        parts.append(pa.table(columns, schema=ITEMS))
    return pa.concat_tables(parts)
