"""Fetches what pages and their tests take from npm, and checks it: `python tools/get_browser_library.py [FOLDER]...`.

A folder's library.json names the library, its version and licence, the archive in the registry, and which files of it
are kept with their SHA-256. Without --accept a file of another digest is refused; with it the digests are written anew,
which is how a new version is taken: change `version` and `archive` first, and read what has changed.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import sys
import tarfile
import urllib.request
from pathlib import Path

REGISTRY = "https://registry.npmjs.org/"
ROOT = Path(__file__).resolve().parent.parent
FOLDERS = (ROOT / "pipeline/report/third_party", ROOT / "tests/third_party")
LIBRARY = "library.json"


def unpack(archive: bytes, folder: Path, accept: bool = False) -> list[str]:
    """Writes a library's files out of its archive; all of them, or none where a digest is another one.

    Args:
        archive: the .tgz.
        folder: that holds library.json.
        accept: whether digests are written anew.

    Returns:
        The files whose digest is not the one that library.json names.
    """
    library = json.loads((folder / LIBRARY).read_text(encoding="utf-8"))
    found = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        for name, file in library["files"].items():
            member = opened.extractfile(file["from"])
            if member is None:
                raise SystemExit(f"{library['archive']}: {file['from']} is no file")
            found[name] = member.read()
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in found.items()}
    others = [name for name, digest in digests.items() if digest != library["files"][name]["sha256"]]
    if others and not accept:
        return others
    for name, content in found.items():
        (folder / name).write_bytes(content)
        library["files"][name]["sha256"] = digests[name]
    (folder / LIBRARY).write_text(json.dumps(library, indent=1) + "\n", encoding="utf-8")
    return others


def main() -> None:
    """Fetches the libraries of the folders that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path, default=FOLDERS)
    parser.add_argument("--accept", action="store_true", help="write the digests anew")
    parser.add_argument("--registry", default=REGISTRY)
    asked = parser.parse_args()
    for folder in asked.folders:
        library = json.loads((folder / LIBRARY).read_text(encoding="utf-8"))
        address = asked.registry.rstrip("/") + "/" + library["archive"]
        with urllib.request.urlopen(address, timeout=60) as answer:
            others = unpack(answer.read(), folder, asked.accept)
        if others and not asked.accept:
            sys.exit(f"{address}: {', '.join(others)} is not what {folder / LIBRARY} names; nothing was written")
        print(f"{library['name']} {library['version']} ({library['licence']}): {', '.join(library['files'])}")


if __name__ == "__main__":
    main()
