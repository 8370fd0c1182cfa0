"""PostGIS in a private cluster on a free port, made in a temporary folder and removed after."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

BINARIES = Path("/usr/lib/postgresql/15/bin")
CONTROL = Path("/usr/share/postgresql/15/extension/postgis.control")


def missing() -> str:
    """Why PostGIS cannot be run here, or nothing."""
    if not BINARIES.exists():
        return "Debian's postgresql-15 is not installed"
    return "" if CONTROL.exists() else "Debian's postgresql-15-postgis-3 is not installed"


def version() -> str:
    """The version of Debian's PostGIS."""
    words = CONTROL.read_text().split("default_version = '")
    return words[1].split("'")[0]


def overlay_in_postgis(
    folder: Path, layer: str, sql: str, vertices: int | None
) -> tuple[float, pa.Table, float, float]:
    """Loads both tables, cuts the layer with ST_Subdivide to `vertices` if asked, and runs `sql`.

    Gives seconds of preparation (loading counts), the areas, and of the query alone the seconds of processor and the
    peak memory [MB] of the server process that answers (without its parallel workers' memory).
    """
    with _cluster() as (dsn, master):
        began = time.perf_counter()
        with psycopg.connect(dsn, autocommit=True) as session:
            session.execute("CREATE EXTENSION postgis")
            _load(session, "parcels", pq.read_table(folder / "parcels.parquet"))
            _load(session, "whole", pq.read_table(folder / f"{layer}.parquet"))
            cut = f"ST_Subdivide(geometry, {vertices})" if vertices else "geometry"
            session.execute(f"CREATE TABLE layer AS SELECT {cut} geometry FROM whole")
            for table in ("parcels", "layer"):
                session.execute(f"CREATE INDEX ON {table} USING gist (geometry)")
                session.execute(f"VACUUM ANALYZE {table}")
        prepared = time.perf_counter() - began
        before = _spent(master)
        with psycopg.connect(dsn, autocommit=True) as session:
            rows = session.execute(sql).fetchall()
            most_mb = _most_mb(session.info.backend_pid)
        cpu_s = _spent(master) - before
    ids, areas = zip(*rows, strict=True)
    return prepared, pa.table({"parcel_id": ids, "area_m2": areas}), cpu_s, most_mb


def _spent(master: int) -> float:
    """Seconds of processor of the server's ended children, once those of closed sessions have ended."""
    process = psutil.Process(master)
    while any(_lingers(child) for child in process.children()):
        time.sleep(0.01)
    times = process.cpu_times()
    return float(times.children_user + times.children_system)


def _lingers(child: psutil.Process) -> bool:
    """Whether a closed session's process has not ended, or its time not yet been added to the server's."""
    try:
        return "idle" in " ".join(child.cmdline())
    except psutil.ZombieProcess:
        return True
    except psutil.NoSuchProcess:
        return False


def _most_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(x for x in lines if x.startswith("VmHWM")).split()[1]) / 1024


def _load(session: psycopg.Connection, table: str, data: pa.Table) -> None:
    session.execute(f"CREATE TABLE {table} (parcel_id text, geometry geometry)")
    ids = data["parcel_id"].to_pylist() if "parcel_id" in data.column_names else [None] * data.num_rows
    with session.cursor().copy(f"COPY {table} FROM STDIN") as copy:
        for parcel_id, wkb in zip(ids, data["geometry"].to_pylist(), strict=True):
            copy.write_row((parcel_id, wkb.hex()))


@contextmanager
def _cluster() -> Iterator[tuple[str, int]]:
    """The connection words and process of a fresh cluster; PostgreSQL will not run as root: then as `postgres`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = Path(tempfile.mkdtemp(prefix="bench-postgis-"))
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_user:
        shutil.chown(home, "postgres")
    control = [*as_user, str(BINARIES / "pg_ctl"), "-D", str(home / "data"), "-s", "-w"]
    settings = (
        f"-p {port} -k {home} -c listen_addresses='' -c shared_buffers=256MB -c work_mem=256MB -c fsync=off"
    )
    initdb = [*as_user, str(BINARIES / "initdb"), "-D", str(home / "data"), "-A", "trust", "-U", "postgres"]
    subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL)
    try:
        subprocess.run([*control, "-o", settings, "start"], check=True, stdout=subprocess.DEVNULL)
        master = int((home / "data" / "postmaster.pid").read_text().split()[0])
        yield f"host={home} port={port} user=postgres dbname=postgres", master
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=False)
        shutil.rmtree(home, ignore_errors=True)
