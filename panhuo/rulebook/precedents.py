"""The twenty source cases as precedents: facts before, tools used, every stated figure recomputed.

Rows of `before` use the field names of spec/datasets; as in the source, areas may be given in 亩 (`area_mu`
for `area_m2`), money in 亿元 (`investment_yi` for `investment_wan`), floor in 万㎡ (`floor_area_wan_m2`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, model_validator

from panhuo.core.figures import FigureError, Interval, Verdict, evaluate, parse_unit, stated, verdict
from panhuo.core.units import YI_WAN, mu_to_m2
from panhuo.rulebook.book import LAW, read_folder
from panhuo.rulebook.quantities import quantities
from panhuo.rulebook.schema import Label, LawFile, Mark, Text

Row = dict[str, Any]
Number = Annotated[Decimal, BeforeValidator(str)]

DATASETS: Final = (
    "parcels",
    "contracts",
    "batches",
    "encumbrances",
    "buildings",
    "enterprises",
    "occupancies",
    "demands",
)
KEYS: Final = {"parcels": "parcel_id", "buildings": "building_id", "contracts": "contract_no"}


class PlaceName(LawFile):
    """Where the case lies, with an approximate point (EPSG:4490 degrees)."""

    zh: Text
    en: Text
    lon: float = Field(ge=73, le=136)
    lat: float = Field(ge=3, le=54)


class SourceLines(LawFile):
    """The lines of the source text the case is drawn from, first and last."""

    document: Text
    lines: tuple[int, int]


class Assumption(LawFile):
    """A value the text does not state, and why it was taken or left empty."""

    what: Text
    why: Label


class Drawn(LawFile):
    """Hints for drawing outlines: points by parcel, pairs that touch, parts of a group, scattered groups."""

    at: dict[str, tuple[float, float]] = Field(default_factory=dict)
    touching: list[tuple[str, str]] = Field(default_factory=list)
    parts: dict[str, int] = Field(default_factory=dict)
    scattered: bool = False
    no_outline: list[str] = Field(default_factory=list)


class ToolUsed(LawFile):
    """A tool really used: `main` if the case turns on it."""

    tool: Text
    role: Literal["main", "supporting"]
    why: Label


class Stated(LawFile):
    """A figure as the source writes it."""

    value: Number
    unit: Text
    qualifier: str = ""


class Constant(LawFile):
    """A figure from outside the source that a recomputation needs."""

    id: Text
    value: Number
    unit: Text
    mark: Mark
    note: Label


class Figure(LawFile):
    """A stated figure; with `formula`, recomputed from the others.

    `verdict` is what the recomputation must give. `derived`: not in the source but our own, from its figures.
    """

    id: Text
    label: Label
    stated: Stated
    where: int | None = None
    formula: str | None = None
    verdict: Verdict | None = None
    derived: bool = False
    note: Label | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "Figure":
        if self.formula and self.verdict is None:
            raise ValueError("a formula needs a verdict")
        if not self.formula and self.verdict not in {None, "uncheckable"}:
            raise ValueError("a verdict of agree or disagree needs a formula")
        if (self.where is None) != self.derived:
            raise ValueError("a figure has a line of the source or is derived")
        return self


class InputFrom(LawFile):
    """An input of an appraisal taken from a stated figure of the case; `low` and `high` are figures too."""

    figure: Text
    low: Text | None = None
    high: Text | None = None


@dataclass(frozen=True, slots=True)
class CheckedFigure:
    """A figure with its recomputation in the unit stated (`computed` None where there is none)."""

    figure: Figure
    computed: float | None
    verdict: Verdict | None
    arithmetic: str


class Precedent(LawFile):
    """law/precedents/case_NN.yaml."""

    label: Label
    division: str = Field(pattern=r"^\d{6}(\d{3}(\d{3})?)?$")
    place: PlaceName
    as_of: date
    as_of_note: Label
    as_of_by_parcel: dict[str, date] = Field(default_factory=dict)
    summary: Label
    obstacles: list[Label] = Field(min_length=1)
    source: SourceLines
    before: dict[str, list[Row]]
    assumed: list[Assumption] = Field(default_factory=list)
    drawn: Drawn = Field(default_factory=Drawn)
    tools_used: list[ToolUsed] = Field(min_length=1)
    tools_by_parcel: dict[str, list[str]] = Field(min_length=1)
    findings_expected: dict[str, dict[str, Literal["yes", "unknown"]]] = Field(default_factory=dict)
    constants: list[Constant] = Field(default_factory=list)
    figures: list[Figure] = Field(min_length=1)
    inputs: dict[str, dict[str, InputFrom]] = Field(default_factory=dict)
    """By parcel, the inputs of spec/money.yaml that the source states; what it leaves open stays missing."""

    @model_validator(mode="after")
    def _inputs_are_stated(self) -> "Precedent":
        stated_ids = {figure.id for figure in self.figures if not figure.derived}
        named = {
            n for row in self.inputs.values() for i in row.values() for n in (i.figure, i.low, i.high) if n
        }
        if unknown := named - stated_ids:
            raise ValueError(f"inputs name figures the source does not state: {', '.join(sorted(unknown))}")
        return self

    @property
    def tools(self) -> list[str]:
        """The main tools of the case, in the order used."""
        return [used.tool for used in self.tools_used if used.role == "main"]

    def rows(self, dataset: str) -> list[Row]:
        """The rows of `dataset` before the disposal in canonical fields and units, repeats written out."""
        return [row for given in self.before.get(dataset, []) for row in self._expanded(dataset, given)]

    def unit_ids(self, given: str) -> list[str]:
        """The parcel ids a row named `given` stands for (itself unless it is repeated)."""
        for row in self.before.get("parcels", []):
            if row["parcel_id"] == given and "repeat" in row:
                return numbered(given, row["repeat"])
        return [given]

    def assessed_on(self, parcel_id: str) -> date:
        """The date as of which a parcel of the case is to be assessed."""
        return self.as_of_by_parcel.get(parcel_id, self.as_of)

    def check_figures(self) -> list[CheckedFigure]:
        """Every stated figure beside what the others give. Raises FigureError on a bad formula."""
        units = quantities()
        known = {c.id: stated(c.value, parse_unit(c.unit, units.units)) for c in self.constants}
        known |= {f.id: _interval(f, claim=False) for f in self.figures}
        return [_checked(figure, known) for figure in self.figures]

    def _expanded(self, dataset: str, given: Row) -> Iterator[Row]:
        row = canonical({name: value for name, value in given.items() if name != "repeat"})
        count = given.get("repeat")
        if count is None:
            yield row
            return
        key = KEYS[dataset]
        homes = self.unit_ids(row["parcel_id"]) if dataset != "parcels" else []
        for position, name in enumerate(numbered(row[key], count)):
            home = {"parcel_id": homes[position % len(homes)]} if homes else {}
            yield {**row, key: name, **home}


def numbered(name: str, count: int) -> list[str]:
    """The ids of a row repeated `count` times."""
    return [f"{name}-{i:02d}" for i in range(1, count + 1)]


def canonical(row: Row) -> Row:
    """A row in canonical fields: 亩 to m², 亿元 to 万元, 万㎡ to m²."""
    return dict(_canonical(name, value) for name, value in row.items())


def _canonical(name: str, value: Any) -> tuple[str, Any]:
    if name.endswith("_wan_m2"):
        return name.removesuffix("_wan_m2") + "_m2", value * 10_000
    if name.endswith("_yi"):
        return name.removesuffix("_yi") + "_wan", value * YI_WAN
    head, found, tail = name.partition("_mu")
    if found and tail in {"", "_min", "_max"}:
        return f"{head}_m2{tail}", mu_to_m2(value)
    return name, value


def _interval(figure: Figure, *, claim: bool) -> Interval:
    words = quantities()
    unit = parse_unit(figure.stated.unit, words.units)
    return stated(figure.stated.value, unit, words.bound(figure.stated.qualifier), claim=claim)


def _checked(figure: Figure, known: Mapping[str, Interval]) -> CheckedFigure:
    if figure.formula is None:
        return CheckedFigure(figure, None, figure.verdict, "")
    found = evaluate(figure.formula, known)
    unit = parse_unit(figure.stated.unit, quantities().units)
    value = found.value / float(unit.factor)
    return CheckedFigure(figure, value, verdict(_interval(figure, claim=True), found), figure.formula)


@lru_cache(maxsize=4)
def load_precedents(root: Path | None = None) -> Mapping[str, Precedent]:
    """The precedents by id (case_01 …) under `root` (the packaged law when None).

    Raises PanhuoError naming the file and field that does not fit.
    """
    return read_folder((root or LAW) / "precedents", Precedent)


__all__ = ["CheckedFigure", "Figure", "FigureError", "Precedent", "canonical", "load_precedents"]
