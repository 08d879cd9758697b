"""Every error that kindctl raises on purpose, with its exit code.

    KindctlError                     1  the command failed
     ├─ UsageError                   2  the command line is wrong
     │   └─ ConfigError              2  kindctl.yaml is wrong: lists every problem with its position
     ├─ MachineError                 3  something is missing on the machine: engine, disk, memory, ports
     ├─ NotReadyError                4  not ready in time: says what was last seen
     ├─ CauseError                   1  a permanent cause was found, so waiting longer would not help
     ├─ NotOursError                 1  something exists that kindctl did not create
     ├─ BusyError                    1  another kindctl is working on the same environment
     ├─ ToolError                    1  docker, kind, apt, ... failed: has the command and its output
     │   └─ ApiError                 1  the Kubernetes API rejected a request or did not answer
     └─ Interrupted                130  Ctrl-C

`kindctl plan` exits with 5 if it finds changes; that is a result, not an error.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

DOCS = "https://github.com/kindctl/kindctl/blob/main/docs/troubleshooting"


class KindctlError(Exception):
    """An error for the user: `what` happened, `why`, how to `fix` it, and the `output` of a tool that
    failed.

    `code` is stable and names a page in docs/troubleshooting.
    """

    exit_code: ClassVar[int] = 1
    default_code: ClassVar[str] = "failed"

    def __init__(
        self, what: str, *, why: str = "", fix: str = "", output: str = "", code: str = ""
    ) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.fix = fix
        self.output = output
        self.code = code or self.default_code

    @property
    def link(self) -> str:
        return f"{DOCS}/{self.code}.md"


class UsageError(KindctlError):
    exit_code = 2
    default_code = "usage"


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong in a configuration file. Line and column start at 1; 0 means no position."""

    file: str
    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}: " if self.line else f"{self.file}: "
        return place + self.message + (f" ({self.hint})" if self.hint else "")


class ConfigError(UsageError):
    default_code = "config"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        count = len(self.problems)
        super().__init__(
            f"{count} problem{'s' if count != 1 else ''} in the configuration",
            why="\n".join(str(problem) for problem in self.problems),
            fix="fix the file, then run `kindctl config validate`",
        )


class MachineError(KindctlError):
    exit_code = 3
    default_code = "machine"


class NotReadyError(KindctlError):
    exit_code = 4
    default_code = "not-ready"


class CauseError(KindctlError):
    default_code = "cause"


class NotOursError(KindctlError):
    default_code = "not-ours"


class BusyError(KindctlError):
    default_code = "busy"


class Interrupted(KindctlError):  # noqa: N818 - the user stopped it: nothing is wrong
    exit_code = 130
    default_code = "interrupted"


class ToolError(KindctlError):
    """A program that kindctl runs has failed. `command` can be pasted into a shell."""

    default_code = "tool"

    def __init__(
        self,
        what: str,
        *,
        command: Sequence[str] = (),
        status: int | None = None,
        why: str = "",
        fix: str = "",
        output: str = "",
        code: str = "",
    ) -> None:
        self.command = shlex.join(command)
        self.status = status
        super().__init__(what, why=why, fix=fix, output=output, code=code)


class ApiError(ToolError):
    """A request to the Kubernetes API failed. `status` is the HTTP status, or None if there was no
    answer."""

    default_code = "api"

    @property
    def passing(self) -> bool:
        """Whether the same request may succeed a moment later.

        True if there was no answer, or if the status is 429 or 5xx. Causes are leader changes, timeouts,
        and a webhook that does not run yet ("failed calling webhook", ingress-nginx#5401, is a 500).
        """
        return self.status is None or self.status == 429 or self.status >= 500
