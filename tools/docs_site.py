"""MkDocs' hooks: pages that lie outside docs/ join the site, generated ones its navigation, and links follow.

A link is written for the repository, where it leads to a file. On the site, one to a page leads to that page, and one
to anything else (a module, a folder) becomes the path in plain type.
"""

from __future__ import annotations

import os
import posixpath
import re
from typing import Any

PAGES = {
    "index.md": "README.md",
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "data.md": "data/README.md",
    "findings.md": "findings/README.md",
    "kubeflow-images.md": "kubeflow/docker/README.md",
    "kubeflow-manifests.md": "kubeflow/manifests/README.md",
}
"""Pages of the site that are written elsewhere: name on the site to path in the repository."""

_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^(```.*?^```)", re.MULTILINE | re.DOTALL)


def on_config(config: Any) -> Any:
    """Puts the pages of a folder behind the page of the same name, in the order in which that page links to them."""

    def filled(item: Any) -> list[Any]:
        if isinstance(item, dict):
            return [{title: each(below) if isinstance(below, list) else below for title, below in item.items()}]
        folder = item.removesuffix(".md")
        if not os.path.isdir(posixpath.join(config.docs_dir, folder)):
            return [item]
        with open(posixpath.join(config.docs_dir, item), encoding="utf-8") as page:
            return [item, *re.findall(rf"\(({folder}/\w+\.md)\)", page.read())]

    def each(items: list[Any]) -> list[Any]:
        return [one for item in items for one in filled(item)]

    config.nav = each(config.nav)
    return config


def on_files(files: Any, config: Any) -> Any:
    """Adds the pages that lie elsewhere to those of docs/."""
    from mkdocs.structure.files import File

    for name, path in PAGES.items():
        with open(posixpath.join(posixpath.dirname(config.config_file_path), path), encoding="utf-8") as source:
            files.append(File.generated(config, name, content=source.read()))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Turns the links of a page from the repository's into the site's."""
    del config
    parts = _FENCE.split(markdown)
    # What stands between fences has every second place; a link in it is an example.
    return "".join(
        part if part.startswith("```") else site_links(part, page.file.src_uri, files.src_uris) for part in parts
    )


def site_links(markdown: str, page: str, site: Any) -> str:
    """Turns links of the repository into links of the site.

    Args:
        markdown: text without code.
        page: its path on the site, such as "models/rnn.md".
        site: the paths of all files of the site.

    Returns:
        The text; links to other hosts and within the page stay as they are.
    """
    written = PAGES.get(page, f"docs/{page}")
    on_site = {f"docs/{name}": name for name in site if name not in PAGES}
    on_site |= {path: name for name, path in PAGES.items()}

    def follow(match: re.Match[str]) -> str:
        image, text, target = match.groups()
        if re.match(r"[a-z]+:|#", target):
            return match[0]
        path, mark, anchor = target.partition("#")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(written), path))
        if path in on_site:
            relative = posixpath.relpath(on_site[path], posixpath.dirname(page) or ".")
            return f"{image}[{text}]({relative}{mark}{anchor})"
        return text if path in text else f"{text} (`{path}`)"

    return _LINK.sub(follow, markdown)
