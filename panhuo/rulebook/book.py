"""The rulebook: every law file of one folder, validated, with values at a date and place."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

from panhuo.core.problems import PanhuoError
from panhuo.core.provenance import tree_hash
from panhuo.rulebook.schema import (
    Calendar,
    DatedValue,
    Fact,
    Mark,
    Parameter,
    Place,
    Rule,
    Situation,
    Source,
    Tool,
)

PACKAGE = Path(__file__).resolve().parent.parent
LAW = PACKAGE / "law"
SPEC = PACKAGE / "spec"

SHOWN_FAULTS = 5

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")

try:
    from yaml import CSafeLoader as Loader
except ImportError:  # a PyYAML built without libyaml
    from yaml import SafeLoader as Loader  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Value:
    """A parameter's value at a date and place, with where it comes from."""

    name: str
    value: Any
    unit: str
    source: str
    article: str
    mark: Mark
    start: date
    place: str

    @property
    def unverified(self) -> bool:
        """Whether the sources could not confirm it; shown wherever the value is used."""
        return self.mark == "M"


@dataclass(frozen=True)
class Rulebook:
    """All law files under `root`, each checked against its schema."""

    root: Path
    sources: Mapping[str, Source]
    parameters: Mapping[str, Parameter]
    places: Mapping[str, Place]
    facts: Mapping[str, Fact]
    rules: Mapping[str, Rule]
    tools: Mapping[str, Tool]
    situations: Mapping[str, list[Situation]]
    calendars: Mapping[str, Calendar]

    @classmethod
    def load(cls, root: Path | None = None) -> "Rulebook":
        """The rulebook under `root` (the packaged law when None).

        Raises PanhuoError naming the file and field of the first file that does not fit its schema.
        """
        return _load(Path(root or LAW).resolve())

    @cached_property
    def version(self) -> str:
        """The first 12 hex digits of the SHA-256 over every law file: names the law a result was made with."""
        return tree_hash(self.root.rglob("*.yaml"), self.root)[:12]

    def in_force(self, item: Rule | Tool, on: date) -> bool:
        """Whether a rule or tool is law on `on`."""
        return (item.in_force_from is None or item.in_force_from <= on) and (
            item.in_force_to is None or on < item.in_force_to
        )

    def places_of(self, division: str) -> Iterator[str]:
        """The overlays that govern `division`, the narrowest first."""
        for length in range(len(division), 1, -1):
            if division[:length] in self.places:
                yield division[:length]

    def has_value(self, name: str, on: date) -> bool:
        """Whether parameter `name` has a value anywhere in force on `on`."""
        return _at(self._parameter(name).values, on) is not None

    def parameter(self, name: str, on: date, place: str = "") -> Value:
        """Value of parameter `name` on a date at a place (division code, "" for the nation).

        Raises PanhuoError when there is no such parameter, or none in force on that date.
        """
        parameter = self._parameter(name)
        for prefix in self.places_of(place):
            if found := _at(self.places[prefix].parameters.get(name, {}), on):
                return _value(name, parameter.unit, found, prefix)
        if found := _at(parameter.values, on):
            return _value(name, parameter.unit, found, "")
        first = min(parameter.values)
        raise PanhuoError(
            f"参数 {name} 在 {on} 没有有效值 (no value of {name} in force on {on})",
            why=f"最早一条自 {first} 起 (the earliest starts on {first})",
            remedy="换一个日期，或在 law/parameters 中补上当时的规定 (choose another date or add the law of that date)",
        )

    def overlays(self, name: str, on: date) -> dict[str, Any]:
        """Values of parameter `name` on `on` by division prefix, where a place differs from the nation."""
        found = {prefix: _at(place.parameters.get(name, {}), on) for prefix, place in self.places.items()}
        return {prefix: leaf[1].value for prefix, leaf in found.items() if leaf is not None}

    def _parameter(self, name: str) -> Parameter:
        if name not in self.parameters:
            raise PanhuoError(
                f"没有名为 {name} 的参数 (no parameter of that name)", remedy="panhuo law show 列出全部参数"
            )
        return self.parameters[name]


def _at(values: Mapping[date, DatedValue], on: date) -> tuple[date, DatedValue] | None:
    starts = [start for start in values if start <= on]
    if not starts:
        return None
    leaf = values[max(starts)]
    return None if leaf.value is None else (max(starts), leaf)


def _value(name: str, unit: str, found: tuple[date, DatedValue], place: str) -> Value:
    start, leaf = found
    return Value(name, leaf.value, unit, leaf.source, leaf.article, leaf.mark, start, place)


@lru_cache(maxsize=8)
def _load(root: Path) -> Rulebook:
    if not (root / "parameters").is_dir():
        raise PanhuoError(
            f"不是法规文件夹 (no law folder): {root}",
            remedy="含 parameters、rules 等 (it has parameters/ and more)",
        )
    return Rulebook(
        root=root,
        sources=read_folder(root / "sources", Source),
        parameters=read_topics(root / "parameters", Parameter),
        places=read_folder(root / "places", Place),
        facts=_by_short_name(read_topics(root / "facts", Fact)),
        rules=read_folder(root / "rules", Rule),
        tools=read_folder(root / "tools", Tool),
        situations={
            path.stem: validate(TypeAdapter(list[Situation]), path)
            for path in sorted((root / "tests").glob("*.yaml"))
        },
        calendars=read_folder(root / "calendars", Calendar),
    )


def _by_short_name(topics: Mapping[str, Fact]) -> dict[str, Fact]:
    facts: dict[str, Fact] = {}
    for dotted, fact in topics.items():
        name = dotted.split(".", 1)[1]
        if name in facts:
            raise PanhuoError(f"事实 {name} 定义了两次 (fact defined twice)", where=f"law/facts: {dotted}")
        facts[name] = fact
    return facts


def read_yaml(path: Path) -> Any:
    """The parsed YAML of `path`; a syntax fault is a PanhuoError with its line."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PanhuoError(
            f"YAML 语法错误 (bad YAML): {path.name}",
            where=str(path),
            why=str(error),
            remedy="存为 UTF-8 的 YAML (save it as YAML in UTF-8)",
        ) from None


def read_folder(folder: Path, model: type[M]) -> dict[str, M]:
    """One item per file of `folder`; its id is the file's name."""
    return {path.stem: validate(TypeAdapter(model), path) for path in sorted(folder.glob("*.yaml"))}


def read_topics(folder: Path, model: type[M]) -> dict[str, M]:
    """Many items per file; an item's dotted name is <file>.<key>."""
    items: dict[str, M] = {}
    for path in sorted(folder.glob("*.yaml")):
        for key, item in validate(TypeAdapter(dict[str, model]), path).items():  # type: ignore[valid-type]
            items[f"{path.stem}.{key}"] = item
    return items


def validate(adapter: TypeAdapter[T], path: Path) -> T:
    """The content of `path` as `adapter` wants it; what does not fit is a PanhuoError naming file and field."""
    try:
        return adapter.validate_python(read_yaml(path))
    except ValidationError as error:
        raise PanhuoError(
            f"法规文件不合格式 (law file does not fit its schema): {path.name}",
            where=str(path),
            why=faults_of(error),
            remedy="按 docs/reference 的格式改正 (mend it to the documented shape)",
        ) from None


def faults_of(error: ValidationError) -> str:
    """The first faults of a file, each with its key."""
    return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:SHOWN_FAULTS])
