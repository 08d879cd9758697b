"""`images`: what the environment needs from elsewhere, where it comes from, and getting it."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from kindctl.config.load import Loaded
from kindctl.errors import UsageError
from kindctl.images.listing import ImageRow
from kindctl.images.pins import OPTIONAL
from kindctl.images.store import Images
from kindctl.models import Report
from kindctl.planning.images import images_of
from kindctl.planning.plan import make_plan
from kindctl.runner.events import Emit
from kindctl.runner.run import run
from kindctl.steps.image import ImagePresent
from kindctl.tools.protocols import Tools


def list_images(loaded: Loaded, tools: Tools) -> list[ImageRow]:
    """A row for each image that the environment needs, the user's own builds last."""
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
    """Get what the environment needs from elsewhere into the engine, by these sources alone.

    `names`: as in `images list`, or of pins.OPTIONAL; empty: all. Raises UsageError for a name that is
    not there, and what the sources raise.
    """
    images = images_of(loaded, tools)
    # without a plan: it may be these that its manifests are rendered with
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
            f"no image is named {', '.join(unknown)}",
            why=f"there are {', '.join(by_name)}",
            fix="kindctl images list",
            code="image-name",
        )
    return [by_name.get(name, name) for name in names] if names else list(references)
