"""What Prometheus is shown."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from pipeline.serving.errors import Code
from pipeline.serving.versions import Versions

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 5, 30)


class Metrics:
    """Counts of one server."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, versions: Versions) -> None:
        """Nothing has happened yet.

        Args:
            versions: that are counted when somebody asks.
        """
        self._versions = versions
        self._registry = CollectorRegistry()
        labels = ("protocol", "method")
        self._requests = Counter(
            "awesome_serve_requests", "Requests by how they ended.", (*labels, "code"), registry=self._registry
        )
        self._seconds = Histogram(
            "awesome_serve_request_seconds", "From the token to the answer.", labels, buckets=_SECONDS,
            registry=self._registry,
        )  # fmt: skip
        self._rows = Counter("awesome_serve_rows", "Windows that were answered.", ("version",), registry=self._registry)
        self._answering = Gauge(
            "awesome_serve_version", "1 for a version that answers.", ("model", "version"), registry=self._registry
        )
        self._refused = Gauge(
            "awesome_serve_refused_versions", "Pushed versions that must not answer.", registry=self._registry
        )
        self._switches = Gauge("awesome_serve_versions_taken_up", "Since the start.", registry=self._registry)

    def ended(self, protocol: str, method: str, code: Code, seconds: float) -> None:
        """A request has ended."""
        self._requests.labels(protocol, method, code.name).inc()
        self._seconds.labels(protocol, method).observe(seconds)

    def answered(self, version: int, rows: int) -> None:
        """A version has answered."""
        self._rows.labels(str(version)).inc(rows)

    def page(self) -> bytes:
        """All of it, as Prometheus reads it."""
        self._answering.clear()
        for number in self._versions.numbers():
            self._answering.labels(self._versions.model, str(number)).set(1)
        self._refused.set(len(self._versions.refused()))
        self._switches.set(self._versions.switches)
        return generate_latest(self._registry)
