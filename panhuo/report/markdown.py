"""Markdown of plain values: cells, tables, lists, labels in both languages."""

from collections.abc import Iterable, Mapping

from panhuo.inventory.spec import Words
from panhuo.rulebook.schema import Label


def cell(value: object) -> str:
    """A value as the text of one table cell."""
    if value is None:
        return ""
    text = {True: "是 yes", False: "否 no"}[value] if isinstance(value, bool) else str(value)
    return " ".join(text.split()).replace("|", "\\|")


def code(text: object) -> str:
    """Code inside a table cell; empty text stays empty."""
    return f"`{cell(text)}`" if text not in (None, "") else ""


def table(headers: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table."""
    names = list(headers)
    lines = [names, ["---"] * len(names), *([cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def both(label: Label | Words | Mapping[str, str]) -> str:
    """Chinese and English of a label on one line."""
    return f"{label['zh']} · {label['en']}" if isinstance(label, Mapping) else f"{label.zh} · {label.en}"


def bullets(title: str, lines: Iterable[str]) -> str:
    """A titled list; nothing when it is empty."""
    items = [f"- {line}" for line in lines]
    return "\n".join([title, "", *items, ""]) if items else ""
