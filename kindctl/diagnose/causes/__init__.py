"""Why something is not ready. One file per cause; CAUSES is the list of them, the more telling first.

A cause is permanent when waiting longer would not help: a name that does not exist, a refusal, a
program that cannot run. What may still pass (a registry that is busy, a node that boots) is named too,
but only ends a wait when the time is over.
"""

from __future__ import annotations

from importlib import import_module
from typing import cast

from kindctl.diagnose.base import Evidence, Explain
from kindctl.diagnose.causes.looking import strongest
from kindctl.models import Cause

CAUSES = {
    "exec_format": "a program for another processor",
    "coredns_loop": "the cluster's DNS forwards to itself",
    "inotify": "the host's inotify limits are used up",
    "oom_killed": "a container takes more memory than its limit",
    "container_config": "a ConfigMap, Secret or user that a container needs is not there",
    "image_pull": "an image cannot be pulled",
    "job_failed": "a Job has given up",
    "create_refused": "the cluster refuses to create pods: quota, pod security",
    "webhook": "an admission webhook cannot be asked",
    "load_balancer_pending": "nobody gives a Service its external address",
    "pvc_pending": "a volume claim is not bound",
    "node_pressure": "a node evicts pods: disk or memory is short",
    "node_not_ready": "a node is not ready",
    "unschedulable": "no node takes a pod",
    "runc_freeze": "the container runtime stumbled, and tries again",
    "crash_loop": "a container ends again and again",
    "probe_failing": "a container runs, and its probe fails",
}
"""Module -> summary. A cause's code is its module's name with dashes."""


def load(name: str) -> Explain:
    return cast(Explain, import_module(f"{__name__}.{name}").explain)


def explain(evidence: Evidence) -> Cause | None:
    """The cause that explains most: permanent before passing, sure before likely."""
    return strongest(load(name)(evidence) for name in CAUSES)
