"""The one place where an error becomes an exit code."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kindctl.errors import KindctlError


def run(arguments: Sequence[str]) -> int:
    """Run the command line. A known error is shown without traceback; an unknown one is logged."""
    from kindctl.cli.app import app
    from kindctl.errors import Interrupted, KindctlError

    try:
        app(args=list(arguments), prog_name="kindctl")
    except SystemExit as end:
        return int(end.code or 0)
    except KindctlError as error:
        _show(error, arguments)
        return error.exit_code
    except KeyboardInterrupt:
        _show(Interrupted("interrupted"), arguments)
        return Interrupted.exit_code
    except BrokenPipeError:  # `kindctl logs | head`
        sys.stderr.close()
        return 1
    except Exception as error:
        shown = no_room(error) or unknown(error)
        _show(shown, arguments)
        return shown.exit_code
    return 0


def _show(error: Exception, arguments: Sequence[str]) -> None:
    from kindctl.render.errors import show_error

    show_error(error, as_json=wants_json(arguments))


def wants_json(arguments: Sequence[str]) -> bool:
    """Errors may come before the command line is parsed, and go where results go."""
    text = " ".join(arguments) + " "
    return bool(re.search(r"(^| )(-o[ =]?|--output[ =])json ", text))


def no_room(error: Exception) -> KindctlError | None:
    """Any file that is written may be the one that does not fit: a temporary one, a log, a kubeconfig."""
    import errno

    from kindctl.errors import MachineError

    if not isinstance(error, OSError) or error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return None
    where = f" for {error.filename}" if error.filename else ""
    return MachineError(
        f"there is no room on the disk{where}",
        why=error.strerror or "",
        fix="free disk space (df -h shows where), then run the same again",
        code="disk-full",
    )


def unknown(error: Exception) -> KindctlError:
    """A defect: its traceback goes to a log, or where that cannot be written along with the error."""
    import time
    import traceback

    from kindctl.errors import KindctlError
    from kindctl.paths import log_dir

    text = "".join(traceback.format_exception(error))
    path = log_dir() / f"error-{time.strftime('%Y%m%d-%H%M%S')}.log"
    try:
        log_dir().mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    except OSError:
        log, output = "what it says above", text
    else:
        log, output = f"the log: {path}", ""
    return KindctlError(
        f"kindctl met something that it does not know: {type(error).__name__}: {error}",
        fix=f"this is a defect; please report it with {log}",
        output=output,
        code="unknown",
    )
