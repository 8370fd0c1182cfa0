"""A document as plain blocks, rendered alike to Word, PDF and a web page."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias

Tone = Literal["", "good", "warn", "bad", "muted"]


@dataclass(frozen=True, slots=True)
class Heading:
    """A section's title; level 1 is a chapter."""

    text: str
    level: int = 1


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph; `tone` colours it."""

    text: str
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of points."""

    items: list[str]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `widths` are shares of the line that sum to 1; `tones` colours one cell by (row, column)."""

    header: list[str]
    rows: list[list[str]]
    widths: list[float]
    tones: dict[tuple[int, int], Tone] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG with a caption; `width` is the share of the line it takes."""

    png: bytes
    caption: str
    width: float = 0.7


@dataclass(frozen=True, slots=True)
class Official:
    """A paragraph of an official document: indented by two characters, a section's head, flush, or set right. What
    stands in 〔〕 is a blank to fill, and marked."""

    text: str
    place: Literal["body", "head", "flush", "right"] = "body"


Block: TypeAlias = Heading | Paragraph | Bullets | Table | Picture | Official

BLANK: Final = re.compile(r"(〔[^〕]*〕)")


def with_blanks(text: str) -> list[tuple[str, bool]]:
    """The text in pieces, each with whether it is a blank to fill."""
    return [(piece, bool(BLANK.fullmatch(piece))) for piece in BLANK.split(text) if piece]


CHAPTERS: Final = "一二三四五六七八九十"


def numbered(blocks: Sequence[Block]) -> list[Block]:
    """The same blocks, their chapters numbered 一、二、… in the order they come."""
    numbers = iter(CHAPTERS)
    return [
        replace(block, text=f"{next(numbers)}、{block.text}")
        if isinstance(block, Heading) and block.level == 1
        else block
        for block in blocks
    ]


@dataclass(frozen=True, slots=True)
class Document:
    """Title, subtitle and blocks; `footer` names snapshot, law and code the document rests on. official: set as
    offices send papers (GB/T 9704): the footer is kept in the file's properties, pages are numbered."""

    title: str
    subtitle: str
    blocks: list[Block]
    footer: str
    lang: str = "zh"
    official: bool = False
