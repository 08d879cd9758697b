"""Runs a child process, or two that are connected by a pipe, and can stop all child processes.

Children get no terminal and belong to the session of this process, so that Ctrl-C ends them
(`stop_children`).
"""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import takewhile
from typing import IO, cast

from kindctl.errors import ToolError
from kindctl.models import Say

TAIL = 50
"""How many lines of output an error keeps."""

SUBREAPER = 36

_USERINFO = re.compile(r"://[^/@\s]+@")
_STARTING = threading.Lock()  # held while a child is started


class _Output:
    """Reads the output of a child in threads, and passes each line to `say`.

    It keeps the standard output for the caller, and the last lines of both streams for an error.
    """

    def __init__(self, say: Say | None = None) -> None:
        self.stdout: list[bytes] = []
        self.tail: deque[str] = deque(maxlen=TAIL)
        self.say_error: BaseException | None = None  # what `say` raised; the child is then killed
        self._say = say
        self._lock = threading.Lock()

    def follow(
        self, child: subprocess.Popen[bytes], stream: IO[bytes] | None, *, keep: bool
    ) -> threading.Thread:
        thread = threading.Thread(target=self._read, args=(child, stream, keep), daemon=True)
        thread.start()
        return thread

    def _read(self, child: subprocess.Popen[bytes], stream: IO[bytes] | None, keep: bool) -> None:
        with cast(IO[bytes], stream) as lines:  # _start pipes both streams
            for raw in lines:
                if keep:
                    self.stdout.append(raw)
                # A progress bar redraws its line with carriage returns: only its last state counts.
                line = raw.decode(errors="replace").strip("\r\n").rsplit("\r", 1)[-1]
                with self._lock:
                    self.tail.append(line)
                    if self._say is None or self.say_error is not None:
                        continue
                    try:
                        self._say(line)
                    except BaseException as error:
                        self.say_error = error
                        child.kill()


def run(
    command: Sequence[str],
    *,
    say: Say | None = None,
    stdin: bytes | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run a program and return its standard output.

    `say` gets each line of both output streams; `env` is added to the environment. Raises ToolError with
    the last lines of both streams, in which values of `env` and passwords in URLs are masked. The code of
    the error is program-missing if the program is not installed.
    """
    output = _Output(say)
    if stdin is None:
        child = _start(command, subprocess.DEVNULL, env)
    else:
        with _file_of(stdin, command) as given:
            child = _start(command, given, env)
    readers = [
        output.follow(child, child.stdout, keep=True),
        output.follow(child, child.stderr, keep=False),
    ]
    _wait([child], readers)
    if output.say_error is not None:
        raise output.say_error
    if child.returncode != 0:
        raise failure(command, child.returncode, output.tail, secrets=(env or {}).values())
    return b"".join(output.stdout).decode(errors="replace")


def pipe(source: Sequence[str], sink: Sequence[str]) -> str:
    """Run `source | sink` and return the standard output of `sink`.

    Raises ToolError for the program that failed first.
    """
    source_output, sink_output = _Output(), _Output()
    left = _start(source, subprocess.DEVNULL)
    # Close this process's end of the pipe at once: otherwise `source` would not notice the end of `sink`.
    with cast(IO[bytes], left.stdout) as joint:
        try:
            right = _start(sink, joint)
        except BaseException:
            left.kill()
            raise
    readers = [
        source_output.follow(left, left.stderr, keep=False),
        sink_output.follow(right, right.stdout, keep=True),
        sink_output.follow(right, right.stderr, keep=False),
    ]
    _wait([left, right], readers)
    # If the sink ends early, the source fails with a broken pipe; if the source ends early, the sink fails
    # with half an archive. The program that failed first is the one with another error message.
    if left.returncode != 0 and not _broken_pipe(left.returncode, source_output.tail):
        raise failure(source, left.returncode, source_output.tail)
    if right.returncode != 0:
        raise failure(sink, right.returncode, sink_output.tail)
    return b"".join(sink_output.stdout).decode(errors="replace")


def stop_children(grace: float = 1.0) -> None:
    """Stop all child processes and their children: TERM, then KILL after `grace` seconds.

    The main thread calls this function while other threads wait for the children. In those threads, the
    stopped children count as failed. Processes in another session (Host.spawn) keep running. No child is
    reaped here, because the thread that waits for it must get its real exit status.
    """
    with _adopting_orphans():
        for _ in range(2):  # twice, for children that a thread has started meanwhile
            for harshness in (signal.SIGTERM, signal.SIGKILL):
                children = _children()
                if not children:
                    return
                for child in children:
                    with suppress(ProcessLookupError):
                        os.kill(child, harshness)
                _wait_for_end(children, grace)


@contextmanager
def no_children() -> Iterator[None]:
    """Stop all children. Until the `with` block ends, threads that want to start a child have to wait.

    Otherwise a thread that is still running could start another child after its last child was stopped, and
    that child would outlive this process.
    """
    with _STARTING:
        stop_children()
        yield


def failure(
    command: Sequence[str], status: int, tail: Iterable[str], *, secrets: Iterable[str] = ()
) -> ToolError:
    """Return the error for a command that failed with `status`. `tail` has the last lines of its output.

    Values of `secrets` and passwords in URLs are masked.
    """
    hidden = sorted((value for value in secrets if len(value) > 3), key=len, reverse=True)

    def clean(text: str) -> str:
        for value in hidden:
            text = text.replace(value, "***")
        return _USERINFO.sub("://***@", text)

    output = clean("\n".join(list(tail)[-TAIL:]).strip("\n"))
    how = f"was killed by signal {-status}" if status < 0 else f"failed with status {status}"
    return ToolError(
        f"`{_short(command)}` {how}",
        command=[clean(word) for word in command],
        status=status,
        why=output.rsplit("\n", 1)[-1],
        output=output,
    )


def _short(command: Sequence[str]) -> str:
    """Return the program and its subcommands, without options: `kind create cluster`."""
    words = takewhile(re.compile(r"[a-z][a-z0-9-]*").fullmatch, command[1:3])
    return " ".join([os.path.basename(command[0]), *words])


def _file_of(text: bytes, command: Sequence[str]) -> IO[bytes]:
    """Return a temporary file that contains `text`. Unlike a pipe, a file needs no thread that writes to
    it.

    Raises ToolError.
    """
    made: IO[bytes] | None = None
    try:
        made = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
        made.write(text)
        made.seek(0)
    except OSError as error:
        with suppress(OSError):  # closing it tries to write again
            if made is not None:
                made.close()
        raise ToolError(
            f"cannot store the input of {command[0]} in a temporary file",
            command=command,
            why=str(error),
            fix="free disk space in /tmp, or set TMPDIR to a writable folder",
        ) from error
    return made


def _start(
    command: Sequence[str], stdin: IO[bytes] | int, env: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    try:
        with _STARTING:
            return subprocess.Popen(
                list(command),
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, **env} if env else None,
            )
    except FileNotFoundError as error:
        raise ToolError(
            f"{command[0]} is not installed", command=command, code="program-missing"
        ) from error
    except OSError as error:
        raise ToolError(f"cannot start {command[0]}", command=command, why=str(error)) from error


def _wait(children: Sequence[subprocess.Popen[bytes]], readers: Sequence[threading.Thread]) -> None:
    """Wait until the children have exited and their output is read. An exception (Ctrl-C) kills them."""
    try:
        for child in children:
            child.wait()
        # A daemon that a child has started may keep the child's streams open.
        deadline = time.monotonic() + 1
        for reader in readers:
            reader.join(timeout=max(0, deadline - time.monotonic()))
    except BaseException:
        for child in children:
            child.kill()
        raise


def _broken_pipe(status: int, tail: Iterable[str]) -> bool:
    return status == -signal.SIGPIPE or any("broken pipe" in line.lower() for line in tail)


def _children() -> list[int]:
    import psutil

    own_session = os.getsid(0)
    pids = []
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            if child.status() != psutil.STATUS_ZOMBIE and os.getsid(child.pid) == own_session:
                pids.append(child.pid)
    return pids


@contextmanager
def _adopting_orphans() -> Iterator[None]:
    """On Linux, make this process the parent of its orphaned descendants (PR_SET_CHILD_SUBREAPER,
    prctl(2)).

    Otherwise a child could start a process just before the child exits, and that process would keep
    running unnoticed. For example, kind starts another `docker exec`.
    """
    import ctypes

    prctl = getattr(ctypes.CDLL(None), "prctl", lambda *_: -1)
    prctl(SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        prctl(SUBREAPER, 0, 0, 0, 0)


def _wait_for_end(pids: Iterable[int], seconds: float) -> None:
    """Wait until the processes have exited, for at most `seconds`.

    A pidfd becomes readable when its process exits, and reading it does not reap the process.
    """
    poll = select.poll()
    open_fds = set()
    for pid in pids:
        with suppress(ProcessLookupError):
            fd = os.pidfd_open(pid)
            poll.register(fd, select.POLLIN)
            open_fds.add(fd)
    deadline = time.monotonic() + seconds
    while open_fds and (left := deadline - time.monotonic()) > 0:
        for fd, _ in poll.poll(left * 1000):
            poll.unregister(fd)
            os.close(fd)
            open_fds.discard(fd)
    for fd in open_fds:
        os.close(fd)
