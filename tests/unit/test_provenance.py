"""Hashes of files, also of one that another thread is still writing."""

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pyarrow as pa
import pytest

from panhuo.core.provenance import CHUNK, growing_hash
from panhuo.workspace import imports


def test_a_file_is_hashed_to_its_end_while_it_grows(tmp_path):
    parts = [bytes([number]) * (CHUNK // 2 + number) for number in range(6)]
    ended = Event()
    with ThreadPoolExecutor(1) as beside, (tmp_path / "file").open("wb", buffering=0) as stream:
        hashing = beside.submit(growing_hash, tmp_path / "file", ended)
        for part in parts:
            stream.write(part)
            time.sleep(0.005)
        assert not hashing.done()
        ended.set()
        assert hashing.result(10) == hashlib.sha256(b"".join(parts)).hexdigest()


def test_a_write_that_fails_ends_its_hashing(tmp_path, monkeypatch):
    def full(file, part):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(imports.TableFile, "write", full)
    unwritten = imports.Unwritten(pa.table({"a": [1]}), "")
    with ThreadPoolExecutor(1) as beside:
        with pytest.raises(OSError, match="No space"):
            imports.write_hashed(unwritten, tmp_path / "a.parquet", beside, int)
        assert beside.submit(int).result(10) == 0
