"""What the verbs share: the user's language, the two consoles, how a result and progress are shown."""

import json
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from panhuo.core.problems import PanhuoError

words: Final = Console(stderr=True, soft_wrap=True, highlight=False)
out: Final = Console(soft_wrap=True, highlight=False)

Root = Annotated[Path, typer.Argument(metavar="WS", help="工作区文件夹 workspace folder")]
Json = Annotated[bool, typer.Option("--json", help="机器可读输出 machine output on stdout")]


@dataclass
class Session:
    """What holds for the whole command."""

    lang: str = "zh"

    def pick(self, zh: str, en: str) -> str:
        """The words in the user's language."""
        return en if self.lang == "en" else zh


session: Final = Session()


def emit(result: dict[str, Any], as_json: bool, show: Callable[[dict[str, Any]], None]) -> None:
    """A verb's result: as JSON on stdout, or shown in words."""
    if as_json:
        sys.stdout.write(json.dumps(result, ensure_ascii=False, default=str) + "\n")
    else:
        show(result)


@contextmanager
def working() -> Iterator[Callable[[str], None]]:
    """A spinner on stderr whose words the use case sets."""
    with words.status("…") as status:
        yield status.update


def escape(text: str) -> str:
    """Text that rich prints as it is."""
    return text.replace("[", r"\[")


def parse_day(text: str | None) -> date | None:
    """A day given as an option."""
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise PanhuoError(f"不是日期 not a date: {text}", remedy="写成 2026-01-31 write it so") from None


def not_negative(value: float | None) -> float | None:
    """A measure given as an option: finite and 0 or more."""
    if value is not None and not 0 <= value < math.inf:
        raise typer.BadParameter(f"{value:g}：须为非负数 must be 0 or more")
    return value


def named(given: list[str], flag: str, example: str) -> dict[str, str]:
    """`far=1.2` given several times as name → number as written. Raises PanhuoError for what is not written so."""
    found = {}
    for text in given:
        name, _, value = text.partition("=")
        try:
            float(value)
        except ValueError:
            raise PanhuoError(
                f"写法有误 not a name and a number: {text}", where=flag, remedy=f"写成 {example} write it so"
            ) from None
        found[name.strip()] = value.strip()
    return found


@contextmanager
def stages() -> Iterator[Callable[[str, int, int], None]]:
    """Progress bars on stderr, one a stage."""
    left = TimeRemainingColumn(compact=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), left)
    with Progress(*columns, console=words, transient=True) as bars:
        tasks: dict[str, Any] = {}

        def tick(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield tick
