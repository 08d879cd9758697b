"""configs/https: a certificate that clients can be made to trust, good for this machine alone."""

from __future__ import annotations

import base64
import http.client
import os
import shutil
import socket
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from playwright.sync_api import Error, sync_playwright

from kindctl.models import Say
from kindctl.trust.authority import LocalCa
from kindctl.trust.pki import authority
from kindctl.trust.system import LAYOUTS, SystemStore
from tests.e2e.test_browser import BROWSERS, FLAGS
from tests.support.harness import Kindctl, docker, inspect
from tests.support.way import Way, way

TITLE = "<title>Sample · kindctl</title>"
SYSTEM = LAYOUTS[0]
SECRET = "/api/v1/namespaces/ingress-nginx/secrets/localhost-tls"


@dataclass
class Https:
    way: Way

    @property
    def ca(self) -> Path:
        return self.way.kindctl.home / "data" / "kindctl" / "ca" / "ca.crt"

    def served(self) -> x509.Certificate:
        """The certificate on port 443, asked as anybody may."""
        return x509.load_pem_x509_certificate(
            ssl.get_server_certificate(("127.0.0.1", 443)).encode()
        )


@pytest.fixture(scope="module")
def https(kindctl: Kindctl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Https]:
    with way("https", kindctl, tmp_path_factory) as found:
        first = next(
            event["at"]
            for event in found.first.events
            if event["event"] == "step-ended" and event["name"] == "url:https://localhost/"
        )
        found.note(first_https_answer=first)
        yield Https(found)


def get(host: str, cafile: Path, path: str = "/") -> tuple[int, Mapping[str, str], str]:
    """Over TLS, for `host`, with the authorities of one file alone; names are not looked up."""
    context = ssl.create_default_context(cafile=str(cafile))
    connection = http.client.HTTPConnection(host, timeout=10)
    connection.sock = context.wrap_socket(
        socket.create_connection(("127.0.0.1", 443), 10), server_hostname=host
    )
    try:
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, headers, answer.read().decode()
    finally:
        connection.close()


def test_the_urls_that_up_prints(https: Https) -> None:
    assert https.way.urls == [
        "https://localhost/",
        "https://localhost/api/healthy",
        "https://secure.localhost/",
        "http://secure.localhost/",
    ]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "secure.localhost"])
def test_a_client_that_trusts_our_authority_alone_is_answered(https: Https, host: str) -> None:
    status, headers, body = get(host, https.ca)
    assert status == 200
    assert TITLE in body
    assert "strict-transport-security" not in headers


def test_others_are_not(https: Https, tmp_path: Path) -> None:
    bundle = tmp_path / "others.pem"
    bundle.write_bytes(authority("another", datetime.now(UTC), timedelta(days=1)).cert)
    with pytest.raises(ssl.SSLCertVerificationError):
        get("localhost", bundle)
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        get("other.localhost", https.ca)


def test_plain_http_is_sent_to_https_where_the_ingress_has_tls(https: Https) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", 80, timeout=10)
    connection.request("GET", "/x", headers={"Host": "secure.localhost"})
    answer = connection.getresponse()
    assert answer.status == 308
    assert answer.headers["Location"] == "https://secure.localhost/x"
    connection.close()
    assert get("secure.localhost", https.ca, "/api/healthy")[0] == 200


def test_what_the_authority_signs_for_another_site_is_refused(https: Https, tmp_path: Path) -> None:
    for name, good in (("example.com", False), ("shop.localhost", True)):
        leaf = _leaf(https.ca, name, tmp_path)
        verified = subprocess.run(
            ["openssl", "verify", "-x509_strict", "-CAfile", str(https.ca), str(leaf)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (verified.returncode == 0) == good, verified.stderr
        assert good or "permitted subtree violation" in verified.stdout + verified.stderr


def test_the_key_of_the_authority_is_on_this_machine_alone(https: Https) -> None:
    key = https.ca.with_name("ca.key")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    body = "".join(key.read_text().splitlines()[1:-1])
    secrets = https.way.api.raw("/api/v1/secrets")["items"]
    maps = https.way.api.raw("/api/v1/configmaps")["items"]
    values = [value for obj in secrets for value in (obj.get("data") or {}).values()]
    texts = [base64.b64decode(value).decode(errors="replace") for value in values]
    texts += [value for obj in maps for value in (obj.get("data") or {}).values()]
    texts += [https.way.first.out, https.way.first.err]
    texts += [p.read_text() for p in (https.ca.parents[1] / "logs").glob("**/*") if p.is_file()]
    assert len(texts) > 10
    assert not [text for text in texts if body in "".join(text.split())]


def test_a_second_up_keeps_the_certificate(https: Https) -> None:
    before = https.served().serial_number
    assert https.way.again().changes() == []
    assert https.served().serial_number == before


def test_a_deleted_certificate_comes_back_and_is_served(https: Https) -> None:
    before = https.served().serial_number
    https.way.api.raw(SECRET, "DELETE")
    changes = https.way.again().changes()
    assert changes == ["created Secret ingress-nginx/localhost-tls"]
    assert https.served().serial_number != before
    assert get("localhost", https.ca)[0] == 200


# --- trust ---------------------------------------------------------------------------------------


def test_a_browser_accepts_it_after_trust_and_not_before(https: Https, tmp_path: Path) -> None:
    """With a home folder of its own, and without the program that changes the system's store."""
    programs = tmp_path / "bin"
    programs.mkdir()
    browser = next(path for name in BROWSERS if (path := shutil.which(name)))
    for name in ("certutil", "mkdir"):
        (programs / name).symlink_to(shutil.which(name) or "")
    (programs / "chromium").symlink_to(browser)
    home = tmp_path / "home"
    home.mkdir()
    before = SYSTEM.bundle.read_bytes()

    hosts = ("localhost", "127.0.0.1", "secure.localhost", "other.localhost")
    assert _visit(browser, home, hosts) == ["ERR_CERT_AUTHORITY_INVALID"] * 4
    _trust(https, home, programs)
    seen = _visit(browser, home, hosts)
    assert seen == [*["Sample · kindctl"] * 3, "ERR_CERT_COMMON_NAME_INVALID"]
    _trust(https, home, programs, "--remove")
    assert _visit(browser, home, hosts) == ["ERR_CERT_AUTHORITY_INVALID"] * 4
    assert SYSTEM.bundle.read_bytes() == before


def test_the_systems_store_takes_it_and_gives_it_back(https: Https, tmp_path: Path) -> None:
    """Debian's, in a container of the node's image: this machine stays as it is."""
    (node,) = https.way.nodes()
    image = inspect(node)["Image"]
    container = docker("run", "-d", "--rm", "--entrypoint", "sleep", image, "600")
    try:
        host = _Container(container)
        store = SystemStore(host, SYSTEM)  # type: ignore[arg-type]
        (name,) = x509.load_pem_x509_certificate(https.ca.read_bytes()).subject
        ca = LocalCa(str(name.value), https.ca.read_text(), https.ca)
        fresh = host.read(SYSTEM.bundle)
        assert (store.trusts(ca), store.obstacle()) == (False, "")

        for _ in range(2):
            store.change(ca)
            assert store.trusts(ca)
        bundle = tmp_path / "bundle.crt"
        bundle.write_text(host.read(SYSTEM.bundle) or "")
        assert get("localhost", bundle)[0] == 200

        for _ in range(2):
            store.change(ca, remove=True)
            assert not store.trusts(ca)
        assert host.read(SYSTEM.bundle) == fresh
        assert ca.file_name.removesuffix(".crt") not in host.run(["ls", "-l", "/etc/ssl/certs"])
    finally:
        docker("rm", "-f", container)


def test_zz_the_authority_outlives_down(https: Https) -> None:
    authority, served = https.ca.read_bytes(), https.served().serial_number
    https.way.kindctl.run("down", "https")
    assert https.ca.read_bytes() == authority
    https.way.again()
    assert https.ca.read_bytes() == authority
    assert https.served().serial_number != served
    assert get("localhost", https.ca)[0] == 200


# --- helpers -------------------------------------------------------------------------------------


class _Container:
    """As much of a Host as a store needs, by the engine."""

    def __init__(self, container: str) -> None:
        self.container = container

    def is_root(self) -> bool:
        return True

    def which(self, program: str) -> str | None:
        return docker("exec", self.container, "sh", "-c", f"command -v {program} || true") or None

    def run(self, command: Sequence[str], *, say: Say | None = None) -> str:
        return docker("exec", self.container, *command)

    def read(self, path: Path) -> str | None:
        return docker("exec", self.container, "cat", str(path))

    def write(self, path: Path, text: str, mode: int = 0o644) -> None:
        command = ["docker", "exec", "-i", self.container, "sh", "-c", f"cat > {path}"]
        subprocess.run(command, input=text, text=True, check=True)

    def delete(self, path: Path) -> None:
        docker("exec", self.container, "rm", "-f", str(path))


def _trust(https: Https, home: Path, programs: Path, *arguments: str) -> None:
    """Exit code 1: the system's store is left to the person."""
    done = subprocess.run(
        [sys.executable, "-m", "kindctl", "trust", "--yes", *arguments],
        env={**https.way.kindctl.environ(), "HOME": str(home), "PATH": str(programs)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == (0 if arguments else 1), done.stdout + done.stderr
    assert arguments or "sudo update-ca-certificates" in done.stderr


def _visit(browser: str, home: Path, hosts: Sequence[str]) -> list[str]:
    """For each host the title of its page, or the browser's error."""
    environ = {name: value for name, value in os.environ.items() if name != "XDG_DATA_HOME"}
    seen = []
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=browser, args=FLAGS, env={**environ, "HOME": str(home)}
        )
        page = running.new_page()
        for host in hosts:
            try:
                page.goto(f"https://{host}/")
                seen.append(page.title())
            except Error as error:
                seen.append(error.message.partition("net::")[2].partition(" ")[0])
        running.close()
    return seen


def _leaf(ca: Path, name: str, folder: Path) -> Path:
    """A certificate for `name`, by openssl and the authority's key."""
    request, leaf = folder / f"{name}.csr", folder / f"{name}.crt"
    extensions = folder / f"{name}.cnf"
    extensions.write_text(
        f"subjectAltName=DNS:{name}\nbasicConstraints=critical,CA:false\n"
        "authorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
    )
    new = ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    new += ["-nodes", "-keyout", str(folder / "key"), "-subj", f"/CN={name}", "-out", str(request)]
    sign = ["openssl", "x509", "-req", "-in", str(request), "-CA", str(ca), "-CAkey"]
    sign += [str(ca.with_name("ca.key")), "-set_serial", "1", "-days", "1"]
    sign += ["-extfile", str(extensions), "-out", str(leaf)]
    for command in (new, sign):
        subprocess.run(command, check=True, capture_output=True)
    return leaf
