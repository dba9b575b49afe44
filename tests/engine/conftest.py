"""The fixtures of flink_runs.py."""

from flink_runs import flink, runs

__all__ = ["flink", "runs"]
