"""Finds out why something is not ready. There is one module per cause; CAUSES lists them, the most specific
first.

A cause is permanent if waiting would not help: a name that does not exist, a refusal, a program that cannot
run. Causes that may disappear by themselves (a busy registry, a node that boots) are only reported when the
wait has timed out.
"""

from __future__ import annotations

from importlib import import_module
from typing import cast

from kindctl.diagnose.evidence import Evidence, Explain, strongest
from kindctl.models import Cause

CAUSES = {
    "exec_format": "a program was built for another architecture",
    "coredns_loop": "the cluster's DNS forwards queries to itself",
    "inotify": "the host has run out of inotify watches or instances",
    "oom_killed": "a container used more memory than its limit",
    "container_config": "a ConfigMap, Secret or user that a container needs does not exist",
    "image_pull": "an image cannot be pulled",
    "job_failed": "a Job has failed",
    "create_refused": "the cluster refuses to create pods: quota, Pod Security",
    "webhook": "an admission webhook cannot be called",
    "load_balancer_pending": "nothing assigns an external address to a Service",
    "pvc_pending": "a PersistentVolumeClaim is not bound",
    "node_pressure": "a node evicts pods because disk space or memory is low",
    "node_not_ready": "a node is not ready",
    "unschedulable": "no node can run a pod",
    "runc_freeze": "the container runtime failed once and tries again",
    "crash_loop": "a container keeps exiting",
    "probe_failing": "a container runs, but its probe fails",
}
"""Module -> summary. The code of a cause is the name of its module with dashes."""


def load(name: str) -> Explain:
    """Return the `explain` function of the module with this name."""
    return cast(Explain, import_module(f"{__name__}.{name}").explain)


def explain(evidence: Evidence) -> Cause | None:
    """Return the most certain cause that the evidence shows, or None. Permanent causes come first."""
    return strongest(load(name)(evidence) for name in CAUSES)
