"""The Spark engine on a local cluster of two executor processes gives what the local engine gives."""

import os
import shutil
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import shapely

from panhuo.core.problems import PanhuoError
from panhuo.engines import ParquetSlice, Partition
from panhuo.engines.local import LocalEngine
from panhuo.flow import judge_county
from panhuo.inventory import overlay, spatial_facts
from panhuo.inventory.tiling import map_tiles
from panhuo.rulebook import Rulebook
from panhuo.workspace.assess import read, scored, without_outlines
from panhuo.workspace.counties import Counties, pieces

pyspark = pytest.importorskip("pyspark", reason="the spark extra is not installed")
cloudpickle = pytest.importorskip("pyspark.cloudpickle")
if shutil.which("java") is None:
    pytest.skip("no Java on this machine", allow_module_level=True)

pytestmark = pytest.mark.slow  # a Java machine and two executors start

COUNTIES = [f"4301{i:02d}" for i in range(1, 7)]
AS_OF = date(2026, 11, 23)
HANDFUL = 50
"""Units to a task of an assessment: fewer than a city of the made-up province holds."""


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
    layer = overlay.prepare_layer(tables["layer"], "farmland", crs="EPSG:4547")
    return {"areas": overlay.overlay(tables["parcels"], layer).areas}


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


def test_tables_travel_as_partitioned_parquet_and_nothing_is_left(engine, tmp_path):
    from panhuo.engines.spark import SparkEngine

    shared = pa.table({"demand_id": ["d1"]})
    sent = [Partition(c, {"parcels": pa.table({"parcel_id": [c]}), "demands": shared}) for c in COUNTIES[:2]]

    def look(tables):
        found = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.parquet"))
        return {"seen": pa.table({"path": found}), "parcels": tables["parcels"], "none": pa.table({})}

    results = dict(SparkEngine(engine.session, tmp_path.as_uri()).map(look, sent))
    assert [results[c]["parcels"]["parcel_id"].to_pylist() for c in COUNTIES[:2]] == [
        [c] for c in COUNTIES[:2]
    ]
    seen = [path.split("/", 1)[1] for path in results[COUNTIES[0]]["seen"]["path"].to_pylist()]
    assert [path for path in seen if path.startswith("inputs")] == [
        "inputs/demands/partition=00000/part.parquet",  # the same for all: written once
        "inputs/parcels/partition=00000/part.parquet",
        "inputs/parcels/partition=00001/part.parquet",
    ]
    assert list(tmp_path.iterdir()) == []


def test_the_command_takes_its_cluster_from_sparks_own_settings(tmp_path):
    from benchmarks.province import make_workspace

    workspace = make_workspace(tmp_path / "province", 100)
    exchange = tmp_path / "exchange"
    exchange.mkdir()
    os.utime(exchange, (0, 0))
    settings = (
        f"--master local-cluster[1,1,1024] --conf spark.panhuo.exchange={exchange.as_uri()} pyspark-shell"
    )
    told = os.environ | {"PYSPARK_SUBMIT_ARGS": settings, "SPARK_LOCAL_IP": "127.0.0.1"}
    command = [sys.executable, "-m", "panhuo", "assess", str(workspace.root), "--engine", "spark", "--json"]
    done = subprocess.run(command, env=told, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert exchange.stat().st_mtime > 0  # something was put there
    assert list(exchange.iterdir()) == []
    assert workspace.assessment("findings").num_rows


def test_refusal_of_the_stage_reaches_the_user(engine):
    def refuse(tables):
        raise PanhuoError("县数据缺列 a column is missing", remedy="补充 add it")

    with pytest.raises(PanhuoError, match="column is missing") as refused:
        list(engine.map(refuse, [Partition("430101", {})]))
    assert refused.value.remedy == "补充 add it"


class HalfWritten(dict):
    """Result tables during whose writing the executor is killed: the first is written, the others never."""

    def __init__(self, tables, died):
        super().__init__(tables)
        self.died = died

    def items(self):
        first, *_ = super().items()
        yield first
        self.died.write_text(str(executor_process()))
        os.kill(executor_process(), signal.SIGKILL)


class KilledOnce:
    """The stage of an assessment; the executor of the first task that holds `county` is killed half way through."""

    def __init__(self, judge, county, died):
        self.judge, self.county, self.died = judge, county, died

    def __call__(self, tables):
        made = self.judge(tables)
        hit = self.county in tables["parcels"]["division"].to_pylist() and not self.died.exists()
        return HalfWritten(made, self.died) if hit else made


def assessed(folder):
    """One province assessed by the local engine, and on Spark with an executor killed in the middle of it."""
    from benchmarks.province import make_workspace
    from panhuo.workspace import assess as use_case
    from panhuo.workspace import counties as cut

    made = {}

    def killed_once(*law):
        return KilledOnce(judge_county(*law), "430703", folder / "died")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cut.pieces, "__defaults__", (HANDFUL,))
        patch.setitem(map_tiles.__kwdefaults__, "tile_parcels", 3 * HANDFUL)
        patch.setattr(overlay, "SENT", 3 * HANDFUL)
        for name in ("local", "spark"):
            made[name] = make_workspace(folder / name, 400)
            use_case.assess(made[name], as_of=AS_OF, engine=name)
            # From here on, for the Spark run: the driver looks at no outline, and an executor is killed.
            patch.setattr(use_case, "judge_county", killed_once)
            patch.delattr(spatial_facts, "_look", raising=False)
            patch.delattr(overlay, "_measure", raising=False)
    assert (folder / "died").exists()
    return made


def test_a_whole_assessment_with_an_executor_killed(engine, tmp_path):
    # One test, so that whoever runs the suite on several processes assesses once.
    made = assessed(tmp_path)
    all_bytes_are_those_of_the_local_engine(made)
    neighbours_in_another_task_are_counted(made["spark"])
    firms_are_ranked_over_their_whole_city(made["spark"])


def all_bytes_are_those_of_the_local_engine(made):
    written = {
        name: {p.name: p.read_bytes() for p in ws.assessment_dir().glob("*.parquet")}
        for name, ws in made.items()
    }
    assert {"findings.parquet", "options.parquet", "conflicts.parquet"} <= written["local"].keys()
    assert written["spark"] == written["local"]


def handful_of(ws):
    """The number of the task that judged each county."""
    counties = Counties(without_outlines(read(ws))).list
    return {c.key: n for n, piece in enumerate(pieces(counties, HANDFUL)) for c in piece}


def neighbours_in_another_task_are_counted(ws):
    task = handful_of(ws)
    parcels = ws.dataset("parcels", columns=["parcel_id", "division", "geometry"])
    where = pc.utf8_slice_codeunits(parcels["division"], 0, 6).to_pylist()
    counted = ws.assessment("facts").select(["parcel_id", "neighbour_count"]).to_pydict()
    whole = dict(zip(*counted.values(), strict=True))
    alone = {}
    for number in sorted(set(task.values())):
        own, _ = spatial_facts.spatial_facts(parcels.filter(pa.array([task[c] == number for c in where])), {})
        alone |= zip(own["parcel_id"].to_pylist(), own["neighbour_count"].to_pylist(), strict=True)
    together, _ = spatial_facts.spatial_facts(parcels, {})
    assert whole == dict(
        zip(together["parcel_id"].to_pylist(), together["neighbour_count"].to_pylist(), strict=True)
    )
    missed = sum(whole[p] > alone[p] for p in whole)
    assert missed > len(whole) / 10  # a task by itself would not have seen them


def firms_are_ranked_over_their_whole_city(ws):
    task = handful_of(ws)

    def ranks(tables):
        tables = [t for name, t in scored(tables, Rulebook.load(), "43", AS_OF, []) if name == "scores"]
        return {row["enterprise_id"]: row["rank"] for t in tables for row in t.to_pylist()}

    tables = without_outlines(read(ws))
    firms = tables["enterprises"]
    of_task = pa.array([task[code[:6]] for code in firms["division"].to_pylist()])
    alone = {}
    for number in sorted(set(task.values())):
        alone |= ranks({**tables, "enterprises": firms.filter(pc.equal(of_task, number))})
    held = ws.assessment("scores")
    whole = dict(zip(held["enterprise_id"].to_pylist(), held["rank"].to_pylist(), strict=True))
    assert whole == ranks(tables)
    below = [firm for firm, rank in whole.items() if rank != alone[firm]]
    assert len(below) > len(whole) / 10  # a task by itself would have placed them otherwise
