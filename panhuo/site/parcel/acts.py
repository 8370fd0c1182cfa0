"""What can be done on the page of a parcel or an enterprise: attach a file."""

from datetime import date, datetime
from pathlib import PurePath
from typing import Any, Final

from PIL import ExifTags, Image

from panhuo.core.problems import PanhuoError
from panhuo.site import gate
from panhuo.site.parcel.models import Attachment
from panhuo.site.shelf import shelf
from panhuo.site.trail import performing
from panhuo.site.words import pick
from panhuo.workspace.files import keep_file

LIMIT_BYTES: Final = 50 * 2**20
KINDS: Final = {
    ".pdf": "application/pdf", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".zip": "application/zip", ".dwg": "application/octet-stream", ".dxf": "application/octet-stream",
    ".txt": "text/plain; charset=utf-8", ".csv": "text/csv; charset=utf-8",
}  # fmt: skip


def taken_on(upload: Any) -> date | None:
    """The day a photograph says it was taken (EXIF), or None."""
    try:
        upload.seek(0)
        with Image.open(upload) as picture:
            said = picture.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal)
        return datetime.strptime(str(said)[:10], "%Y:%m:%d").date() if said else None
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    finally:
        upload.seek(0)


def checked(upload: Any) -> tuple[str, str]:
    """The name and media type of a file that may be kept. Raises PanhuoError for a kind, size or content that may not.

    Pictures and PDF must be what their names say, since they are shown in place.
    """
    name = PurePath(upload.name).name[:200]
    kind = KINDS.get(PurePath(name).suffix.lower())
    if kind is None:
        raise PanhuoError(
            pick("不接受这种文件", "this kind of file is not taken") + f": {name}",
            where="file",
            why=" ".join(sorted(KINDS)),
        )
    if not 0 < upload.size <= LIMIT_BYTES:
        raise PanhuoError(
            pick("文件须在 0 与 50 MB 之间", "a file has more than 0 and at most 50 MB") + f": {name}",
            where="file",
        )
    if not _content_fits(upload, kind):
        raise PanhuoError(
            pick(f"文件内容与名称不符：{name}", f"the content is not what the name says: {name}"),
            where="file",
            remedy=pick("请重新导出或扫描后再上传", "export or scan it again"),
        )
    return name, kind


def _content_fits(upload: Any, kind: str) -> bool:
    upload.seek(0)
    try:
        if kind == "application/pdf":
            return b"%PDF-" in upload.read(1024)
        if kind.startswith("image/"):
            with Image.open(upload) as picture:
                return picture.get_format_mimetype() == kind
        return True
    except (OSError, ValueError, Image.DecompressionBombError):
        return False
    finally:
        upload.seek(0)


def attach(
    by: Any,
    dataset: str,
    subject: str,
    upload: Any,
    day: date | None = None,
    correction: Any = None,
    act: gate.Act = "attach",
) -> Attachment:
    """Keeps an uploaded file with a parcel or enterprise, dated `day` or as the photograph itself says.

    correction: what it is evidence of; act: what the role must allow. Raises PanhuoError for a file that is not taken.
    """
    name, kind = checked(upload)
    with performing(by, act, "file.attach", subject, name=name) as detail:
        day = day or (taken_on(upload) if kind.startswith("image/") else None)
        digest, size = keep_file(shelf().workspace.root, upload.chunks())
        detail["digest"] = digest
        return Attachment.objects.create(
            dataset=dataset, subject=subject, name=name, digest=digest, size=size, kind=kind, by=by, taken_on=day,
            correction=correction,
        )  # fmt: skip
