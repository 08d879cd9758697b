"""The image that an environment's nodes are made from: the node image, and what we put into it."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from kindctl.models import EXTRA_CAS_LABEL
from kindctl.tools.engine_protocol import Build, Engine


def derived(
    engine: Engine,
    base: str,
    repository: str,
    *,
    labels: Mapping[str, str],
    extra_cas: Mapping[str, str],
    extra_cas_label: str,
) -> str:
    """The name of an image that is `base` with these labels and certificate authorities (file name -> PEM),
    built unless the engine has it. A base that has the authorities keeps the label that says so.

    Raises KindctlError where it cannot be built.
    """
    found = engine.image(base)
    carried = bool(found and found.labels.get(EXTRA_CAS_LABEL))
    cas = {} if carried else dict(extra_cas)
    if cas:
        labels = {**labels, EXTRA_CAS_LABEL: extra_cas_label}
    key = json.dumps([found.id if found else base, labels, cas], sort_keys=True)
    tag = f"{repository}:{hashlib.sha256(key.encode()).hexdigest()[:12]}"
    if engine.image(tag) is not None:
        return tag
    with tempfile.TemporaryDirectory(prefix="kindctl-") as folder:
        lines = [f"FROM {base}"]
        for file, pem in cas.items():
            Path(folder, file).write_text(pem)
            lines.append(f"COPY {file} /usr/local/share/ca-certificates/{file}")
        if cas:
            lines.append("RUN update-ca-certificates")
        Path(folder, "Dockerfile").write_text("\n".join(lines) + "\n")
        engine.build(Build(folder, tag, labels=labels), lambda _: None)
    return tag
