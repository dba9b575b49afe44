"""What `tfx pipeline ...` and `tfx run ...` do with `--engine=kubeflow`, over the API of KFP v2.

TFX finds it under the name of its own handler, which fails on import: see awesome_kubeflow.tfx_cli.
"""

from __future__ import annotations

import datetime as dt
import functools
import sys
from collections.abc import Callable, Iterable, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tfx.tools.cli import labels
from tfx.tools.cli.handler import base_handler, dag_runner_patcher

from awesome_kubeflow.errors import ApiError
from awesome_kubeflow.server.api import PipelinesApi, connect
from awesome_kubeflow.server.inputs import typed
from awesome_kubeflow.server.records import PipelineVersion, Run
from components.errors import UserError
from components.whole_files import temporary_folder
from pipeline.plan import load_plan
from pipeline.settings import KFP_TOKEN

if TYPE_CHECKING:
    from awesome_kubeflow.package.compiler import KubeflowRunner

_DEFAULT_NAMESPACE = "kubeflow"
"""What TFX hands over where none was given."""

Command = TypeVar("Command", bound=Callable[..., None])


def _one_line(command: Command) -> Command:
    """A user's mistake ends `tfx` with one line, and not with a traceback."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except UserError as error:
            sys.exit(f"awesome: {error}")

    return wrapped  # type: ignore[return-value]


class KubeflowRunnerPatcher(dag_runner_patcher.DagRunnerPatcher):
    """Sees the pipeline file's `KubeflowRunner.run`, and says where the package goes."""

    PACKAGE = "package"

    def __init__(self, package: Path | None = None) -> None:
        """Takes where the package goes; None for where the pipeline file puts it."""
        super().__init__(call_real_run=True)
        self._package = package

    def get_runner_class(self) -> type[KubeflowRunner]:
        """The class whose `run` is seen."""
        from awesome_kubeflow.package.compiler import KubeflowRunner

        return KubeflowRunner

    def _before_run(self, runner: Any, pipeline: Any, context: MutableMapping[str, Any]) -> None:
        if self._package is not None:
            runner._path = self._package
        context[self.PACKAGE] = runner._path


class KubeflowHandler(base_handler.BaseHandler):
    """The commands; TFX makes one with what was typed, by name, and calls a method."""

    @_one_line
    def create_pipeline(self) -> None:
        """Compiles the pipeline file and uploads the package as a new pipeline."""
        version = self._upload(new=True)
        print(f'Pipeline "{version.pipeline.name}" created successfully.')

    @_one_line
    def update_pipeline(self) -> None:
        """Compiles the pipeline file and adds the package to its pipeline, as a version."""
        version = self._upload(new=False)
        print(f'Pipeline "{version.pipeline.name}" updated successfully.')

    @_one_line
    def list_pipelines(self) -> None:
        """Prints the names of the pipelines."""
        names = [one.name for one in self._api().pipelines()]
        print("\n".join(("-" * 30, *names, "-" * 30)) if names else "No pipelines to display.")

    @_one_line
    def delete_pipeline(self) -> None:
        """Deletes a pipeline with all its versions; its runs stay."""
        api = self._api()
        pipeline = api.find_pipeline(self.flags_dict[labels.PIPELINE_NAME])
        versions = api.delete_pipeline(pipeline)
        print(f'Pipeline "{pipeline.name}" deleted successfully, with its {versions} versions.')

    @_one_line
    def compile_pipeline(self) -> None:
        """Compiles the pipeline file; the package goes where the file puts it."""
        patcher = KubeflowRunnerPatcher()
        context = self.execute_dsl(patcher)
        print("Pipeline compiled successfully.")
        print(f"Pipeline package path: {Path(context[patcher.PACKAGE]).resolve()}")

    @_one_line
    def get_schema(self) -> None:
        """Refuses: the schema lies on the cluster's volume, which is not to be seen from here."""
        raise ApiError(
            "tfx pipeline schema: artifacts of a cluster lie on its volume, out of reach; the schema that the pipeline "
            "imports is the project's models/schema.pbtxt"
        )

    @_one_line
    def create_run(self) -> None:
        """Starts a run of the pipeline's newest version."""
        api = self._api()
        version = api.newest_version(api.find_pipeline(self.flags_dict[labels.PIPELINE_NAME]))
        parameters = typed(version.inputs, self.flags_dict.get(labels.RUNTIME_PARAMETER) or {})
        run = api.create_run(version, parameters, _now())
        print(f"Run created for pipeline: {version.pipeline.name}")
        self._print_runs(api, version.pipeline.name, [run])

    @_one_line
    def list_runs(self) -> None:
        """Prints the runs of a pipeline, the newest first."""
        api = self._api()
        pipeline = api.find_pipeline(self.flags_dict[labels.PIPELINE_NAME])
        runs = list(api.runs(pipeline))
        if runs:
            self._print_runs(api, pipeline.name, runs)
        else:
            print("No runs found.")

    @_one_line
    def get_run(self) -> None:
        """Prints the state of a run, and of its steps."""
        api = self._api()
        run = api.run(self.flags_dict[labels.RUN_ID])
        self._print_runs(api, self.flags_dict[labels.PIPELINE_NAME], [run])
        if run.error:
            print(run.error)
        if run.tasks:
            print(
                self._format_table(["step", "status", "error"], [[one.name, one.state, one.error] for one in run.tasks])
            )

    @_one_line
    def terminate_run(self) -> None:
        """Ends a run."""
        self._api().terminate(self.flags_dict[labels.RUN_ID])
        print("Run is told to end.")

    @_one_line
    def delete_run(self) -> None:
        """Deletes the record of a run; its artifacts stay."""
        self._api().delete_run(self.flags_dict[labels.RUN_ID])
        print("Run deleted.")

    def _api(self) -> PipelinesApi:
        if self.flags_dict.get(labels.IAP_CLIENT_ID):
            raise ApiError(
                "--iap_client_id: Google's Identity-Aware Proxy is not supported; a token goes into the environment, "
                f"{KFP_TOKEN}"
            )
        namespace = self.flags_dict.get(labels.NAMESPACE)
        return connect(
            load_plan(),
            self.flags_dict.get(labels.ENDPOINT),
            None if namespace == _DEFAULT_NAMESPACE else namespace,
        )

    def _upload(self, new: bool) -> PipelineVersion:
        if self.flags_dict.get(labels.BUILD_IMAGE):
            raise ApiError("--build_image: images are built by `awesome kubeflow build` and pushed by `push`")
        api = self._api()
        # Not only after the minute that compiling takes: is there somebody to upload it to?
        next(api.pipelines(), None)
        with temporary_folder("package") as folder:
            package = folder / "awesome-pipeline.yaml"
            self.execute_dsl(KubeflowRunnerPatcher(package))
            version = api.upload(package, _now(), new=new)
        print(f"Please access the pipeline detail page at {api.pipeline_link(version)}")
        return version

    def _print_runs(self, api: PipelinesApi, name: str, runs: Iterable[Run]) -> None:
        rows = [
            [name, one.id, one.state, one.created.isoformat() if one.created else "", api.run_link(one)] for one in runs
        ]
        print(self._format_table(["pipeline_name", "run_id", "status", "created_at", "link"], rows))


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
