"""What makes `tfx ... --engine=kubeflow` take the project's handler for its own broken one: a folder for PYTHONPATH.

    export PYTHONPATH="$(python -m awesome_kubeflow.tfx_cli)${PYTHONPATH:+:$PYTHONPATH}"

Python imports `sitecustomize` from there whenever it starts. Nothing is changed in what is installed.
"""

from __future__ import annotations

from pathlib import Path

ON_PATH = Path(__file__).resolve().parent / "on_path"
"""The folder."""
