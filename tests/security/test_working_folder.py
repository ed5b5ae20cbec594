"""A folder that someone sent is a place to work in: no module of it is imported, no plug-in of it is loaded."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # real commands, half a minute each

THAW = Path(sys.executable).with_name("thaw")
SHADOWS = ["yaml", "torch", "numpy", "hydra", "random", "pickle", "signal", "sitecustomize", "usercustomize", "thaw"]


@pytest.fixture
def hostile(place: Path, canary: Path) -> dict[str, str]:
    """Fill the working folder with modules and a distribution that make the canary; return an environment."""
    code = f"open({str(canary)!r}, 'w').close()\n"
    for name in SHADOWS:
        (place / f"{name}.py").write_text(code)
    made = place / "evil-1.0.dist-info"
    made.mkdir()
    (made / "METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n")
    (made / "entry_points.txt").write_text("[thaw.strategies]\nevil = random:Evil\n[thaw.tasks]\nevil = random:Evil\n")
    (place / "hydra_plugins").mkdir()
    (place / "hydra_plugins" / "evil.py").write_text(code)
    (place / "conf").mkdir()
    (place / "conf" / "transfer.yaml").write_text("_target_: evil.Evil\n")
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONSAFEPATH")}


@pytest.mark.skipif(not THAW.exists(), reason="the command thaw is not installed beside this Python")
def test_the_command_imports_nothing_from_here(hostile: dict[str, str], easy: list[str]) -> None:
    words = [*easy, "-m", "strategy=majority", "seed=1,2", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
    done = subprocess.run([THAW, *words], env=hostile, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "2 runs" in done.stdout
