"""Bad arguments of any verb: what is wrong, where and what to do; exit 2, nothing begun."""

import json
import socket

import pytest
from import_files import panhuo, text, tree  # noqa: F401

from panhuo.workspace.assess import assess
from panhuo.workspace.imports import Options, import_files
from panhuo.workspace.store import Workspace


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A ledger, an assessed workspace and a file of no words, which no case may change."""
    folder = tmp_path_factory.mktemp("bad usage")
    import_files(folder / "ws", [text(folder / "台账.csv")], Options())
    assess(Workspace.open(folder / "ws"))
    (folder / "binary.yaml").write_bytes(b"\xff\xfe\x00\x80")
    return folder


CASES = {  # the command, and what its message names
    "a folder for the mapping that is not there": (
        "import {f}/ws {f}/台账.csv --save-map {f}/no/map.yaml",
        "read or write",
    ),
    "a workspace below a file": ("import {f}/台账.csv/ws {f}/台账.csv", "read or write"),
    "a place that is no code": ("import {f}/new {f}/台账.csv --place 长沙", "division code"),
    "a place of five digits": ("assess {f}/ws --place 43010", "division code"),
    "a place without parcels": ("assess {f}/ws --place 99", "nothing to assess"),
    "a folder that is no law": ("assess {f}/ws --law {f}", "no law folder"),
    "a chart of an unknown kind": ("compare {f}/ws 430112001001GB00001 --chart {f}/a.svgz", ".svgz"),
    "a chart in no folder": ("compare {f}/ws 430112001001GB00001 --chart {f}/no/a.png", "no such folder"),
    "inputs that are no text": ("compare {f}/ws 430112001001GB00001 --inputs {f}/binary.yaml", "bad YAML"),
    "an overlay without layers": ("land overlay {f}/ws --by name", "no layer"),
    "a gap that is no number": ("land conflicts {f}/ws --gap nan", "--gap"),
    "a gap below nothing": ("land conflicts {f}/ws --gap -1", "--gap"),
    "an area below nothing": ("land siting {f}/ws --area-min -5", "--area-min"),
    "an array beyond upright": ("land sun {f}/ws --usable 0.5 --tilt 1000", "--tilt"),
    "a port there is not": ("serve {f}/new --port 99999", "--port"),
    "an address of no machine here": ("serve {f}/new --host 192.0.2.1", "cannot listen"),
    "a verb without its file": ("import {f}/ws", "FILE"),
    "a verb there is not": ("disposse {f}/ws", "disposse"),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_usage_says_what_to_do_and_begins_nothing(panhuo, folder, name):  # noqa: F811
    command, named = CASES[name]
    before = tree(folder)
    as_json = [] if command.startswith("serve") else ["--json"]
    outcome = panhuo(*(word.format(f=folder) for word in command.split()), *as_json)
    assert outcome.code == 2
    what = outcome.err.split("✗")[1].splitlines()[0]
    assert named in what
    assert "remedy" in outcome.err
    assert not as_json or json.loads(outcome.out)["error"]["what"] == what.strip()
    assert tree(folder) == before


def test_a_taken_port_is_told_before_anything_is_made(panhuo, tmp_path):  # noqa: F811
    with socket.create_server(("127.0.0.1", 0)) as taken:
        outcome = panhuo("serve", tmp_path / "new", "--port", taken.getsockname()[1])
    assert outcome.code == 2
    assert "--port" in outcome.err
    assert not (tmp_path / "new").exists()


def test_a_verb_that_is_stopped_has_not_succeeded(panhuo, folder, monkeypatch):  # noqa: F811
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("panhuo.workspace.checks.check", stopped)
    outcome = panhuo("check", folder / "ws")
    assert outcome.code == 2
    assert "stopped" in outcome.err
