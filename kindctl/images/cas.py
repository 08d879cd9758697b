"""Certificate authorities that a host trusts beyond its distribution's own: a company's network.

Builds and nodes must trust them too, and an image that has them says so in a label, so that none
leaves the machine with them silently. Children inherit the label as they inherit the files.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from kindctl.errors import KindctlError
from kindctl.models import EXTRA_CAS_LABEL, Say
from kindctl.references import parse
from kindctl.tools.engine_protocol import Build, Engine, ImageInfo

BUNDLE = "/etc/ssl/certs/ca-certificates.crt"

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")
_NO_SHELL = re.compile(r'exec: "?/bin/sh"?.*(not found|no such file)', re.IGNORECASE)

_DOCKERFILE = f"""\
FROM base AS bundle
USER 0:0
COPY cas /kindctl/usr/local/share/ca-certificates/
RUN set -eu; \\
    mkdir -p /kindctl/etc/ssl/certs; \\
    for file in {BUNDLE} /etc/pki/tls/certs/ca-bundle.crt; do \\
        if [ -f "$file" ]; then cat "$file"; break; fi; \\
    done > /kindctl{BUNDLE}; \\
    for file in /kindctl/usr/local/share/ca-certificates/*.crt; do \\
        echo; cat "$file"; \\
    done >> /kindctl{BUNDLE}

FROM base
COPY --from=bundle /kindctl /
ENV SSL_CERT_FILE={BUNDLE} PIP_CERT={BUNDLE} REQUESTS_CA_BUNDLE={BUNDLE} NODE_EXTRA_CA_CERTS={BUNDLE}
"""
"""Works where there is a shell, with or without update-ca-certificates (the files are where that
program looks, for when a child image installs it), and leaves the base's USER as it is. USER 0 without
a group would be looked up in files that a base may lack."""


def fingerprints(extra_cas: Mapping[str, str]) -> tuple[str, ...]:
    """One "FILE=SHA-256" for each certificate, as `openssl x509 -fingerprint -sha256` gives it, in
    lower case without colons. Sorted."""
    return tuple(
        sorted(
            f"{_file_name(name)}={hashlib.sha256(base64.b64decode(block)).hexdigest()}"
            for name, pem in extra_cas.items()
            for block in _PEM.findall(pem)
        )
    )


def label(extra_cas: Mapping[str, str]) -> str:
    return ",".join(fingerprints(extra_cas))


def carries_cas(image: ImageInfo) -> tuple[str, ...]:
    """The additional CAs in an image that kindctl made, or that was made from one. Ask before an image
    leaves the machine."""
    return tuple(filter(None, image.labels.get(EXTRA_CAS_LABEL, "").split(",")))


def write_folder(extra_cas: Mapping[str, str], folder: Path) -> None:
    """As update-ca-certificates(8) wants them: one *.crt file each."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, pem in extra_cas.items():
        (folder / _file_name(name)).write_text(pem)


def with_cas(engine: Engine, base: str, extra_cas: Mapping[str, str], say: Say) -> str:
    """The name of an image that is `base` with the CAs; `base` itself when it has them, or has no
    shell to add them with (then nothing in it could use the package registries either)."""
    image = engine.image(base)
    if image is None:
        raise KindctlError(f"image {base} is not in the engine", code="image-unavailable")
    if not extra_cas or set(fingerprints(extra_cas)) <= set(carries_cas(image)):
        return base
    key = json.dumps([image.id, fingerprints(extra_cas), _DOCKERFILE])
    reference = parse(base)
    tag = (
        f"kindctl.local/with-cas/{reference.repository}:"
        f"{reference.tag[:80]}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"
    )
    if engine.image(tag) is not None:
        return tag
    say(f"adding this host's certificate authorities to {base}")
    with tempfile.TemporaryDirectory(prefix="kindctl-") as folder:
        write_folder(extra_cas, Path(folder, "cas"))
        Path(folder, "Dockerfile").write_text(_DOCKERFILE)
        build = Build(
            folder,
            tag,
            contexts={"base": f"docker-image://{base}"},
            labels={EXTRA_CAS_LABEL: label(extra_cas)},
        )
        try:
            engine.build(build, lambda _: None)
        except KindctlError as error:
            if _NO_SHELL.search(error.output):
                return base
            raise
    return tag


def _file_name(name: str) -> str:
    """Without what a label or a path could not hold."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "-", name)
    return safe if safe.endswith(".crt") else f"{safe}.crt"
