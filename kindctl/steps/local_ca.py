"""Creates the certificate authority behind `https://localhost` if there is none."""

from __future__ import annotations

from dataclasses import dataclass

from kindctl.models import UNCHANGED, Absent, Change, Progress, Ready, State
from kindctl.steps.base import BaseStep
from kindctl.trust.authority import Authority


@dataclass(kw_only=True)
class LocalCaMade(BaseStep):
    """A step that is ready when kindctl's data folder contains a valid certificate authority. All
    environments share the authority, and removing an environment does not remove it."""

    authority: Authority
    needs: frozenset[str] = frozenset({"preflight"})

    name = "local-ca"
    title = "create a local certificate authority"

    def observe(self) -> State:
        missing = self.authority.missing()
        return Absent(missing) if missing else Ready()

    def apply(self, progress: Progress) -> Change:
        why = self.authority.missing()
        if not self.authority.make():
            return UNCHANGED
        return Change((f"created certificate authority {self.authority.file} ({why})",))
