"""A nightly job: a collection follows a folder. Run it with a folder and a collection, from cron or a timer:

    15 2 * * *  MODULO_URL=… MODULO_API_KEY=… python nightly_sync.py /srv/handbook handbook

It ends with 0 where all is as in the folder, with 1 where files failed, and with 2 where it could not work; the next
night goes on where it stopped.
"""

import sys

from modulo_client import Modulo, ModuloError, NotFound


def main(folder: str, collection: str) -> int:
    """Sync, say what was done, and the exit code."""
    try:
        with Modulo() as modulo:
            try:
                handbook = modulo.collections.get(collection)
            except NotFound:
                handbook = modulo.collections.create(collection)
            report = handbook.sync(folder, delete=True, exclude=["*.tmp", "drafts"])
    except (ModuloError, OSError, ValueError) as error:
        print(f"not done: {error}", file=sys.stderr)
        return 2
    failed = [one for one in report.added if not one.ready]
    for one in failed:
        print(f"failed: {one.source.name}: {one.error or one.file.problem.detail}", file=sys.stderr)
    ready, same = len(report.added) - len(failed), len(report.plan.unchanged)
    print(f"{ready} sent, {same} unchanged, {len(report.deleted)} deleted, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
