"""Text as a reader reads it: line wraps, page numbers and stray spaces gone, each character's place kept.

Reports come out of PDF with hard wraps in the middle of words and superscripts on their own lines. Searching
is done in the plain text; findings are told in offsets of the original.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Final

SENTENCE_END: Final = "。！？；\n"
SHORT_LINE: Final = 0.6
"""A line shorter than this share of the usual one ends its paragraph."""
WRAPPED_WIDTH: Final = 80
WRAPPED_SHARE: Final = 0.4
PAGE_DIGITS: Final = 4
FULL_WIDTH: Final = dict(zip(",;:()?!", "，；：（）？！", strict=True))
HALF_WIDTH: Final = re.compile(r"(?<=[^\x00-\xff]|%)[,;:()?!]|[,;:()?!](?=[^\x00-\xff])")
"""Western stops beside a Chinese character, which stand for Chinese ones."""


@dataclass(frozen=True, slots=True)
class Plain:
    """The text read, and for each of its characters the offset in the original."""

    text: str
    offsets: tuple[int, ...]

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in the original of the span [start, end) of the plain text."""
        return self.offsets[start], self.offsets[end - 1] + 1


def plain(original: str, *, wrapped: bool | None = None) -> Plain:
    """`original` in plain form; `wrapped`: whether lines are wraps rather than paragraphs (None: judged)."""
    lines = [(m.start(), m[0]) for m in re.finditer(r"[^\r\n]+", original) if m[0].strip()]
    if wrapped is None:
        wrapped = is_wrapped([line for _, line in lines])
    chars: list[tuple[str, int]] = []
    for start, line, ends in _paragraph_ends(lines) if wrapped else ((s, t, True) for s, t in lines):
        for position, char in _kept(line):
            _append(chars, char, start + position)
        if ends and chars:
            chars.append(("\n", start + len(line.rstrip()) - 1))
    text = HALF_WIDTH.sub(lambda m: FULL_WIDTH[m[0]], "".join(c for c, _ in chars))
    return Plain(text, tuple(o for _, o in chars))


def is_wrapped(lines: list[str]) -> bool:
    """Whether lines look like wraps of a page: narrow, and often ending without a stop."""
    if not lines:
        return False
    width = median(len(line.strip()) for line in lines)
    open_ends = sum(line.rstrip()[-1] not in "。！？；：:.!?;" for line in lines)
    return width < WRAPPED_WIDTH and open_ends / len(lines) > WRAPPED_SHARE and len(lines) > 3


def _paragraph_ends(lines: list[tuple[int, str]]) -> Iterator[tuple[int, str, bool]]:
    width = median(len(line.strip()) for _, line in lines) if lines else 0
    before = ""
    for i, (start, line) in enumerate(lines):
        text = line.strip()
        following = lines[i + 1][1].strip() if i + 1 < len(lines) else ""
        superscript = text in {"2", "3"} and before.endswith("m")
        if text.isdigit() and len(text) <= PAGE_DIGITS and not superscript:
            continue
        leads_on = superscript or (text.endswith("m") and following in {"2", "3"})
        yield start, line, not leads_on and (text[-1] in "。！？；" or len(text) < SHORT_LINE * width)
        before = text


def _kept(line: str) -> Iterator[tuple[int, str]]:
    """Characters of a line without white space, but one space between two words or numbers."""
    for match in re.finditer(r"\s+|\S", line):
        if not match[0].isspace():
            yield match.start(), match[0]
            continue
        around = line[: match.start()][-1:], line[match.end() :][:1]
        if all(c.isascii() and c.isalnum() for c in around) and all(around) and around != ("m", "2"):
            yield match.start(), " "


def _append(chars: list[tuple[str, int]], char: str, offset: int) -> None:
    """Adds a character; two numbers or words that meet at a wrap are kept apart."""
    if chars and chars[-1][0].isdigit() and char.isdigit() and offset != chars[-1][1] + 1:
        chars.append((" ", chars[-1][1]))
    chars.append((char, offset))
