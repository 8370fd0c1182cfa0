"""A chain as a tree for the terminal."""

from collections.abc import Mapping
from typing import Any, Final

from rich.markup import escape
from rich.tree import Tree

from panhuo.report.chain import shown
from panhuo.report.names import worded

BOTH: Final = ("zh", "en")
"""What holds the same words in either language."""


def tree(name: str, value: Any, lang: str) -> Tree:
    """Nested mappings and lists as a tree; labels in `lang`; empty parts left out."""
    root = Tree(f"[bold]{escape(name)}[/bold]")
    _grow(root, value, lang)
    return root


def _grow(branch: Tree, value: Any, lang: str) -> None:
    pairs = value.items() if isinstance(value, Mapping) else enumerate(value, 1)
    for key, part in pairs:
        if key in BOTH and key != lang and lang in value:
            continue
        if part is None or part in ({}, [], "") or (key == "label" and isinstance(part, Mapping)):
            continue
        if _is_words(part):
            branch.add(f"[dim]{key}[/dim] {escape(str(part[lang]))}")
        elif isinstance(part, Mapping | list | tuple):
            _grow(branch.add(f"[cyan]{escape(_title(key, part, lang))}[/cyan]"), part, lang)
        else:
            cell = isinstance(value, Mapping) and isinstance(part, str)
            told = worded(value, str(key), lang) if cell else shown(part, lang, str(key))
            branch.add(f"[dim]{key}[/dim] {escape(told)}")


def _title(key: object, part: Any, lang: str) -> str:
    if isinstance(part, Mapping) and _is_words(part.get("label")):
        return f"{key} {part['label'][lang]}"
    return str(key)


def _is_words(part: Any) -> bool:
    return isinstance(part, Mapping) and set(part) == set(BOTH)
