"""Child processes. There is no fake of these: what is tested is what the operating system does."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import psutil
import pytest

from kindctl.errors import ToolError
from kindctl.tools.host import RealHost
from kindctl.tools.process import pipe, run, stop_children


def test_both_streams_are_told_and_one_is_returned() -> None:
    lines: list[str] = []
    out = run(
        ["sh", "-c", "echo out; sleep 0.1; echo err >&2; sleep 0.1; printf end"], say=lines.append
    )
    assert out == "out\nend"
    assert lines == ["out", "err", "end"]


def test_of_a_progress_bar_the_last_state_is_told() -> None:
    lines: list[str] = []
    run(["printf", r"Reading 5%%\rReading 100%%\r\ndone\n"], say=lines.append)
    assert lines == ["Reading 100%", "done"]


def test_an_error_has_the_last_50_lines() -> None:
    with pytest.raises(ToolError) as caught:
        run(["sh", "-c", "seq 200; echo why >&2; exit 3"])
    lines = caught.value.output.splitlines()
    assert len(lines) == 50
    assert "why" in lines
    assert caught.value.status == 3


def test_secrets_are_masked_in_errors() -> None:
    script = "echo password is $PASSWORD; echo proxy http://user:word@proxy.test:3128; exit 1"
    with pytest.raises(ToolError) as caught:
        run(["sh", "-c", script, "http://me:word@host"], env={"PASSWORD": "hunter22"})
    assert "hunter22" not in caught.value.output
    assert "word@" not in caught.value.output + caught.value.command
    assert "password is ***" in caught.value.output


def test_large_input_and_output_do_not_block() -> None:
    text = b"x" * 5_000_000
    assert len(run(["cat"], stdin=text)) == len(text)


def test_a_folder_for_temporary_files_is_needed_for_input_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    assert run(["echo", "a"]) == "a\n"
    with pytest.raises(ToolError) as caught:
        run(["cat"], stdin=b"a")
    assert "TMPDIR" in caught.value.fix


def test_a_full_folder_for_temporary_files_is_an_error_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    full = Path("/dev/full")
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda: full.open("w+b"))
    with pytest.raises(ToolError, match="cannot store the input of cat"):
        run(["cat"], stdin=b"a" * 100_000)


def test_a_refused_line_stops_the_program() -> None:
    def refuse(line: str) -> None:
        raise RuntimeError("cancelled")

    with pytest.raises(RuntimeError):
        run(["sh", "-c", "echo one; exec sleep 600"], say=refuse)


def test_what_a_program_leaves_behind_does_not_block() -> None:
    pid = int(run(["sh", "-c", "sleep 600 & echo $!"]))
    os.kill(pid, signal.SIGKILL)


def test_a_pipe_gives_the_sinks_output() -> None:
    assert pipe(["seq", "3"], ["cat"]) == "1\n2\n3\n"


def test_a_pipe_blames_the_side_that_failed() -> None:
    with pytest.raises(ToolError) as caught:
        pipe(
            ["sh", "-c", "echo gone >&2; exit 4"],
            ["sh", "-c", "cat; echo unexpected EOF >&2; exit 5"],
        )
    assert (caught.value.status, caught.value.why) == (4, "gone")
    with pytest.raises(ToolError) as caught:
        pipe(["yes"], ["sh", "-c", "echo refused >&2; exit 5"])
    assert (caught.value.status, caught.value.why) == (5, "refused")


def test_stopping_ends_children_of_other_threads_but_no_spawned_program(tmp_path: Path) -> None:
    host = RealHost()
    spawned = host.spawn(["sleep", "600"], tmp_path / "log")
    started = threading.Barrier(3)
    ended: list[int | None] = []

    def work(script: str) -> None:
        def say(line: str) -> None:
            started.wait(timeout=10)

        try:
            run(["sh", "-c", script], say=say)
        except ToolError as error:
            ended.append(error.status)

    # One ends on TERM, with a child of its own; one must be killed.
    scripts = ("echo on; sleep 600 & wait", "trap '' TERM; echo on; while :; do sleep 0.1; done")
    threads = [threading.Thread(target=work, args=(script,)) for script in scripts]
    for thread in threads:
        thread.start()
    started.wait(timeout=10)
    stop_children(grace=0.5)
    for thread in threads:
        thread.join(timeout=10)
    try:
        assert set(ended) == {-15, -9}
        assert host.alive(spawned)
    finally:
        host.terminate(spawned)


def test_stopping_ends_what_a_child_starts_while_it_ends() -> None:
    """kind did: a `docker exec` of its own ran on."""
    mark = f"60{random.randrange(10**6):06}"
    started = threading.Barrier(2)
    script = f"trap 'sleep {mark} & exit' TERM; echo on; while :; do sleep 0.1; done"

    def say(line: str) -> None:
        started.wait(timeout=10)

    def work() -> None:
        with contextlib.suppress(ToolError):
            run(["sh", "-c", script], say=say)

    thread = threading.Thread(target=work)
    thread.start()
    started.wait(timeout=10)
    stop_children(grace=0.5)
    thread.join(timeout=10)
    assert _running("sleep", mark) == []


def test_a_process_that_leaves_leaves_no_child_that_a_thread_started_at_the_last_moment() -> None:
    """A thread that was left behind answers the end of one child with the next."""
    mark = f"60{random.randrange(10**6):06}"
    script = f"""
import contextlib, threading, time
from kindctl.__main__ import _leave
from kindctl.errors import ToolError
from kindctl.tools.process import run

def work():
    while True:
        with contextlib.suppress(ToolError):
            run(["sleep", "{mark}"])

for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
time.sleep(0.3)
_leave(3)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 3
    assert _running("sleep", mark) == []


def _running(*command: str) -> list[psutil.Process]:
    """Processes of this command line; they are ended."""
    found = [p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] == list(command)]
    for process in found:
        process.kill()
    return found
