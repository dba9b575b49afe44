"""What Beam's workers install: `--setup_file=./setup.py` makes Beam build this source tree and send it to them.

Everything it says stands in pyproject.toml; Beam only accepts a file of this name.
"""

from setuptools import setup

setup()
