"""A machine in memory: files, programs on its PATH, processes, kernel settings, a package manager."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kindctl.errors import ToolError
from kindctl.models import Say
from kindctl.tools.process import failure
from tests.fakes.apt import FakeApt

Program = Callable[[Sequence[str], str, Mapping[str, str]], str]
"""(arguments, standard input, environment) -> standard output. Raises Failed."""

BOOKWORM = {"ID": "debian", "VERSION_ID": "12", "VERSION_CODENAME": "bookworm"}
FOR_ROOT = ("/etc", "/usr", "/var", "/proc", "/root")
GIB = 1 << 30


class Failed(Exception):  # noqa: N818 - what a program does, not what this code does wrong
    """A program's end with another status than 0."""

    def __init__(self, status: int, output: str = "") -> None:
        super().__init__(output)
        self.status = status
        self.output = output


@dataclass
class FakeHost:
    """See protocols.Host for its public methods; the rest is for tests. A program that is spawned is
    called once: if it fails, it has ended at once, else it lives until it is terminated."""

    root: bool = True
    systemd: bool = False
    release: Mapping[str, str] = field(default_factory=lambda: dict(BOOKWORM))
    files: dict[Path, str] = field(default_factory=dict)
    modes: dict[Path, int] = field(default_factory=dict)
    sysctls: dict[str, str] = field(default_factory=lambda: {"kernel.ostype": "Linux"})
    disk: int = 100 * GIB
    memory: int = 16 * GIB
    cas: dict[str, str] = field(default_factory=dict)
    destinations: tuple[str, ...] = ("192.0.2.0/24",)
    programs: dict[str, Program] = field(default_factory=dict)
    processes: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.apt = FakeApt(self.files, self.programs)
        self._next_pid = 5000
        self.programs |= {
            "true": lambda arguments, stdin, env: "",
            "false": _fails,
            "sleep": lambda arguments, stdin, env: "",
            "echo": lambda arguments, stdin, env: " ".join(arguments) + "\n",
            "cat": lambda arguments, stdin, env: stdin,
            "printenv": lambda arguments, stdin, env: env.get(arguments[0], "") + "\n",
            "find": self._find,
            "apt-get": lambda arguments, stdin, env: self._package_manager(arguments),
            "dpkg-query": lambda arguments, stdin, env: self.apt.query(),
        }

    # --- the protocol ----------------------------------------------------------------------------

    def is_root(self) -> bool:
        return self.root

    def which(self, program: str) -> str | None:
        return f"/usr/bin/{program}" if program in self.programs else None

    def run(
        self,
        command: Sequence[str],
        *,
        say: Say | None = None,
        stdin: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> str:
        try:
            output = self._program(command)(command[1:], stdin or "", env or {})
        except Failed as failed:
            lines = failed.output.splitlines()
            _tell(say, lines)
            secrets = (env or {}).values()
            raise failure(command, failed.status, lines, secrets=secrets) from failed
        _tell(say, output.splitlines())
        return output

    def spawn(self, command: Sequence[str], log: Path) -> int:
        try:
            said = self._program(command)(command[1:], "", {})
        except Failed as failed:
            self.files[log] = self.files.get(log, "") + failed.output
            raise ToolError(
                f"{command[0]} exited at once with status {failed.status}",
                command=command,
                status=failed.status,
                output=failed.output,
            ) from failed
        self.files[log] = self.files.get(log, "") + said
        self._next_pid += 1
        self.processes[self._next_pid] = tuple(command)
        return self._next_pid

    def alive(self, pid: int) -> bool:
        return pid in self.processes

    def terminate(self, pid: int) -> None:
        self.processes.pop(pid, None)

    def read(self, path: Path) -> str | None:
        return self.files.get(path)

    def write(self, path: Path, text: str, mode: int = 0o644) -> None:
        self._need_root(f"write {path}", path)
        if any(parent in self.files for parent in path.parents):
            raise ToolError(f"cannot write {path}", why="Not a directory", code="host")
        self.files[path] = text
        self.modes[path] = mode

    def delete(self, path: Path) -> None:
        self._need_root(f"delete {path}", path)
        self.files.pop(path, None)
        self.modes.pop(path, None)

    def sysctl(self, name: str) -> str | None:
        return self.sysctls.get(name)

    def set_sysctl(self, name: str, value: str) -> None:
        self._need_root(f"set {name}", Path("/proc/sys"))
        if name not in self.sysctls:
            raise ToolError(f"cannot set {name}", why="No such file or directory", code="host")
        self.sysctls[name] = value

    def has_systemd(self) -> bool:
        return self.systemd

    def os_release(self) -> Mapping[str, str]:
        return self.release

    def free_disk(self, path: str) -> int:
        return self.disk

    def free_memory(self) -> int:
        return self.memory

    def trusted_cas(self) -> Mapping[str, str]:
        return self.cas

    def routes(self) -> Sequence[str]:
        return self.destinations

    # --- inside ----------------------------------------------------------------------------------

    def _program(self, command: Sequence[str]) -> Program:
        program = self.programs.get(Path(command[0]).name)
        if program is None:
            raise ToolError(
                f"{command[0]} is not installed", command=command, code="program-missing"
            )
        return program

    def _need_root(self, doing: str, path: Path) -> None:
        if not self.root and str(path).startswith(FOR_ROOT):
            raise ToolError(f"cannot {doing}", why="Permission denied", code="host")

    def _package_manager(self, arguments: Sequence[str]) -> str:
        if not self.root and "-s" not in arguments:
            raise Failed(100, "E: are you root?")
        try:
            return self.apt.get(arguments)
        except LookupError as error:
            raise Failed(100, f"E: {error.args[0]}") from error

    def _find(self, arguments: Sequence[str], stdin: str, env: Mapping[str, str]) -> str:
        """`find FOLDER ... -name PATTERN -o -name PATTERN`: files only."""
        folder, patterns = Path(arguments[0]), arguments[1:]
        wanted = [patterns[i + 1] for i, word in enumerate(patterns) if word == "-name"]
        found = [p for p in self.files if folder in p.parents and any(map(p.match, wanted))]
        return "".join(f"{path}\n" for path in sorted(found))


def _tell(say: Say | None, lines: Sequence[str]) -> None:
    if say is not None:
        for line in lines:
            say(line)


def _fails(arguments: Sequence[str], stdin: str, env: Mapping[str, str]) -> str:
    raise Failed(1)
