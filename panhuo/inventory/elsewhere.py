"""Work of the space stage that another does: a stage and the tables of each piece go out, what was found comes back.

A workspace hands in its engine as a `Run`; without one the work is done by this process's threads.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

import pyarrow as pa

Tables: TypeAlias = Mapping[str, pa.Table]
Run: TypeAlias = Callable[[Callable[[Tables], Tables], Iterable[tuple[str, Tables]]], Iterable[Tables]]
"""Runs a picklable stage over named pieces; what each gives, in their order."""
