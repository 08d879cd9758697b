"""Renders kustomizations and Helm charts to plain objects, with kubectl, kustomize and helm.

`helm` only renders: there is no release, and what comes out is applied like any other manifest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kindctl.errors import ToolError
from kindctl.tools.protocols import Host


@dataclass(frozen=True)
class Programs:
    """A Renderer that runs `kubectl` or `kustomize`, and `helm`, from this machine; if they are missing,
    from images that the engine has. `kubectl_image` and `helm_image` find these; None if there is none.

    `mount` is a folder that such a container sees, read-only. `kubernetes` is the version that charts
    are rendered for.
    """

    host: Host
    mount: Path
    kubectl_image: Callable[[], str | None]
    helm_image: Callable[[], str | None]
    kubernetes: str = ""

    def kustomization(self, folder: Path) -> str:
        if self.host.which("kubectl"):
            return self.host.run(["kubectl", "kustomize", str(folder)])
        if self.host.which("kustomize"):
            return self.host.run(["kustomize", "build", str(folder)])
        if image := self.kubectl_image():
            return self.host.run(
                [*self._container(image, "kubectl", folder), "kustomize", str(folder)]
            )
        raise _missing(
            "rendering a kustomization needs kubectl or kustomize",
            "install one of them, or get the node image, which has kubectl: `kindctl images pull node` "
            "(or `build node`)",
        )

    def chart(
        self, chart: Path, release: str, namespace: str, values: Sequence[Path], given: str
    ) -> str:
        arguments = ["template", release, str(chart), "--namespace", namespace, "--include-crds"]
        if self.kubernetes:
            patch = ".0" if self.kubernetes.count(".") == 1 else ""
            arguments += ["--kube-version", self.kubernetes + patch]
        for file in values:
            arguments += ["--values", str(file)]
        arguments += ["--values", "-"]
        if self.host.which("helm"):
            return self.host.run(["helm", *arguments], stdin=given)
        if image := self.helm_image():
            command = [*self._container(image, "helm", chart, *values), *arguments]
            return self.host.run(command, stdin=given)
        raise _missing(
            "rendering a Helm chart needs helm",
            "install it, or get its image: `kindctl images pull helm` (or `build helm`)",
        )

    def _container(self, image: str, program: str, *paths: Path) -> list[str]:
        """Return the command that runs a program in a container. The container sees the folder and
        these paths, but nothing else of this machine, and no network."""
        confined = ["--network", "none", "--read-only", "--tmpfs", "/tmp", "--env", "HOME=/tmp"]  # noqa: S108
        outside = [path for path in paths if not path.is_relative_to(self.mount)]
        seen = [f"--volume={path}:{path}:ro" for path in dict.fromkeys([self.mount, *outside])]
        run = ["docker", "run", "--rm", "--interactive", *confined, *seen]
        return [*run, "--workdir", str(self.mount), "--entrypoint", program, image]


def _missing(what: str, fix: str) -> ToolError:
    return ToolError(what, fix=fix, code="program-missing")
