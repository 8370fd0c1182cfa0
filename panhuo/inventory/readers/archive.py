"""Zip files: opened in a folder of their own, never beyond a sane size."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from panhuo.core.problems import PanhuoError
from panhuo.inventory.readers.raw import unreadable

MAX_BYTES: Final = 20 << 30
MAX_RATIO: Final = 150
RATIO_FROM: Final = 100 << 20
"""Below this size a high ratio is harmless (blank sheets pack well)."""
MAX_MEMBERS: Final = 100_000
UTF8_FLAG: Final = 0x800


def refuse_bomb(path: Path, file: str) -> None:
    """Raises PanhuoError for a zip (an xlsx is one) that would unpack to an absurd size, or is broken."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            size = sum(m.file_size for m in members)
            locked = any(m.flag_bits & 1 for m in members)
    except (zipfile.BadZipFile, OSError) as fault:
        raise unreadable(file, str(fault)) from None
    packed = max(path.stat().st_size, 1)
    if size > MAX_BYTES or len(members) > MAX_MEMBERS or (size > RATIO_FROM and size / packed > MAX_RATIO):
        raise PanhuoError(
            "压缩包展开后过大，疑为压缩炸弹 the archive unpacks to an absurd size",
            where=file,
            why=f"{packed:,} → {size:,} bytes, {len(members):,} files",
            remedy="先在本机解压检查，再导入里面的文件 unpack and inspect it, then import the file inside",
        )
    if locked:
        raise PanhuoError(
            "压缩包有密码 the archive is protected by a password",
            where=file,
            remedy="去掉密码后重试 remove the password",
        )


@contextmanager
def unpacked(path: Path, file: str) -> Iterator[Path]:
    """A folder with the contents of a zip, gone afterwards. Names in GBK are put right."""
    refuse_bomb(path, file)
    with TemporaryDirectory(prefix="panhuo-") as folder, zipfile.ZipFile(path) as archive:
        try:
            for member in archive.infolist():
                if not member.flag_bits & UTF8_FLAG:
                    member.filename = in_gbk(member.filename)
                archive.extract(member, folder)
        except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as fault:
            raise unreadable(file, str(fault)) from None
        yield Path(folder)


def in_gbk(name: str) -> str:
    """A name that zip took for code page 437, as GBK when it is that."""
    try:
        return name.encode("cp437").decode("gb18030")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return name
