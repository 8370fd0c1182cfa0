"""The Spark engine on a local cluster of two executor processes gives what the local engine gives."""

import os
import shutil
import signal
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from panhuo.core.problems import PanhuoError
from panhuo.engines import ParquetSlice, Partition
from panhuo.engines.local import LocalEngine
from panhuo.inventory.overlay import overlay, prepare_layer

pyspark = pytest.importorskip("pyspark", reason="the spark extra is not installed")
cloudpickle = pytest.importorskip("pyspark.cloudpickle")
if shutil.which("java") is None:
    pytest.skip("no Java on this machine", allow_module_level=True)

pytestmark = pytest.mark.slow  # a Java machine and two executors start

COUNTIES = [f"4301{i:02d}" for i in range(1, 7)]


@pytest.fixture(scope="module")
def engine():
    from panhuo.engines.spark import SparkEngine

    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    cloudpickle.register_pickle_by_value(sys.modules[__name__])  # executors cannot import the tests
    session = (
        pyspark.sql.SparkSession.builder.master("local-cluster[2,1,1024]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .getOrCreate()
    )
    yield SparkEngine(session)
    session.stop()


@pytest.fixture
def counties(tmp_path):
    """Six counties of squares in one Parquet file; the layer travels with each partition as a table in hand."""
    rng = np.random.default_rng(1)
    corner = rng.uniform(0, 1000, (600, 2))
    squares = shapely.box(*corner.T, *(corner + 30).T)
    division = np.sort(rng.choice(COUNTIES, 600))
    parcels = pa.table(
        {
            "parcel_id": [f"p{i:03d}" for i in range(600)],
            "division": division.tolist(),
            "geometry": pa.array(shapely.to_wkb(squares), pa.binary()),
        }
    )
    pq.write_table(parcels, tmp_path / "parcels.parquet", row_group_size=100)
    layer = pa.table(
        {"geometry": pa.array([shapely.to_wkb(shapely.Point(500, 500).buffer(400))], pa.binary())}
    )
    return [
        Partition(
            c, {"parcels": ParquetSlice(str(tmp_path / "parcels.parquet"), "division", c), "layer": layer}
        )
        for c in COUNTIES
    ]


def under_layer(tables):
    layer = prepare_layer(tables["layer"], "farmland", crs="EPSG:4547")
    return {"areas": overlay(tables["parcels"], layer).areas}


def sorted_bytes(results):
    """Every table of a run, sorted, as the bytes of an Arrow file."""
    keys, tables = zip(*results, strict=True)
    whole = pa.concat_tables(t["areas"] for t in tables).sort_by("parcel_id").combine_chunks()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, whole.schema) as writer:
        writer.write_table(whole)
    return keys, sink.getvalue().to_pybytes()


def executor_process():
    """The executor this worker belongs to: the parent of the parent of a Python worker."""
    status = Path(f"/proc/{os.getppid()}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("PPid")))


def test_equals_the_local_engine_byte_for_byte(engine, counties):
    there, here = (sorted_bytes(e.map(under_layer, counties)) for e in (engine, LocalEngine()))
    assert there == here
    assert there[0] == tuple(COUNTIES)


def test_two_executor_processes_share_the_work(engine):
    def who(tables):
        import time

        time.sleep(0.5)  # long enough that one executor cannot take every task
        return {"who": pa.table({"process": [executor_process()]})}

    found = {t["who"]["process"][0].as_py() for _, t in engine.map(who, [Partition(c, {}) for c in COUNTIES])}
    assert len(found) == 2


def test_killed_executor_neither_loses_nor_doubles_a_county(engine, counties, tmp_path):
    died = tmp_path / "died"

    def dies_once(tables):
        if "430104" in tables["parcels"]["division"].to_pylist() and not died.exists():
            died.write_text(str(executor_process()))
            os.kill(executor_process(), signal.SIGKILL)
        return under_layer(tables)

    assert sorted_bytes(engine.map(dies_once, counties)) == sorted_bytes(
        LocalEngine().map(under_layer, counties)
    )
    assert died.exists()


def test_refusal_of_the_stage_reaches_the_user(engine):
    def refuse(tables):
        raise PanhuoError("县数据缺列 a column is missing", remedy="补充 add it")

    with pytest.raises(PanhuoError, match="column is missing") as refused:
        list(engine.map(refuse, [Partition("430101", {})]))
    assert refused.value.remedy == "补充 add it"


def test_a_whole_assessment_is_the_same_bytes(engine, tmp_path, monkeypatch):
    from benchmarks.province import make_workspace
    from panhuo.workspace import counties as cut
    from panhuo.workspace.assess import assess

    monkeypatch.setattr(cut.pieces, "__defaults__", (150,))  # several tasks of a few hundred parcels
    written = {}
    for name in ("local", "spark"):
        ws = make_workspace(tmp_path / name, 400)
        assess(ws, as_of=date(2026, 11, 23), engine=name)
        written[name] = {p.name: p.read_bytes() for p in ws.assessment_dir().glob("*.parquet")}
    assert {"findings.parquet", "options.parquet", "conflicts.parquet"} <= written["local"].keys()
    assert written["spark"] == written["local"]
