"""Where kindctl keeps files: kubeconfigs, locks and logs in the XDG data folder, downloads in the cache
folder.

State that Docker or Kubernetes can report is never kept here.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from kindctl.errors import UsageError

DNS_LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
"""An RFC 1123 label. Kubernetes requires this form for the name of a namespace, and Docker for the name of
a container."""

NAME_MAX = 40
"""Maximum length of an environment's name, in characters. The names of its nodes are longer, and they are
limited to 63."""


def _xdg(variable: str, default: str) -> Path:
    base = os.environ.get(variable) or str(Path.home() / default)
    return Path(base) / "kindctl"


def data_dir() -> Path:
    return _xdg("XDG_DATA_HOME", ".local/share")


def cache_dir() -> Path:
    return _xdg("XDG_CACHE_HOME", ".cache")


def is_valid_name(name: str) -> bool:
    """Whether an environment may have this name, which may come from a file, the command line or a
    label."""
    return len(name) <= NAME_MAX and re.fullmatch(DNS_LABEL[1:-1], name) is not None


def valid_name(environment: str) -> str:
    """Return the name if it is valid. Otherwise raise UsageError. Names become parts of paths, so with a
    name such as `..` or `/etc`, `down` would remove the wrong folder."""
    if is_valid_name(environment):
        return environment
    raise UsageError(
        f"{environment!r} is not a valid name for an environment",
        why=f"a name has at most {NAME_MAX} lowercase letters, digits and '-'",
        fix="`kindctl list` shows all environments; use --file to pass a kindctl.yaml",
    )


def environment_dir(environment: str) -> Path:
    """Return the environment's own folder, which `down` removes. Its mode is 0700 because it contains a
    kubeconfig. Raises UsageError for an invalid name."""
    return data_dir() / "environments" / valid_name(environment)


def kubeconfig(environment: str) -> Path:
    return environment_dir(environment) / "kubeconfig"


def forward_socket(environment: str) -> Path:
    """Return the socket of the process that forwards the environment's ports."""
    return environment_dir(environment) / "forward.sock"


def log_dir() -> Path:
    return data_dir() / "logs"


def share_dir(name: str) -> Path:
    """Return the folder of `sample-app`, `configs` or `docs/ways-in`: inside an installed package, or at
    the top of a checkout."""
    packaged = Path(__file__).parent / "_share" / name
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / name
