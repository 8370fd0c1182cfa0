"""What can be done on a parcel's page: attach a file."""

from datetime import date, datetime
from pathlib import PurePath
from typing import Any, Final

from PIL import ExifTags, Image

from panhuo.core.problems import PanhuoError
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


def attach(by: Any, subject: str, upload: Any, day: date | None = None) -> Attachment:
    """Keeps an uploaded file with a parcel, dated `day` or as the photograph itself says.

    Raises PanhuoError for a kind or size that is not taken.
    """
    name = PurePath(upload.name).name[:200]
    kind = KINDS.get(PurePath(name).suffix.lower())
    if kind is None:
        raise PanhuoError(
            pick("不接受这种文件", "this kind of file is not taken"), why=" ".join(sorted(KINDS))
        )
    if upload.size > LIMIT_BYTES:
        raise PanhuoError(pick("文件超过 50 MB", "the file is larger than 50 MB"))
    with performing(by, "attach", "file.attach", subject, name=name) as detail:
        day = day or (taken_on(upload) if kind.startswith("image/") else None)
        digest, size = keep_file(shelf().workspace.root, upload.chunks())
        detail["digest"] = digest
        return Attachment.objects.create(
            subject=subject, name=name, digest=digest, size=size, kind=kind, by=by, taken_on=day
        )
