"""The package as it is installed, and its types."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent


def test_the_wheel_has_the_code_its_types_and_the_backend(tmp_path: Path) -> None:
    pytest.importorskip("hatchling")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet"]
    ended = subprocess.run(
        [*command, "--disable-pip-version-check", "--wheel-dir", str(tmp_path), str(PROJECT)],
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    (wheel,) = tmp_path.glob("ftle-*.whl")
    with zipfile.ZipFile(wheel) as content:
        names = content.namelist()
        entries = next(name for name in names if name.endswith("entry_points.txt"))
        assert "ftle = ftle.backend:FtleBackend" in content.read(entries).decode()
    assert {"ftle/__init__.py", "ftle/py.typed", "ftle/figures.py"} <= set(names)
    assert not any(name.startswith("tests") for name in names)


@pytest.mark.skipif(os.environ.get("FTLE_TEST") != "all", reason="takes long: FTLE_TEST=all")
def test_the_types_hold() -> None:
    api = pytest.importorskip("mypy.api")
    config = ["--config-file", str(PROJECT / "pyproject.toml"), "--cache-dir", "/dev/null"]
    printed, faults, code = api.run([*config, str(PROJECT / "src")])
    assert code == 0, printed + faults
