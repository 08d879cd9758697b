"""One line of JSON per record, and a lost database told once in a while."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest


def record(message: str, **extra: Any) -> logging.LogRecord:
    made = logging.LogRecord("sample", logging.INFO, "file.py", 1, message, None, None)
    vars(made).update(extra)
    return made


def test_a_record_is_one_line_of_json_with_its_extras() -> None:
    from sample_backend.logs import JsonFormatter

    line = JsonFormatter().format(record("two\nlines", status=201))
    assert "\n" not in line
    fields = json.loads(line)
    assert fields["message"] == "two\nlines"
    assert (fields["level"], fields["logger"], fields["status"]) == ("info", "sample", 201)
    assert set(fields) == {"time", "level", "logger", "message", "status"}


def test_a_traceback_stays_in_its_line() -> None:
    from sample_backend.logs import JsonFormatter

    made = record("failed")
    try:
        raise ValueError("inside")
    except ValueError as error:
        made.exc_info = (ValueError, error, error.__traceback__)
    line = JsonFormatter().format(made)
    assert "\n" not in line
    assert "ValueError: inside" in json.loads(line)["traceback"]


def test_the_same_line_is_written_again_only_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    from sample_backend.logs import Repeats

    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    repeats = Repeats(seconds=10)
    assert repeats.filter(record("lost"))
    assert repeats.filter(record("other"))
    now = 105.0
    assert not repeats.filter(record("lost"))
    now = 110.0
    assert repeats.filter(record("lost"))


def test_the_configuration_is_one_that_logging_takes() -> None:
    import logging.config

    from sample_backend.logs import config

    names = ("gunicorn.error", "gunicorn.access", "psycopg.pool", "sample_backend.error")
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        logging.config.dictConfig(config())
        assert not logging.getLogger("psycopg.pool").isEnabledFor(logging.INFO)
        assert logging.getLogger("gunicorn.error").isEnabledFor(logging.INFO)
    finally:
        root.handlers[:], root.level = handlers, level
        for name in names:
            logger = logging.getLogger(name)
            logger.filters.clear()
            logger.setLevel(logging.NOTSET)
