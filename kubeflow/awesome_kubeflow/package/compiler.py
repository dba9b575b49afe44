"""From a TFX pipeline to a package for open-source Kubeflow Pipelines: one container component for each node.

Two tasks are no nodes: before the first, the database comes from object storage; after the last, the run is reported on
and its models go there.

A pod runs its node with TFX's own launcher (entrypoint.py), so resolvers, drivers, importers and the cache mean what
they mean locally. Artifacts do not pass through KFP: they lie on a volume, and edges only say what comes after what.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from awesome_kubeflow import database_pull, run_report
from awesome_kubeflow.cluster import ClusterSettings
from awesome_kubeflow.errors import CompileError
from awesome_kubeflow.names import kfp_name
from awesome_kubeflow.node import EXAMPLE_GEN, CompiledWith, encode, slice_of
from awesome_kubeflow.package.description import compiled_parameters, describe_run, example_gen_config
from awesome_kubeflow.package.output import check_output
from awesome_kubeflow.parameters import INPUT_TYPES, check_size
from awesome_kubeflow.sdk import check_kfp, quiet_imports
from awesome_kubeflow.steps.kind import step_kind
from components.whole_files import whole_file
from pipeline.naming import is_url

if TYPE_CHECKING:
    from tfx.orchestration.pipeline import Pipeline

_STORAGE_FOLDER = "/run/secrets/storage"


@dataclass(frozen=True)
class _Task:
    """A pod of every run: what it runs and is told, what it comes after, and what it gets."""

    module: str
    inputs: Sequence[str]
    constants: Sequence[str]
    upstream: Sequence[str]
    size: str
    with_storage: bool = False
    with_metrics: bool = False


def compile_package(pipeline: Pipeline, cluster: ClusterSettings, path: Path) -> Path:
    """Writes the package.

    Args:
        pipeline: with paths as the pods see them; its metadata connection is left out.
        cluster: where it is to run.
        path: of the package, a .yaml or .yml file; a package that is there is replaced.

    Returns:
        The path.

    Raises:
        CompileError: the pipeline cannot become a package, kfp is missing, or the file cannot be written or holds
            something else.
    """
    check_output(path)
    check_kfp()
    with quiet_imports():
        from kfp import compiler as kfp_compiler

        function, defaults = _pipeline_function(pipeline, cluster)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(path) as partial:
                kfp_compiler.Compiler().compile(function, str(partial), pipeline_parameters=defaults)
        except OSError as error:
            raise CompileError(f"--output {path}: cannot be written ({error.strerror})") from None
    return path


class KubeflowRunner:
    """Compiles a pipeline where TFX's runners would run it: `KubeflowRunner(cluster, path).run(pipeline)`."""

    def __init__(self, cluster: ClusterSettings, path: Path) -> None:
        """Keeps for which cluster the package is to be, and its path."""
        self._cluster = cluster
        self._path = path

    def run(self, pipeline: Pipeline) -> Path:
        """Writes the package, see `compile_package`."""
        return compile_package(pipeline, self._cluster, self._path)


def _pipeline_function(pipeline: Pipeline, cluster: ClusterSettings) -> tuple[Any, dict[str, Any]]:
    """KFP's pipeline, and the defaults of its inputs."""
    from kfp import dsl
    from tfx.dsl.compiler import compiler as tfx_compiler
    from tfx.dsl.compiler import constants

    ir = tfx_compiler.Compiler().compile(pipeline)
    _refuse_runtime_parameters(ir, {constants.PIPELINE_ROOT_PARAMETER_NAME, constants.PIPELINE_RUN_ID_PARAMETER_NAME})
    parameters, compiled = compiled_parameters(ir)
    check_size(parameters.to_inputs())
    tasks = _tasks(ir, compiled, cluster)
    names = _names(tasks)
    components = {one: _component(names[one], cluster.image, task) for one, task in tasks.items()}

    # KFP reads the signature and calls the function with channels, in its order.
    def wired(*channels: Any) -> None:
        values = dict(zip(INPUT_TYPES, channels, strict=True))
        # It is only resolved as a whole constant, so it is an input of its own.
        values["run_id"] = dsl.PIPELINE_JOB_ID_PLACEHOLDER
        placed: dict[str, Any] = {}
        for one, task in tasks.items():
            made = components[one](**{name: values[name] for name in task.inputs})
            if task.upstream:
                made.after(*(placed[other] for other in task.upstream))
            placed[one] = made.set_display_name(one)
            _place(made, cluster, task)

    wired.__signature__ = _signature(INPUT_TYPES, None)  # type: ignore[attr-defined]
    decorate = dsl.pipeline(
        name=kfp_name(ir.pipeline_info.id),
        description="Share-price direction models: daily prices to a pushed model, each step judged",
    )
    # For each limit of each task KFP looks up the source of every frame of the stack. That of a new thread is short.
    with ThreadPoolExecutor(1) as thread:
        function = thread.submit(decorate, wired).result()
    return function, parameters.to_inputs()


def _tasks(ir: Any, compiled: CompiledWith, cluster: ClusterSettings) -> dict[str, _Task]:
    """The tasks by id, each after those that it follows."""
    inputs = ("run_id", *INPUT_TYPES)
    example_gen = example_gen_config(ir)
    tasks: dict[str, _Task] = {}
    on_volume = bool(example_gen.panel) and not is_url(example_gen.panel)
    if cluster.storage_secret and example_gen.extraction is None and not on_volume:
        given: tuple[str, ...] = ("--database", example_gen.database)
        if example_gen.panel:
            given = (*given, "--panel", example_gen.panel)
        tasks[database_pull.TASK_ID] = _Task("database_pull", (), given, (), "light", with_storage=True)
    for node in ir.nodes:
        info = node.pipeline_node.node_info
        kind = step_kind(info.type.name)
        upstream = sorted(node.pipeline_node.upstream_nodes)
        if info.type.name == EXAMPLE_GEN and database_pull.TASK_ID in tasks:
            upstream.append(database_pull.TASK_ID)
        given = ("--slice", encode(slice_of(ir, info.id, compiled)))
        tasks[str(info.id)] = _Task(
            "entrypoint", inputs, given, upstream, kind.resources, with_metrics=kind.metrics is not None
        )
    if tasks.keys() >= set(run_report.NEEDED):
        given = ("--compiled", describe_run(ir, compiled, cluster.data_folder).to_json())
        followed = {name for task in tasks.values() for name in task.upstream}
        last = [name for name in tasks if name not in followed]
        tasks[run_report.TASK_ID] = _Task("run_report", inputs, given, last, "evaluation", with_storage=True)
    return tasks


def _refuse_runtime_parameters(ir: Any, known: set[str]) -> None:
    """A parameter that nothing would set at run time must not reach the cluster."""
    for node in ir.nodes:
        for key, value in node.pipeline_node.parameters.parameters.items():
            if value.WhichOneof("value") == "runtime_parameter" and value.runtime_parameter.name not in known:
                raise CompileError(
                    f"{node.pipeline_node.node_info.id}.{key}: is a RuntimeParameter, and runs know no parameter "
                    f"{value.runtime_parameter.name}; see awesome_kubeflow.steps"
                )


def _names(ids: Iterable[str]) -> dict[str, str]:
    """The tasks' names in KFP by id."""
    ids_by_name: dict[str, str] = {}
    for one in ids:
        name = kfp_name(one)
        if name in ids_by_name:
            raise CompileError(f"nodes {ids_by_name[name]} and {one}: are both called {name} in Kubeflow Pipelines")
        ids_by_name[name] = one
    return {one: name for name, one in ids_by_name.items()}


def _component(name: str, image: str, task: _Task) -> Any:
    """A container component: its command, its inputs by name, its constant arguments, and the outputs KFP knows of."""
    from kfp import dsl

    outputs = {"html": dsl.Output[dsl.HTML]} | ({"metrics": dsl.Output[dsl.Metrics]} if task.with_metrics else {})

    # KFP calls it with placeholders: those of the inputs, then those of the outputs.
    def function(*placeholders: Any) -> Any:
        pairs = [(f"--{key.replace('_', '-')}", value) for key, value in zip(task.inputs, placeholders, strict=False)]
        args = [item for pair in pairs for item in pair]
        args += [*task.constants, "--executor-input", "{{$}}"]
        return dsl.ContainerSpec(image=image, command=["python", "-m", f"awesome_kubeflow.{task.module}"], args=args)

    function.__name__ = name.replace("-", "_")
    function.__signature__ = _signature(  # type: ignore[attr-defined]
        {key: INPUT_TYPES.get(key, str) for key in task.inputs} | outputs, dsl.ContainerSpec
    )
    return dsl.container_component(function)


def _signature(types: Mapping[str, Any], result: Any) -> inspect.Signature:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Signature(
        [inspect.Parameter(name, kind, annotation=annotation) for name, annotation in types.items()],
        return_annotation=inspect.Signature.empty if result is None else result,
    )


def _place(task: Any, cluster: ClusterSettings, told: _Task) -> None:
    """What Kubernetes is told of a task of KFP's."""
    from kfp import kubernetes

    resources = cluster.resources[told.size]
    # TFX's cache decides; KFP's would skip the pod whose execution TFX has to record.
    task.set_caching_options(False)
    if cluster.retries:
        # A retried pod takes up its own execution, as it has the same run id.
        task.set_retry(cluster.retries, backoff_duration=f"{cluster.retry_seconds}s", backoff_factor=2.0)
    task.set_cpu_request(resources.cpu_request)
    task.set_memory_request(resources.memory_request)
    if resources.cpu_limit:
        task.set_cpu_limit(resources.cpu_limit)
    if resources.memory_limit:
        task.set_memory_limit(resources.memory_limit)
    if resources.gpus:
        task.set_accelerator_type(resources.gpu_kind)
        task.set_accelerator_limit(resources.gpus)
    for key, value in sorted(resources.node_selector.items()):
        kubernetes.add_node_selector(task, key, value)
    kubernetes.mount_pvc(task, cluster.data_claim, cluster.data_folder)
    for name, keys in sorted(cluster.secrets.items()):
        kubernetes.use_secret_as_env(task, name, dict(sorted(keys.items())))
    for name, keys in sorted(cluster.config_maps.items()):
        kubernetes.use_config_map_as_env(task, name, dict(sorted(keys.items())))
    if told.with_storage and cluster.storage_secret:
        # As files: which keys there are depends on the storage, and as variables each would have to be named here.
        kubernetes.use_secret_as_volume(task, cluster.storage_secret, _STORAGE_FOLDER)
        task.set_env_variable("AWESOME_NODE_STORAGE_SECRET", _STORAGE_FOLDER)
    kubernetes.set_image_pull_policy(task, cluster.image_pull_policy)
    if cluster.image_pull_secrets:
        kubernetes.set_image_pull_secrets(task, list(cluster.image_pull_secrets))
    kubernetes.set_timeout(task, resources.timeout)
