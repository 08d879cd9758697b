"""The wait until the API serves kinds that were just defined: before that, objects of them are refused."""

from __future__ import annotations

from collections.abc import Sequence

from kindctl.errors import KindctlError
from kindctl.models import ObjectRef, Progress
from kindctl.tools.protocols import Cluster

ESTABLISH_SECONDS = 30.0


def await_established(cluster: Cluster, crds: Sequence[ObjectRef], progress: Progress) -> None:
    """Until the API serves the kinds that these CRDs define. Raises KindctlError."""
    from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_random

    if not crds:
        return
    progress.say(f"waiting until {', '.join(ref.name for ref in crds[:3])} can be used")
    retrying = Retrying(
        retry=retry_if_result(bool),
        wait=wait_random(0.05, 0.2),
        stop=stop_after_delay(ESTABLISH_SECONDS),
    )
    try:
        retrying(lambda: [fault for ref in crds if (fault := _crd_fault(cluster, ref))])
    except RetryError as error:
        raise KindctlError(
            "CustomResourceDefinitions cannot be used", why="; ".join(error.last_attempt.result())
        ) from None


def _crd_fault(cluster: Cluster, ref: ObjectRef) -> str:
    crd = cluster.get(ref)
    if crd is None:
        return f"{ref.name} is gone"
    conditions = (crd.get("status") or {}).get("conditions") or ()
    if not any(c["type"] == "Established" and c["status"] == "True" for c in conditions):
        refused = [c.get("message", "") for c in conditions if c["status"] == "False"]
        return f"{ref.name} is not established: {'; '.join(refused) or 'no word from the API'}"
    spec = crd["spec"]
    served = {(api_version, kind) for api_version, kind, _ in cluster.kinds()}
    if not any(
        (f"{spec['group']}/{v['name']}", spec["names"]["kind"]) in served for v in spec["versions"]
    ):
        return f"{ref.name} is not served yet"
    return ""
