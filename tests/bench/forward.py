"""How fast `kindctl forward` is beside `kubectl port-forward`: pairs, one after the other, in one run.

    python -m tests.bench.forward ENVIRONMENT [--kubectl PROGRAM] [--pairs 7]

ENVIRONMENT runs already. Two pods that serve 50 MB (files.yaml) are applied to a namespace of their own,
which is removed at the end. `--image` is one with Python that its nodes have.

Promised is half of kubectl's speed at least: with a median of the ratios below LEAST, for one transfer or
for several at once, it exits with 1.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from kindctl.paths import forward_socket, kubeconfig
from kindctl.tools.forwards import RealForwards
from kindctl.tools.host import RealHost
from tests.support.transfers import SIZE, download

NAMESPACE = "bench-forward"
OURS, THEIRS = 28000, 28001
PARALLEL = (1, 20)
LEAST = 0.5


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("environment")
    parser.add_argument("--kubectl", default="kubectl")
    parser.add_argument("--image", default="python:3.13-slim")
    parser.add_argument("--pairs", type=int, default=7)
    options = parser.parse_args()
    kubectl = [options.kubectl, "--kubeconfig", str(kubeconfig(options.environment))]
    kubectl += ["-n", NAMESPACE]
    text = Path(__file__).with_name("files.yaml").read_text()
    text = text.replace("python:3.13-slim", options.image)
    subprocess.run([*kubectl, "create", "namespace", NAMESPACE], check=True)
    try:
        subprocess.run([*kubectl, "apply", "-f", "-"], input=text, text=True, check=True)
        subprocess.run([*kubectl, "rollout", "status", "deployment/files"], check=True)
        command = [sys.executable, "-m", "kindctl", "forward", f"{NAMESPACE}/files:http"]
        subprocess.run([*command, str(OURS), "--name", options.environment], check=True)
        with subprocess.Popen(
            [*kubectl, "port-forward", "service/files", f"{THEIRS}:80"], stdout=subprocess.DEVNULL
        ) as other:
            try:
                ratios = measure(options.environment, other.pid, options.pairs)
            finally:
                other.terminate()
    finally:
        stop = [sys.executable, "-m", "kindctl", "forward", "stop", str(OURS)]
        subprocess.run([*stop, "--name", options.environment], check=False)
        subprocess.run([*kubectl, "delete", "namespace", NAMESPACE, "--wait=false"], check=True)
    slow = [f"{ratio:.2f} times with {n} at once" for n, ratio in ratios.items() if ratio < LEAST]
    if slow:
        print(f"too slow: {', '.join(slow)}; promised: {LEAST}", file=sys.stderr)
    return 1 if slow else 0


def measure(environment: str, other: int, pairs: int) -> dict[int, float]:
    """The median ratio of each number of transfers at once."""
    process = RealForwards(RealHost()).process(environment)
    assert process, forward_socket(environment)
    time.sleep(2)  # kubectl says that it listens before it has resolved the Service
    download(OURS, 1), download(THEIRS, 1)
    ratios: dict[int, float] = {}
    for parallel in PARALLEL:
        rows = []
        for _ in range(pairs):
            ours, theirs = (_one(port, parallel) for port in (OURS, THEIRS))
            rows.append((ours, theirs, ours / theirs))
            _print(parallel=parallel, ours=ours, kubectl=theirs, rss=_rss(process), load=_load())
        columns = [statistics.median(column) for column in zip(*rows, strict=True)]
        ratios[parallel] = columns[2]
        _print(
            parallel=parallel,
            median_ours=columns[0],
            median_kubectl=columns[1],
            median_of_ratios=columns[2],
            rss=_rss(process),
            kubectl_rss=_rss(other),
        )
    return ratios


def _one(port: int, parallel: int) -> float:
    """MB/s."""
    found = download(port, parallel, digest=False)
    assert found.sizes == (SIZE,) * parallel, found.sizes
    return found.megabytes_per_second


def _rss(process: int) -> float:
    """MB."""
    return float(psutil.Process(process).memory_info().rss / 1e6)


def _load() -> float:
    return psutil.getloadavg()[0]


def _print(**figures: Any) -> None:
    rounded = {k: round(v, 2) if isinstance(v, float) else v for k, v in figures.items()}
    print(json.dumps(rounded), flush=True)


if __name__ == "__main__":
    sys.exit(main())
