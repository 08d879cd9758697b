"""`images`: list the images that the environment needs, and pull or build them."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from kindctl.config.load import Loaded
from kindctl.errors import UsageError
from kindctl.images.listing import ImageRow
from kindctl.images.pins import OPTIONAL
from kindctl.images.store import Images
from kindctl.models import Report
from kindctl.planning.origins import images_of
from kindctl.planning.plan import make_plan
from kindctl.runner.events import Emit
from kindctl.runner.run import run
from kindctl.steps.image import ImagePresent
from kindctl.tools.protocols import Tools


def list_images(loaded: Loaded, tools: Tools) -> list[ImageRow]:
    """Return a row for each image that the environment needs. The user's own builds come last."""
    plan = make_plan(loaded, tools)
    return plan.images.rows(plan.references)


def provide_images(
    loaded: Loaded,
    tools: Tools,
    names: Sequence[str],
    sources: Sequence[str],
    *,
    emit: Emit,
    stop: threading.Event,
) -> Report:
    """Pull or build images into the engine, from the given sources only.

    `names` are names from `images list` or pins.OPTIONAL. An empty `names` means every image that the
    environment needs. Raises UsageError for an unknown name, and whatever the sources raise.
    """
    images = images_of(loaded, tools)
    # Optional images need no plan: making one may need them, to render its manifests.
    if names and set(names) <= OPTIONAL.keys():
        references = [OPTIONAL[name] for name in names]
    else:
        plan = make_plan(loaded, tools)
        images = plan.images
        references = _chosen(images, images.needed(plan.references), names)
    images = images.only(sources)
    steps = [
        ImagePresent(images=images, reference=reference, needs=frozenset())
        for reference in references
    ]
    return run("images", steps, emit=emit, stop=stop)


def _chosen(images: Images, references: Sequence[str], names: Sequence[str]) -> list[str]:
    by_name = {**OPTIONAL, **{images.name(reference): reference for reference in references}}
    if unknown := [name for name in names if name not in by_name and name not in references]:
        raise UsageError(
            f"unknown image: {', '.join(unknown)}",
            why=f"known images: {', '.join(by_name)}",
            fix="kindctl images list",
            code="image-name",
        )
    return [by_name.get(name, name) for name in names] if names else list(references)
