"""A Service of two ports and its EndpointSlices, as the API gives them."""

from __future__ import annotations

from typing import Any

SERVICE = {
    "kind": "Service",
    "metadata": {"name": "web"},
    "spec": {"ports": [{"name": "http", "port": 80}, {"name": "admin", "port": 81}]},
}


def endpoint(pod: str, **conditions: bool) -> dict[str, Any]:
    """An endpoint of a slice: a pod with its conditions."""
    return {"targetRef": {"kind": "Pod", "name": pod}, "conditions": conditions}


def part(*endpoints: dict[str, Any], name: str = "web-1", port: int = 8080) -> dict[str, Any]:
    """An EndpointSlice of the Service."""
    return {
        "kind": "EndpointSlice",
        "metadata": {"name": name},
        "ports": [{"name": "http", "port": port}, {"name": "admin", "port": 9090}],
        "endpoints": list(endpoints),
    }
