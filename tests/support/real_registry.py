"""A registry with one image, as much of the OCI distribution protocol as a pull asks for."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping

from kindctl.tools.protocols import HttpAnswer
from tests.fakes.net import Request

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


class Registry:
    """Answers every repository and tag with the same image."""

    def __init__(self, architecture: str, labels: Mapping[str, str]) -> None:
        archive = _archive()
        layer = gzip.compress(archive, mtime=0)
        config = {
            "architecture": architecture,
            "os": "linux",
            "config": {"Labels": dict(labels)},
            "rootfs": {"type": "layers", "diff_ids": [_digest(archive)]},
        }
        self._blobs: dict[str, bytes] = {}
        self._manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": self._blob(CONFIG, json.dumps(config).encode()),
                "layers": [self._blob(LAYER, layer)],
            }
        ).encode()
        self.digest = _digest(self._manifest)

    def __call__(self, request: Request) -> HttpAnswer:
        kind, _, reference = request.path.rpartition("/")
        if kind.endswith("/manifests"):
            headers = {"Content-Type": MANIFEST, "Docker-Content-Digest": self.digest}
            return HttpAnswer(200, headers, self._manifest)
        if kind.endswith("/blobs") and reference in self._blobs:
            return HttpAnswer(200, {}, self._blobs[reference])
        return HttpAnswer(200 if request.path == "/v2/" else 404, {}, b"{}")

    def _blob(self, media_type: str, content: bytes) -> dict[str, object]:
        digest = _digest(content)
        self._blobs[digest] = content
        return {"mediaType": media_type, "digest": digest, "size": len(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _archive() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("hello"))
    return buffer.getvalue()
