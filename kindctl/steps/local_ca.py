"""The step that makes the certificate authority behind `https://localhost`, where there is none."""

from __future__ import annotations

from dataclasses import dataclass

from kindctl.models import UNCHANGED, Absent, Change, Progress, Ready, State, Wake
from kindctl.trust.authority import Authority


@dataclass
class LocalCaMade:
    """Holds when kindctl's data folder has a good one: it outlives environments."""

    authority: Authority
    name: str = "local-ca"
    title: str = "make a local certificate authority"
    needs: frozenset[str] = frozenset({"preflight"})
    timeout: float = 60.0
    wake: Wake | None = None

    def observe(self) -> State:
        missing = self.authority.missing()
        return Absent(missing) if missing else Ready()

    def apply(self, progress: Progress) -> Change:
        why = self.authority.missing()
        if not self.authority.make():
            return UNCHANGED
        return Change((f"made certificate authority {self.authority.file}: {why}",))
