"""A law folder as text: all its files say, which articles they cite and which parameters they name."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final

from pydantic import Field, TypeAdapter

from panhuo.appraise.run import ModelFile
from panhuo.rulebook.book import PACKAGE, SPEC, Rulebook, read_folder, read_yaml, validate
from panhuo.rulebook.predicate import PARAMETER
from panhuo.rulebook.schema import Label, LawFile, Source

KEPT: Final = "kept.yaml"
DOTTED: Final = re.compile(r"([a-z][a-z0-9_]*)\.([a-z][a-z0-9_]*[a-z0-9])")


class Kept(LawFile):
    """law/kept.yaml: what is kept without being named elsewhere; articles by source, parameters with who reads them."""

    sources: tuple[str, ...] = ()
    articles: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    parameters: dict[str, Label] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mention:
    """A scalar or mapping of a law file with where it stands."""

    file: str
    field: str
    value: Any


class Body:
    """A law folder that loads, with every mention its files make."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.book = Rulebook.load(root)
        kept = root / KEPT
        self.kept = validate(TypeAdapter(Kept), kept) if kept.is_file() else Kept()

    @cached_property
    def mentions(self) -> list[Mention]:
        """Everything said in any law file, outer mappings before what they hold."""
        found: list[Mention] = []
        for path in sorted(self.root.rglob("*.yaml")):
            found += walk(path.relative_to(self.root).as_posix(), (), read_yaml(path))
        return found

    @cached_property
    def models(self) -> Mapping[str, ModelFile]:
        """The models of appraisal by id."""
        return read_folder(self.root / "models", ModelFile)

    @cached_property
    def values(self) -> list[Mention]:
        """Every dated value, national and local; the field is its dotted name, date and place."""
        found = []
        for name, parameter in self.book.parameters.items():
            file = f"parameters/{name.split('.')[0]}.yaml"
            found += [Mention(file, f"{name} {day}", leaf) for day, leaf in parameter.values.items()]
        for prefix, place in self.book.places.items():
            for name, dated in place.parameters.items():
                found += [
                    Mention(f"places/{prefix}.yaml", f"{name} {day} {prefix}", leaf)
                    for day, leaf in dated.items()
                ]
        return found

    @cached_property
    def cites(self) -> list[tuple[Mention, str, str]]:
        """(where, source, article) of every cite."""
        return [
            (m, m.value["source"], str(m.value.get("article") or ""))
            for m in self.mentions
            if isinstance(m.value, dict) and isinstance(m.value.get("source"), str)
        ]

    @cached_property
    def named(self) -> list[tuple[Mention, str]]:
        """(where, dotted name) of every parameter named in the law, the specifications and the program."""
        found = [
            (m, f"{hit[1]}.{hit[2]}")
            for m in self.mentions
            if isinstance(m.value, str)
            for hit in PARAMETER.finditer(m.value)
        ]
        topics = {name.split(".")[0] for name in (*self.book.parameters, *self.kept.parameters)}
        return found + [(m, name) for m, name in _program_names() if name.split(".")[0] in topics]


def walk(file: str, path: tuple[str, ...], value: Any) -> Iterator[Mention]:
    yield Mention(file, ".".join(path), value)
    if isinstance(value, dict):
        for key, item in value.items():
            yield from walk(file, (*path, str(key)), item)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from walk(file, (*path, str(number)), item)


@lru_cache(maxsize=1)
def _program_names() -> tuple[tuple[Mention, str], ...]:
    return tuple(_names_of_files())


def _names_of_files() -> Iterator[tuple[Mention, str]]:
    """Strings of the package and its specifications that read as the dotted name of a parameter."""
    for path in sorted(PACKAGE.rglob("*.py")):
        file = path.relative_to(PACKAGE.parent).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = node.value.removeprefix("$")
                if DOTTED.fullmatch(text):
                    yield Mention(file, f"line {node.lineno}", text), text
    for path in sorted(SPEC.rglob("*.yaml")):
        file = path.relative_to(PACKAGE.parent).as_posix()
        for mention in walk(file, (), read_yaml(path)):
            if isinstance(mention.value, str) and DOTTED.fullmatch(mention.value):
                yield mention, mention.value


def article_of(source: Source, article: str) -> str | None:
    """The key of the card's article that `article` names, clauses in brackets left aside; None when it has none."""
    return next((key for key in (article, article.partition("(")[0]) if key in source.articles), None)
