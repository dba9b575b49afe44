"""`awesome kubeflow ...`: each file adds its commands; found by the entry point group `awesome.commands`."""

from __future__ import annotations

from pipeline.cli.common import import_files

import_files(__name__)
