"""Photographs for the public: drawn anew, so that where, when and by what they were taken stays in the office."""

import io
from typing import Any, Final

from PIL import Image, ImageOps

from panhuo.core.problems import PanhuoError
from panhuo.site.parcel.acts import checked
from panhuo.site.words import pick

LONGEST: Final = 1600
"""Pixels of the longer side."""


def retaken(upload: Any) -> bytes:
    """The picture as a JPEG of its pixels alone, upright, no wider than a screen. Raises PanhuoError for no picture."""
    _, kind = checked(upload)
    if not kind.startswith("image/"):
        raise PanhuoError(pick("须是照片", "a photograph is needed"), where="file", why="jpg png webp")
    upload.seek(0)
    try:
        with Image.open(upload) as picture:
            seen = ImageOps.exif_transpose(picture).convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError) as fault:
        raise PanhuoError(pick("照片读不出来", "the picture cannot be read"), where="file") from fault
    seen.thumbnail((LONGEST, LONGEST))
    plain = Image.new("RGB", seen.size)
    plain.paste(seen)
    out = io.BytesIO()
    plain.save(out, "JPEG", quality=85)
    return out.getvalue()
