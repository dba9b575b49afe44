"""Where a package goes; no TFX, so that a wrong place is refused at once."""

from __future__ import annotations

from pathlib import Path

from awesome_kubeflow.errors import CompileError


def check_output(path: Path) -> None:
    """Checks that a package can take the place of what is at a path: nothing, or an earlier package.

    Raises:
        CompileError: it is named otherwise than a package, or holds something else.
    """
    if path.suffix not in (".yaml", ".yml"):
        raise CompileError(f"--output {path}: a package is a .yaml file")
    try:
        content = path.read_bytes() if path.is_file() else b""
    except OSError as error:
        raise CompileError(f"--output {path}: cannot be read ({error.strerror})") from None
    if content and b"\npipelineInfo:" not in content:
        raise CompileError(f"--output {path}: holds something else than a package; name another file")
