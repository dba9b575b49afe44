#!/bin/sh
# The build stage of an image. `install.sh packages EXTRA...` installs what uv.lock names for the extras, every file
# checked against the lock's hash, into /opt/awesome; `install.sh project` puts the project itself, by the same folders,
# into /opt/project, so that an image keeps its large layer when only the project has changed.
#
# Two optional build secrets, which leave no trace in an image: `index`, lines such as UV_DEFAULT_INDEX=https://...
# for a mirror of PyPI, and `ca-certificates`, a PEM file to trust instead of the system's.
set -eu

target=/opt/awesome
if [ -r /run/secrets/index ]; then
  set -a
  . /run/secrets/index
  set +a
fi
if [ -r /run/secrets/ca-certificates ]; then
  export SSL_CERT_FILE=/run/secrets/ca-certificates
fi
export UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy
# uv writes no bytecode by itself, and a pod that compiles TensorFlow anew takes a minute to start.
export UV_COMPILE_BYTECODE=1
uv=$(python3 tools/get_uv.py)

locked() {
  "$uv" export --quiet --frozen --no-emit-project --no-default-groups --python python3 "$@"
}

what=$1
shift
case $what in
  packages)
    extras=
    for extra in "$@"; do extras="$extras --extra $extra"; done
    # The lock names PyPI's own addresses; as requirements with hashes, the same files may come from a mirror.
    # shellcheck disable=SC2086
    locked $extras > requirements.txt
    "$uv" venv --quiet --python python3 "$target"
    locked --extra pipeline --no-hashes | grep '^setuptools==' > build-constraints.txt
    "$uv" pip install --python "$target/bin/python" --require-hashes --build-constraints build-constraints.txt \
      -r requirements.txt
    ;;
  project)
    "$uv" build --quiet --wheel --out-dir dist --python "$target/bin/python" \
      --build-constraints build-constraints.txt .
    "$uv" pip install --python "$target/bin/python" --prefix /opt/project --no-deps dist/*.whl
    ;;
  *)
    echo "install.sh: packages EXTRA... or project, not $what" >&2
    exit 2
    ;;
esac
