"""Which column feeds which field: by the aliases of the spec, or by a mapping file that the user keeps.

A mapping file names, for each dataset, field → header (or headers, the first filled one counts):

    crs: EPSG:26986
    datasets:
      parcels:
        fields: {parcel_id: LOC_ID, area_m2: {from: LOT_SIZE, unit: acre}}
        values: {tenure: {FEE: granted}}
        constants: {land_use_scheme: local}
        repeats: first
    ignore: [FULL_STR]
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from rapidfuzz import fuzz, process

from panhuo.core.names import check_names
from panhuo.core.problems import PanhuoError
from panhuo.inventory.readers import RawTable
from panhuo.inventory.spec import DRAWN, PROVENANCE, Dataset, Words, dataset_spec, dataset_specs, units
from panhuo.inventory.values import plain
from panhuo.rulebook.book import SPEC, read_yaml

BLANKS: Final = re.compile(r"[\s:：*＊　]+")
UNIT_TAIL: Final = re.compile(r"^(.+?)[(\[/_,，-]([^()\[\]]+)[)\]]?$")
SUGGEST_FROM: Final = 72
OWN_COLUMNS: Final = frozenset(
    (*PROVENANCE.names, *DRAWN.names, "findings", "findings_unknown", "first_tool")
)
"""Columns that an export adds and an import makes anew."""


def listed(given: object) -> object:
    """One header as a list of one."""
    return [given] if isinstance(given, str) else given


class Source(BaseModel):
    """Where a field comes from: `from` one header or several, in `unit` when the header does not say."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    headers: Annotated[tuple[str, ...], BeforeValidator(listed)] = Field(alias="from")
    unit: str = ""


class DatasetMapping(BaseModel):
    """The mapping of one dataset."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    fields: dict[str, str | list[str] | Source] = {}
    values: dict[str, dict[str, str]] = {}
    constants: dict[str, str] = {}
    layer: str = ""
    """Only the sheet or layer of this name."""
    repeats: Literal["refuse", "first"] = "refuse"
    """What to do with rows that repeat a key and differ: refuse them, or keep the first and tell."""
    faults: Literal["refuse", "unknown"] = "refuse"
    """What to do with a cell that cannot be: refuse its row, or take the cell as unknown and tell."""

    def source(self, name: str) -> Source:
        """The source of a field, however it was written."""
        given = self.fields[name]
        if isinstance(given, Source):
            return given
        return Source.model_validate({"from": given})


class MappingFile(BaseModel):
    """A mapping file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    crs: str | None = None
    encoding: str | None = None
    datasets: dict[str, DatasetMapping] = {}
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Feed:
    """One column that feeds a field."""

    column: int
    unit: str = ""
    bound_only: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """How a table becomes rows of a dataset: for each field the columns that feed it, first choice first."""

    dataset: str
    feeds: dict[str, tuple[Feed, ...]]
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    keep_first: bool = False
    lenient: bool = False

    @property
    def spec(self) -> Dataset:
        """The dataset's spec."""
        return dataset_spec(self.dataset)


def load_mapping(path: Path | None) -> MappingFile:
    """The mapping file, or an empty mapping. Raises PanhuoError when it does not fit."""
    if path is None:
        return MappingFile()
    try:
        mapping = MappingFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except FileNotFoundError:
        raise PanhuoError("映射文件不存在 no such mapping file", where=str(path)) from None
    except (yaml.YAMLError, ValidationError, UnicodeDecodeError, IsADirectoryError) as fault:
        raise PanhuoError(
            "映射文件读不懂 the mapping file does not fit", where=str(path), why=str(fault)
        ) from None
    for name, given in mapping.datasets.items():
        fields = dataset_spec(name).fields
        for part in ("fields", "values", "constants"):
            check_names(getattr(given, part), fields, "字段 field", f"{path} · datasets.{name}.{part}")
    return mapping


def save_mapping(path: Path, plans: Iterable[tuple[RawTable, Plan]], crs: str | None) -> None:
    """What was matched, as a mapping file to look at, correct and use again."""
    datasets: dict[str, Any] = {}
    for raw, plan in plans:
        fields = {
            name: {
                "from": [raw.headers[f.column] for f in feeds],
                **({"unit": feeds[0].unit} if feeds[0].unit else {}),
            }
            for name, feeds in plan.feeds.items()
        }
        datasets.setdefault(plan.dataset, {"fields": {}})["fields"].update(fields)
    content = {**({"crs": crs} if crs else {}), "datasets": datasets}
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")


@cache
def normal(header: str) -> str:
    """A header as it is compared: narrow forms, lower case, no blanks, colons or stars."""
    return BLANKS.sub("", plain(header)).lower()


@cache
def base_and_unit(header: str) -> tuple[str, str]:
    """面积(公顷) → (面积, ha); a header without a unit in its tail → (itself, "")."""
    word = normal(header)
    match = UNIT_TAIL.match(word)
    if match:
        unit = unit_ids().get(match[2])
        if unit:
            return match[1], unit
    return word, ""


@cache
def unit_ids() -> dict[str, str]:
    """Each way of writing a unit → its id."""
    return {normal(n): key for key, unit in units().items() if unit.names for n in (*unit.names, key)}


@cache
def headers_of(dataset: str, named: bool = False) -> dict[str, dict[str, int]]:
    """Normal header → the fields it means, each with its order of preference (电子监管号 is contract and parcel id).

    named: the user has said that the file is of this dataset, so that headers common to many may be taken too.
    """
    known: dict[str, dict[str, int]] = {}
    for name, spec in dataset_spec(dataset).fields.items():
        common = spec.named_aliases if named else ()
        for order, alias in enumerate((name, spec.label.zh, *spec.aliases, *common)):
            known.setdefault(normal(alias), {}).setdefault(name, order)
    return known


@cache
def bounds_of(dataset: str) -> dict[str, tuple[str, ...]]:
    """Normal header → fields that take a bound in words from it beside the field it belongs to."""
    out: dict[str, tuple[str, ...]] = {}
    for name, spec in dataset_spec(dataset).fields.items():
        for alias in spec.also_from:
            out[normal(alias)] = (*out.get(normal(alias), ()), name)
    return out


def known_headers(cells: Sequence[str]) -> int:
    """How many cells of a row are headers of any dataset: tells a header row from a title."""
    names = [n for n in dataset_specs() if n != "layers"]
    return sum(any(find(c, n) for n in names) for c in cells if c)


def find(header: str, dataset: str, named: bool = False) -> list[tuple[str, int, str]]:
    """(field, order, unit) of each field that a header means in a dataset; named: as `headers_of`."""
    known = headers_of(dataset, named)
    word = normal(header)
    if word in known:
        return [(name, order, "") for name, order in known[word].items()]
    base, unit = base_and_unit(header)
    fields = dataset_spec(dataset).fields
    return [
        (name, order, unit)
        for name, order in known.get(base, {}).items()
        if fields[name].unit in units() and units()[fields[name].unit].kind == units()[unit].kind
    ]


def make_plan(raw: RawTable, dataset: str, mapping: MappingFile, named: bool = False) -> Plan:
    """The plan for one table and dataset; named: as `headers_of`.

    Raises PanhuoError when the mapping names a header that is not there.
    """
    source = source_of(raw.headers)
    builtin = source.datasets.get(dataset) if source else None
    given = mapping.datasets.get(dataset) or builtin or DatasetMapping()
    feeds: dict[str, list[tuple[int, Feed]]] = {}
    ignored = {normal(h) for h in mapping.ignore}
    for index, header in enumerate(raw.headers):
        if normal(header) in ignored:
            continue
        for name, order, unit in find(header, dataset, named):
            if name not in given.fields:
                # Of one header given twice the later column counts first: exports put the detail there.
                feeds.setdefault(name, []).append((order * 10_000 - index, Feed(index, unit)))
        for name in bounds_of(dataset).get(normal(header), ()):
            if name not in given.fields:
                feeds.setdefault(name, []).append((10**9, Feed(index, "", True)))
    customary = {normal(h): u for h, u in source.units.items()} if source else {}
    feeds = {
        name: [
            (
                o,
                f
                if f.unit or f.bound_only
                else replace(f, unit=customary.get(normal(raw.headers[f.column]), "")),
            )
            for o, f in fs
        ]
        for name, fs in feeds.items()
    }
    chosen = {name: tuple(f for _, f in sorted(fs, key=lambda p: p[0])) for name, fs in feeds.items()}
    for name in given.fields:
        wanted = given.source(name)
        columns = [i for h in wanted.headers for i, own in enumerate(raw.headers) if normal(own) == normal(h)]
        if not columns:
            raise PanhuoError(
                f"文件里没有列 no column {', '.join(wanted.headers)}",
                where=f"{raw.where} → {dataset}.{name}",
                remedy="表头有 headers: " + ", ".join(raw.headers[:40]),
            )
        chosen[name] = tuple(Feed(i, wanted.unit or base_and_unit(raw.headers[i])[1]) for i in columns)
    return Plan(
        dataset, chosen, given.values, given.constants, given.repeats == "first", given.faults == "unknown"
    )


class KnownSource(BaseModel):
    """An export known by its headers (spec/sources.yaml)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    label: Words
    headers: tuple[str, ...]
    units: dict[str, str] = {}
    datasets: dict[str, DatasetMapping] = {}


@cache
def known_sources() -> tuple[KnownSource, ...]:
    """Every known export."""
    return tuple(KnownSource.model_validate(s) for s in read_yaml(SPEC / "sources.yaml").values())


def source_of(headers: Sequence[str]) -> KnownSource | None:
    """The known export whose headers a table has."""
    have = {base_and_unit(h)[0] for h in headers} | {normal(h) for h in headers}
    return next((s for s in known_sources() if {normal(h) for h in s.headers} <= have), None)


def recognise(raw: RawTable, mapping: MappingFile) -> list[Plan]:
    """The datasets that a table feeds, with their plans. A mapping file or a known source settles it."""
    if mapping.datasets:
        return [make_plan(raw, n, mapping) for n, d in mapping.datasets.items() if d.layer in ("", raw.layer)]
    source = source_of(raw.headers)
    if source and source.datasets:
        return [make_plan(raw, name, mapping) for name in source.datasets]
    plans = [make_plan(raw, name, mapping) for name in dataset_specs() if name != "layers"]
    return [plan for plan in plans if recognised(raw, plan)]


def recognised(raw: RawTable, plan: Plan) -> bool:
    """Whether a table has the fields that tell the dataset."""
    have = set(plan.feeds) | ({"geometry"} if raw.geometry is not None else set())
    return any(set(alternative) <= have for alternative in plan.spec.recognised_by)


def unmatched(raw: RawTable, plans: Iterable[Plan], mapping: MappingFile) -> list[tuple[int, str]]:
    """(column, nearest alias or "") of the columns that no plan uses and no mapping ignores."""
    used = {f.column for plan in plans for feeds in plan.feeds.values() for f in feeds}
    ignored = {normal(h) for h in mapping.ignore}
    out = []
    for index, header in enumerate(raw.headers):
        if index not in used and normal(header) not in ignored and header not in OWN_COLUMNS:
            near = process.extractOne(
                normal(header), vocabulary(), scorer=fuzz.ratio, score_cutoff=SUGGEST_FROM
            )
            out.append((index, near[0] if near else ""))
    return out


@cache
def vocabulary() -> tuple[str, ...]:
    """Every header the spec knows, always in one order: of two equally near ones the first is told."""
    return tuple(
        dict.fromkeys(alias for name in dataset_specs() if name != "layers" for alias in headers_of(name))
    )
