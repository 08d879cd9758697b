"""Checks the machine before anything is created on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from kindctl.diagnose.base import Wants
from kindctl.diagnose.checks import examine, raise_for, repair
from kindctl.models import Change, Differs, Progress, Ready, State, Verdict
from kindctl.steps.base import BaseStep
from kindctl.tools.protocols import Tools


@dataclass(kw_only=True)
class Preflight(BaseStep):
    """A step that is ready when no check has failed. `may_fix` is set once the user has agreed to the
    fixes."""

    tools: Tools
    wants: Wants
    may_fix: bool = False
    needs: frozenset[str] = frozenset()
    timeout: float = 900.0
    _verdicts: Sequence[Verdict] | None = field(default=None, repr=False)

    name = "preflight"
    title = "check the machine"

    @property
    def verdicts(self) -> Sequence[Verdict]:
        """The verdicts of all checks. The checks run once, and run again only after something was fixed."""
        if self._verdicts is None:
            self._verdicts = examine(self.tools, self.wants)
        return self._verdicts

    def observe(self) -> State:
        failed = [verdict for verdict in self.verdicts if verdict.level == "failed"]
        if failed:
            return Differs("; ".join(verdict.seen for verdict in failed))
        warned = [v.code for v in self.verdicts if v.level == "warning"]
        return Ready(f"warnings: {', '.join(warned)}" if warned else "")

    def apply(self, progress: Progress) -> Change:
        """Apply the fixes if the user has agreed. Raises MachineError for checks that still fail."""
        fixed: tuple[str, ...] = ()
        if self.may_fix:
            fixed = tuple(repair(self.tools, self.wants, self.verdicts, progress.say))
            self._verdicts = None
        raise_for(self.verdicts)
        return Change(fixed)
