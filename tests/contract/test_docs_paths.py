"""Every path and command that the documents name exists; the tutorial's ledger gives what the tutorial says."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from panhuo.cli import app
from panhuo.report import cases_table

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("README*.md"), ROOT / "CHANGELOG.md", *ROOT.glob("docs/**/*.md")])
WRITTEN_BY_HAND = [path for path in PAGES if "reference" not in path.relative_to(ROOT).parts]
TOPS = ("panhuo", "docs", "tests", "examples", "benchmarks")
LINK = re.compile(r"\]\(([^)\s]+)\)")
NAMED_PATH = re.compile(rf"(?<![\w/.-])((?:{'|'.join(TOPS)})/[\w./-]*\w/?)")
TARGET = re.compile(r"\bmake ([a-z][a-z-]*)")
MODULE = re.compile(r"python -m ([\w.]+)")
ENDS = re.compile(r"[`#|，。；：（）]|\s{3,}|: ")
"""What closes a command inside a line of prose or of a shell block."""


def identity(path):
    return path.relative_to(ROOT).as_posix()


def verbs(group=None):
    """Each verb, or group and verb, of the command line with the options it takes."""
    command = typer.main.get_command(app) if group is None else group
    for name, verb in command.commands.items():
        if hasattr(verb, "commands"):
            yield from ((f"{name} {inner}", options) for inner, options in verbs(verb))
        else:
            yield name, {flag for parameter in verb.params for flag in parameter.opts}


VERBS = dict(verbs())


def commands(text: str):
    """(verb, rest of the words) of every `panhuo …` in a text, from code spans and code blocks only."""
    blocks = re.findall(r"^[ ]*```[a-z]*\n(.*?)^[ ]*```", text, re.DOTALL | re.MULTILINE)
    spans = re.findall(
        r"`([^`\n]+)`", re.sub(r"^[ ]*```.*?^[ ]*```", "", text, flags=re.DOTALL | re.MULTILINE)
    )
    lines = [*spans, *(line for block in blocks for line in block.splitlines())]
    for line in "&&".join(lines).split("&&"):
        found = re.match(r"\s*\$?\s*(?:\S*/)?panhuo ((?:--lang \w+ )?)([a-z]+)(.*)$", line)
        if found:
            yield found[2], ENDS.split(found[3])[0]


@pytest.mark.parametrize("page", PAGES, ids=identity)
def test_every_link_of_a_page_leads_to_something(page):
    text = page.read_text(encoding="utf-8")
    for target in LINK.findall(text):
        if "://" in target or target.startswith("mailto:"):
            continue
        file, _, anchor = target.partition("#")
        path = (page.parent / file).resolve() if file else page
        assert path.exists(), f"{identity(page)}: {target}"
        if anchor and path.suffix == ".md":
            headings = {
                h.strip() for h in re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            }
            assert anchor in headings, f"{identity(page)}: {target}"


@pytest.mark.parametrize("page", WRITTEN_BY_HAND, ids=identity)
def test_every_path_a_page_names_exists(page):
    named = {path for path in NAMED_PATH.findall(page.read_text(encoding="utf-8")) if "<" not in path}
    missing = sorted(
        path for path in named if not (ROOT / path).exists() and not (page.parent / path).exists()
    )
    assert not missing, f"{identity(page)} names what is not there"


@pytest.mark.parametrize("page", WRITTEN_BY_HAND, ids=identity)
def test_every_command_a_page_names_exists_with_its_options(page):
    text = page.read_text(encoding="utf-8")
    for verb, rest in commands(text):
        words = shlex.split(rest.replace("…", " "), posix=False)
        full = f"{verb} {words[0]}" if words and f"{verb} {words[0]}" in VERBS else verb
        group = any(name.startswith(f"{verb} ") for name in VERBS)
        assert full in VERBS or group, f"{identity(page)}: panhuo {verb}"
        options = {word.strip("[]").split("=")[0] for word in words if re.match(r"\[?--?[a-z]", word)}
        assert options <= VERBS.get(full, set()) | {"--help"}, f"{identity(page)}: panhuo {full}{rest}"


@pytest.mark.parametrize("page", WRITTEN_BY_HAND, ids=identity)
def test_every_make_target_and_module_a_page_names_exists(page):
    text = page.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    code = "\n".join(re.findall(r"`[^`]*`", text))
    assert set(TARGET.findall(code)) <= targets
    for module in MODULE.findall(text):
        path = ROOT / module.rstrip(".").replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists() or path.is_dir(), module


def test_the_check_of_commands_sees_a_verb_and_an_option_that_are_not_there():
    text = "```\n$ panhuo --lang zh assess ws --as-of 2025-06-30\n```\nand `panhuo vanish ws --all`"
    assert list(commands(text)) == [("vanish", " ws --all"), ("assess", " ws --as-of 2025-06-30")]
    assert "vanish" not in VERBS
    assert "--as-of" in VERBS["assess"]
    assert "--all" not in VERBS["assess"]


def test_the_tutorial_ledger_gives_the_findings_the_tutorial_shows(tmp_path):
    run("import", tmp_path / "ws", ROOT / "docs/tutorial/台账.xlsx", "--place", "430112")
    found = run("assess", tmp_path / "ws", "--as-of", "2025-06-30")["findings"]
    text = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
    shown = re.findall(r"^ \S+ (\w+) +(\d+) +(\d+)$", text, re.MULTILINE)
    assert len(shown) >= 5
    assert shown == [(n, str(found[n]["yes"]), str(found[n]["unknown"])) for n, _, _ in shown]


def run(*arguments):
    """What a verb gives with --json."""
    done = subprocess.run(
        [sys.executable, "-m", "panhuo", *map(str, arguments), "--json"], capture_output=True, check=True
    )
    return json.loads(done.stdout)


def test_the_page_of_cases_counts_hits_and_says_what_the_weights_were_tuned_on():
    item = {"id": "idle_fee", "zh": "征缴土地闲置费", "en": "Idle-land fee"}
    case = {"case": "case_13", "label": {"zh": "石门", "en": "Shimen"}, "as_of": "2020-12-31", "findings": [item],
            "offered": [item], "used": [item], "hits": 1, "units": [{}, {}]}  # fmt: skip
    text = cases_table.page({"cases": [case]})
    assert "| 1/2 |" in text
    assert "1 of 2 units hit" in text
    assert "tuned on these same twenty cases" in text
