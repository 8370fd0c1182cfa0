"""Fingerprints of inputs, law and code, so that a past result can be reproduced byte for byte."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from threading import Event
from typing import Final

CHUNK: Final = 1 << 18
WAIT_S: Final = 0.01


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def growing_hash(path: Path, ended: Event) -> str:
    """SHA-256 of a file that another thread writes from front to back, read as it grows until `ended` is set."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while True:
            last = ended.is_set()
            while block := stream.read(CHUNK):
                digest.update(block)
            if last:
                return digest.hexdigest()
            ended.wait(WAIT_S)


def tree_hash(paths: Iterable[Path], root: Path) -> str:
    """SHA-256 over the names (relative to `root`) and bytes of `paths`; the order given does not matter."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(file_hash(path).encode())
    return digest.hexdigest()
