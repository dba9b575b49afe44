"""Files and folders that settings name: what stands in one, and which one TFX cannot work in."""

from __future__ import annotations

from pathlib import Path


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
