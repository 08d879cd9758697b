"""Logging as JSON, one object a line, to stdout."""

from __future__ import annotations

import json
import logging
import time
from datetime import UTC, datetime
from typing import Any

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON; what came in `extra` becomes fields of their own."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False, default=str)


class Repeats(logging.Filter):
    """Lets a line through that was not written in the last seconds: a lost database is told on
    every attempt to reach it, several times a second."""

    def __init__(self, seconds: float = 10.0) -> None:
        super().__init__()
        self._seconds = seconds
        self._written: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written. Keeps one entry per distinct line of the last seconds."""
        now, line = time.monotonic(), record.getMessage()
        self._written = {
            known: at for known, at in self._written.items() if now - at < self._seconds
        }
        return self._written.setdefault(line, now) == now


def config(level: str = "INFO") -> dict[str, Any]:
    """For logging.config.dictConfig: everything to stdout as JSON, the chatty pool from WARNING."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonFormatter}},
        "filters": {"repeats": {"()": Repeats}},
        "handlers": {
            "stdout": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stdout",
                "formatter": "json",
            }
        },
        "root": {"level": level, "handlers": ["stdout"]},
        "loggers": {
            # gunicorn gives its own loggers handlers unless they are named here. The access log
            # is the application's own: it knows what the kubelet's probes are.
            "gunicorn.error": {"level": level, "handlers": [], "propagate": True},
            "gunicorn.access": {"level": "WARNING", "handlers": [], "propagate": True},
            "psycopg.pool": {"level": "WARNING", "filters": ["repeats"]},
            "sample_backend.error": {"filters": ["repeats"]},
        },
    }
