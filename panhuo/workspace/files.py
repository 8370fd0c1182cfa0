"""Files people attach: bytes kept once under their SHA-256 in the workspace's `files/`."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path


def keep_file(root: Path, chunks: Iterable[bytes]) -> tuple[str, int]:
    """Stores the bytes below `root/files` and returns their digest and size; the same bytes again change nothing."""
    folder = root / "files"
    folder.mkdir(exist_ok=True)
    part = folder / f".new-{os.getpid()}-{os.urandom(4).hex()}"
    digest, size = hashlib.sha256(), 0
    with part.open("wb") as stream:
        for chunk in chunks:
            digest.update(chunk)
            size += stream.write(chunk)
    target = file_path(root, digest.hexdigest())
    target.parent.mkdir(exist_ok=True)
    part.replace(target)
    return digest.hexdigest(), size


def file_path(root: Path, digest: str) -> Path:
    """Where the bytes of `digest` lie."""
    return root / "files" / digest[:2] / digest
