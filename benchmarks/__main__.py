"""All benches: `python -m benchmarks [--small]`. Small: a few thousand parcels, no page written: does each run?"""

import argparse
import subprocess
import sys
import tempfile

ALL = {
    "overlay_bench": ["--parcels", "0", "--naive-parcels", "3000", "--folder", "{pages}"],
    "import_bench": ["--parcels", "3000", "--runs", "1", "--folder", "{pages}"],
    "tiles_bench": ["--parcels", "3000", "--folder", "{pages}"],
    "predicate_bench": ["--parcels", "4000", "--runs", "1", "--folder", "{pages}"],
    "score_bench": ["--firms", "1000", "--runs", "1", "--folder", "{pages}"],
    "plan_bench": ["--sizes", "100", "--folder", "{pages}"],
    "spark_bench": ["--sizes", "2000", "--handfuls", "1000", "--folder", "{pages}"],
    "site_load": ["--parcels", "2000", "--users", "5", "--seconds", "5", "--folder", "{pages}"],
    "map_paint": ["--parcels", "2000", "--runs", "1", "--folder", "{pages}"],
    "growth": ["--sizes", "1000", "4000", "--largest", "0", "--folder", "{pages}"],
}
"""Each bench and its arguments when small."""


def main() -> None:
    """See the module. Each bench runs in a process of its own, and the first that fails ends the run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true")
    small = parser.parse_args().small
    with tempfile.TemporaryDirectory(prefix="bench-pages-") as pages:
        for bench, arguments in ALL.items():
            chosen = [a.format(pages=pages) for a in arguments] if small else []
            subprocess.run([sys.executable, "-m", f"benchmarks.{bench}", *chosen], check=True)


if __name__ == "__main__":
    main()
