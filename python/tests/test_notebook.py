"""The notebook examples/companion.ipynb runs from its first cell to its last."""

import os
import shutil
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
SOURCE = Path(__file__).parents[1] / "src"


def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    examples = tmp_path / "examples"
    examples.mkdir()
    for name in ("companion.ipynb", "quickstart.yaml"):
        shutil.copy(EXAMPLES / name, examples)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(SOURCE), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")

    notebook = nbformat.read(examples / "companion.ipynb", 4)
    assert all(not cell.get("outputs") for cell in notebook.cells), "the notebook is stored without outputs"
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": examples}}).execute()

    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 3
    values = [output.data["text/plain"] for output in outputs if output.output_type == "execute_result"]
    assert 0.2 < float(values[-1]) < 0.6, "λ₁ on the ridge of the narrowest, deepest network"
    summary = tmp_path / "sweeps" / "quickstart" / "summary.csv"
    assert ",ridges.length," in summary.read_text().partition("\n")[0]
