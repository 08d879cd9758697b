"""Images: what is built stays, and what is lost or edited is built again, that one alone."""

from __future__ import annotations

import json

from tests.e2e.conftest import Sample
from tests.support.harness import Kindctl, docker


def own() -> dict[str, str]:
    lines = docker("images", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}", "kindctl.local/*")
    return dict(line.split() for line in lines.splitlines())


def test_a_second_build_does_nothing(kindctl: Kindctl) -> None:
    kindctl.run("images", "build")
    before = own()
    again = kindctl.run("images", "build", "-o", "json")
    assert again.changes() == []
    assert own() == before


def test_a_removed_image_is_built_again_alone(kindctl: Kindctl) -> None:
    kindctl.run("images", "build")
    rows = json.loads(kindctl.run("images", "list", "-o", "json").out)
    (nginx,) = [row["served_by"] for row in rows if row["name"] == "nginx"]
    before = own()
    docker("rmi", "-f", nginx)
    changes = kindctl.run("images", "build", "-o", "json").changes()
    assert len(changes) == 1, changes
    assert "nginx" in changes[0]
    assert set(own()) == set(before)


def test_the_nodes_trust_what_the_host_trusts(sample: Sample) -> None:
    """CAs beyond the distribution's own are in the node without being asked for."""
    from pathlib import Path

    extra = [path.read_text() for path in Path("/usr/local/share/ca-certificates").glob("*.crt")]
    bundle = docker("exec", sample.node, "cat", "/etc/ssl/certs/ca-certificates.crt")
    compact = bundle.replace("\n", "")
    for pem in extra:
        assert pem.strip().replace("\n", "") in compact
