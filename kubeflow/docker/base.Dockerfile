# What the images share: Debian 13 with Python 3.13, a user that is not root, and one writable folder.
#   podman build -f kubeflow/docker/base.Dockerfile -t awesome-base .
ARG BASE_IMAGE=docker.io/library/python:3.13-slim-trixie
FROM ${BASE_IMAGE} AS base

LABEL org.opencontainers.image.title="awesome-base" \
      org.opencontainers.image.description="Debian 13 and Python 3.13 for the images of awesome" \
      org.opencontainers.image.licenses="Apache-2.0"

# Python's official images come without bytecode, and nobody could write it later: the root file system is read-only.
RUN python3 -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13) and "BASE_IMAGE needs Python 3.13 as python3")' \
    && python3 -c 'import compileall, re, sysconfig; compileall.compile_dir(sysconfig.get_path("stdlib"), quiet=2, rx=re.compile(r"/(test|idlelib|turtledemo|site-packages|dist-packages)/"))' \
    && groupadd --gid 10001 awesome \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin awesome \
    && install -d -o 10001 -g 10001 /data

# /tmp and /data are the only folders a container writes; in a cluster both are volumes.
ENV PATH=/opt/awesome/bin:$PATH \
    HOME=/tmp \
    TMPDIR=/tmp \
    LANG=C.UTF-8 \
    PYTHONUNBUFFERED=1

WORKDIR /data
USER 10001:10001
