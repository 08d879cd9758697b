"""One kindctl at a time on an environment."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from kindctl.errors import BusyError
from kindctl.paths import data_dir, environment_dir
from kindctl.tools.lock import environment_lock
from tests.fakes.steps import PATIENCE


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


def test_a_free_lock_is_had_without_a_word() -> None:
    said: list[str] = []
    for _ in range(2):
        with environment_lock("shop", wait=0, say=said.append):
            pass
    assert said == []


def test_environments_do_not_wait_for_each_other() -> None:
    with environment_lock("shop", wait=0), environment_lock("blog", wait=0):
        pass


def test_a_second_holder_is_told_whom_it_waits_for_and_gives_up() -> None:
    said: list[str] = []
    with (
        environment_lock("shop", wait=0),
        pytest.raises(BusyError) as busy,
        environment_lock("shop", wait=0, say=said.append),
    ):
        pytest.fail("the lock is held twice")
    assert said == [f"waiting for another kindctl (process {os.getpid()}) on 'shop'"]
    assert str(os.getpid()) in busy.value.why
    assert busy.value.fix == f"wait for that process, or stop it: kill -INT {os.getpid()}"


def test_a_second_holder_gets_it_when_the_first_lets_go() -> None:
    waiting, held = threading.Event(), threading.Event()

    def second() -> None:
        with environment_lock("shop", wait=PATIENCE, say=lambda _: waiting.set()):
            held.set()

    thread = threading.Thread(target=second)
    with environment_lock("shop", wait=0):
        thread.start()
        assert waiting.wait(PATIENCE)
        assert not held.is_set()
    thread.join(PATIENCE)
    assert held.is_set()


def test_an_error_lets_go() -> None:
    with pytest.raises(ZeroDivisionError), environment_lock("shop", wait=0):
        _ = 1 / 0
    with environment_lock("shop", wait=0):
        pass


def test_a_holder_that_has_not_written_its_process_is_unknown() -> None:
    said: list[str] = []
    with environment_lock("shop", wait=0):
        (data_dir() / "locks" / "shop.lock").write_text("")
        with (
            pytest.raises(BusyError) as busy,
            environment_lock("shop", wait=0, say=said.append),
        ):
            pytest.fail("the lock is held twice")
    assert "unknown" in said[0]
    assert "kill" not in busy.value.fix


def test_a_shorter_process_number_leaves_nothing_of_a_longer_one() -> None:
    file = data_dir() / "locks" / "shop.lock"
    with environment_lock("shop", wait=0):
        pass
    file.write_text("9" * 20)
    with environment_lock("shop", wait=0):
        assert file.read_text() == str(os.getpid())


def test_the_lock_outlives_the_folder_of_the_environment() -> None:
    """`down` removes that folder while it holds the lock."""
    with environment_lock("shop", wait=0):
        assert environment_dir("shop") not in (data_dir() / "locks" / "shop.lock").parents
