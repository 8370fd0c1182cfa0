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


def overlay_in_postgis(folder: Path, layer: str, sql: str, vertices: int) -> tuple[float, pa.Table]:
    """Loads both tables, cuts the layer with ST_Subdivide and runs `sql`. Loading counts as preparation."""
    with _cluster() as dsn, psycopg.connect(dsn, autocommit=True) as session:
        began = time.perf_counter()
        session.execute("CREATE EXTENSION postgis")
        _load(session, "parcels", pq.read_table(folder / "parcels.parquet"))
        _load(session, "whole", pq.read_table(folder / f"{layer}.parquet"))
        session.execute(
            f"CREATE TABLE layer AS SELECT ST_Subdivide(geometry, {vertices}) geometry FROM whole"
        )
        for table in ("parcels", "layer"):
            session.execute(f"CREATE INDEX ON {table} USING gist (geometry)")
            session.execute(f"ANALYZE {table}")
        prepared = time.perf_counter() - began
        rows = session.execute(sql).fetchall()
    ids, areas = zip(*rows, strict=True)
    return prepared, pa.table({"parcel_id": ids, "area_m2": areas})


def _load(session: psycopg.Connection, table: str, data: pa.Table) -> None:
    session.execute(f"CREATE TABLE {table} (parcel_id text, geometry geometry)")
    ids = data["parcel_id"].to_pylist() if "parcel_id" in data.column_names else [None] * data.num_rows
    with session.cursor().copy(f"COPY {table} FROM STDIN") as copy:
        for parcel_id, wkb in zip(ids, data["geometry"].to_pylist(), strict=True):
            copy.write_row((parcel_id, wkb.hex()))


@contextmanager
def _cluster() -> Iterator[str]:
    """The connection words of a fresh cluster; PostgreSQL will not run as root, so root hands it to `postgres`."""
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
        yield f"host={home} port={port} user=postgres dbname=postgres"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=False)
        shutil.rmtree(home, ignore_errors=True)
