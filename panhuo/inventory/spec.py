"""The datasets of the program as data: fields, units, code lists and problem types of panhuo/spec."""

import csv
import re
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from typing import Final, Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from panhuo.core.problems import PanhuoError, Problem, Severity
from panhuo.rulebook.book import SPEC, read_yaml

FieldType = Literal["text", "float", "int", "date", "bool", "geometry"]
Span = Literal["past", "planned", "term"]
"""Which dates a field may hold: up to today, a plan some decades ahead, or a term of title."""

ARROW_TYPES: Final[dict[FieldType, pa.DataType]] = {
    "text": pa.string(),
    "float": pa.float64(),
    "int": pa.int64(),
    "date": pa.date32(),
    "bool": pa.bool_(),
    "geometry": pa.binary(),
}
LAYER: Final = re.compile(r"layers/[A-Za-z0-9_]+")
PROVENANCE: Final = pa.schema(
    [
        ("source_file", pa.string()),
        ("source_row", pa.int64()),
        ("valid_from", pa.date32()),
        ("ended_on", pa.date32()),
    ]
)
"""Where a row came from and when it was current; closes every dataset."""

DRAWN: Final = pa.schema([("crs_given", pa.string()), ("drawn_area_m2", pa.float64())])
"""What follows `geometry`: the CRS the outline was given in, and the area drawn [m²].

The points as given are not kept a second time: `geometry` moved to `crs_given` gives them back to a hundredth of a
millimetre (tests/property/test_outline_columns.py)."""


class SpecFile(BaseModel):
    """Every spec file: no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(SpecFile):
    """The same words in Chinese and English."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class FieldSpec(SpecFile):
    """One field of a dataset; `min`, `max` are what is physically possible, in `unit`."""

    label: Words
    type: FieldType
    unit: str = ""
    required: bool = False
    codes: str = ""
    span: Span | None = None
    check: Literal["uscc", ""] = ""
    min: float | None = None
    max: float | None = None
    extract: str = ""
    """Pattern whose group `id` is the value inside a longer cell, such as the key in a link."""
    zero_is_unset: bool = False
    """Whether registers write 0 where nothing is set."""
    bound: Literal["lower", "upper"] | None = None
    """Which side of 大于等于1.0并且小于等于2.5 the field takes."""
    aliases: tuple[str, ...] = ()
    named_aliases: tuple[str, ...] = ()
    """Headers too common to tell the dataset by: they mean the field only in a file whose dataset is named."""
    also_from: tuple[str, ...] = ()
    """Headers that belong to another field and feed this one where they hold a bound in words."""


class Dataset(SpecFile):
    """spec/datasets/<name>.yaml. `recognised_by`: sets of fields; any of them tells the dataset in a file."""

    label: Words
    definition: Words
    key: tuple[str, ...]
    recognised_by: tuple[tuple[str, ...], ...]
    fields: dict[str, FieldSpec]
    ranges: dict[str, str] = {}
    """Lower bound → upper bound."""
    orders: tuple[tuple[str, str, str], ...] = ()
    """(earlier date, later date, problem type when reversed)."""

    @property
    def has_geometry(self) -> bool:
        """Whether rows carry an outline."""
        return "geometry" in self.fields

    def arrow_schema(self) -> pa.Schema:
        """The Arrow schema of the dataset as stored: fields in the order of the file, then provenance."""
        fields = [pa.field(name, ARROW_TYPES[field.type]) for name, field in self.fields.items()]
        return pa.schema([*fields, *(DRAWN if self.has_geometry else ()), *PROVENANCE])


class Unit(SpecFile):
    """spec/units.yaml: `factor` turns one of this unit into the kind's own (m², 万元, m, ratio …)."""

    label: Words
    kind: str
    factor: float | str
    names: tuple[str, ...]

    @property
    def ratio(self) -> float:
        """The factor as a number (files may write 2000/3)."""
        return float(Fraction(str(self.factor)))


class ProblemType(SpecFile):
    """spec/problems.yaml: what kind of fault, how bad, who mends it and how."""

    label: Words
    severity: Severity
    owner: str
    remedy: Words


@cache
def dataset_specs() -> dict[str, Dataset]:
    """Every dataset by name."""
    return {p.stem: Dataset.model_validate(read_yaml(p)) for p in sorted((SPEC / "datasets").glob("*.yaml"))}


def dataset_spec(name: str) -> Dataset:
    """The spec of `name`; `layers/<kind>` share one. Raises PanhuoError for a name that is none."""
    specs = dataset_specs()
    base = name.split("/", 1)[0]
    fits = LAYER.fullmatch(name) is not None if base == "layers" else name in specs
    if not fits:
        raise PanhuoError(
            f"没有数据集 {name!r} no such dataset",
            remedy="可用 available: " + ", ".join(n if n != "layers" else "layers/<kind>" for n in specs),
        )
    return specs[base]


@cache
def units() -> dict[str, Unit]:
    """Every unit by id."""
    return {k: Unit.model_validate(v) for k, v in read_yaml(SPEC / "units.yaml").items()}


@cache
def problem_types() -> dict[str, ProblemType]:
    """Every kind of problem by id."""
    return {k: ProblemType.model_validate(v) for k, v in read_yaml(SPEC / "problems.yaml").items()}


def problem(
    type: str, *, file: str = "", row: int | None = None, field: str = "", value: str = "", action: str = ""
) -> Problem:
    """A Problem of spec/problems.yaml with the severity and owner its type has."""
    kind = problem_types()[type]
    return Problem(type, file, row, field, value[:200], action, kind.severity, kind.owner)


@cache
def code_rows(name: str) -> tuple[dict[str, str], ...]:
    """The rows of spec/codes/<name>.csv."""
    with (SPEC / "codes" / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return tuple(csv.DictReader(stream))


@cache
def code_list(name: str) -> Mapping[str, Mapping[str, str]]:
    """The rows of spec/codes/<name>.csv by code. A code of `land_use` stands once in each scheme: see `code_rows`."""
    return {row["code"]: row for row in code_rows(name)}
