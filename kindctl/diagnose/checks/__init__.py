"""Checks the machine. There is one module per check; CHECKS lists them in the order of their repair.

The code of a verdict is the code of its check. If the check does not pass, the code may be more specific:
the check "engine" can return "engine-down". Each code has a page in docs/troubleshooting.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from kindctl.diagnose.base import Check, Wants
from kindctl.errors import KindctlError, MachineError
from kindctl.models import Say, Verdict
from kindctl.tools.engine_protocol import Engine, EngineInfo
from kindctl.tools.protocols import Tools

if TYPE_CHECKING:
    from concurrent.futures import Future

CHECKS = {
    "architecture": "images exist for this architecture",
    "wsl": "a Windows Subsystem for Linux that can run containers",
    "engine": "a container engine answers and is recent enough",
    "buildx": "the engine's client has its build plug-in",
    "kind": "kind is installed and supports the Kubernetes version asked for",
    "debootstrap": "base images can be made if no image registry is reachable",
    "cgroup": "the kubelet runs on this control group version",
    "inotify": "there are enough inotify watches and instances",
    "disk": "there is free disk space where the engine keeps images",
    "memory": "there is memory for the cluster and the apps",
    "ports": "the environment's ports are free",
    "subnets": "the engine's networks do not overlap the host's",
    "proxy": "proxies leave the cluster's own traffic alone",
    "cas": "which certificate authorities builds and nodes must trust",
}


def load(code: str) -> Check:
    """Return the check with this code. Raises KeyError if there is none."""
    if code not in CHECKS:
        raise KeyError(code)
    return cast(Check, import_module(f"{__name__}.{code}").CHECK)


def examine(tools: Tools, wants: Wants) -> list[Verdict]:
    """Run all checks that apply, in parallel, and return their verdicts in the order of CHECKS."""
    from concurrent.futures import ThreadPoolExecutor

    checks = _applicable(wants)
    with ThreadPoolExecutor(len(checks) + 1) as pool:
        engine = _CachedInfo(tools.engine, pool.submit(tools.engine.info))
        shared = replace(tools, engine=cast(Engine, engine))
        return list(pool.map(lambda check: _ask(check, shared, wants), checks))


def _applicable(wants: Wants) -> list[Check]:
    return [check for check in map(load, CHECKS) if wants.local or not check.local_only]


def is_repairable(verdict: Verdict) -> bool:
    """Return whether `repair` would try to fix what the verdict reports."""
    return verdict.fixable and verdict.level != "ok"


def planned_repairs(tools: Tools, wants: Wants, verdicts: Sequence[Verdict]) -> list[str]:
    """Return what `repair` would do, as sentences without duplicates."""
    sentences = (
        sentence
        for check, verdict in zip(_applicable(wants), verdicts, strict=True)
        if is_repairable(verdict)
        for sentence in check.plan(tools, wants)
    )
    return list(dict.fromkeys(sentences))


def repair(tools: Tools, wants: Wants, verdicts: Sequence[Verdict], say: Say) -> Iterator[str]:
    """Repair what the verdicts report. Yields a sentence for each check that was repaired.

    A check that was blocked by another one is run again first. Raises KindctlError if a failed check
    cannot be repaired. A warning that cannot be repaired is reported to `say` and skipped.
    """
    for check, before in zip(_applicable(wants), verdicts, strict=True):
        verdict = _ask(check, tools, wants) if before.blocked_by else before
        if not is_repairable(verdict):
            continue
        try:
            check.fix(tools, wants, say)
        except KindctlError as error:
            if verdict.level == "failed":
                raise
            say(f"{check.title}: not repaired: {error.what}")
        else:
            yield f"{check.title}: {_ask(check, tools, wants).seen}"


def raise_for(verdicts: Iterable[Verdict]) -> None:
    """Raise MachineError for the first failed verdict. The `why` of the error lists the other failures."""
    failed = [verdict for verdict in verdicts if verdict.level == "failed"]
    if not failed:
        return
    first, *others = failed
    raise MachineError(
        first.seen,
        why="\n".join(f"also: {verdict.seen} ({verdict.code})" for verdict in others),
        fix="\n".join(dict.fromkeys(verdict.fix for verdict in failed if verdict.fix)),
        code=first.code,
    )


class _CachedInfo:
    """An Engine that reads its `info` only once. Many checks use `info`, and reading it takes three
    processes."""

    def __init__(self, engine: Engine, info: Future[EngineInfo]) -> None:
        self._engine = engine
        self.info = info.result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


def _ask(check: Check, tools: Tools, wants: Wants) -> Verdict:
    try:
        return check.ask(tools, wants)
    except KindctlError as error:  # of a tool; the check did not expect it
        return Verdict(
            code=error.code,
            level="failed",
            seen=f"{check.title}: {error.what}" + (f" ({error.why})" if error.why else ""),
            fix=error.fix,
        )
