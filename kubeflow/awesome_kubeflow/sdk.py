"""Kubeflow Pipelines' SDK: whether it is there, and its imports without its warnings of itself. No TFX."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from awesome_kubeflow.errors import ApiError, CompileError
from components.errors import install_extras


def check_kfp() -> None:
    """Refuses to go on without the SDK.

    Raises:
        CompileError: kfp, or kfp-kubernetes, is not installed.
    """
    if importlib.util.find_spec("kfp") is None or importlib.util.find_spec("kfp.kubernetes") is None:
        raise CompileError(
            "kfp and kfp-kubernetes are not installed: they come with the extra `kubeflow`: "
            f"{install_extras('kubeflow', 'pipeline')}"
        )


def check_kfp_client() -> None:
    """Refuses to go on without the SDK's client of the API, and without the seconds that the whole SDK takes to import.

    Raises:
        ApiError: kfp is not installed.
    """
    if importlib.util.find_spec("kfp_server_api") is None:
        raise ApiError(f"kfp is not installed: it comes with the extra `kubeflow`: {install_extras('kubeflow')}")


@contextmanager
def quiet_imports() -> Iterator[None]:
    """Leaves out what the SDK warns of in its own code while the block runs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        yield
