"""The certificate in the cluster: for whom it is, when it stays, and when another one is made."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509

from kindctl.manifests.routes import local_hosts
from kindctl.models import Object
from kindctl.trust.pki import names_in
from kindctl.trust.serving import ALWAYS, LIFE, SECRET, Serving, is_local
from tests.fakes.cluster import FakeCluster
from tests.fakes.host import FakeHost
from tests.fakes.trust import FOLDER, NOW, an_authority, with_authority

NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "gateway"}}


@pytest.fixture
def cluster() -> FakeCluster:
    made = FakeCluster()
    made.put(NAMESPACE)
    return made


def serving(*hosts: str, after: timedelta = timedelta()) -> Serving:
    return Serving(with_authority(FakeHost(), clock=lambda: NOW + after), lambda: hosts)


def certificate(secret: Object) -> x509.Certificate:
    return x509.load_pem_x509_certificate(base64.b64decode(secret["data"]["tls.crt"]))


def test_it_is_a_tls_secret_for_this_machines_names(cluster: FakeCluster) -> None:
    secret = serving().secret(cluster, "gateway")
    assert secret["type"] == "kubernetes.io/tls"
    assert secret["metadata"] == {"name": SECRET, "namespace": "gateway"}
    assert sorted(secret["data"]) == ["tls.crt", "tls.key"]
    cert = certificate(secret)
    assert names_in(cert) == list(ALWAYS)
    cert.verify_directly_issued_by(x509.load_pem_x509_certificate(an_authority().cert))
    assert cert.not_valid_after_utc == NOW + LIFE
    assert cert.not_valid_after_utc - cert.not_valid_before_utc < timedelta(days=398)
    cluster.apply(secret)


def test_the_key_of_the_authority_never_goes_into_it(cluster: FakeCluster) -> None:
    secret = serving().secret(cluster, "gateway")
    values = [base64.b64decode(value) for value in secret["data"].values()]
    assert an_authority().key not in values
    assert all(an_authority().key.splitlines()[1] not in value for value in values)


def test_hosts_below_localhost_are_in_it_by_name_and_others_are_not(cluster: FakeCluster) -> None:
    hosts = ("b.a.localhost", "shop.localhost", "shop.example.com", "127.0.0.2", "10.0.0.1", "")
    cert = certificate(serving(*hosts).secret(cluster, "gateway"))
    assert set(names_in(cert)) == {*ALWAYS, "b.a.localhost", "shop.localhost", "127.0.0.2"}


def test_what_the_cluster_has_stays(cluster: FakeCluster) -> None:
    first = serving().secret(cluster, "gateway")
    cluster.apply(first)
    assert serving().secret(cluster, "gateway") == first
    assert serving(after=LIFE - timedelta(days=31)).secret(cluster, "gateway") == first


def test_the_same_call_gives_the_same_before_it_is_applied(cluster: FakeCluster) -> None:
    made = serving()
    assert made.secret(cluster, "gateway") == made.secret(cluster, "gateway")


def test_it_is_renewed_when_its_end_is_near(cluster: FakeCluster) -> None:
    cluster.apply(serving().secret(cluster, "gateway"))
    late = serving(after=LIFE - timedelta(days=29))
    cert = certificate(late.secret(cluster, "gateway"))
    assert cert.not_valid_after_utc > NOW + LIFE


def test_other_names_want_another_one(cluster: FakeCluster) -> None:
    first = serving("shop.localhost").secret(cluster, "gateway")
    cluster.apply(first)
    assert certificate(serving("a.localhost").secret(cluster, "gateway")) != certificate(first)
    assert names_in(certificate(serving().secret(cluster, "gateway"))) == list(ALWAYS)


def test_another_authority_wants_another_one(cluster: FakeCluster) -> None:
    first = serving().secret(cluster, "gateway")
    cluster.apply(first)
    host = FakeHost()
    found = with_authority(host)
    host.files.pop(FOLDER / "ca.crt")
    again = Serving(found).secret(cluster, "gateway")
    assert again["data"] != first["data"]


@pytest.mark.parametrize("key", ["tls.crt", "tls.key"])
@pytest.mark.parametrize("value", ["", "&&&", "bm9uZQ=="])
def test_a_damaged_one_is_replaced(cluster: FakeCluster, key: str, value: str) -> None:
    first = serving().secret(cluster, "gateway")
    cluster.apply({**first, "data": {**first["data"], key: value}})
    again = serving().secret(cluster, "gateway")
    assert certificate(again) != certificate(first)


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("shop.localhost", True),
        ("*.shop.localhost", True),
        ("LOCALHOST", True),
        ("127.3.2.1", True),
        ("[::1]", True),
        ("example.com", False),
        ("localhost.example.com", False),
        ("192.168.0.1", False),
        ("EXTERNAL-IP", False),
        ("", False),
    ],
)
def test_the_names_of_this_machine(host: str, local: bool) -> None:
    assert is_local(host) == local


def test_hosts_are_found_in_ingresses_gateways_and_routes() -> None:
    def obj(kind: str, **spec: Any) -> Object:
        return {"kind": kind, "metadata": {"name": "x"}, "spec": spec}

    found = local_hosts(
        [
            obj("Ingress", rules=[{"host": "a.localhost"}, {}], tls=[{"hosts": ["b.localhost"]}]),
            obj("Ingress", rules=[{"host": "example.com"}, {"host": "a.localhost"}]),
            obj("Gateway", listeners=[{"hostname": "*.c.localhost"}, {}]),
            obj("HTTPRoute", hostnames=["d.localhost"]),
            obj("Service", rules=[{"host": "e.localhost"}]),
            {"kind": "Ingress", "metadata": {"name": "empty"}},
        ]
    )
    assert found == ["a.localhost", "b.localhost", "*.c.localhost", "d.localhost"]
