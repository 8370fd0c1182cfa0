"""Small files to upload."""

import io

from PIL import Image

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"


def named(content, name):
    """The bytes as an upload of that name."""
    held = io.BytesIO(content)
    held.name = name
    return held


def picture():
    """A PNG."""
    held = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(held, "PNG")
    return held.getvalue()
