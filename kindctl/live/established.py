"""Waits until the API serves the kinds of new CustomResourceDefinitions: until then it rejects objects of
these kinds."""

from __future__ import annotations

from collections.abc import Sequence

from kindctl.errors import KindctlError
from kindctl.kube_objects import entries, is_true
from kindctl.models import ObjectRef, Progress
from kindctl.runner.polling import poll
from kindctl.tools.protocols import Cluster

ESTABLISH_SECONDS = 30.0


def await_established(cluster: Cluster, crds: Sequence[ObjectRef], progress: Progress) -> None:
    """Wait until the API serves the kinds that these CustomResourceDefinitions define. Raises
    KindctlError."""
    if not crds:
        return
    progress.say(f"waiting until {', '.join(ref.name for ref in crds[:3])} can be used")

    def reasons() -> list[str]:
        return [reason for ref in crds if (reason := _unserved_reason(cluster, ref))]

    if unserved := poll(
        reasons, lambda found: not found, seconds=ESTABLISH_SECONDS, pause=(0.05, 0.2)
    ):
        raise KindctlError("CustomResourceDefinitions cannot be used", why="; ".join(unserved))


def _unserved_reason(cluster: Cluster, ref: ObjectRef) -> str:
    """Return why objects of the kind that this CustomResourceDefinition defines cannot be applied yet, or
    an empty string if they can."""
    crd = cluster.get(ref)
    if crd is None:
        return f"{ref.name} no longer exists"
    if not is_true(crd, "Established"):
        conditions = entries(crd, "status", "conditions")
        refused = [c.get("message", "") for c in conditions if c["status"] == "False"]
        return f"{ref.name} is not established: {'; '.join(refused) or 'the API gives no reason'}"
    spec = crd["spec"]
    served = {(api_version, kind) for api_version, kind, _ in cluster.kinds()}
    if not any(
        (f"{spec['group']}/{v['name']}", spec["names"]["kind"]) in served for v in spec["versions"]
    ):
        return f"the API does not serve {ref.name} yet"
    return ""
