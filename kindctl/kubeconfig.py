"""Reads and changes kubeconfig files: adds, removes and renames the entries of a cluster."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from kindctl.errors import UsageError

LISTS = ("clusters", "contexts", "users")


def for_host(admin_conf: str, environment: str, server: str) -> str:
    """Return kubeadm's admin.conf, changed for use on the host: with kind's names (`kind-NAME`) and the
    address `server`."""
    config = yaml.safe_load(admin_conf)
    name = f"kind-{environment}"
    cluster = dict(config["clusters"][0]["cluster"], server=server)
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": cluster}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "users": [{"name": name, "user": config["users"][0]["user"]}],
            "current-context": name,
        },
        sort_keys=False,
    )


def default_file() -> Path:
    """Return the file that kubectl changes: the first one in $KUBECONFIG, else ~/.kube/config."""
    first = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
    return Path(first) if first else Path.home() / ".kube" / "config"


def user_files() -> Path:
    """Return what kubectl reads: $KUBECONFIG, else ~/.kube/config, with absolute paths. If $KUBECONFIG
    lists several files, the result is such a list too, not a single path."""
    named = os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    return Path(
        os.pathsep.join(str(Path(file).absolute()) for file in named.split(os.pathsep) if file)
    )


def parts_of(files: Path) -> list[Path]:
    """Return the existing files in `files`, a list like $KUBECONFIG. If none exists, return all files."""
    parts = [Path(file) for file in str(files).split(os.pathsep) if file]
    return [part for part in parts if part.exists()] or parts


def server_of(files: Path, context: str, read: Callable[[Path], str | None]) -> str:
    """Return the address of a context's API server. `files` is a list like $KUBECONFIG; if several files
    define the same name, the first one counts. `read` returns the text of a file, or None if the file does
    not exist.

    Raises UsageError if none of the files has that context.
    """
    contexts: dict[str, str] = {}
    servers: dict[str, str] = {}
    for file in str(files).split(os.pathsep):
        config = _read(read(Path(file)) or "")
        for entry in config.get("contexts") or []:
            contexts.setdefault(entry["name"], (entry.get("context") or {}).get("cluster", ""))
        for entry in config.get("clusters") or []:
            servers.setdefault(entry["name"], (entry.get("cluster") or {}).get("server", ""))
    server = servers.get(contexts.get(context, ""), "")
    if not server:
        raise UsageError(
            f"no context {context!r} in {files}",
            why=f"known contexts: {', '.join(contexts) or 'none'}",
            fix="correct cluster.provider.existing, or set KUBECONFIG to the file with that context",
            code="context-unknown",
        )
    return server


def origin(server: str) -> tuple[str, str, int]:
    """Return the scheme, host and port of an API server's address, which identify the server."""
    url = urlsplit(server if "://" in server else f"https://{server}")
    return url.scheme, url.hostname or "", url.port or {"http": 80}.get(url.scheme, 443)


def merge_into(base: str | None, added: str) -> str:
    """Return `base` with the entries of `added`, which replace entries of the same names. The current
    context becomes that of `added`. Raises UsageError if `base` is not a kubeconfig."""
    config = _read(base or "") or {"apiVersion": "v1", "kind": "Config"}
    new = yaml.safe_load(added)
    for key in LISTS:
        names = {entry["name"] for entry in new[key]}
        kept = [entry for entry in config.get(key) or [] if entry["name"] not in names]
        config[key] = kept + new[key]
    config["current-context"] = new["current-context"]
    return yaml.safe_dump(config, sort_keys=False)


def without(base: str, name: str) -> str | None:
    """Return `base` without the entries named `name`, or None if `base` contains no such entries.

    Raises UsageError if `base` is not a kubeconfig.
    """
    config = _read(base)
    found = False
    for key in LISTS:
        entries = config.get(key) or []
        kept = [entry for entry in entries if entry["name"] != name]
        found = found or len(kept) != len(entries)
        config[key] = kept
    if not found:
        return None
    if config.get("current-context") == name:
        config["current-context"] = ""
    return yaml.safe_dump(config, sort_keys=False)


def _read(text: str) -> dict[str, Any]:
    why = ""
    try:
        config = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        config, why = None, str(error)
    if isinstance(config, dict) and all(map(_has_names, (config.get(key) or [] for key in LISTS))):
        return config
    raise UsageError(
        "cannot read kubectl's default kubeconfig",
        why=why or "the file is not a kubeconfig",
        fix=f"fix or remove {default_file()}",
    )


def _has_names(entries: Any) -> bool:
    return isinstance(entries, list) and all(isinstance(e, dict) and "name" in e for e in entries)


def auth_headers(settings: Any) -> dict[str, str]:
    """Return the HTTP headers that contain the token of a Configuration. The client refreshes the token
    when it expires."""
    found = settings.auth_settings().values()
    return {s["key"]: s["value"] for s in found if s["in"] == "header" and s["value"]}


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this machine itself, which cannot be reached through a proxy."""
    return urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost")


def client_settings(file: Path, context: str | None) -> Any:
    """Return the kubernetes client's Configuration for a context, or for the current context if `context`
    is None. The client itself handles exec plug-ins and auth providers. Raises the client's
    ConfigException."""
    from kubernetes.client import Configuration
    from kubernetes.config import load_kube_config

    settings = Configuration()
    load_kube_config(  # type: ignore[no-untyped-call,unused-ignore]
        config_file=str(file),
        context=context,
        client_configuration=settings,
        persist_config=False,  # the file may be the user's own
    )
    return settings
