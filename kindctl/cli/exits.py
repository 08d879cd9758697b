"""The one place where an error becomes an exit code."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence


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
        print(unknown(error), file=sys.stderr)
        return 1
    return 0


def _show(error: Exception, arguments: Sequence[str]) -> None:
    from kindctl.render.errors import show_error

    show_error(error, as_json=wants_json(arguments))


def wants_json(arguments: Sequence[str]) -> bool:
    """Errors may come before the command line is parsed, and go where results go."""
    text = " ".join(arguments) + " "
    return bool(re.search(r"(^| )(-o[ =]?|--output[ =])json ", text))


def unknown(error: Exception) -> str:
    """Write the traceback to a log, and say where it is."""
    import time
    import traceback

    from kindctl.paths import log_dir

    log_dir().mkdir(parents=True, exist_ok=True)
    path = log_dir() / f"error-{time.strftime('%Y%m%d-%H%M%S')}.log"
    path.write_text("".join(traceback.format_exception(error)))
    return (
        f"error: kindctl met something that it does not know: {type(error).__name__}: {error}\n\n"
        f"hint: this is a defect; please report it with the log: {path}"
    )
