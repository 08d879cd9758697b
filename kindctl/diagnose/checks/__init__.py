"""Questions to the machine. One file per check; CHECKS is the list of them, in the order in which
fixes are made.

A verdict's code is the check's own when all is well, and may be a narrower one when it is not
("engine" -> "engine-down"): each has a page in docs/troubleshooting.
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
    "architecture": "images exist for this processor",
    "wsl": "a Windows Subsystem for Linux that can run containers",
    "engine": "a container engine answers and is recent enough",
    "buildx": "the engine's builder is there",
    "kind": "kind is there and knows the Kubernetes version asked for",
    "debootstrap": "base images can be made where no image registry is reachable",
    "cgroup": "the kubelet runs on this control group version",
    "inotify": "enough inotify watches and instances",
    "disk": "free space where the engine keeps images",
    "memory": "memory for the cluster and the apps",
    "ports": "the ports of the environment are free",
    "subnets": "the engine's networks do not overlap the host's",
    "proxy": "proxies leave the cluster's own traffic alone",
    "cas": "certificate authorities of this machine's network",
}

OF_A_LOCAL_CLUSTER = {"kind", "cgroup", "inotify", "memory", "subnets", "proxy"}
"""Not asked where the cluster is elsewhere."""


def load(code: str) -> Check:
    """The check of this code. Raises KeyError when there is none."""
    if code not in CHECKS:
        raise KeyError(code)
    return cast(Check, import_module(f"{__name__}.{code}").CHECK)


def examine(tools: Tools, wants: Wants) -> list[Verdict]:
    """Every check's verdict, asked side by side, in the order of CHECKS."""
    from concurrent.futures import ThreadPoolExecutor

    checks = _asked(wants)
    with ThreadPoolExecutor(len(checks) + 1) as pool:
        engine = _AskedOnce(tools.engine, pool.submit(tools.engine.info))
        shared = replace(tools, engine=cast(Engine, engine))
        return list(pool.map(lambda check: _ask(check, shared, wants), checks))


def _asked(wants: Wants) -> list[Check]:
    return [load(code) for code in CHECKS if wants.local or code not in OF_A_LOCAL_CLUSTER]


def mendable(verdict: Verdict) -> bool:
    """Whether `repair` would do something about it."""
    return verdict.fixable and verdict.level != "ok"


def intentions(tools: Tools, wants: Wants, verdicts: Sequence[Verdict]) -> list[str]:
    """What `repair` would do, one sentence each, none twice."""
    sentences = (
        sentence
        for check, verdict in zip(_asked(wants), verdicts, strict=True)
        if mendable(verdict)
        for sentence in check.plan(tools, wants)
    )
    return list(dict.fromkeys(sentences))


def repair(tools: Tools, wants: Wants, verdicts: Sequence[Verdict], say: Say) -> Iterator[str]:
    """Do what `intentions` said; one sentence for each check that was mended, once it is.

    A check that was blocked is asked again, as what blocked it may work by now. Raises KindctlError
    when something that failed cannot be mended; a warning that cannot be is passed over.
    """
    for check, before in zip(_asked(wants), verdicts, strict=True):
        verdict = _ask(check, tools, wants) if before.blocked_by else before
        if not mendable(verdict):
            continue
        try:
            check.fix(tools, wants, say)
        except KindctlError as error:
            if verdict.level == "failed":
                raise
            say(f"{check.title}: left as it is: {error.what}")
        else:
            yield f"{check.title}: {_ask(check, tools, wants).seen}"


def raise_for(verdicts: Iterable[Verdict]) -> None:
    """Raises MachineError for the first failed verdict, naming the others, if any failed."""
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


class _AskedOnce:
    """The engine, for one round of checks: half of them want its `info`, which costs three processes."""

    def __init__(self, engine: Engine, info: Future[EngineInfo]) -> None:
        self._engine = engine
        self.info = info.result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


def _ask(check: Check, tools: Tools, wants: Wants) -> Verdict:
    try:
        return check.ask(tools, wants)
    except KindctlError as error:  # a tool failed where the check did not expect it
        return Verdict(
            code=error.code,
            level="failed",
            seen=f"{check.title}: {error.what}" + (f" ({error.why})" if error.why else ""),
            fix=error.fix,
        )
