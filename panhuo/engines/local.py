"""The local engine: this machine's threads. DuckDB, NumPy and GEOS release the interpreter lock."""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from panhuo.engines.contract import Partition, Stage, Tables, unique


class LocalEngine:
    """Maps a stage over partitions on `workers` threads (default: the processors this process may use).

    No more than `workers` partitions are in memory with their results waiting, so a province streams through.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or _processors()

    def map(self, stage: Stage, partitions: Iterable[Partition]) -> Iterator[tuple[str, Tables]]:
        """See `Engine.map`."""
        running: deque[tuple[str, Future[Tables]]] = deque()
        with ThreadPoolExecutor(self.workers) as pool:
            try:
                for partition in unique(partitions):
                    running.append((partition.key, pool.submit(_run, stage, partition)))
                    if len(running) == self.workers:
                        key, result = running.popleft()
                        yield key, result.result()
                while running:
                    key, result = running.popleft()
                    yield key, result.result()
            finally:  # on an error, Ctrl-C or an abandoned iterator nothing new is begun
                pool.shutdown(wait=False, cancel_futures=True)


def _run(stage: Stage, partition: Partition) -> Tables:
    return stage(partition.load())


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
