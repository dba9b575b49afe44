"""A folder for PYTHONPATH, which makes `tfx ... --engine=kubeflow` take the project's handler for its own broken one.

    export PYTHONPATH="$(python -m awesome_kubeflow.tfx_cli)${PYTHONPATH:+:$PYTHONPATH}"

Python imports `sitecustomize` from there whenever it starts. Nothing is changed in what is installed.
"""
