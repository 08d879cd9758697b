"""An `up` that is interrupted at every one of its steps, and gone on."""

from __future__ import annotations

from pathlib import Path

from tests import ROOT
from tests.support.harness import Kindctl, docker, http, node_ids

NAME = "e2e-interrupt"
PORTS = "ingress: {expose: {http: 8180, https: 8543}}\n"


def test_interrupted_at_every_step_and_gone_on(kindctl: Kindctl, tmp_path: Path) -> None:
    here = Kindctl(tmp_path, kindctl.home)
    up = ("up", "--yes", "-f", str(ROOT / "configs" / "other-ports"), "--name", NAME)
    here.run("down", NAME)
    try:
        first, _ = here.interrupt_at("preflight", *up)
        (started,) = [event for event in first.events if event["event"] == "run-started"]
        steps = [step["name"] for step in started["steps"]]
        assert len(steps) > 15
        interrupted = 0
        made = False
        for step in steps[1:]:
            before = set(node_ids(NAME))
            result, took = here.interrupt_at(step, *up)
            if not took or result.code == 0:
                continue  # it was over before the signal arrived
            interrupted += 1
            assert result.code == 130, f"{step}: {result.code}\n{result.err}"
            assert took < 2.5, (
                f"{step}: {took:.1f} s until it stopped"
            )  # 2 s, and the process's end
            error = result.events[-1]
            assert error["code"] == "interrupted", step
            assert "kindctl up" in error["fix"], step
            assert "kindctl down" in error["fix"], step
            if made:  # a half-made cluster is replaced, a whole one never
                assert before == set(node_ids(NAME)), step
            made = made or any(
                event["event"] == "step-ended"
                and (event["name"], event["outcome"]) == ("cluster", "ready")
                for event in result.events
            )
            assert _children_of_kindctl() == [], step
        assert interrupted > len(steps) // 2
        done = here.run(*up, "-o", "json").ended()["report"]
        assert "http://localhost:8080/" in done["urls"]
        assert http("http://localhost:8080/api/fetch").status == 200
        assert here.run(*up, "-o", "json").changes() == []
    finally:
        here.run("down", NAME)
    assert node_ids(NAME) == []


def _children_of_kindctl() -> list[str]:
    """Programs that an interrupted kindctl should have ended."""
    import psutil

    return [
        " ".join(process.info["cmdline"])
        for process in psutil.process_iter(["cmdline", "ppid"])
        if process.info["cmdline"]
        and process.info["cmdline"][0].endswith(("kind", "docker"))
        and NAME in " ".join(process.info["cmdline"])
    ]


def test_a_half_made_cluster_is_replaced(kindctl: Kindctl, tmp_path: Path) -> None:
    """A creation that was killed, not interrupted: nobody could clean up."""
    import time

    (tmp_path / "kindctl.yaml").write_text(f"name: {NAME}\n{PORTS}")
    here = Kindctl(tmp_path, kindctl.home)
    here.run("down", NAME)
    try:
        process = here.start("up", "--yes")
        end = time.monotonic() + 60
        while not node_ids(NAME) and time.monotonic() < end:
            time.sleep(0.1)
        process.kill()
        process.wait(10)
        (half_made,) = node_ids(NAME)
        changes = here.run("up", "--yes", "-o", "json").changes()
        assert any("replaced cluster" in change for change in changes), changes
        assert half_made not in node_ids(NAME)
        assert docker("ps", "-aq", "--filter", f"id={half_made}") == ""
    finally:
        here.run("down", NAME)
