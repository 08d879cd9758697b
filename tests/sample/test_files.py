"""The sample's files keep its contract: names, ports, routes, and what makes a pod well-behaved."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import ROOT

SAMPLE = ROOT / "sample-app"
HTML = SAMPLE / "frontend" / "html"
PAGE_FILES = sorted(path for path in HTML.rglob("*") if path.is_file())


def read_objects() -> dict[tuple[str, str], dict[str, Any]]:
    found = {}
    for file in sorted((SAMPLE / "k8s").glob("*.yaml")):
        for obj in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            found[obj["kind"], obj["metadata"]["name"]] = obj
    return found


OBJECTS = read_objects()
DEPLOYMENTS = [obj for (kind, _), obj in OBJECTS.items() if kind == "Deployment"]
CONTAINERS = [
    pytest.param(obj["spec"]["template"]["spec"], container, id=container["name"])
    for obj in DEPLOYMENTS
    for container in obj["spec"]["template"]["spec"]["containers"]
]


def config() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((SAMPLE / "kindctl.yaml").read_text(encoding="utf-8"))
    return loaded


def test_the_objects_are_those_of_the_contract() -> None:
    assert set(OBJECTS) == {
        ("Namespace", "example"),
        ("Deployment", "frontend"),
        ("Deployment", "backend"),
        ("Deployment", "postgres"),
        ("Service", "frontend-service"),
        ("Service", "backend-service"),
        ("Service", "pg-service"),
        ("Ingress", "frontend-ingress"),
        ("HorizontalPodAutoscaler", "frontend"),
        ("HorizontalPodAutoscaler", "backend"),
        ("ConfigMap", "pg-init-script"),
        ("Secret", "pg-credentials"),
        ("PersistentVolumeClaim", "postgres"),
    }
    namespaces = {
        o["metadata"].get("namespace") for (k, _), o in OBJECTS.items() if k != "Namespace"
    }
    assert namespaces == {"example"}


@pytest.mark.parametrize(
    ("service", "port"),
    [("frontend-service", 3000), ("backend-service", 5000), ("pg-service", 5432)],
)
def test_a_service_leads_to_a_port_that_its_pods_name(service: str, port: int) -> None:
    spec = OBJECTS["Service", service]["spec"]
    assert [entry["port"] for entry in spec["ports"]] == [port]
    behind = [
        container
        for deployment in DEPLOYMENTS
        if spec["selector"].items() <= deployment["spec"]["template"]["metadata"]["labels"].items()
        for container in deployment["spec"]["template"]["spec"]["containers"]
    ]
    assert [(p["name"], p["containerPort"]) for c in behind for p in c["ports"]] == [
        (spec["ports"][0]["targetPort"], port)
    ]


@pytest.mark.parametrize(
    ("asked", "service", "path"),
    [
        ("/", "frontend-service", "/"),
        ("/style.css", "frontend-service", "/style.css"),
        ("/js/main.js", "frontend-service", "/js/main.js"),
        ("/api", "backend-service", "/"),
        ("/api/fetch", "backend-service", "/fetch"),
        ("/API/fetch", "backend-service", "/fetch"),
        ("/of/api/fetch", "frontend-service", "/of/api/fetch"),
    ],
)
def test_the_ingress_sends_a_path_where_it_belongs(asked: str, service: str, path: str) -> None:
    """As ingress-nginx does: the longest path first, matched at the start without case."""
    ingress = OBJECTS["Ingress", "frontend-ingress"]
    target = ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/rewrite-target"]
    paths = ingress["spec"]["rules"][0]["http"]["paths"]
    for entry in sorted(paths, key=lambda entry: -len(entry["path"])):
        assert entry["pathType"] == "ImplementationSpecific"
        if match := re.match(entry["path"], asked, re.IGNORECASE):
            assert entry["backend"]["service"]["name"] == service
            assert match.expand(target.replace("$", "\\")) == path
            return
    pytest.fail(f"no path takes {asked}")


@pytest.mark.parametrize(("pod", "container"), CONTAINERS)
def test_a_container_has_no_rights_and_known_limits(
    pod: dict[str, Any], container: dict[str, Any]
) -> None:
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    for kind in ("requests", "limits"):
        assert set(container["resources"][kind]) == {"cpu", "memory"}
    assert container["readinessProbe"]
    assert container["livenessProbe"]


def test_only_readiness_of_the_backend_depends_on_the_database() -> None:
    container = OBJECTS["Deployment", "backend"]["spec"]["template"]["spec"]["containers"][0]
    assert container["readinessProbe"]["httpGet"]["path"] == "/healthy"
    assert container["livenessProbe"]["httpGet"]["path"] == "/ab"


@pytest.mark.parametrize(("name", "least", "most"), [("frontend", 2, 2), ("backend", 2, 10)])
def test_a_deployment_starts_with_its_scalers_minimum(name: str, least: int, most: int) -> None:
    scaler = OBJECTS["HorizontalPodAutoscaler", name]["spec"]
    assert scaler["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (least, most)
    assert OBJECTS["Deployment", name]["spec"]["replicas"] == least


def test_the_database_keeps_its_volume_to_itself() -> None:
    spec = OBJECTS["Deployment", "postgres"]["spec"]
    assert spec["strategy"] == {"type": "Recreate"}
    pod = spec["template"]["spec"]
    claims = [
        v["persistentVolumeClaim"]["claimName"] for v in pod["volumes"] if v["name"] == "data"
    ]
    assert claims == ["postgres"]
    (container,) = pod["containers"]
    mount = next(m["mountPath"] for m in container["volumeMounts"] if m["name"] == "data")
    data = next(e["value"] for e in container["env"] if e["name"] == "PGDATA")
    assert data.startswith(f"{mount}/")


def test_no_password_is_in_the_files() -> None:
    secret = OBJECTS["Secret", "pg-credentials"]
    assert secret["metadata"]["annotations"]["kindctl.dev/generate"] == "password"
    assert set(secret["stringData"]) == {"username"}
    assert "data" not in secret


def test_the_column_is_as_wide_as_the_backend_and_the_page_allow() -> None:
    from sample_backend.texts import MAX_LENGTH

    script = OBJECTS["ConfigMap", "pg-init-script"]["data"]["init.sql"]
    assert f"text varchar({MAX_LENGTH}) NOT NULL UNIQUE" in script
    assert f"const MOST = {MAX_LENGTH};" in (HTML / "js" / "texts.js").read_text(encoding="utf-8")


def test_what_is_expected_is_what_the_files_give() -> None:
    (app,) = config()["apps"]
    expected = {entry["path"]: entry["contains"] for entry in app["expect"]}
    assert expected["/"] in (HTML / "index.html").read_text(encoding="utf-8")
    assert {entry["image"] for entry in app["build"]} == {
        container["image"]
        for deployment in DEPLOYMENTS
        for container in deployment["spec"]["template"]["spec"]["containers"]
        if container["name"] != "postgres"
    }
    for entry in app["build"]:
        assert (SAMPLE / entry["context"] / "Dockerfile").is_file()


def test_the_health_that_is_expected_is_what_the_backend_says() -> None:
    from sample_backend.web import create_app

    from tests.fakes.sample_store import FakeStore

    (app,) = config()["apps"]
    expected = {entry["path"]: entry["contains"] for entry in app["expect"]}
    client = create_app(FakeStore(), host_name="backend-1").test_client()
    for path in ("/api/healthy", "/api/fetch"):
        answer = client.get(path.removeprefix("/api"))
        assert expected[path] in answer.get_data(as_text=True)


@pytest.mark.parametrize("file", PAGE_FILES, ids=lambda file: str(file.relative_to(HTML)))
def test_the_page_fetches_nothing_from_outside(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    links = re.findall(r"""(?:https?:)?//[\w.-]+\.\w+[^\s"')]*""", text)
    assert [link for link in links if "www.w3.org/2000/svg" not in link] == []
    # The content security policy refuses both.
    assert not re.search(r"<style|\sstyle=|\son\w+=\"|<script(?![^>]*\ssrc=)", text)


@pytest.mark.parametrize("page", ["index.html", "404.html"])
def test_what_a_page_refers_to_is_there(page: str) -> None:
    text = (HTML / page).read_text(encoding="utf-8")
    for link in re.findall(r'(?:href|src)="/([^"]*)"', text):
        assert link == "" or link.startswith("api/") or (HTML / link).is_file()
    for symbol in re.findall(r'<use href="#([^"]+)"', text):
        assert f'<symbol id="{symbol}"' in text


def test_every_element_that_a_script_asks_for_is_in_the_page() -> None:
    page = (HTML / "index.html").read_text(encoding="utf-8")
    asked = {
        name
        for script in (HTML / "js").glob("*.js")
        for name in re.findall(
            r'(?:getElementById|write)\("([^"]+)"', script.read_text(encoding="utf-8")
        )
    }
    assert asked
    assert {name for name in asked if f'id="{name}"' not in page} == set()


def test_every_requirement_is_pinned_with_hashes() -> None:
    text = (SAMPLE / "backend" / "requirements.txt").read_text(encoding="utf-8")
    entries = re.findall(
        r"^(\S+?)==\S+ \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text, re.M
    )
    named = re.findall(r"^[a-z]\S*", text, re.M)
    assert len(entries) == len(named) > 5


def test_the_images_run_as_users_without_rights() -> None:
    for part, user in (("frontend", 101), ("backend", 10001)):
        dockerfile = (SAMPLE / part / "Dockerfile").read_text(encoding="utf-8")
        assert f"USER {user}:{user}\n" in dockerfile
        pod = OBJECTS["Deployment", part]["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsUser"] == user
