"""Gateway API: its definitions in the cluster, and who serves it.

The definitions are large, and upstream's: they are read out of an image (images/recipes/gateway-api).
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Collection, Sequence
from typing import Protocol, runtime_checkable

from kindctl.errors import KindctlError
from kindctl.kube_objects import is_going, is_managed
from kindctl.models import MANAGED_LABEL, MANAGER, Object, ObjectRef
from kindctl.tools.protocols import Cluster

GROUP = "gateway.networking.k8s.io"
IMAGE = "kindctl.local/gateway-api:v1.5.1"
FOLDER = "/crds"
CRD = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
WITNESS = ObjectRef(*CRD, f"gateways.{GROUP}")
BUNDLE = f"{GROUP}/bundle-version"
MARK = "kindctl.dev/definitions"
KEEP = {"helm.sh/resource-policy": "keep"}
"""With a definition everybody's objects of it go: it stays when the controller is taken out of the file."""

Read = Callable[[str, str], Sequence[Object]]
"""(image, folder) -> the objects in its files; none as long as the image is not there."""


@runtime_checkable
class ServesGateways(Protocol):
    """A controller that answers for Gateway API objects as well."""

    gateway_classes: Collection[str]  # empty: it has been told not to
    listener_ports: Collection[int]  # that a listener of a Gateway may have
    gateways: Sequence[Object]  # its own, for the routes of everybody


class Definitions:
    """The standard channel's. Those that somebody else has put into the cluster are left alone.

    `needed`: (version, kind)s of the group without which the controller does nothing at all.
    """

    def __init__(self, read: Read, needed: Collection[tuple[str, str]]) -> None:
        self._read = read
        self._needed = needed
        self._lock = threading.Lock()
        self._found: Sequence[Object] = ()
        self._others: bool | None = None  # whether they are somebody else's; looked up once

    def objects(self, cluster: Cluster) -> list[Object]:
        """What is to be applied: all of them, or none where all are there. Comparing a megabyte field by
        field takes the API server seconds, and one version never changes.

        Raises ApiError, and KindctlError (gateway-api-old) where somebody else's are too old.
        """
        with self._lock:
            if self._are_there(cluster):
                return []
            if self._others is None:
                self._others = self._are_others(cluster)
            if self._others:
                return []
            self._found = self._found or self._definitions()
            return copy.deepcopy(list(self._found))

    def _definitions(self) -> list[Object]:
        """Without upstream's admission policy, which would keep others from other versions."""
        found = [obj for obj in self._read(IMAGE, FOLDER) if obj["kind"] == CRD[1]]
        return [_marked(obj, _mark(len(found))) for obj in found]

    def _are_there(self, cluster: Cluster) -> bool:
        marks = [
            (obj["metadata"].get("annotations") or {}).get(MARK)
            for obj in cluster.list(*CRD, labels=f"{MANAGED_LABEL}={MANAGER}")
            if obj["spec"]["group"] == GROUP and not is_going(obj)
        ]
        return bool(marks) and set(marks) == {_mark(len(marks))}

    def _are_others(self, cluster: Cluster) -> bool:
        live = cluster.get(WITNESS)
        if live is None or is_managed(live):
            return False
        served = {(version, kind) for version, kind, _ in cluster.kinds()}
        missing = [
            f"{kind} {version}"
            for version, kind in self._needed
            if (f"{GROUP}/{version}", kind) not in served
        ]
        if missing:
            found = (live["metadata"].get("annotations") or {}).get(BUNDLE, "of an unknown version")
            raise KindctlError(
                f"the cluster has Gateway API {found}, which kindctl did not install and which has no "
                f"{' and no '.join(missing)}",
                fix="ask its owner for v1.5 or later, or set ingress.gatewayAPI: false",
                code="gateway-api-old",
            )
        return True


def _mark(number: int) -> str:
    return f"{number} of {IMAGE.rpartition(':')[2]}"


def _marked(definition: Object, mark: str) -> Object:
    meta = dict(definition["metadata"])
    meta["annotations"] = {**(meta.get("annotations") or {}), **KEEP, MARK: mark}
    return {key: value for key, value in definition.items() if key != "status"} | {"metadata": meta}
