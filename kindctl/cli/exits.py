"""Runs the command line and turns every error into a message and an exit code."""

from __future__ import annotations

import errno
import re
import sys
import time
import traceback
from collections.abc import Sequence

from kindctl.errors import Interrupted, KindctlError, MachineError
from kindctl.paths import log_dir


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit code.

    A KindctlError is shown without a traceback. Any other error is a bug: its traceback goes to a log.
    """
    from kindctl.cli.app import app

    shown: KindctlError
    try:
        app(args=list(arguments), prog_name="kindctl")
        return 0
    except SystemExit as end:
        return int(end.code or 0)
    except BrokenPipeError:  # `kindctl logs | head`
        sys.stderr.close()
        return 1
    except KindctlError as error:
        shown = error
    except KeyboardInterrupt:
        shown = Interrupted("interrupted")
    except Exception as error:
        shown = disk_full(error) or unexpected(error)
    from kindctl.render.errors import show_error

    show_error(shown, as_json=wants_json(arguments))
    return shown.exit_code


def wants_json(arguments: Sequence[str]) -> bool:
    """Return whether the output is JSON. This is read from the raw arguments because errors may come before
    the arguments are parsed."""
    text = " ".join(arguments) + " "
    return bool(re.search(r"(^| )(-o[ =]?|--output[ =])json ", text))


def disk_full(error: Exception) -> KindctlError | None:
    """Return the error to show if `error` means that the disk is full, or None. `error` may come from any
    file that kindctl writes: a temporary file, a log, a kubeconfig."""
    if not isinstance(error, OSError) or error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return None
    where = f" for {error.filename}" if error.filename else ""
    return MachineError(
        f"no disk space left{where}",
        why=error.strerror or "",
        fix="free disk space (`df -h` shows where), then run the same command again",
        code="disk-full",
    )


def unexpected(error: Exception) -> KindctlError:
    """Return the error for a bug in kindctl. The traceback goes to a log, or into the output of the error
    if the log cannot be written."""
    text = "".join(traceback.format_exception(error))
    path = log_dir() / f"error-{time.strftime('%Y%m%d-%H%M%S')}.log"
    try:
        log_dir().mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    except OSError:
        attachment, output = "the output above", text
    else:
        attachment, output = f"the log {path}", ""
    return KindctlError(
        f"unexpected error: {type(error).__name__}: {error}",
        fix=f"this is a bug in kindctl: please report it with {attachment}",
        output=output,
        code="unknown",
    )
