"""The main job: from nothing to a page that answers, seen from outside."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path
from typing import Any

from tests.e2e.conftest import NAME, Sample
from tests.support.harness import docker, http, inspect, until


def test_up_ends_with_urls_that_answer(sample: Sample) -> None:
    urls = sample.first.ended()["report"]["urls"]
    assert "http://localhost/" in urls
    for url in urls:
        assert http(url).status == 200, url


def test_the_page_comes_through_the_ingress_controller(sample: Sample) -> None:
    answer = http("http://localhost/")
    assert "<title>Sample · kindctl</title>" in answer.body
    log = sample.api.core.read_namespaced_pod_log(
        sample.api.pods("ingress-nginx")[0].metadata.name, "ingress-nginx", tail_lines=50
    )
    assert "example-frontend-service-3000" in log


def test_a_text_is_added_fetched_and_deleted_with_its_row_in_postgres(sample: Sample) -> None:
    api = "http://localhost/api"
    added = http(f"{api}/add", "POST", {"text": "from the e2e test"})
    assert added.status == 201
    row = added.json()
    assert row["text"] == "from the e2e test"
    assert row in http(f"{api}/fetch").json()
    assert _in_postgres(sample, row["id"]) == "from the e2e test"

    assert http(f"{api}/add", "POST", {"text": "from the e2e test"}).status == 409
    assert http(f"{api}/add", "POST", {"text": ""}).status == 422
    assert http(f"{api}/add", "POST", {"text": "x" * 101}).status == 422

    assert http(f"{api}/delete", "DELETE", {"id": row["id"]}).status == 200
    assert row not in http(f"{api}/fetch").json()
    assert _in_postgres(sample, row["id"]) == ""


def _in_postgres(sample: Sample, row: int) -> str:
    (pod,) = sample.api.pods("example", "app=database")
    query = f"SELECT text FROM text WHERE id = {int(row)}"
    command = ["sh", "-c", f'psql -tA -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "{query}"']
    return sample.api.execute("example", pod.metadata.name, command).strip()


def _rows() -> list[dict[str, object]]:
    """Empty while the database is away."""
    answer = http("http://localhost/api/fetch")
    return list(answer.json()) if answer.status == 200 else []


def test_rows_survive_a_rescheduled_postgres(sample: Sample) -> None:
    row = http("http://localhost/api/add", "POST", {"text": "survivor"}).json()
    (pod,) = sample.api.pods("example", "app=database")
    sample.api.core.delete_namespaced_pod(pod.metadata.name, "example")
    until(
        lambda: (
            pod.metadata.name
            not in [p.metadata.name for p in sample.api.pods("example", "app=database")]
        ),
        60,
        "the old Postgres pod goes",
    )
    until(lambda: row in _rows(), 60, "Postgres comes back with its rows")
    http("http://localhost/api/delete", "DELETE", {"id": row["id"]})


def test_the_engine_shows_exactly_the_ports_of_the_file_on_loopback(sample: Sample) -> None:
    bindings = inspect(sample.node)["HostConfig"]["PortBindings"]
    published = {
        port: [(b["HostIp"], b["HostPort"]) for b in hosts] for port, hosts in bindings.items()
    }
    api = published.pop("6443/tcp")
    assert [address for address, _ in api] == ["127.0.0.1"]
    assert published == {"80/tcp": [("127.0.0.1", "80")], "443/tcp": [("127.0.0.1", "443")]}


def test_the_controller_sits_where_the_ports_are(sample: Sample) -> None:
    (pod,) = sample.api.pods("ingress-nginx")
    node = sample.api.core.read_node(pod.spec.node_name)
    assert node.metadata.labels["ingress-ready"] == "true"
    assert inspect(sample.node)["Name"] == f"/{node.metadata.name}"


def test_nothing_runs_under_an_upstream_name_that_was_built_here(sample: Sample) -> None:
    """Stand-ins carry names of our own, and labels that say what they are made of."""
    images = {
        container.image
        for pod in sample.api.pods("example") + sample.api.pods("ingress-nginx")
        for container in pod.spec.containers
    }
    for image in images:
        labels = json.loads(docker("image", "inspect", image))[0]["Config"]["Labels"] or {}
        if labels.get("dev.kindctl.recipe"):
            assert image.startswith("kindctl.local/"), image
            assert labels["dev.kindctl.sources"], image
            assert labels["dev.kindctl.versions"], image


def test_the_kubeconfig_is_private_and_works_with_kubectl_names(sample: Sample) -> None:
    path = Path(sample.first.ended()["report"]["kubeconfig"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    exported = sample.kindctl.run("kubeconfig", NAME, "--export").out.strip()
    assert exported == f"export KUBECONFIG={path}"
    from kubernetes import client, config

    api: Any = config.new_client_from_config(str(path), context=f"kind-{NAME}")  # type: ignore[no-untyped-call]
    core: Any = client.CoreV1Api(api)
    names = [node.metadata.name for node in core.list_node().items]
    assert names == [f"{NAME}-control-plane"]


def test_merged_into_the_default_file_and_gone_with_down_only(sample: Sample) -> None:
    file = sample.kindctl.home / "kubeconfig"
    sample.kindctl.run("kubeconfig", NAME, "--merge")
    assert f"kind-{NAME}" in file.read_text()


def test_pods_are_unprivileged_with_probes_and_limits(sample: Sample) -> None:
    for pod in sample.api.pods("example"):
        assert pod.spec.security_context.run_as_non_root, pod.metadata.name
        for container in pod.spec.containers:
            assert container.readiness_probe, container.name
            assert container.resources.limits, container.name
            assert container.resources.requests, container.name
            assert container.security_context.allow_privilege_escalation is False
            assert container.security_context.capabilities.drop == ["ALL"]


def test_the_password_is_generated_and_in_no_file_or_log(sample: Sample) -> None:
    import base64

    secret = sample.api.core.read_namespaced_secret("pg-credentials", "example")
    password = base64.b64decode(secret.data["password"]).decode()
    assert len(password) >= 16
    assert password not in sample.first.out + sample.first.err
    found = subprocess.run(
        ["grep", "-rl", "--exclude-dir=environments", password, str(sample.kindctl.home)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert found.stdout == ""


def test_down_and_status_work_by_name_from_anywhere(sample: Sample) -> None:
    listed = json.loads(sample.kindctl.run("list", "-o", "json").out)
    assert NAME in [row["name"] for row in listed]
    rows = json.loads(sample.kindctl.run("status", NAME, "-o", "json").out)
    assert all(row["ready"] for row in rows)
    logs = sample.kindctl.run("logs", "backend", "--name", NAME)
    assert logs.out.strip()
    assert os.fspath(sample.kindctl.folder) not in logs.out
