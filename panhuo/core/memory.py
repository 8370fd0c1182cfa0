"""Where Arrow takes the memory of its tables from."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa


@contextmanager
def lean_memory() -> Iterator[None]:
    """Arrow's tables from the system's own memory inside, which gives back what is let go of in any thread.

    The usual pool keeps half as much again, and takes fresh memory in huge pages, each cleared before its first use.
    """
    usual = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(usual)
