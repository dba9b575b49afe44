"""Files and folders that settings name: what stands in one, and which one TFX and Beam cannot work in."""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]


def pattern_in(folder: Path) -> str:
    """Why TFX cannot work in a folder, and what to do; empty where it can.

    TFX, Beam and TensorFlow look for files by patterns that begin with the folder's whole name.
    """
    whole = str(folder.absolute())
    signs = sorted(set(whole) & set("[]*?\\"))
    if not signs:
        return ""
    return (
        f"{whole} holds {' '.join(signs)} in its name, which TFX takes for a pattern of several names; "
        "work in a folder without [ ] * ? and \\"
    )


def names_in_file(path: Path) -> tuple[str, ...]:
    """The lines of a file, without blanks around them, empty lines and comments.

    Raises:
        ValueError: it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read ({getattr(error, 'strerror', None) or 'it is no text'})") from None
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return tuple(line for line in lines if line)


def hides_packages(folder: Path) -> str:
    """Why Beam's workers, started in a folder, would not find the project's packages, and what to do; else empty.

    They are other processes, `python -m ...`, and look for modules in the folder that they are started in first.
    """
    if sys.flags.safe_path:
        return ""
    for package in ("pipeline", "components", "models"):
        found = PathFinder.find_spec(package, [str(folder), *sys.path])
        places = () if found is None else (found.submodule_search_locations or [str(found.origin)])
        for place in places:
            if Path(place).resolve() != _ROOT / package:
                return (
                    f"{place} has the name of a package of awesome's, and Beam's workers would take it for that: start "
                    "in another folder, or with PYTHONSAFEPATH=1 in the environment"
                )
    return ""
