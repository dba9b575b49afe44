"""Print the path of a uv that this project can use, fetching one into `.tools/` if there is none.

    python3 tools/get_uv.py

The first of these that answers `--version` and is new enough is taken: a `uv` on PATH, the one in `.tools/`, one from
the package registry. The wheel is fetched by pip, which knows the user's mirrors and certificates; where pip is missing
or fails (Debian without python3-pip), by this file itself, from PIP_INDEX_URL, UV_DEFAULT_INDEX, UV_INDEX_URL or PyPI,
checked against the SHA-256 that the index states.

Standard library only.
"""

from __future__ import annotations

import base64
import hashlib
import html.parser
import http.client
import json
import os
import platform
import re
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

UV_VERSION = "0.13.9"  # the one that wrote uv.lock
ROOT = Path(__file__).resolve().parent.parent
PYPI = "https://pypi.org/simple"
TIMEOUT = 60.0  # seconds without a byte
ATTEMPTS = 3


class GetUvError(Exception):
    """uv cannot be had; the one-line message says why and what to do."""


@dataclass(frozen=True)
class Machine:
    """What decides which wheel runs: operating system, processor, and the version of the system's library.

    Attributes:
        platform: `manylinux` (Linux with glibc), `musllinux` (Linux with musl) or `macosx`.
        arch: the processor as wheels name it, such as `x86_64`, `aarch64`, `arm64`.
        version: of glibc, musl or macOS.
    """

    platform: str
    arch: str
    version: tuple[int, int]

    def __str__(self) -> str:
        """Name the machine as a wheel's tag does."""
        return f"{self.platform}_{self.version[0]}_{self.version[1]}_{self.arch}"


@dataclass(frozen=True)
class IndexFile:
    """One file of a project's index page.

    Attributes:
        name: file name.
        url: absolute address.
        sha256: hexadecimal digest the index states, None where it states none.
        yanked: the publisher has withdrawn it.
    """

    name: str
    url: str
    sha256: str | None
    yanked: bool


def current_machine() -> Machine:
    """Describe the machine this runs on.

    Raises:
        GetUvError: neither Linux nor macOS.
    """
    system, arch = platform.system(), platform.machine()
    if system == "Darwin":
        major, minor = (int(part) for part in f"{platform.mac_ver()[0]}.0".split(".")[:2])
        return Machine("macosx", arch, (11, 0) if (major, minor) == (10, 16) else (major, minor))
    if system != "Linux":
        raise GetUvError(f"{system} is not supported: use Linux or macOS (on Windows: WSL)")
    try:
        name, _, number = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    except ValueError:
        name = ""
    if name != "glibc":
        return Machine("musllinux", arch, (1, 2))  # every musl since 2019
    major, minor = (int(part) for part in number.split(".")[:2])
    return Machine("manylinux", arch, (major, minor))


def wheel_fit(name: str, machine: Machine) -> tuple[int, int] | None:
    """Say how well a wheel of uv fits a machine.

    Args:
        name: file name of the wheel.
        machine: where it is to run.

    Returns:
        The highest library version among its platform tags that the machine has, or None if it does not run there.
    """
    if not name.endswith(".whl"):
        return None
    best: tuple[int, int] | None = None
    for tag in name[: -len(".whl")].split("-")[-1].split("."):
        match = re.fullmatch(r"(manylinux|musllinux|macosx)_(\d+)_(\d+)_(.+)", tag)
        if match is None or match[1] != machine.platform:
            continue
        if match[4] != machine.arch and not (match[1] == "macosx" and match[4] == "universal2"):
            continue
        version = (int(match[2]), int(match[3]))
        if version <= machine.version and (best is None or version > best):
            best = version
    return best


def choose_wheel(files: Sequence[IndexFile], version: str, machine: Machine) -> IndexFile:
    """Choose the wheel of one version of uv for a machine.

    Raises:
        GetUvError: the index has none that runs there.
    """
    fits = [
        (fit, file)
        for file in files
        if file.name.startswith(f"uv-{version}-") and not file.yanked
        if (fit := wheel_fit(file.name, machine)) is not None
    ]
    if not fits:
        raise GetUvError(f"the index has no wheel of uv {version} for {machine}")
    return max(fits, key=lambda pair: pair[0])[1]


class _Links(html.parser.HTMLParser):
    """Collects the anchors of an index page in HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.anchors: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.anchors.append(dict(attrs))


def parse_index(body: bytes, content_type: str, url: str) -> list[IndexFile]:
    """Read a project's page of a package index, as JSON (PEP 691) or as HTML (PEP 503).

    Args:
        body: the page.
        content_type: its `Content-Type` header.
        url: its address, which relative links start from.

    Raises:
        GetUvError: the page is neither.
    """
    if "json" in content_type:
        try:
            return [
                IndexFile(
                    name=file["filename"],
                    url=urllib.parse.urljoin(url, file["url"]),
                    sha256=file.get("hashes", {}).get("sha256"),
                    yanked=bool(file.get("yanked")),
                )
                for file in json.loads(body)["files"]
            ]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise GetUvError(f"{url} is not a package index's page: {error!r}") from error
    links = _Links()
    links.feed(body.decode("utf-8", "replace"))
    files = []
    for anchor in links.anchors:
        target, _, fragment = urllib.parse.urljoin(url, anchor.get("href") or "").partition("#")
        name = urllib.parse.unquote(urllib.parse.urlsplit(target).path.rpartition("/")[2])
        digest = fragment[len("sha256=") :] if fragment.startswith("sha256=") else None
        files.append(IndexFile(name, target, digest, yanked="data-yanked" in anchor))
    return files


def index_url(environment: Mapping[str, str]) -> str:
    """Name the package index to ask: that of PIP_INDEX_URL, UV_DEFAULT_INDEX or UV_INDEX_URL, else PyPI."""
    for variable in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"):
        value = environment.get(variable, "").strip()
        if value:
            return re.sub(r"^[\w.-]+=", "", value).rstrip("/")  # uv also takes name=url
    return PYPI


def _without_login(url: str) -> tuple[str, str | None]:
    """Take user and password out of an address; returns it without them, and the header that carries them."""
    parts = urllib.parse.urlsplit(url)
    login, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, None
    token = base64.b64encode(urllib.parse.unquote(login).encode()).decode()
    return urllib.parse.urlunsplit(parts._replace(netloc=host)), f"Basic {token}"


def _get(url: str, authorization: str | None, accept: str = "*/*") -> tuple[bytes, str, str]:
    """Fetch an address; returns the body, its content type and the address after redirects."""
    request = urllib.request.Request(url, headers={"Accept": accept, "User-Agent": "awesome-get-uv"})
    if authorization:
        request.add_unredirected_header("Authorization", authorization)  # not for whom we are sent on to
    for attempt in range(1, ATTEMPTS + 1):
        try:
            context = ssl.create_default_context(cafile=os.environ.get("PIP_CERT") or None)
            with urllib.request.urlopen(request, timeout=TIMEOUT, context=context) as reply:
                return reply.read(), reply.headers.get("Content-Type", ""), reply.geturl()
        except urllib.error.HTTPError as error:
            error.close()
            if error.code < 500 or attempt == ATTEMPTS:
                raise GetUvError(f"{url} answered {error.code} {error.reason}") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            if isinstance(error, ValueError) or attempt == ATTEMPTS:
                raise GetUvError(f"{url} cannot be read: {getattr(error, 'reason', None) or error}") from error
        time.sleep(attempt)
    raise AssertionError("unreachable")


def download_wheel(index: str, version: str, machine: Machine, folder: Path) -> Path:
    """Download the wheel of uv that fits a machine, without pip.

    Args:
        index: address of the package index (its `simple` root); user and password may stand in it.
        version: of uv.
        machine: where it is to run.
        folder: where to put the wheel.

    Returns:
        The wheel, whose SHA-256 is the one the index states.

    Raises:
        GetUvError: no connection, no such wheel, or another SHA-256.
    """
    base, authorization = _without_login(index)
    accept = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
    body, content_type, page = _get(f"{base}/uv/", authorization, accept)
    file = choose_wheel(parse_index(body, content_type, page), version, machine)
    if file.sha256 is None:
        raise GetUvError(f"{page} states no SHA-256 for {file.name}")
    url, own = _without_login(file.url)
    same_host = urllib.parse.urlsplit(url).netloc == urllib.parse.urlsplit(base).netloc
    content = _get(url, own or (authorization if same_host else None))[0]
    digest = hashlib.sha256(content).hexdigest()
    if digest != file.sha256.lower():
        raise GetUvError(f"{url} has SHA-256 {digest}, its index states {file.sha256}: not used")
    wheel = folder / Path(file.name).name
    wheel.write_bytes(content)
    return wheel


def download_wheel_with_pip(version: str, folder: Path) -> Path:
    """Download the wheel of uv that fits this machine with this Python's pip.

    Raises:
        GetUvError: pip is missing or did not succeed.
    """
    command = [sys.executable, "-m", "pip", "--no-input", "--disable-pip-version-check", "download", "--quiet"]
    command += ["--no-deps", "--only-binary=:all:", "--dest", str(folder), f"uv=={version}"]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PIP_REQUIRE_VIRTUALENV": "0"},  # nothing is installed
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    wheels = sorted(folder.glob("uv-*.whl"))
    if done.returncode != 0 or not wheels:
        said = [line for line in done.stderr.splitlines() if line.strip()] or ["no wheel"]
        raise GetUvError(f"pip: {said[-1].strip()}")
    return wheels[0]


def unpack(wheel: Path, target: Path) -> None:
    """Put the program out of a wheel of uv where it belongs, whole or not at all.

    Args:
        wheel: the wheel.
        target: path of the program; its folder is made if it is missing.

    Raises:
        GetUvError: the wheel is damaged, or its program does not run here.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".unpack-") as name:
        program = Path(name) / "uv"
        try:
            with zipfile.ZipFile(wheel) as archive:
                inside = [entry for entry in archive.namelist() if re.fullmatch(r"[^/]+\.data/scripts/uv", entry)]
                if len(inside) != 1:
                    raise GetUvError(f"{wheel.name} holds no uv")
                program.write_bytes(archive.read(inside[0]))
        except zipfile.BadZipFile as error:
            raise GetUvError(f"{wheel.name} is damaged: {error}") from error
        program.chmod(0o755)
        if uv_version(program) is None:
            raise GetUvError(f"the uv of {wheel.name} does not run on this machine")
        os.replace(program, target)


def uv_version(program: Path) -> tuple[int, ...] | None:
    """Ask a uv for its version; None if it does not answer, as a shim without a uv behind it."""
    try:
        done = subprocess.run(
            [str(program), "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return None
    match = re.match(r"uv (\d+(?:\.\d+)*)", done.stdout)
    return tuple(int(part) for part in match[1].split(".")) if match and done.returncode == 0 else None


def required_version(pyproject: str) -> tuple[int, ...]:
    """Read the lowest uv that will do from the text of pyproject.toml.

    Raises:
        GetUvError: `required-version` is missing or not of the form `>=0.5`.
    """
    match = re.search(r'^required-version *= *">=(\d+(?:\.\d+)*)"', pyproject, re.MULTILINE)
    if match is None:
        raise GetUvError("pyproject.toml has no [tool.uv] required-version of the form '>=0.5'")
    return tuple(int(part) for part in match[1].split("."))


def find_uv(folders: Sequence[str], required: tuple[int, ...]) -> Path | None:
    """Find the first uv in some folders that runs and is new enough; None if there is none."""
    for folder in folders:
        program = Path(folder).absolute() / "uv"
        version = uv_version(program) if program.is_file() else None
        if version is not None and version >= required:
            return program
    return None


def fetch_uv(target: Path, index: str) -> None:
    """Fetch uv from the package registry, with pip or else without it.

    Args:
        target: path the program gets.
        index: address of the package index for the way without pip.

    Raises:
        GetUvError: neither way succeeded.
    """
    with tempfile.TemporaryDirectory(prefix="get-uv-") as name:
        folder = Path(name)
        try:
            wheel = download_wheel_with_pip(UV_VERSION, folder)
        except GetUvError as first:
            try:
                wheel = download_wheel(index, UV_VERSION, current_machine(), folder)
            except GetUvError as second:
                raise GetUvError(
                    f"uv {UV_VERSION} cannot be fetched, check the network and PIP_INDEX_URL, or install uv yourself: "
                    f"{second} ({first})"
                ) from second
        unpack(wheel, target)


def main() -> int:
    """Print the path of uv; returns the exit code."""
    target = ROOT / ".tools" / f"uv-{UV_VERSION}" / "uv"
    try:
        required = required_version((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
        program = find_uv([*os.get_exec_path(), str(target.parent)], required)
        if program is None:
            print(f"awesome: fetching uv {UV_VERSION} into .tools/ (once)", file=sys.stderr)
            fetch_uv(target, index_url(os.environ))
            program = target
    except (GetUvError, OSError) as error:
        print(f"awesome: {error}", file=sys.stderr)
        return 1
    print(program)
    return 0


if __name__ == "__main__":
    sys.exit(main())
