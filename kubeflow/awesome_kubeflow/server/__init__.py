"""Kubeflow Pipelines over its API: pipelines, runs and schedules."""
