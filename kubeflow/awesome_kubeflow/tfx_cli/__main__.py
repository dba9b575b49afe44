"""`python -m awesome_kubeflow.tfx_cli`: prints the folder."""

from __future__ import annotations

from awesome_kubeflow.tfx_cli import ON_PATH

if __name__ == "__main__":
    print(ON_PATH)
