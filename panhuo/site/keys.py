"""The site's signing key: made once per workspace, readable by its owner only."""

import os
import secrets
from pathlib import Path


def secret_key(workspace: Path) -> str:
    """The key of `workspace`, from PANHUO_SECRET_KEY or the file `site.key`, made at first use."""
    if key := os.environ.get("PANHUO_SECRET_KEY"):
        return key
    path = workspace / "site.key"
    if not path.exists():
        workspace.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(secrets.token_urlsafe(50))
    return path.read_text().strip()
