"""Names that people write (tools, inputs, fields) against those there are: one that is not there is refused."""

from collections.abc import Iterable, Sequence
from typing import Final

from rapidfuzz import fuzz, process, utils

from panhuo.core.problems import PanhuoError

NEAR: Final = 60
"""From what likeness (0–100) on a name is worth proposing."""
SHOWN: Final = 40
"""As many names are listed in full."""


def nearest(name: str, known: Sequence[str]) -> str:
    """The name of `known` most like `name`, of equally like ones the first; "" where none is near."""
    found = process.extractOne(
        name, known, scorer=fuzz.ratio, processor=utils.default_process, score_cutoff=NEAR
    )
    return found[0] if found else ""


def check_names(given: Iterable[object], known: Iterable[str], kind: str, where: str = "") -> None:
    """Raises PanhuoError when a name of `given` is not of `known`, with the nearest right one.

    kind: what the names are, in Chinese and English ("工具 tool"); where: the file and key they were read from.
    """
    there = dict.fromkeys(known)
    strange = [str(name) for name in given if str(name) not in there]
    if not strange:
        return
    zh, en = kind.split(" ", 1)
    near = {name: nearest(name, list(there)) for name in strange}
    proposed = "; ".join(f"{name} → {right}" for name, right in near.items() if right)
    listed = f"可用 there are: {', '.join(list(there)[:SHOWN])}{' …' if len(there) > SHOWN else ''}"
    raise PanhuoError(
        f"没有这个{zh} no such {en}: {', '.join(strange)}",
        where=where,
        why="名称对不上，不采用也不忽略 no such name; it is neither used nor passed over",
        remedy=f"是不是 did you mean {proposed}" if proposed else listed,
    )
