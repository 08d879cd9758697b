"""configs/custom: HAProxy ingress by manifests of the user's own."""

from __future__ import annotations

import base64
import hashlib
import ssl
import urllib.request
from collections.abc import Iterator

import pytest

from tests.support.harness import Kindctl, docker, http, inspect, until
from tests.support.way import Way, way

WHO = "/.well-known/kindctl/environment"


@pytest.fixture(scope="module")
def custom(kindctl: Kindctl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    kindctl.run("images", "build", "haproxy-ingress")
    with way("custom", kindctl, tmp_path_factory) as found:
        yield found


def get(host: str, path: str = "/") -> str:
    """With a Host header of its own; a controller's error is none here."""
    request = urllib.request.Request(f"http://127.0.0.1{path}", headers={"Host": host})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=5) as response:
        return str(response.read().decode())


def test_the_urls_lead_through_haproxy(custom: Way) -> None:
    assert custom.urls == [
        "http://localhost/",
        "http://localhost/words/hello",
        "https://secure.localhost/",
    ]
    assert http("http://localhost/").body == "it was asked for /, by http\n"
    assert http("http://localhost/words/hello").body == "it was asked for /hello, by http\n"
    images = {
        container.image for pod in custom.api.pods("haproxy") for container in pod.spec.containers
    }
    assert {image.partition(":")[0] for image in images} == {"kindctl.local/haproxy-ingress"}


def test_the_engine_maps_the_ports_that_its_pod_has_on_the_node(custom: Way) -> None:
    (node,) = custom.nodes()
    bindings = inspect(node)["HostConfig"]["PortBindings"]
    mapped = {port: bound[0]["HostPort"] for port, bound in bindings.items() if "6443" not in port}
    assert mapped == {"80/tcp": "80", "443/tcp": "443"}
    (pod,) = custom.api.pods("haproxy")
    ports = {port.host_port for c in pod.spec.containers for port in c.ports} - {None}
    assert ports == {80, 443}


def test_the_witness_knows_this_cluster_alone(custom: Way) -> None:
    said = get("kindctl.invalid", WHO)
    uid = custom.api.core.read_namespace("kube-system").metadata.uid
    assert said == f"custom.{hashlib.sha256(uid.encode()).hexdigest()[:12]}\n"
    assert (
        get("localhost", WHO) == f"it was asked for {WHO}, by http\n"
    )  # the app's paths are its own


def test_https_has_the_certificate_of_the_local_authority(custom: Way) -> None:
    secret = custom.api.core.read_namespaced_secret("localhost-tls", "haproxy")
    served = ssl.get_server_certificate(("127.0.0.1", 443))
    leaf = base64.b64decode(secret.data["tls.crt"]).decode()
    assert served.strip() in leaf


def test_its_ingress_objects_have_an_address(custom: Way) -> None:
    ingress = custom.api.networking.read_namespaced_ingress("plain", "echo")
    assert [one.hostname for one in ingress.status.load_balancer.ingress] == ["localhost"]


def test_a_second_up_changes_nothing(custom: Way) -> None:
    assert custom.again().changes() == []


def test_without_the_witness_nothing_counts(custom: Way) -> None:
    """The port answers as before; what is missing comes back."""
    custom.api.networking.delete_namespaced_ingress("witness", "kindctl-system")
    until(lambda: not _witness_answers(), 20, "HAProxy lets go of it")
    assert http("http://localhost/").status == 200
    status = custom.kindctl.run("status", "custom", code=4)
    assert "not by this environment" in status.out
    assert custom.again().changes() == ["created Ingress kindctl-system/witness"]


def _witness_answers() -> bool:
    try:
        return get("kindctl.invalid", WHO).startswith("custom.")
    except OSError:
        return False


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("service: haproxy", "service: haprxy", "no manifest defines Service haproxy/haprxy"),
        ("https: 443", "https: 8443", "has no port 8443"),
        (
            "ingressClass: haproxy",
            "ingressClass: nginx",
            "no manifest defines IngressClass 'nginx'",
        ),
    ],
)
def test_what_no_manifest_has_is_refused_with_its_place(
    custom: Way, old: str, new: str, message: str
) -> None:
    before = docker("ps", "-q")
    custom.replace(old, new)
    try:
        refused = custom.kindctl.run("up", "-f", str(custom.folder), code=2)
    finally:
        custom.replace(new, old)
    assert message in refused.err
    assert "kindctl.yaml:" in refused.err
    assert docker("ps", "-q") == before


def test_zz_switching_to_a_controller_of_kindctl_and_back(custom: Way) -> None:
    """By host ports: one goes, then the other gets them."""
    custom.replace("controller: custom", "controller: traefik")
    for name in ("plain", "rewritten", "secure"):
        assert name in (custom.folder / "echo" / "ingress.yaml").read_text()
    custom.replace("ingressClassName: haproxy", "ingressClassName: traefik", "echo/ingress.yaml")
    text = (custom.folder / "kindctl.yaml").read_text()
    cut = "\n".join(line for line in text.splitlines() if "/words/hello" not in line)
    (custom.folder / "kindctl.yaml").write_text(cut + "\n")  # the rewrite is HAProxy's own
    (told,) = [change for change in custom.up().changes() if change.startswith("switched")]
    assert told.startswith("switched from custom to traefik: ")
    custom.note(switched=told)
    assert http("http://localhost/").headers["X-Kindctl-Controller"] == "traefik"
    until(lambda: custom.api.raw("/api/v1/namespaces/haproxy") is None, 60, "its namespace goes")
    (told,) = [change for change in custom.again().changes() if change.startswith("switched")]
    assert told.startswith("switched from traefik to custom: ")
    custom.note(switched=told)
    assert http("http://localhost/words/hello").body == "it was asked for /hello, by http\n"
