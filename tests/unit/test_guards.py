"""The guards of the test suite itself."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests import ROOT
from tests.unit.conftest import OutsideWorld


def _tcp() -> None:
    with socket.socket() as client:
        client.connect(("127.0.0.1", 9))


def _unix() -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect("/var/run/docker.sock")


def _bind() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))


WAYS_OUT: list[Callable[[], object]] = [
    _tcp,
    _unix,
    _bind,
    lambda: socket.create_connection(("localhost", 9)),
    lambda: urllib.request.urlopen("http://127.0.0.1:9/"),
    lambda: subprocess.Popen(["true"]),
    lambda: subprocess.run(["true"], check=False),
    lambda: os.system("true"),
    lambda: os.posix_spawn("/bin/true", ["true"], {}),
    os.fork,
    lambda: os.execv("/bin/true", ["true"]),
]


@pytest.mark.parametrize("way", WAYS_OUT)
def test_unit_tests_cannot_leave_the_process(way: Callable[[], object], inside: list[str]) -> None:
    with pytest.raises(OutsideWorld):
        way()
    assert inside
    inside.clear()


def test_code_that_catches_everything_cannot_hide_it(inside: list[str]) -> None:
    def swallow() -> None:
        with suppress(BaseException):
            _tcp()

    thread = threading.Thread(target=swallow)
    thread.start()
    thread.join()
    assert len(inside) == 1
    inside.clear()


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """A suite elsewhere under the same tests/conftest.py."""
    ours = ROOT / "tests" / "conftest.py"
    pytester.makeconftest(ours.read_text().replace('pytest_plugins = ["pytester"]', ""))
    return pytester


LEFT_OUT = {
    "skip": "import pytest\n@pytest.mark.skip(reason='later')\ndef test_it(): assert False",
    "skip inside": "import pytest\ndef test_it(): pytest.skip('no engine')",
    "xfail": "import pytest\n@pytest.mark.xfail\ndef test_it(): assert False",
    "xpass": "import pytest\n@pytest.mark.xfail(strict=False)\ndef test_it(): pass",
    "module": "import pytest\npytest.importorskip('no_such_module')\ndef test_it(): pass",
    "fixture": "import pytest\n@pytest.fixture\ndef engine(): pytest.skip('none')\n"
    "def test_it(engine): pass",
}


@pytest.mark.parametrize("what", LEFT_OUT)
def test_a_test_that_is_left_out_fails_the_run(what: str, suite: pytest.Pytester) -> None:
    suite.makepyfile(LEFT_OUT[what])
    result = suite.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*tests were left out*", "test_*.py*: *"])


def test_a_run_in_which_everything_ran_passes(suite: pytest.Pytester) -> None:
    suite.makepyfile("def test_it(): pass")
    assert suite.runpytest_inprocess().ret == pytest.ExitCode.OK


HANGING = """
import threading

def test_it():
    never = threading.Event()
    threading.Thread(target=helper, args=(never,), daemon=True).start()
    never.wait()

def helper(never):
    never.wait()
"""


def test_a_unit_test_that_hangs_fails_with_its_stacks(pytester: pytest.Pytester) -> None:
    ours = (ROOT / "tests" / "unit" / "conftest.py").read_text()
    pytester.makeconftest(ours.replace("TIMEOUT = 60", "TIMEOUT = 0.2"))
    pytester.makepyfile(HANGING)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*Stack of Thread*", "*in helper", "*Failed: Timeout*0.2*"])
    result.stdout.fnmatch_lines([">*never.wait()"])


def test_tests_of_real_tools_have_no_such_limit(pytester: pytest.Pytester) -> None:
    ours = (ROOT / "tests" / "unit" / "conftest.py").read_text()
    marks = "def test_it(request): assert [*request.node.iter_markers('timeout')] == [{}]"
    for folder, wanted in (("unit", "pytest.mark.timeout(60).mark"), ("e2e", "")):
        there = pytester.mkdir(folder)
        (there / f"test_{folder}.py").write_text(f"import pytest\n{marks.format(wanted)}")
    (pytester.path / "unit" / "conftest.py").write_text(ours)
    pytester.runpytest_inprocess().assert_outcomes(passed=2)
