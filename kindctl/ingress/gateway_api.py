"""Gateway API: its definitions in the cluster, and which controller serves it.

The definitions are upstream's, and large: they are read from an image (images/recipes/gateway-api).
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Collection, Sequence
from typing import Protocol, runtime_checkable

from kindctl.errors import KindctlError
from kindctl.kube_objects import annotations_of, is_going, is_managed
from kindctl.models import MANAGED_LABEL, MANAGER, Object, ObjectRef
from kindctl.tools.protocols import Cluster

GROUP = "gateway.networking.k8s.io"
FOLDER = "/crds"
CRD = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
WITNESS = ObjectRef(*CRD, f"gateways.{GROUP}")
BUNDLE = f"{GROUP}/bundle-version"
MARK = "kindctl.dev/definitions"
KEEP = {"helm.sh/resource-policy": "keep"}
"""Deleting a definition deletes everybody's objects of that kind. So it stays when the file no longer names
the controller."""

ReadImage = Callable[[str, str], Sequence[Object]]
"""(image, folder) -> the objects in the files there; none as long as the image is missing."""


@runtime_checkable
class ServesGateways(Protocol):
    """A controller that serves Gateway API objects as well."""

    gateway_classes: Collection[str]  # empty: ingress.gatewayAPI is false
    listener_ports: Collection[int]  # ports that a listener of a Gateway may have
    gateways: Sequence[Object]  # its own, for the routes of all apps


class Definitions:
    """The CustomResourceDefinitions of Gateway API's standard channel, read from `image`. Definitions that
    kindctl did not install are left alone.

    `needed` lists (version, kind) pairs. The controller does not start unless the cluster defines all of
    them.
    """

    def __init__(self, image: str, read: ReadImage, needed: Collection[tuple[str, str]]) -> None:
        self._image = image
        self._version = image.rpartition(":")[2]
        self._read = read
        self._needed = needed
        self._lock = threading.Lock()
        self._found: Sequence[Object] = ()
        # whether somebody else has installed them; None: not asked yet
        self._are_foreign: bool | None = None

    def objects(self, cluster: Cluster) -> list[Object]:
        """Return the definitions to apply: all definitions, or none if the cluster already contains all of
        them. The definitions are not compared field by field: the API server would need seconds for this
        megabyte, and a published version never changes.

        Raises ApiError. Raises KindctlError (gateway-api-old) if definitions that kindctl did not install
        are too old.
        """
        with self._lock:
            if self._are_there(cluster):
                return []
            if self._are_foreign is None:
                self._are_foreign = self._find_foreign(cluster)
            if self._are_foreign:
                return []
            self._found = self._found or self._definitions()
            return copy.deepcopy(list(self._found))

    def _definitions(self) -> list[Object]:
        """Read the definitions. Upstream's admission policy is left out: it would keep others from
        installing other versions."""
        found = [obj for obj in self._read(self._image, FOLDER) if obj["kind"] == CRD[1]]
        return [_marked(obj, self._mark(len(found))) for obj in found]

    def _mark(self, number: int) -> str:
        """Return the value of the annotation: the number of definitions, and their version."""
        return f"{number} of {self._version}"

    def _are_there(self, cluster: Cluster) -> bool:
        marks = [
            annotations_of(obj).get(MARK)
            for obj in cluster.list(*CRD, labels=f"{MANAGED_LABEL}={MANAGER}")
            if obj["spec"]["group"] == GROUP and not is_going(obj)
        ]
        return bool(marks) and set(marks) == {self._mark(len(marks))}

    def _find_foreign(self, cluster: Cluster) -> bool:
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
            found = annotations_of(live).get(BUNDLE, "of an unknown version")
            raise KindctlError(
                f"the cluster has Gateway API {found}, which kindctl did not install "
                f"and which does not serve {' or '.join(missing)}",
                fix="ask the cluster's owner to install Gateway API v1.5 or later, "
                "or set ingress.gatewayAPI: false",
                code="gateway-api-old",
            )
        return True


def _marked(definition: Object, mark: str) -> Object:
    annotations = {**annotations_of(definition), **KEEP, MARK: mark}
    meta = {**definition["metadata"], "annotations": annotations}
    return {key: value for key, value in definition.items() if key != "status"} | {"metadata": meta}
