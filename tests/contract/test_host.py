"""What every Host does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kindctl.errors import ToolError
from kindctl.tools.host import RealHost
from kindctl.tools.protocols import Host
from tests.fakes.host import FakeHost


@pytest.fixture
def host(flavour: str) -> Host:
    return FakeHost() if flavour == "fake" else RealHost()


# --- programs ------------------------------------------------------------------------------------


def test_the_output_of_a_program_is_returned(host: Host) -> None:
    assert host.run(["echo", "one", "two"]) == "one two\n"
    assert host.run(["cat"], stdin="ä\nb") == "ä\nb"
    assert host.run(["cat"]) == ""


def test_lines_are_told_while_a_program_runs(host: Host) -> None:
    lines: list[str] = []
    host.run(["cat"], stdin="one\n\ntwo", say=lines.append)
    assert lines == ["one", "", "two"]


def test_the_environment_is_added(host: Host) -> None:
    assert host.run(["printenv", "KINDCTL_X"], env={"KINDCTL_X": "y z"}) == "y z\n"


def test_a_failing_program_is_an_error_with_its_command(host: Host) -> None:
    with pytest.raises(ToolError) as caught:
        host.run(["false", "a b"])
    assert caught.value.status == 1
    assert caught.value.command == "false 'a b'"


def test_a_missing_program_is_an_error(host: Host) -> None:
    assert host.which("no-such-program") is None
    for start in (
        lambda: host.run(["no-such-program"]),
        lambda: host.spawn(["no-such-program"], Path("/tmp/x")),
    ):
        with pytest.raises(ToolError) as caught:
            start()
        assert caught.value.code == "program-missing"


def test_programs_are_found(host: Host) -> None:
    found = host.which("cat")
    assert found is not None
    assert Path(found).name == "cat"


def test_a_spawned_program_lives_until_it_is_terminated(host: Host, tmp_path: Path) -> None:
    pid = host.spawn(["sleep", "600"], tmp_path / "logs" / "sleep")
    assert host.alive(pid)
    host.terminate(pid)
    assert not host.alive(pid)
    host.terminate(pid)


def test_a_program_that_ends_at_once_was_not_spawned(host: Host, tmp_path: Path) -> None:
    with pytest.raises(ToolError) as caught:
        host.spawn(["false"], tmp_path / "log")
    assert caught.value.status == 1


# --- files ---------------------------------------------------------------------------------------


def test_what_is_written_can_be_read_and_deleted(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file"
    assert host.read(path) is None
    host.write(path, "ä\n")
    host.write(path, "ü\n")
    assert host.read(path) == "ü\n"
    host.delete(path)
    assert host.read(path) is None
    host.delete(path)


def test_a_file_is_no_folder(host: Host, tmp_path: Path) -> None:
    host.write(tmp_path / "file", "")
    assert host.read(tmp_path / "file" / "below") is None
    host.delete(tmp_path / "file" / "below")
    with pytest.raises(ToolError) as caught:
        host.write(tmp_path / "file" / "below", "")
    assert caught.value.code == "host"


# --- the machine ---------------------------------------------------------------------------------


def test_kernel_settings(host: Host) -> None:
    assert host.sysctl("kernel.ostype") == "Linux"
    assert host.sysctl("kernel.no_such_setting") is None
    with pytest.raises(ToolError) as caught:
        host.set_sysctl("kernel.no_such_setting", "1")
    assert caught.value.code == "host"


def test_the_machine_is_measured(host: Host) -> None:
    assert host.free_disk("/var/lib/no-such-folder/below") > 0
    assert host.free_memory() > 0
    assert host.os_release()["ID"]
    assert isinstance(host.is_root(), bool)
    assert isinstance(host.has_systemd(), bool)
    assert all("/" in route for route in host.routes())
    assert all(pem.startswith("-----BEGIN CERT") for pem in host.trusted_cas().values())


# --- what only a real machine can show -----------------------------------------------------------


def test_files_get_their_mode_and_links_stay_links(tmp_path: Path) -> None:
    host = RealHost()
    (tmp_path / "link").symlink_to(tmp_path / "config")
    host.write(tmp_path / "link", "secret", 0o600)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "config").stat().st_mode & 0o777 == 0o600
    assert sorted(os.listdir(tmp_path)) == ["config", "link"]


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    host = RealHost()
    host.write(tmp_path / "file", "old")
    with pytest.raises(UnicodeEncodeError):
        host.write(tmp_path / "file", "new \ud800")
    assert host.read(tmp_path / "file") == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_spawned_program_has_its_own_session_and_log(tmp_path: Path) -> None:
    host = RealHost()
    log = tmp_path / "log"
    pid = host.spawn(["sh", "-c", "echo out; echo err >&2; exec sleep 600"], log)
    try:
        assert os.getsid(pid) == pid
        assert log.read_text() == "out\nerr\n"
    finally:
        host.terminate(pid)
