"""Every example that needs no argument runs to its end; the space examples have pictures and a test of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("PANHUO_SHARED", ROOT.parent / "shared")) / "data"
NAMES = sorted(p.name for p in (ROOT / "examples").glob("*.py") if not p.stem.startswith("space_"))


@pytest.mark.parametrize("name", NAMES)
def test_an_example_runs_and_prints(name: str, tmp_path: Path) -> None:
    program = ROOT / "examples" / name
    if "shared/data" in program.read_text(encoding="utf-8") and not SHARED.is_dir():
        pytest.skip(f"{name} needs {SHARED}, which is not here")
    done = subprocess.run(
        [sys.executable, str(program), str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_the_example_inputs_are_inputs() -> None:
    from panhuo.appraise.inputs import checked, money_spec
    from panhuo.rulebook.book import read_yaml

    file = read_yaml(ROOT / "examples" / "money_inputs.yaml")
    for values in (file["all"], *file["parcels"].values()):
        for name, value in values.items():
            assert name in money_spec().inputs
            for number in value.values() if isinstance(value, dict) else [value]:
                checked(name, number)
