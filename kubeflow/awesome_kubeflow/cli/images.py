"""`awesome kubeflow build`, `push`, `deploy`: images and manifests, from a checkout to registry and cluster."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from awesome_kubeflow.cli.group import kubeflow_app
from awesome_kubeflow.errors import DeployError, ImageError
from components.whole_files import temporary_folder
from pipeline.cli.common import example, new_console, print_line, status

if TYPE_CHECKING:
    from awesome_kubeflow.images.deployment import Differences

_MIB = 2**20
_MINUTE = 60

Tag = Annotated[str | None, typer.Option(help="The images' tag. (default: the project's version)")]
EngineName = Annotated[
    str | None, typer.Option("--engine", help="podman or docker. (default: the first of them that answers)")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Leave out what the engine prints.")]


@kubeflow_app.command("build", epilog=example("awesome kubeflow build --registry registry.example/team"))
def build(
    registry: Annotated[
        str | None, typer.Option(help="Where they will be pushed. (default: names without one)")
    ] = None,
    tag: Tag = None,
    image: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="base, extractor or training; may be repeated. (default: all)"),
    ] = None,
    base_image: Annotated[
        str | None, typer.Option(help="What base is built from. (default: Python's official image)")
    ] = None,
    secret: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=FILE", help="index=FILE (UV_DEFAULT_INDEX=...) or ca-certificates=FILE; stays in no image."
        ),
    ] = None,
    engine: EngineName = None,
    quiet: Quiet = False,
    timeout: Annotated[int, typer.Option(min=1, help="Minutes for one image.")] = 120,
) -> None:
    """Builds the images of a checkout."""
    from awesome_kubeflow.images.build import BASE, IMAGES, build_image, chosen_images, reference, secret_files
    from awesome_kubeflow.images.checkout import find_checkout
    from awesome_kubeflow.images.engine import exists, find_engine

    checkout = find_checkout(Path.cwd())
    images = chosen_images(image or (), IMAGES)
    names = {one: reference(one, registry, tag or checkout.version) for one in IMAGES}
    secrets = secret_files(secret or ())
    if base_image is not None and BASE not in images:
        raise ImageError("--base-image: is what base is built from; add --image base")
    chosen = find_engine(engine)
    if BASE not in images and not exists(chosen, names[BASE]):
        raise ImageError(f"{names[BASE]} is not built, and {images[0]} stands on it; add --image base")
    for one in images:
        with status(f"Building {names[one]}", quiet):
            size, seconds = build_image(
                chosen,
                checkout,
                one,
                names[one],
                base=base_image if one == BASE else names[BASE],
                secrets=secrets,
                timeout=timeout * _MINUTE,
                quiet=quiet,
            )
        print_line(f"{names[one]}: {size / _MIB:.0f} MiB in {seconds:.1f} s")


@kubeflow_app.command("push", epilog=example("awesome kubeflow push --registry registry.example/team"))
def push(
    registry: Annotated[str, typer.Option(help="Where to, as for build.")],
    tag: Tag = None,
    image: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="base, extractor or training; may be repeated. (default: all but base)"),
    ] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="The registry may speak HTTP (podman).")] = False,
    engine: EngineName = None,
    quiet: Quiet = False,
    timeout: Annotated[int, typer.Option(min=1, help="Minutes for one image.")] = 60,
) -> None:
    """Pushes what was built, and says what overlays and settings then name."""
    from awesome_kubeflow.images.build import PUSHED, chosen_images, push_image, reference
    from awesome_kubeflow.images.checkout import find_checkout
    from awesome_kubeflow.images.engine import exists, find_engine

    tag = tag or find_checkout(Path.cwd()).version
    names = {one: reference(one, registry, tag) for one in chosen_images(image or (), PUSHED)}
    chosen = find_engine(engine)
    for name in names.values():
        if not exists(chosen, name):
            raise ImageError(
                f"{chosen.name} has no image {name}; "
                f"`awesome kubeflow build --registry {registry} --tag {tag}` makes it"
            )
    for name in names.values():
        with status(f"Pushing {name}", quiet), temporary_folder("push") as folder:
            digest, seconds = push_image(
                chosen, name, folder, timeout=timeout * _MINUTE, insecure=insecure, quiet=quiet
            )
        print_line(f"{name}: {digest} in {seconds:.1f} s")
    _print_where_it_is_named({one: name for one, name in names.items() if one in PUSHED})


def _print_where_it_is_named(names: dict[str, str]) -> None:
    if names:
        print_line("\nkustomization.yaml of an overlay, under images:")
    for one, name in names.items():
        repository, _, tag = name.rpartition(":")
        print_line(f'  - name: awesome-{one}\n    newName: {repository}\n    newTag: "{tag}"')
    if "training" in names:
        print_line(f'\nawesome.toml, for the steps of pipelines:\n  [clusters.stage]\n  image = "{names["training"]}"')


@kubeflow_app.command("deploy", epilog=example("awesome kubeflow deploy --context training-stage --dry-run"))
def deploy(
    context: Annotated[str, typer.Option(help="Of kubectl; the overlay of this name is applied.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what differs.")] = False,
) -> None:
    """Shows what an overlay would change in its cluster, asks, and applies it."""
    from awesome_kubeflow.images.checkout import find_checkout
    from awesome_kubeflow.images.deployment import apply, check_cluster, differences, find_target

    if not (yes or dry_run or sys.stdin.isatty()):
        raise DeployError("there is no terminal to ask on: --yes applies without asking, --dry-run only shows")
    target = find_target(find_checkout(Path.cwd()), context)
    with status(f"Comparing with {context}", True):
        check_cluster(target)
        found = differences(target)
    if found is None:
        print_line(f"{context} is current")
        return
    _print_differences(found)
    print_line(f"\n{context}: {len(found.new)} new, {len(found.changed)} changed")
    if dry_run:
        return
    if not (yes or _agreed(f"Apply to {context}?")):
        raise typer.Abort
    with status(f"Applying to {context}", True):
        lines = apply(target)
    for line in lines:
        print_line(line)


def _agreed(question: str) -> bool:
    """Whether the user types yes; on the error stream, so that the output can go into a file."""
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _print_differences(found: Differences) -> None:
    from rich.text import Text

    console = new_console()
    styles = {"+": "green", "-": "red", "@": "cyan", "d": "bold"}
    for line in found.text.splitlines():
        console.print(Text(line, style=styles.get(line[:1], "")), soft_wrap=True)
