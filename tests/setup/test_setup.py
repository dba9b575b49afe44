"""The way from a bare checkout to a running project: tools/, Makefile, .ci/run, setup.py, .pre-commit-config.yaml."""

from __future__ import annotations

import base64
import hashlib
import http.server
import importlib.util
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINTERS = ["ruff check", "ruff format --check", "mypy", "lint-imports"]


def _load(name: str) -> ModuleType:
    """Import a file of tools/, which is no package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


get_uv = _load("get_uv")
check_python = _load("check_python")
Machine, IndexFile, GetUvError = get_uv.Machine, get_uv.IndexFile, get_uv.GetUvError

# The platforms uv 0.13.9 was published for.
PLATFORMS = [
    "linux_armv6l",
    "macosx_10_12_x86_64",
    "macosx_11_0_arm64",
    "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64",
    "manylinux_2_17_x86_64.manylinux2014_x86_64",
    "manylinux_2_28_aarch64",
    "musllinux_1_1_x86_64",
    "win_amd64",
]


def _program(text: str) -> str:
    return f"#!/bin/sh\n{text}\n"


def _wheel(program: str, version: str = get_uv.UV_VERSION) -> bytes:
    """Make a wheel of a uv which is a shell script."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("uv/__init__.py", "")
        archive.writestr(f"uv-{version}.data/scripts/uv", program)
        archive.writestr(f"uv-{version}.data/scripts/uvx", "#!/bin/sh\n")
    return content.getvalue()


def _write_program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_program(text), encoding="utf-8")
    path.chmod(0o755)
    return path


@dataclass
class Index:
    """A package index on 127.0.0.1: what it answers for a path, and what it was asked."""

    url: str = ""
    pages: dict[str, tuple[int, str, bytes]] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def offer(self, machine: object, content: bytes, sha256: str | None = None) -> None:
        """Offer one wheel, under the digest given or its own."""
        name = f"uv-{get_uv.UV_VERSION}-py3-none-{machine}.whl"
        digest = sha256 or hashlib.sha256(content).hexdigest()
        page = {"files": [{"filename": name, "url": f"../../files/{name}", "hashes": {"sha256": digest}}]}
        self.pages["/simple/uv/"] = (200, "application/vnd.pypi.simple.v1+json", json.dumps(page).encode())
        self.pages[f"/files/{name}"] = (200, "application/octet-stream", content)


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "PIP_CERT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(get_uv, "ATTEMPTS", 1)  # do not wait for what will not come
    served = Index()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append((self.path, self.headers.get("Authorization")))
            code, content_type, body = served.pages.get(self.path, (404, "text/plain", b"nothing here"))
            self.send_response(code)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served.url = f"http://127.0.0.1:{server.server_address[1]}/simple"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield served
        server.shutdown()
        thread.join()


MACHINE = Machine("manylinux", "x86_64", (2, 36))


# Which wheel


@pytest.mark.parametrize(
    ("machine", "platform"),
    [
        (Machine("manylinux", "x86_64", (2, 36)), "manylinux_2_17_x86_64.manylinux2014_x86_64"),
        (Machine("manylinux", "x86_64", (2, 17)), "manylinux_2_17_x86_64.manylinux2014_x86_64"),
        (Machine("manylinux", "x86_64", (2, 12)), None),
        (Machine("manylinux", "aarch64", (2, 36)), "manylinux_2_28_aarch64"),
        (
            Machine("manylinux", "aarch64", (2, 27)),
            "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64",
        ),
        (Machine("manylinux", "sparc64", (2, 36)), None),
        (Machine("musllinux", "x86_64", (1, 2)), "musllinux_1_1_x86_64"),
        (
            Machine("musllinux", "aarch64", (1, 2)),
            "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64",
        ),
        (Machine("macosx", "arm64", (14, 4)), "macosx_11_0_arm64"),
        (Machine("macosx", "x86_64", (10, 15)), "macosx_10_12_x86_64"),
        (Machine("macosx", "x86_64", (10, 11)), None),
    ],
    ids=str,
)
def test_each_machine_gets_the_wheel_that_runs_on_it(machine: object, platform: str | None) -> None:
    names = [f"uv-0.13.9-py3-none-{each}.whl" for each in PLATFORMS] + ["uv-0.13.9.tar.gz"]
    files = [IndexFile(name, f"https://index.test/{name}", "00", yanked=False) for name in names]
    if platform is None:
        with pytest.raises(GetUvError, match=rf"no wheel of uv 0\.13\.9 for {machine}"):
            get_uv.choose_wheel(files, "0.13.9", machine)
    else:
        assert get_uv.choose_wheel(files, "0.13.9", machine).name == f"uv-0.13.9-py3-none-{platform}.whl"


def test_a_withdrawn_wheel_and_another_version_are_not_chosen() -> None:
    names = {
        "uv-0.13.9-py3-none-manylinux_2_28_x86_64.whl": True,
        "uv-0.13.90-py3-none-manylinux_2_28_x86_64.whl": False,
    }
    files = [IndexFile(name, "https://index.test/", "00", yanked=yanked) for name, yanked in names.items()]
    with pytest.raises(GetUvError, match="no wheel"):
        get_uv.choose_wheel(files, "0.13.9", MACHINE)


def test_this_machine_is_one_uv_is_published_for() -> None:
    machine = get_uv.current_machine()
    if machine.platform == "manylinux":
        known = os.confstr("CS_GNU_LIBC_VERSION")
        assert known == f"glibc {machine.version[0]}.{machine.version[1]}"
    assert any(get_uv.wheel_fit(f"uv-1-py3-none-{platform}.whl", machine) for platform in PLATFORMS)


# The index


def test_json_and_html_pages_say_the_same() -> None:
    url = "https://index.test/simple/uv/"
    files = [
        {"filename": "uv-1-a.whl", "url": "/files/uv-1-a.whl", "hashes": {"sha256": "ab"}, "yanked": False},
        {"filename": "uv-2-b.whl", "url": "https://cdn.test/uv-2-b.whl", "hashes": {}, "yanked": "broken"},
    ]
    page = """<!DOCTYPE html><a href="/files/uv-1-a.whl#sha256=ab" data-requires-python="&gt;=3.8">uv-1-a.whl</a>
        <a href="https://cdn.test/uv-2-b.whl" data-yanked="broken">uv-2-b.whl</a>"""
    as_json = get_uv.parse_index(json.dumps({"files": files}).encode(), "application/vnd.pypi.simple.v1+json", url)
    assert as_json == get_uv.parse_index(page.encode(), "text/html; charset=utf-8", url)
    assert as_json == [
        IndexFile("uv-1-a.whl", "https://index.test/files/uv-1-a.whl", "ab", yanked=False),
        IndexFile("uv-2-b.whl", "https://cdn.test/uv-2-b.whl", None, yanked=True),
    ]


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"files": [{"url": "x"}]}', b'{"files": 3}'])
def test_a_page_that_is_no_index_is_refused(body: bytes) -> None:
    with pytest.raises(GetUvError, match=r"https://index\.test/ is not a package index's page"):
        get_uv.parse_index(body, "application/json", "https://index.test/")


def test_the_index_is_the_users_own_if_there_is_one() -> None:
    assert get_uv.index_url({}) == "https://pypi.org/simple"
    assert get_uv.index_url({"PIP_INDEX_URL": ""}) == "https://pypi.org/simple"
    assert get_uv.index_url({"UV_DEFAULT_INDEX": "mine=https://m.test/simple/"}) == "https://m.test/simple"
    assert get_uv.index_url({"UV_DEFAULT_INDEX": "https://u.test/s?a=b", "PIP_INDEX_URL": "https://p.test/s"}) == (
        "https://p.test/s"
    )
    assert get_uv.index_url({"UV_INDEX_URL": "https://u.test/s?a=b"}) == "https://u.test/s?a=b"


def test_a_wheel_is_downloaded_and_is_the_one_the_index_names(index: Index, tmp_path: Path) -> None:
    content = _wheel("x")
    index.offer(MACHINE, content)
    wheel = get_uv.download_wheel(index.url, get_uv.UV_VERSION, MACHINE, tmp_path)
    assert wheel.read_bytes() == content
    assert wheel.parent == tmp_path


def test_user_and_password_of_the_index_go_to_the_index_only(index: Index, tmp_path: Path) -> None:
    index.offer(MACHINE, _wheel("x"))
    get_uv.download_wheel(index.url.replace("//", "//me:p%40ss@"), get_uv.UV_VERSION, MACHINE, tmp_path)
    assert {login for _, login in index.asked} == {"Basic " + base64.b64encode(b"me:p@ss").decode()}

    index.asked.clear()
    code, content_type, page = index.pages["/simple/uv/"]
    elsewhere = index.url.replace("127.0.0.1", "localhost").replace("/simple", "/files")
    index.pages["/simple/uv/"] = (code, content_type, page.replace(b"../../files", elsewhere.encode()))
    get_uv.download_wheel(index.url.replace("//", "//me:p%40ss@"), get_uv.UV_VERSION, MACHINE, tmp_path)
    assert [(path.split("/")[1], login is None) for path, login in index.asked] == [("simple", False), ("files", True)]


def test_a_wheel_with_another_hash_is_refused_and_not_kept(index: Index, tmp_path: Path) -> None:
    index.offer(MACHINE, _wheel("x"), sha256="0" * 64)
    with pytest.raises(GetUvError, match=r"has SHA-256 [0-9a-f]{64}, its index states 0{64}: not used"):
        get_uv.download_wheel(index.url, get_uv.UV_VERSION, MACHINE, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_wheel_without_a_hash_is_refused_unread(index: Index, tmp_path: Path) -> None:
    page = f'<a href="uv-{get_uv.UV_VERSION}-py3-none-{MACHINE}.whl">a wheel</a>'
    index.pages["/simple/uv/"] = (200, "text/html", page.encode())
    with pytest.raises(GetUvError, match="states no SHA-256"):
        get_uv.download_wheel(index.url, get_uv.UV_VERSION, MACHINE, tmp_path)
    assert [path for path, _ in index.asked] == ["/simple/uv/"]


def test_no_page_and_no_connection_are_one_line_that_hides_the_password(index: Index, tmp_path: Path) -> None:
    with pytest.raises(GetUvError, match=r"^http://\S+/simple/uv/ answered 404 Not Found$"):
        get_uv.download_wheel(index.url, get_uv.UV_VERSION, MACHINE, tmp_path)
    with pytest.raises(GetUvError, match=r"^http://127\.0\.0\.1:9/simple/uv/ cannot be read: .*refused$") as caught:
        get_uv.download_wheel("http://me:secret@127.0.0.1:9/simple", get_uv.UV_VERSION, MACHINE, tmp_path)
    assert "secret" not in str(caught.value)


# The program


def test_the_program_is_unpacked_whole(tmp_path: Path) -> None:
    (tmp_path / "a.whl").write_bytes(_wheel(_program("echo uv 0.13.9")))
    target = tmp_path / ".tools" / "uv"
    get_uv.unpack(tmp_path / "a.whl", target)
    assert get_uv.uv_version(target) == (0, 13, 9)
    assert [path.name for path in target.parent.iterdir()] == ["uv"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"cut off", "is damaged"),
        (_wheel(_program("exit 3")), "does not run on this machine"),
        (_wheel("\x7fELF of another machine"), "does not run on this machine"),
        (_wheel(_program("echo uv 1"), version="9/../../"), "holds no uv"),
    ],
)
def test_a_bad_wheel_leaves_what_was_there(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a.whl").write_bytes(content)
    target = _write_program(tmp_path / ".tools" / "uv", "echo uv 0.13.8")
    with pytest.raises(GetUvError, match=reason):
        get_uv.unpack(tmp_path / "a.whl", target)
    assert get_uv.uv_version(target) == (0, 13, 8)
    assert [path.name for path in target.parent.iterdir()] == ["uv"]


def test_a_broken_shim_and_an_old_uv_are_passed_over(tmp_path: Path) -> None:
    _write_program(tmp_path / "shim" / "uv", "echo uv 9.9.9; exit 127")
    _write_program(tmp_path / "old" / "uv", "echo 'uv 0.4.30 (61ed2a236 2024-11-04)'")
    good = _write_program(tmp_path / "good" / "uv", "echo 'uv 0.10.0 (x86_64-unknown-linux-gnu)'")
    newest = _write_program(tmp_path / "newest" / "uv", "echo uv 1.0")
    folders = [str(tmp_path / name) for name in ("missing", "shim", "old", "good", "newest")]
    required = get_uv.required_version('[tool.uv]\nrequired-version = ">=0.5"\n')
    assert get_uv.find_uv(folders, required) == good
    assert get_uv.find_uv(folders, (0, 10, 1)) == newest
    assert get_uv.find_uv(folders[:3], required) is None


def test_the_pinned_uv_is_one_pyproject_accepts() -> None:
    pinned = tuple(int(part) for part in get_uv.UV_VERSION.split("."))
    assert pinned >= get_uv.required_version((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Checkout:
    """A copy of the files that set the project up, with an environment of its own."""

    root: Path
    environment: dict[str, str]

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the checkout."""
        return subprocess.run(
            command,
            cwd=self.root,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    root = tmp_path / "a checkout"  # the blank is meant
    shutil.copytree(ROOT / "tools", root / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, root / name)
    path = [folder for folder in os.get_exec_path() if not (Path(folder) / "uv").exists()]
    home = tmp_path / "home"
    home.mkdir()
    return Checkout(root, {"PATH": os.pathsep.join(path), "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"})


def test_a_python_without_pip_fetches_uv_once(checkout: Checkout, index: Index, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    python = str(tmp_path / "bare" / "bin" / "python")
    index.offer(get_uv.current_machine(), _wheel(_program(f"echo uv {get_uv.UV_VERSION}")))
    before = {path.name for path in checkout.root.iterdir()}
    for _ in range(2):
        done = checkout.run(python, "tools/get_uv.py", PIP_INDEX_URL=index.url)
        assert done.returncode == 0, done.stderr
        program = Path(done.stdout.rstrip("\n"))
        assert get_uv.uv_version(program) == (0, 13, 9)
        assert checkout.root.resolve() in program.resolve().parents
    assert {path.name for path in checkout.root.iterdir()} - before == {".tools"}
    assert [path.split("/")[1] for path, _ in index.asked] == ["simple", "files"]


def test_without_a_network_it_says_so_in_one_line(checkout: Checkout, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    python = str(tmp_path / "bare" / "bin" / "python")
    script = "import sys; sys.path.insert(0, 'tools'); import get_uv; get_uv.ATTEMPTS = 1; sys.exit(get_uv.main())"
    done = checkout.run(python, "-c", script, PIP_INDEX_URL="http://127.0.0.1:9/simple")
    assert done.returncode == 1
    assert done.stdout == ""
    note, line = done.stderr.splitlines()
    assert note == f"awesome: fetching uv {get_uv.UV_VERSION} into .tools/ (once)"
    assert re.fullmatch(
        r"awesome: uv \S+ cannot be fetched, check the network .*: http://127\.0\.0\.1:9/simple/uv/ cannot be read: "
        r".*refused \(pip: .*No module named pip\)",
        line,
    )


# The interpreter


def test_the_range_of_pythons_is_that_of_pyproject() -> None:
    first, end = check_python.required_range((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert (first, end) == ((3, 10), (3, 14))
    with pytest.raises(ValueError, match="requires-python"):
        check_python.required_range("[project]\n")


@pytest.mark.parametrize("version", [(2, 7), (3, 9), (3, 14), (4, 0)])
def test_another_python_is_refused_with_what_was_found_and_what_is_needed(version: tuple[int, int]) -> None:
    line = check_python.refusal(version, "/usr/bin/python3", (3, 10), (3, 14), ["python3.12"])
    assert line == (
        f"Python {version[0]}.{version[1]} found (/usr/bin/python3), Python 3.10 to 3.13 needed: "
        "choose another with `make PYTHON=python3.12 ...`"
    )
    assert "install one" in check_python.refusal(version, "/usr/bin/python3", (3, 10), (3, 14), [])


@pytest.mark.parametrize("minor", [10, 11, 12, 13])
def test_the_pythons_of_the_range_are_taken(minor: int) -> None:
    assert check_python.refusal((3, minor), "python3", (3, 10), (3, 14), []) is None


@pytest.mark.parametrize(
    ("version", "system", "machine", "glibc", "words"),
    [
        ((3, 11), "Linux", "x86_64", (2, 31), []),
        ((3, 12), "Linux", "x86_64", (2, 39), []),
        ((3, 12), "Linux", "x86_64", (2, 36), ["glibc 2.39", "2.36", "python3.11"]),
        ((3, 11), "Linux", "x86_64", None, ["Alpine"]),
        ((3, 11), "Linux", "aarch64", (2, 36), ["aarch64"]),
        ((3, 11), "Darwin", "arm64", None, ["python3.12"]),
        ((3, 12), "Darwin", "arm64", None, []),
        ((3, 13), "Darwin", "x86_64", None, ["python3.11"]),
        ((3, 11), "Windows", "AMD64", None, ["WSL"]),
    ],
)
def test_a_failed_installation_is_explained_by_the_machine(
    version: tuple[int, int], system: str, machine: str, glibc: tuple[int, int] | None, words: list[str]
) -> None:
    lines = check_python.hints(version, system, machine, glibc, has_compiler=True, has_headers=True)
    assert len(lines) == bool(words)
    assert all(word in lines[0] for word in words)


def test_a_missing_compiler_and_missing_headers_are_named() -> None:
    lines = check_python.hints((3, 11), "Linux", "x86_64", (2, 36), has_compiler=False, has_headers=False)
    assert [re.search(r"g\+\+|python3-dev", line) is not None for line in lines] == [True, True]


# make

_FAKE_UV = """
if [ "$1" = --version ]; then echo "uv 0.13.9"; exit; fi
echo "uv $*" >> log
echo "$UV_PYTHON_DOWNLOADS $UV_PROJECT_ENVIRONMENT ${VIRTUAL_ENV-unset} ${UV_PYTHON-unset}" >> log
mkdir -p .venv/bin
for name in awesome ruff mypy lint-imports pytest; do
  printf '#!/bin/sh\\necho "%s $*" >> log\\ntest ! -e fail-%s\\n' $name $name > .venv/bin/$name
  chmod +x .venv/bin/$name
done
test ! -e fail-uv
"""


@pytest.fixture
def fake(checkout: Checkout, tmp_path: Path) -> Checkout:
    """A checkout whose uv writes down what it is asked, and installs programs that do the same."""
    _write_program(tmp_path / "bin" / "uv", _FAKE_UV)
    path = f"{tmp_path / 'bin'}{os.pathsep}{checkout.environment['PATH']}"
    return Checkout(checkout.root, {**checkout.environment, "PATH": path})


def _log(checkout: Checkout) -> list[str]:
    return (checkout.root / "log").read_text(encoding="utf-8").splitlines()


def test_make_run_installs_the_lock_and_runs_the_main_job(fake: Checkout) -> None:
    python = f"PYTHON={sys.executable}"
    done = fake.run(
        "make", python, "run", "ARGS=--seed 7", VIRTUAL_ENV="/elsewhere", UV_PYTHON="3.8", UV_PYTHON_DOWNLOADS=""
    )
    assert done.returncode == 0, done.stderr
    assert _log(fake) == [
        f"uv sync --frozen --python {sys.executable} --all-extras --no-dev --inexact",
        "never .venv unset unset",
        "awesome run --seed 7",
    ]


def test_make_test_runs_every_check_and_every_test(fake: Checkout) -> None:
    done = fake.run("make", f"PYTHON={sys.executable}", "test")
    assert done.returncode == 0, done.stderr
    log = _log(fake)
    assert (
        log[0] == f"uv sync --frozen --python {sys.executable} --all-extras --group dev --group docs --group notebooks"
    )
    assert [line.strip() for line in log[2:]] == [*LINTERS, "pytest -n auto"]


@pytest.mark.parametrize(
    ("target", "program"), [("run", "uv"), ("run", "awesome"), ("test", "mypy"), ("test", "pytest")]
)
def test_make_stops_at_the_first_failure(fake: Checkout, target: str, program: str) -> None:
    (fake.root / f"fail-{program}").touch()
    done = fake.run("make", f"PYTHON={sys.executable}", target)
    assert done.returncode != 0
    ran = [line.split()[0] for line in _log(fake) if not line.startswith("never")]
    assert ran[-1] == program
    assert ("awesome: installation failed: " in done.stderr) == (program == "uv")


def test_make_without_a_python_says_so(fake: Checkout) -> None:
    done = fake.run("make", "PYTHON=python3.99", "run")
    assert done.returncode != 0
    assert done.stderr.splitlines()[0] == "awesome: no python3.99 found: install Python 3.10 to 3.13"
    assert not (fake.root / "log").exists()


def test_make_alone_lists_every_target(fake: Checkout) -> None:
    done = fake.run("make")
    assert done.returncode == 0, done.stderr
    listed = {line.split()[1] for line in done.stdout.splitlines()}
    assert {"help", "run", "test", "fast", "lint", "docs", "lab", "clean"} == listed
    assert not (fake.root / "log").exists()


def test_make_clean_keeps_what_is_the_users(fake: Checkout) -> None:
    for name in (".venv/bin", ".tools", "build", "runs/1", "awesome.egg-info"):
        (fake.root / name).mkdir(parents=True)
    (fake.root / "awesome.db").touch()
    assert fake.run("make", "clean").returncode == 0
    assert {path.name for path in fake.root.iterdir()} == {"Makefile", "pyproject.toml", "tools", "runs", "awesome.db"}


def test_pre_commit_runs_the_linters_of_make_test() -> None:
    config = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert re.findall(r"^ +entry: \.venv/bin/(.+)$", config, re.MULTILINE) == LINTERS


# .ci/run


@pytest.fixture
def machine(tmp_path: Path) -> Checkout:
    """A checkout with .ci/run on a machine whose programs write down how they are called."""
    root, programs = tmp_path / "checkout", tmp_path / "bin"
    (root / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "run", root / ".ci" / "run")
    for name in ("bash", "dirname"):
        (programs / name).parent.mkdir(exist_ok=True)
        found = shutil.which(name)
        assert found is not None
        (programs / name).symlink_to(found)
    needed = (
        "sqlite3",
        "chromium",
        "kubectl",
        "podman",
        "runc",
        "debootstrap",
        "docker-registry",
        "busybox",
        "mariadbd",
    )
    for name in (*needed, "c++", "python3"):
        _write_program(programs / name, "exit 0")
    _write_program(programs / "id", "echo 0")
    _write_program(programs / "make", 'echo "make $* CI=$CI" >> log; if read line; then echo asked >> log; fi')
    _write_program(programs / "apt-get", 'echo "apt-get $* $DEBIAN_FRONTEND" >> log')
    return Checkout(root, {"PATH": str(programs)})


def test_ci_runs_the_readmes_test_command(machine: Checkout) -> None:
    done = machine.run(str(machine.root / ".ci" / "run"), CI="")
    assert done.returncode == 0, done.stderr
    assert _log(machine) == ["make test CI=true"]


def test_ci_installs_as_root_what_is_missing(machine: Checkout) -> None:
    programs = Path(machine.environment["PATH"])
    (programs / "chromium").unlink()
    (programs / "podman").unlink()
    _write_program(programs / "python3", "exit 1")  # no Python.h
    done = machine.run(".ci/run")
    assert done.returncode == 0, done.stderr
    assert _log(machine) == [
        "apt-get update -qq noninteractive",
        "apt-get install -qq -y --no-install-recommends chromium podman containernetworking-plugins python3-dev "
        "noninteractive",
        "make test CI=true",
    ]


def test_ci_without_root_names_what_is_missing(machine: Checkout) -> None:
    programs = Path(machine.environment["PATH"])
    (programs / "sqlite3").unlink()
    _write_program(programs / "id", "echo 1000")
    done = machine.run(".ci/run")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        ".ci/run: not installed: sqlite3. Install these Debian packages, or run as root on Debian."
    ]
    assert not (machine.root / "log").exists()


# setup.py


@dataclass(frozen=True)
class Archive:
    """A source archive, and the files of the packages that it has to hold."""

    path: Path
    expected: frozenset[str]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    tree = tmp_path_factory.mktemp("source")
    packages = ("pipeline", "components", "models", "kubeflow/awesome_kubeflow")
    for package in (*packages, "tests"):
        shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree / name)
    # One of each kind, whatever the packages hold.
    (tree / "models" / "probe.pbtxt").touch()
    (tree / "pipeline" / "report" / "probe.html.j2").touch()
    (tree / "components" / "deep").mkdir()
    (tree / "components" / "deep" / "__init__.py").touch()
    expected = frozenset(
        str(path.relative_to(tree))
        for package in packages
        for pattern in ("*.py", "*.pbtxt", "*.html.j2", "py.typed")
        for path in (tree / package).rglob(pattern)
    ) | frozenset(
        str(path.relative_to(tree))
        for path in (tree / "components" / "extractor" / "replay" / "fixtures").rglob("*")
        if path.is_file()
    )
    subprocess.run([sys.executable, "setup.py", "-q", "sdist"], cwd=tree, check=True, timeout=60, capture_output=True)
    (path,) = (tree / "dist").iterdir()
    return Archive(path, expected)


def test_the_source_archive_holds_the_packages_and_their_data(archive: Archive) -> None:
    with tarfile.open(archive.path) as content:
        held = {name.partition("/")[2] for name in content.getnames()}
    assert {*archive.expected, "LICENSE", "pyproject.toml", "setup.py"} <= held
    assert sum(name.endswith("py.typed") for name in held) == 4


@pytest.mark.slow
def test_the_source_archive_installs_the_packages_and_nothing_else(archive: Archive, tmp_path: Path) -> None:
    target = tmp_path / "installed"
    command = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--no-build-isolation", "--quiet"]
    command += ["--no-compile", "--target", str(target), str(archive.path)]
    subprocess.run(command, check=True, timeout=120, capture_output=True)
    files = {path.relative_to(target) for path in target.rglob("*") if path.is_file()}
    installed = {str(path) for path in files if not path.parts[0].endswith(".dist-info")}
    assert installed == {path.removeprefix("kubeflow/") for path in archive.expected} | {"bin/awesome"}
