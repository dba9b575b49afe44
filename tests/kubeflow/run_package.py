"""Runs a package in containers with KFP's own local runner: `python run_package.py PACKAGE ROOT PARAMETERS`, JSON.

Fails where a container failed. The engine is the one that DOCKER_HOST names.
"""

from __future__ import annotations

import json
import sys

from kfp import components, local


def run(package: str, root: str, parameters: str) -> None:
    local.init(local.DockerRunner(), pipeline_root=root, raise_on_error=True)
    components.load_component_from_file(package)(**json.loads(parameters))


if __name__ == "__main__":
    run(*sys.argv[1:])
