"""A foreign cluster: made by kind without kindctl, with a registry beside it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.harness import docker


@contextmanager
def foreign_cluster(name: str, config: Path, kubeconfig: Path) -> Iterator[None]:
    """Make a cluster with a configuration file of kind, and delete it at the end. Its context goes into
    `kubeconfig`."""
    where = ["--name", name, "--kubeconfig", str(kubeconfig)]
    made = ["--image", image_of("node"), "--config", str(config)]
    subprocess.run(["kind", "create", "cluster", *where, *made], check=True)
    try:
        yield
    finally:
        subprocess.run(["kind", "delete", "cluster", *where], check=True)


@contextmanager
def registry(cluster: str, port: int) -> Iterator[str]:
    """Run a registry. Yield the name by which the nodes reach it; for this machine it is localhost:PORT."""
    name, push = f"{cluster}-registry", f"localhost:{port}"
    where = ["--network=kind", f"--publish=127.0.0.1:{port}:5000"]
    docker("run", "--detach", "--name", name, *where, image_of("registry"))
    try:
        certs = f"/etc/containerd/certs.d/{name}:5000"
        hosts = f'[host."http://{name}:5000"]'
        tell = f"mkdir -p {certs} && echo '{hosts}' > {certs}/hosts.toml"
        docker("exec", f"{cluster}-control-plane", "sh", "-c", tell)
        yield f"{name}:5000"
    finally:
        docker("rm", "--force", "--volumes", name)
        names = docker("images", "--format={{.Repository}}:{{.Tag}}").split()
        if pushed := [found for found in names if found.startswith(f"{push}/")]:
            docker("rmi", *pushed)


def image_of(recipe: str) -> str:
    """Return the image that kindctl has built by a recipe."""
    found = docker("images", "--format={{.Repository}}:{{.Tag}}").split()
    return next(name for name in found if name.startswith(f"kindctl.local/{recipe}:"))
