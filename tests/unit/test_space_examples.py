"""Each example of the space chapter runs by itself and draws its picture, without asking for a glyph it lacks."""

import runpy
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NAMES = sorted(p.stem for p in EXAMPLES.glob("space_*.py") if p.stem != "space_common")
FIGURES = {
    "space_split": ("18666.67", "68000.00", "65333.33"),
    "space_sun": ("煤 7,480 t", "CO2 8,880 t", "9,305 t"),
    "space_functions": ("合计 237",),
    "space_shared_plant": ("'capacity': 12.0", "'capacity': 2000.0", "2.7 亩"),
    "space_platforms": ("0.94",),
}


@pytest.mark.filterwarnings("error:Glyph")
@pytest.mark.parametrize("name", NAMES)
def test_example_runs_and_draws(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.setattr(sys, "argv", [name, str(tmp_path)])
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    printed = capsys.readouterr().out
    assert (tmp_path / f"{name}.png").stat().st_size > 15_000
    for figure in FIGURES.get(name, ()):
        assert figure in printed
    if name == "space_split":
        assert len(list(tmp_path.glob("*.txt"))) == 3
        assert {p.suffix for p in tmp_path.glob("split*")} == {".dxf", ".gpkg"}
