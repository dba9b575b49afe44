#!/bin/sh
# A base image for base.Dockerfile from Debian's packages alone, where no registry of images can be reached: Debian 13
# with its own Python 3.13.
#   sh kubeflow/docker/debian-base.sh localhost/debian-python:13     # as root; needs debootstrap, and podman or docker
set -eu
name=${1:?"usage: debian-base.sh IMAGE [ENGINE], such as localhost/debian-python:13 podman"}
engine=${2:-podman}
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

for program in debootstrap "$engine"; do
  command -v "$program" > /dev/null || { echo "debian-base.sh: not installed: $program" >&2; exit 1; }
done
[ "$(id -u)" -eq 0 ] || { echo "debian-base.sh: debootstrap needs root" >&2; exit 1; }

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv trixie "$root/system" "$mirror"
# What no container needs: downloaded packages, manuals and translations.
rm -rf "$root/system/var/cache/apt/archives" "$root/system/var/lib/apt/lists" \
  "$root/system/usr/share/doc" "$root/system/usr/share/man" "$root/system/usr/share/locale"
mkdir -p "$root/system/var/cache/apt/archives/partial" "$root/system/var/lib/apt/lists/partial"
tar -C "$root/system" -cf "$root/system.tar" .
"$engine" import "$root/system.tar" "$name"
