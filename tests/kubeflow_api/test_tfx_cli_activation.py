"""The folder on the PYTHONPATH that makes `tfx` find the project's handler, and what it does to every Python."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from awesome_kubeflow.tfx_cli import ON_PATH

FOLDER = str(ON_PATH)
HANDLER = "tfx.tools.cli.handler.kubeflow_handler"


def python(code: str, *folders: str) -> str:
    variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=variables | {"PYTHONPATH": os.pathsep.join(folders)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_the_folder_is_printed() -> None:
    done = subprocess.run([sys.executable, "-m", "awesome_kubeflow.tfx_cli"], capture_output=True, text=True)
    assert done.stdout == f"{FOLDER}\n"
    assert (ON_PATH / "sitecustomize.py").is_file()


def test_nothing_heavy_is_imported_when_python_starts() -> None:
    code = "import sys; print(*{name.split('.')[0] for name in sys.modules})"
    before, after = python(code), python(code, FOLDER)
    assert "sitecustomize" in after.split()
    assert set(after.split()) - set(before.split()) <= {"sitecustomize", "__future__"}


def test_one_module_is_found_elsewhere_and_no_other() -> None:
    code = (
        "import importlib.util, sys\n"
        "finder = sys.meta_path[0]\n"
        "print(importlib.util.find_spec('awesome_kubeflow.tfx_cli.handler').origin)\n"
        f"print(finder.find_spec({HANDLER!r}).origin)\n"
        f"print(finder.find_spec({HANDLER!r}).name)\n"
        "print([finder.find_spec(name) for name in ('tfx', 'kfp', 'tfx.tools.cli.handler.local_handler', 'json')])"
    )
    ours, origin, name, others = python(code, FOLDER).splitlines()
    assert origin == ours
    assert name == HANDLER
    assert others == "[None, None, None, None]"


def test_where_the_project_is_not_installed_nothing_is_found() -> None:
    # Neither site-packages nor what an editable installation adds.
    code = (
        f"import sys; sys.path.insert(0, {FOLDER!r}); import sitecustomize; "
        f"print(sys.meta_path[0].find_spec({HANDLER!r}))"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("None\n", "")


def test_a_sitecustomize_further_on_runs_as_well(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.ran = __name__\n")
    code = f"import sys; print(sys.ran, sys.meta_path[0].find_spec({HANDLER!r}) is not None)"
    assert python(code, FOLDER, str(tmp_path)) == "sitecustomize True"
