"""`modulo admin console deploy`: put the pages that a server shows where CloudFront reads them (infra/edge.yaml)."""

import mimetypes
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import time_ns
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from modulo.cli import documentation_site, pages
from modulo.cli.openapi import document
from modulo.domain.errors import ModuloError, Unavailable

INDEX = "index.html"
UPLOADS = 8
"""Files sent at a time."""


class NotBuilt(ModuloError):
    """There is no console to deploy."""

    title = "Not built"


@dataclass(frozen=True)
class PageFile:
    """A file under the path at which a server has it."""

    path: str
    content: bytes
    media_type: str
    kept: str
    """How long browsers and CloudFront keep it: `Cache-Control`."""


@dataclass(frozen=True)
class Deployed:
    """What was deployed."""

    files: int
    address: str
    documented: bool
    """Whether the documentation was built, and is part of it."""


def deploy(stack: str) -> Deployed:
    """Upload all pages for a deployment, then have CloudFront forget what it kept of those before.

    What the new pages name is there before they are, and files of earlier ones stay for whoever still has them open.

    Raises:
        NotBuilt: the console is not built here.
        Unavailable: AWS refuses, or the stack has no place for them.
    """
    files = [*page_files()]
    region = os.environ.get("AWS_REGION")
    try:
        outputs = _outputs(boto3.client("cloudformation", region_name=region), stack)
        s3 = boto3.client("s3", region_name=region)

        def put(file: PageFile) -> None:
            s3.put_object(
                Bucket=outputs["ConsoleFiles"],
                Key=file.path,
                Body=file.content,
                ContentType=file.media_type,
                CacheControl=file.kept,
            )

        told = outputs["ConsoleConfiguration"].encode()
        files.append(PageFile(pages.CONFIGURATION, told, "application/json", pages.REVALIDATED))
        with ThreadPoolExecutor(UPLOADS) as threads:
            list(threads.map(put, (file for file in files if file.path != INDEX)))
        put(next(file for file in files if file.path == INDEX))
        boto3.client("cloudfront", region_name=region).create_invalidation(
            DistributionId=outputs["Distribution"],
            InvalidationBatch={"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": str(time_ns())},
        )
    except (BotoCoreError, ClientError) as error:
        raise Unavailable(f"{stack}: {error}") from error
    documented = any(file.path.startswith("docs/") for file in files)
    return Deployed(len(files), outputs["Url"], documented)


def page_files() -> Iterator[PageFile]:
    """The console, the reference of the API, and the documentation where it is built.

    Raises:
        NotBuilt: there is no console.
    """
    if not (pages.CONSOLE / INDEX).is_file():
        raise NotBuilt("The console is not built here: run `make console` first.")
    for path in _below(pages.CONSOLE):
        name = path.relative_to(pages.CONSOLE).as_posix()
        yield _file(name, path, pages.IMMUTABLE if name.startswith("assets/") else pages.REVALIDATED)
    for name, path in pages.REFERENCE_FILES.items():
        yield _file(name, path)
    yield PageFile("api/openapi.json", document().encode(), "application/json", pages.REVALIDATED)
    for path in _below(documentation_site.FOLDER):
        yield _file(f"docs/{path.relative_to(documentation_site.FOLDER).as_posix()}", path)


def _below(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith("."))


def _file(name: str, path: Path, kept: str = pages.REVALIDATED) -> PageFile:
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    charset = "; charset=utf-8" if media_type.startswith("text/") else ""
    return PageFile(name, path.read_bytes(), media_type + charset, kept)


def _outputs(formation: Any, stack: str) -> dict[str, str]:
    described = formation.describe_stacks(StackName=stack)["Stacks"][0]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", [])}
    if "ConsoleFiles" not in outputs:
        raise Unavailable(f"{stack} has no place for the console: deploy it with Edge=true first.")
    return outputs
