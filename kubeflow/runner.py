"""The pipeline for Kubeflow: `tfx pipeline create --engine=kubeflow --pipeline_path=kubeflow/runner.py`.

Settings are those of `awesome kubeflow compile`: AWESOME_... in the environment, then awesome.toml, then defaults. Run
as a script it writes the package into the current folder. AWESOME_CLUSTER says for which cluster, stage or prod.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

from awesome_kubeflow.cluster import chosen_cluster, other_tfx
from components.errors import UserError
from pipeline.job.quiet import import_tensorflow
from pipeline.plan import load_plan


def main() -> None:
    """Hands the pipeline to the runner; a user's mistake is one clear line and a non-zero exit."""
    try:
        plan = load_plan()
        cluster = chosen_cluster(plan)
        import_tensorflow()
        from awesome_kubeflow.package.compiler import KubeflowRunner
        from awesome_kubeflow.package.pipelines import cluster_pipeline

        if warning := other_tfx(version("tfx")):
            print(warning, file=sys.stderr)
        KubeflowRunner(cluster, Path("awesome-pipeline.yaml")).run(cluster_pipeline(plan, cluster))
    except UserError as error:
        raise SystemExit(f"awesome: {error}") from None


if __name__ == "__main__":
    main()
