"""Where kindctl keeps files: kubeconfigs, locks and logs under XDG's data folder, downloads under its
cache folder. No state that Docker or Kubernetes can be asked for lives here."""

from __future__ import annotations

import os
import re
from pathlib import Path

from kindctl.errors import UsageError

DNS_LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
"""RFC 1123 label: what Kubernetes asks of a namespace and Docker of a container's name."""

NAME_MAX = 40
"""Characters of an environment's name: names of its nodes are longer, and at most 63."""


def _xdg(variable: str, default: str) -> Path:
    base = os.environ.get(variable) or str(Path.home() / default)
    return Path(base) / "kindctl"


def data_dir() -> Path:
    return _xdg("XDG_DATA_HOME", ".local/share")


def cache_dir() -> Path:
    return _xdg("XDG_CACHE_HOME", ".cache")


def names_environment(name: str) -> bool:
    """Whether an environment can be called so. Names come from command lines and from labels too."""
    return len(name) <= NAME_MAX and re.fullmatch(DNS_LABEL[1:-1], name) is not None


def checked(environment: str) -> str:
    """The name, to be a part of a path: `..` or `/etc` would lead out of kindctl's own folder, and `down`
    removes what it leads to. Raises UsageError."""
    if names_environment(environment):
        return environment
    raise UsageError(
        f"{environment!r} is not the name of an environment",
        why=f"names are made of lower-case letters, digits and '-', at most {NAME_MAX}",
        fix="kindctl list shows those that there are; a kindctl.yaml is given with --file",
    )


def environment_dir(environment: str) -> Path:
    """One folder per environment; `down` removes it. Mode 0700: it holds a kubeconfig. Raises UsageError
    for what is no name: see checked()."""
    return data_dir() / "environments" / checked(environment)


def kubeconfig(environment: str) -> Path:
    return environment_dir(environment) / "kubeconfig"


def forward_socket(environment: str) -> Path:
    """Where the supervisor of its forwarded ports is talked to."""
    return environment_dir(environment) / "forward.sock"


def log_dir() -> Path:
    return data_dir() / "logs"


def share_dir(name: str) -> Path:
    """`sample-app`, `configs` or `docs/ways-in`: in an installed package beside the code, in a
    checkout at its top."""
    packaged = Path(__file__).parent / "_share" / name
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / name
