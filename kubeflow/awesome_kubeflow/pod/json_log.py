"""The log of a pod: one JSON object a line, as log collectors take it."""

from __future__ import annotations

import datetime
import json
import logging
from typing import TextIO


class JsonFormatter(logging.Formatter):
    """time, severity, logger, node, message, and the traceback where there is one."""

    def __init__(self, node: str) -> None:
        """Names the node.

        Args:
            node: its id.
        """
        super().__init__()
        self._node = node

    def format(self, record: logging.LogRecord) -> str:
        """One line.

        Args:
            record: of any logger.
        """
        moment = datetime.datetime.fromtimestamp(record.created, datetime.timezone.utc)
        line = {
            "time": moment.isoformat(timespec="milliseconds"),
            "severity": record.levelname,
            "logger": record.name,
            "node": self._node,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def start_json_log(node: str, stream: TextIO) -> None:
    """Sends every log record and warning to a stream, in place of what was there.

    Args:
        node: id of the node.
        stream: standard error of a pod.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter(node))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # A line for each type it does not know, hundreds in every pod.
    logging.getLogger("apache_beam.typehints").setLevel(logging.WARNING)
    logging.captureWarnings(True)
