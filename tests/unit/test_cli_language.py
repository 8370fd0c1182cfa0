"""`--lang` holds wherever it is written."""

import sys

import pytest

from panhuo import cli
from panhuo.cli_words import session


@pytest.mark.parametrize(
    "given, taken",
    [
        (["import", "WS", "f.xlsx", "--lang", "en"], ["--lang", "en", "import", "WS", "f.xlsx"]),
        (["--lang", "en", "check", "WS"], ["--lang", "en", "check", "WS"]),
        (["law", "--lang=en", "show", "x"], ["--lang=en", "law", "show", "x"]),
        (["check", "WS"], ["check", "WS"]),
        (["check", "--", "--lang"], ["check", "--", "--lang"]),
        (["check", "WS", "--lang"], ["--lang"]),
    ],
)
def test_the_language_is_taken_from_before_or_after_the_verb(given, taken):
    assert cli.language_first(given) == taken


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_verb_speaks_the_language_written_after_it(monkeypatch, lang):
    monkeypatch.setattr(sys, "argv", ["panhuo", "law", "show", "idle_not_started", "--lang", lang])
    cli.main()
    assert session.lang == lang


@pytest.mark.parametrize("ending", [["--lang", "fr"], ["--lang"]])
def test_no_language_or_an_unknown_one_is_a_clear_fault(monkeypatch, capsys, ending):
    monkeypatch.setattr(sys, "argv", ["panhuo", "law", "show", "idle_not_started", *ending])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert "lang" in capsys.readouterr().err
