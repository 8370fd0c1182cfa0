"""What one changed value of the law would do to a workspace's results. Neither the law nor the workspace is written."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final

import yaml

from panhuo.core.problems import PanhuoError
from panhuo.rulebook.book import LAW, Rulebook, read_yaml
from panhuo.workspace.laws import diff
from panhuo.workspace.store import Workspace

NATION: Final = ""


def read_value(text: str, name: str, on: date, place: str = NATION, law: Path | None = None) -> Any:
    """`text` as a value of parameter `name`: YAML of the same shape as its value in force on `on` (or its first).

    Raises PanhuoError for an unknown parameter, text that is no YAML, another shape, or the very value in force.
    """
    book = Rulebook.load(law)
    if name not in book.parameters:
        raise PanhuoError(f"法规中没有参数 {name} (no such parameter)", remedy="panhuo law show")
    held = (
        book.parameter(name, on, place).value
        if book.has_value(name, on)
        else next(iter(book.parameters[name].values.values())).value
    )
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as fault:
        raise PanhuoError("不是一个值 not a value", where=text[:80], why=str(fault)) from None
    if _shape(value) != _shape(held):
        raise PanhuoError(
            f"与现值的形式不同 another shape than the present value: {text[:80]}",
            why=f"现值 present value: {held}",
            remedy="照现值的写法填写 write it as the present value is written",
        )
    if value == held:
        raise PanhuoError(f"与当日的值相同，没有改变 the value in force that day, nothing changes: {held}")
    return value


def _shape(value: Any) -> Any:
    """What two values of one parameter have in common: number, truth or text, the keys of a table, a list."""
    if isinstance(value, dict):
        return {key: _shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return list
    return float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)


@contextmanager
def changed_law(
    name: str, start: date, value: Any, place: str = NATION, law: Path | None = None
) -> Iterator[tuple[Path, Path]]:
    """Two copies of the law as it lies on disk, in the second of which parameter `name` is `value` from `start` on, in
    division prefix `place`; they go with the block.

    A program that has run for long remembers the law it began with: beside a copy made now, every edit since would
    show as if it were of the trial.
    """
    with tempfile.TemporaryDirectory(prefix="panhuo-law-") as made:
        before, folder = Path(made) / "before", Path(made) / "law"
        shutil.copytree(law or LAW, before)
        shutil.copytree(before, folder)
        topic, _, short = name.partition(".")
        path = folder / (f"places/{place}.yaml" if place else f"parameters/{topic}.yaml")
        content: dict[str, Any] = read_yaml(path) if path.is_file() else {"label": {"zh": place, "en": place}}
        dated = (
            content.setdefault("parameters", {}).setdefault(name, {}) if place else content[short]["values"]
        )
        held = Rulebook.load(before).parameters[name].values
        like = held[max((day for day in held if day <= start), default=min(held))]
        # Nobody has read this value in a source: it is marked as such.
        dated[start] = {
            "value": value, "source": like.source, "article": like.article, "mark": "M", "checked_on": date.today(),
        }  # fmt: skip
        path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
        yield before, folder


def try_value(
    ws: Workspace,
    name: str,
    start: date,
    value: Any,
    *,
    place: str = NATION,
    as_of: date | None = None,
    law: Path | None = None,
) -> dict[str, Any]:
    """What `laws.diff` says of the law against the law with `name` = `value` from `start` on. See `laws.diff`."""
    with changed_law(name, start, value, place, law) as (before, folder):
        return diff(ws, before, folder, as_of)
