"""The engine contract, on this machine's threads."""

import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from panhuo.core.problems import PanhuoError
from panhuo.engines import ParquetSlice, Partition, open_engine
from panhuo.engines.local import LocalEngine


def doubled(tables):
    parcels = tables["parcels"]
    return {
        "areas": pa.table({"parcel_id": parcels["parcel_id"], "twice": pc.multiply(parcels["area_m2"], 2)})
    }


def county(key, *areas):
    return Partition(
        key, {"parcels": pa.table({"parcel_id": [f"{key}-{i}" for i in range(len(areas))], "area_m2": areas})}
    )


def test_yields_each_partition_once_in_order():
    partitions = [county(f"43{i:04d}", float(i), i + 0.5) for i in range(20)]
    results = list(LocalEngine(workers=3).map(doubled, partitions))
    assert [key for key, _ in results] == [p.key for p in partitions]
    assert [t["areas"]["twice"].to_pylist() for _, t in results] == [
        [2.0 * i, 2 * i + 1.0] for i in range(20)
    ]


def test_workers_run_side_by_side():
    barrier = threading.Barrier(2, timeout=10)

    def meet(tables):
        barrier.wait()  # passes only when two partitions are inside the stage at once
        return tables

    assert len(list(LocalEngine(workers=2).map(meet, [county("430112"), county("430113")]))) == 2


def test_error_of_the_stage_is_raised_and_nothing_more_begun():
    begun = []

    def fail(tables):
        begun.append(1)
        raise PanhuoError("bad county")

    with pytest.raises(PanhuoError, match="bad county"):
        list(LocalEngine(workers=1).map(fail, [county(f"43{i:04d}") for i in range(50)]))
    assert len(begun) < 50


def test_same_key_twice_is_refused():
    with pytest.raises(ValueError, match="same key"):
        list(LocalEngine().map(doubled, [county("430112"), county("430112")]))


def test_slice_reads_only_its_county_and_columns(tmp_path: Path):
    codes = ["430111", "430112", "430112001", "430121", None]
    pq.write_table(pa.table({"division": codes, "n": range(5), "m": range(5)}), tmp_path / "p.parquet")
    taken = ParquetSlice(str(tmp_path / "p.parquet"), "division", "430112", ("n",)).read()
    assert taken.to_pydict() == {"n": [1, 2]}
    assert ParquetSlice(str(tmp_path / "p.parquet"), "division", None, ("n",)).read()["n"].to_pylist() == [4]
    assert ParquetSlice((tmp_path / "p.parquet").as_uri()).read().num_rows == 5


def test_unknown_engine_is_a_clear_word():
    with pytest.raises(PanhuoError, match="no engine called dask"):
        open_engine("dask")
