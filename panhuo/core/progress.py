"""How long work tells how far it is."""

from collections.abc import Callable

Tick = Callable[[str, int, int], None]
"""Told of progress: stage, parts done, parts in all."""


def silent(stage: str, done: int, total: int) -> None:
    """For those who do not watch."""
