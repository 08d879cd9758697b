"""Adds extra CAs to images: the CAs that administrators added to this host, usually a company's.

Builds and nodes must trust these CAs too. A label on the image lists the extra CAs, so that
nobody publishes such an image by accident. Child images inherit both the files and the label.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping

from kindctl.errors import KindctlError
from kindctl.images.building import build_dockerfile, content_hash
from kindctl.models import EXTRA_CAS_LABEL, Say
from kindctl.references import parse
from kindctl.tools.engine_protocol import Engine, ImageInfo

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
"""Adds CAs to any base that has a shell, and keeps the base's USER.

The base need not contain update-ca-certificates. The CA files are in the folder that update-ca-certificates
reads, in case a child image installs this program. USER names a group too: without a group, the engine
would look it up in a file that the base may not contain."""


def fingerprints(extra_cas: Mapping[str, str]) -> tuple[str, ...]:
    """Return a sorted "FILE=SHA-256" for each certificate.

    The fingerprint is that of `openssl x509 -fingerprint -sha256`, in lower case and without colons.
    """
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
    """Return the fingerprints of the extra CAs in an image, read from the image's label.

    Only images that kindctl built, and images based on those, carry this label.
    """
    return tuple(filter(None, image.labels.get(EXTRA_CAS_LABEL, "").split(",")))


def files(extra_cas: Mapping[str, str], folder: str = "") -> dict[str, str]:
    """Return the files for update-ca-certificates(8), as path -> PEM: one *.crt for each extra CA."""
    return {f"{folder}{_file_name(name)}": pem for name, pem in extra_cas.items()}


def with_cas(engine: Engine, base: str, extra_cas: Mapping[str, str], say: Say) -> str:
    """Return the name of an image that is `base` plus `extra_cas`. Build this image if it does not exist.

    Returns `base` itself if `base` already contains the CAs, or if `base` contains no shell: the build
    needs a shell to add CAs. Without a shell, nothing in the image uses package registries either.
    """
    image = engine.image(base)
    if image is None:
        raise KindctlError(f"image {base} is not in the engine", code="image-unavailable")
    if not extra_cas or set(fingerprints(extra_cas)) <= set(carries_cas(image)):
        return base
    key = content_hash([image.id, fingerprints(extra_cas), _DOCKERFILE])
    reference = parse(base)
    tag = f"kindctl.local/with-cas/{reference.repository}:{reference.tag[:80]}-{key[:8]}"
    if engine.image(tag) is not None:
        return tag
    say(f"adding this host's certificate authorities to {base}")
    try:
        return build_dockerfile(
            engine,
            _DOCKERFILE,
            tag,
            labels={EXTRA_CAS_LABEL: label(extra_cas)},
            contexts={"base": f"docker-image://{base}"},
            files=files(extra_cas, "cas/"),
        )
    except KindctlError as error:
        if _NO_SHELL.search(error.output):
            return base
        raise


def _file_name(name: str) -> str:
    """Return a *.crt file name that is valid in a label and in a path."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "-", name)
    return safe if safe.endswith(".crt") else f"{safe}.crt"
