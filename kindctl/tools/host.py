"""The real Host: programs, files, kernel settings, trusted certificates and routes of this machine.

Methods that read /proc or /sys work on Linux; on other systems they return nothing.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from kindctl.errors import ToolError
from kindctl.models import Say
from kindctl.tools.process import TAIL, run
from kindctl.tools.protocols import LOCAL_CA_FILES

CA_FOLDERS = (
    "/usr/local/share/ca-certificates",  # Debian, Ubuntu, Alpine: update-ca-certificates(8)
    "/etc/pki/ca-trust/source/anchors",  # Fedora, RHEL: update-ca-trust(8)
    "/etc/ca-certificates/trust-source/anchors",  # Arch: update-ca-trust(8)
)
"""Folders to which administrators add certificate authorities. The keychain of macOS is not read."""

_CERTIFICATE = re.compile(
    r"-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----"
)
_SPAWN_SECONDS = 0.3  # a program that cannot run (bad flag, port taken) ends within this


class RealHost:
    """Implements protocols.Host. Errors of the operating system become ToolErrors with code `host`."""

    def __init__(self) -> None:
        self._spawned: list[subprocess.Popen[bytes]] = []

    def is_root(self) -> bool:
        return os.geteuid() == 0

    def which(self, program: str) -> str | None:
        return shutil.which(program)

    def run(
        self,
        command: Sequence[str],
        *,
        say: Say | None = None,
        stdin: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> str:
        given = None if stdin is None else stdin.encode()
        return run(command, say=say, stdin=given, env=env)

    def spawn(self, command: Sequence[str], log: Path) -> int:
        with _os_errors(f"start {command[0]}", command):
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("ab") as output:
                child = subprocess.Popen(
                    list(command),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        try:
            status = child.wait(timeout=_SPAWN_SECONDS)
        except subprocess.TimeoutExpired:
            self._spawned.append(
                child
            )  # else the destructor of Popen would warn that it still runs
            return child.pid
        tail = log.read_text("utf-8", errors="replace").splitlines()[-TAIL:]
        raise ToolError(
            f"{command[0]} exited at once with status {status}",
            command=command,
            status=status,
            why=tail[-1] if tail else "",
            output="\n".join(tail),
        )

    def alive(self, pid: int) -> bool:
        import psutil

        with suppress(psutil.NoSuchProcess):
            return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
        return False

    def terminate(self, pid: int) -> None:
        import psutil

        try:
            with suppress(psutil.NoSuchProcess):
                process = psutil.Process(pid)
                process.terminate()
                try:
                    process.wait(timeout=10)
                except psutil.TimeoutExpired:
                    process.kill()
                    process.wait(timeout=10)
        except (psutil.AccessDenied, psutil.TimeoutExpired) as error:
            raise ToolError(f"could not stop process {pid}", why=str(error)) from error

    def read(self, path: Path) -> str | None:
        with _os_errors(f"read {path}"), suppress(FileNotFoundError, NotADirectoryError):
            return path.read_text("utf-8", errors="replace")
        return None

    def write(self, path: Path, text: str, mode: int = 0o644) -> None:
        with _os_errors(f"write {path}"):
            target = Path(os.path.realpath(path))  # keep a symbolic link, such as ~/.kube/config
            target.parent.mkdir(parents=True, exist_ok=True)
            fd, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
            try:
                with os.fdopen(fd, "w", encoding="utf-8") as file:
                    os.fchmod(fd, mode)
                    file.write(text)
                os.replace(name, target)
            except BaseException:
                os.unlink(name)
                raise

    def delete(self, path: Path) -> None:
        with _os_errors(f"delete {path}"), suppress(NotADirectoryError):
            path.unlink(missing_ok=True)

    def sysctl(self, name: str) -> str | None:
        text = self.read(_sysctl_file(name))
        return None if text is None else text.strip()

    def set_sysctl(self, name: str, value: str) -> None:
        with _os_errors(f"set {name}"):
            _sysctl_file(name).write_text(f"{value}\n")

    def has_systemd(self) -> bool:
        return Path("/run/systemd/system").is_dir()  # sd_booted(3)

    def os_release(self) -> Mapping[str, str]:
        import platform

        with suppress(OSError):
            return platform.freedesktop_os_release()
        return {}

    def free_disk(self, path: str) -> int:
        place = Path(path).absolute()
        while not place.exists() and place != place.parent:
            place = place.parent
        with _os_errors(f"measure {place}"):
            return shutil.disk_usage(place).free

    def free_memory(self) -> int:
        import psutil

        return int(psutil.virtual_memory().available)

    def trusted_cas(self) -> Mapping[str, str]:
        found = {}
        for folder in map(Path, CA_FOLDERS):
            for file in sorted(folder.rglob("*")):
                if file.suffix.lower() not in (".crt", ".pem", ".cer"):
                    continue
                if file.name.startswith(LOCAL_CA_FILES):
                    continue
                certificates = pem_certificates(self.read(file) or "") if file.is_file() else ""
                if certificates:
                    name = "-".join(file.relative_to(folder).with_suffix(".crt").parts)
                    found[name] = certificates
        return found

    def routes(self) -> Sequence[str]:
        return parse_routes(self.read(Path("/proc/net/route")) or "")


def pem_certificates(text: str) -> str:
    """Return the certificates in a PEM text, without keys and comments.

    Returns an empty string if there is no certificate, or if one of them is not valid.
    """
    import ssl

    blocks = _CERTIFICATE.findall(text)
    if not blocks:
        return ""
    pem = "\n".join(block.replace("\r\n", "\n") for block in blocks) + "\n"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
    except ssl.SSLError:
        return ""
    return pem


def parse_routes(table: str) -> tuple[str, ...]:
    """Return the destinations in /proc/net/route, in CIDR notation, without the default route.

    That file has addresses as 32-bit words in the byte order of the machine (proc_net(5)).
    """
    import ipaddress
    import sys

    def address(word: str) -> ipaddress.IPv4Address:
        raw = bytes.fromhex(word)
        return ipaddress.IPv4Address(raw[::-1] if sys.byteorder == "little" else raw)

    routes = []
    for line in table.splitlines()[1:]:
        columns = line.split()
        if len(columns) < 8 or columns[7] == "00000000":
            continue
        destination, mask = address(columns[1]), address(columns[7])
        routes.append(str(ipaddress.ip_network(f"{destination}/{mask}", strict=False)))
    return tuple(dict.fromkeys(routes))


def _sysctl_file(name: str) -> Path:
    return Path("/proc/sys", *name.split("."))


@contextmanager
def _os_errors(doing: str, command: Sequence[str] = ()) -> Iterator[None]:
    """Turn an OSError into a ToolError that says "cannot" and `doing`.

    `command` is the program that is being started, if any.
    """
    try:
        yield
    except OSError as error:
        if command and isinstance(error, FileNotFoundError):
            raise ToolError(
                f"{command[0]} is not installed", command=command, code="program-missing"
            ) from error
        raise ToolError(
            f"cannot {doing}", command=command, why=error.strerror or str(error), code="host"
        ) from error
