"""What every pod of a run does alike: its log, how it ends, and the account of its object storage.

The log is one JSON object a line, as log collectors take it.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from awesome_kubeflow.errors import NodeError
from awesome_kubeflow.parameters import INPUT_TYPES, RunParameters
from components.errors import UserError
from components.masking import masked

if TYPE_CHECKING:
    from pipeline.node_settings import NodeSettings

_LOG = logging.getLogger("awesome.node")


class JsonFormatter(logging.Formatter):
    """time, severity, logger, node, message, and the traceback where there is one."""

    def __init__(self, node: str) -> None:
        """Names the node."""
        super().__init__()
        self._node = node

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        moment = dt.datetime.fromtimestamp(record.created, dt.UTC)
        line = {
            "time": moment.isoformat(timespec="milliseconds"),
            "severity": record.levelname,
            "logger": record.name,
            "node": self._node,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return masked(json.dumps(line, ensure_ascii=False, default=str))


def start_json_log(node: str) -> None:
    """Sends every log record and warning to the pod's standard error, in place of what was there."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(node))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # A line for each type it does not know, hundreds in every pod.
    logging.getLogger("apache_beam.typehints").setLevel(logging.WARNING)
    logging.captureWarnings(True)


def run_pod(run: Callable[[], None], task: str = "") -> int:
    """Runs what a pod is for. Its log is JSON on standard error, and the last line of one that failed is the reason.

    Args:
        run: does all of it.
        task: its name in the log; empty where only `run` can tell.

    Returns:
        The exit code: 0, or 1 where it failed.
    """
    start_json_log(task)
    try:
        run()
    except UserError as error:
        _LOG.error("%s", error)
        return 1
    except Exception as error:
        # The traceback comes first, as the last line of a pod is what a person is shown.
        _LOG.info("the node failed", exc_info=True)
        # Beam puts what went wrong first and where behind it.
        [reason, *_] = str(error).strip().splitlines() or ["no reason was given"]
        _LOG.error("%s: %s", type(error).__name__, reason)
        return 1
    return 0


def pod_options(
    module: str,
    description: str,
    option: str,
    help_: str,
    arguments: Sequence[str] | None,
    of_a_run: bool = True,
    beside: Mapping[str, str] = {},
) -> argparse.Namespace:
    """Reads a pod's command: an option of its own, where its report goes, and the parameters of a run.

    Args:
        module: of the package, as `python -m` is told.
        description: for --help.
        option: such as --slice, which the command must have.
        help_: of the option.
        arguments: of the command; None for the process's own.
        of_a_run: whether the run's id and its parameters are among them.
        beside: other options that it may have, and the help of each.
    """
    from pipeline.settings import Settings

    parser = argparse.ArgumentParser(prog=f"python -m awesome_kubeflow.{module}", description=description)
    if of_a_run:
        parser.add_argument("--run-id", required=True, help="of the run; the same one again takes up its execution")
        for name in INPUT_TYPES:
            told = Settings.model_fields[name].description
            parser.add_argument(f"--{name.replace('_', '-')}", required=True, help=told)
    parser.add_argument(option, required=True, help=help_)
    for name, told in beside.items():
        parser.add_argument(name, default="", help=told)
    parser.add_argument("--executor-input", required=True, help="JSON of Kubeflow Pipelines: where outputs go")
    return parser.parse_args(arguments)


def run_parameters(options: argparse.Namespace) -> RunParameters:
    """The parameters of the run that a pod takes part in.

    Raises:
        ParameterError: one cannot be used.
    """
    return RunParameters.from_texts({name: getattr(options, name) for name in INPUT_TYPES})


def check_store(settings: NodeSettings) -> None:
    """Refuses a pod that is not told where the metadata store is.

    Raises:
        NodeError: neither a host nor a file is named, or both are.
    """
    if (settings.metadata_sqlite is None) == (settings.metadata_host is None):
        raise NodeError(
            "environment: name the metadata store, by AWESOME_NODE_METADATA_HOST (MariaDB) or "
            "AWESOME_NODE_METADATA_SQLITE (a file), and not by both"
        )


def metadata_connection(settings: NodeSettings) -> Any:
    """Where ML Metadata keeps its records. Imports TFX.

    Returns:
        A ConnectionConfig message.

    Raises:
        NodeError: as in `check_store`.
    """
    from tfx.orchestration import metadata

    check_store(settings)
    if settings.metadata_sqlite is not None:
        settings.metadata_sqlite.parent.mkdir(parents=True, exist_ok=True)
        return metadata.sqlite_metadata_connection_config(str(settings.metadata_sqlite))
    return metadata.mysql_metadata_connection_config(
        host=settings.metadata_host,
        port=settings.metadata_port,
        database=settings.metadata_database,
        username=settings.metadata_user,
        password=settings.metadata_password.get_secret_value(),
    )


def take_storage_secret(settings: NodeSettings) -> None:
    """Makes variables of the files of the storage's Secret, as a Secret's keys need not be known when one compiles.

    Raises:
        NodeError: the folder or a file of it cannot be read.
    """
    folder = settings.storage_secret
    if folder is None:
        return
    try:
        # Kubernetes keeps what it is about to replace in folders that begin with a dot.
        files = [path for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith(".")]
        for path in files:
            os.environ[path.name] = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise NodeError(f"AWESOME_NODE_STORAGE_SECRET: {folder} cannot be read ({reason})") from None
