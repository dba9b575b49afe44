"""`python -m awesome_kubeflow.tfx_cli`: prints the folder."""

from __future__ import annotations

from pathlib import Path

if __name__ == "__main__":
    print(Path(__file__).resolve().parent)
