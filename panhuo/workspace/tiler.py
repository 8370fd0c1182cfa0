"""freestiler at work on files, two at a time: `python -m panhuo.workspace.tiler` with the files on its input.

freestiler holds Python's lock for as long as it works, which would stop every page of the site, and gives its memory
back only with its process; so it works in processes of their own.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from panhuo.core.problems import PanhuoError

WORKERS: Final = 2
Job = tuple[str, str, dict[str, Any]]
"""GeoParquet file, archive to make, options of freestiler."""


def bake_files(jobs: Sequence[Job], *, apart: bool) -> None:
    """Makes every archive, in processes `apart` or in this one. Raises PanhuoError when one cannot be made."""
    if not apart:
        tile(jobs)
        return
    shares = [share for share in (jobs[begin::WORKERS] for begin in range(WORKERS)) if share]
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(in_a_process, shares))


def in_a_process(jobs: Sequence[Job]) -> None:
    """One process for some of the archives."""
    command = [sys.executable, "-m", "panhuo.workspace.tiler"]
    done = subprocess.run(command, input=json.dumps(jobs), capture_output=True, text=True, check=False)
    if done.returncode:
        raise PanhuoError("切片没有做成 the tiles could not be baked", why=done.stderr.strip()[-400:])


def tile(jobs: Sequence[Job]) -> None:
    """One archive after the other."""
    import freestiler  # noqa: PLC0415 - built for few platforms

    for source, target, options in jobs:
        freestiler.freestile_file(source, target, quiet=True, **options)


if __name__ == "__main__":
    tile(json.loads(sys.stdin.read()))
