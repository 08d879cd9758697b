"""Where kindctl keeps files: kubeconfigs, locks and logs under XDG's data folder, downloads under its
cache folder. No state that Docker or Kubernetes can be asked for lives here."""

from __future__ import annotations

import os
from pathlib import Path


def _xdg(variable: str, default: str) -> Path:
    base = os.environ.get(variable) or str(Path.home() / default)
    return Path(base) / "kindctl"


def data_dir() -> Path:
    return _xdg("XDG_DATA_HOME", ".local/share")


def cache_dir() -> Path:
    return _xdg("XDG_CACHE_HOME", ".cache")


def environment_dir(environment: str) -> Path:
    """One folder per environment; `down` removes it. Mode 0700: it holds a kubeconfig."""
    return data_dir() / "environments" / environment


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
