"""Parquet on any storage the driver and the executors share: a local path, or a URI that Arrow opens."""

import posixpath

import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq


def open_storage(path: str) -> tuple[pyarrow.fs.FileSystem, str]:
    """The file system of a path and the path on it; `s3a` is what Hadoop calls `s3`."""
    if "://" not in path:
        return pyarrow.fs.LocalFileSystem(), path
    filesystem, inner = pyarrow.fs.FileSystem.from_uri(path.replace("s3a://", "s3://", 1))
    return filesystem, inner


def write_parquet(table: pa.Table, path: str) -> None:
    """`table` as one file, its folders made."""
    filesystem, inner = open_storage(path)
    filesystem.create_dir(posixpath.dirname(inner), recursive=True)
    pq.write_table(table, inner, filesystem=filesystem, row_group_size=max(table.num_rows, 1))


def remove_folder(path: str) -> None:
    """Removes a folder and all in it, if it is there."""
    filesystem, inner = open_storage(path)
    if filesystem.get_file_info(inner).type != pyarrow.fs.FileType.NotFound:
        filesystem.delete_dir(inner)
