# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write what repo2docker gives to a container engine, with repo2docker's own Python; it runs nothing of a repository.

Arguments: the directory of the repository's files, which must be absolute, and a directory to write to.
Prints a line with the word ``hubfleet:`` and JSON: ``context`` and ``dockerfile`` (absolute paths), and ``arguments``
and ``labels`` (name -> text).

repo2docker itself builds with Docker, or with whatever answers at a socket like its own; called with podman's commands
it asks for ``podman buildx version``, which podman does not have. So the engine here only keeps what it is given.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import tarfile
from typing import Any

from repo2docker.app import Repo2Docker

#: As the images of Jupyter and of zero-to-jupyterhub have it. The home is a volume there, so the files are elsewhere.
ARGUMENTS = {"NB_USER": "jovyan", "NB_UID": "1000", "REPO_DIR": "/srv/repo"}


class Engine:
    """Takes the place of a container engine, and keeps what it would build.

    directory: for the files of a build. found: what it was given.
    """

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.found: dict[str, Any] = {}

    def build(
        self,
        *,
        buildargs: dict[str, str],
        labels: dict[str, str] | None = None,
        fileobj: Any = None,
        path: str = "",
        dockerfile: str = "Dockerfile",
        **_others: Any,
    ) -> tuple[str, ...]:
        """Keep a build, which repo2docker describes by a tar file, or by the path of a directory with a Dockerfile."""
        if fileobj is not None:
            path = self.directory
            with tarfile.open(fileobj=fileobj) as content:
                content.extractall(path, filter="data")
        self.found = {"context": path, "dockerfile": os.path.join(path, dockerfile), "arguments": buildargs}
        self.found["labels"] = {name: text for name, text in (labels or {}).items() if text}
        return ()


def main(source: str, directory: str) -> None:
    """Select what builds the files, as repo2docker does, and print it. Raises SystemExit where repo2docker refuses."""
    os.chdir(source)
    application = Repo2Docker()
    application.log.setLevel(logging.CRITICAL)
    engine = Engine(directory)
    try:
        packs = [kind(base_image=application.base_image) for kind in application.buildpacks]
        pack = next(
            (each for each in packs if each.detect()), application.default_buildpack(base_image=application.base_image)
        )
        pack.platform, pack.appendix = application.platform, ""
        pack.labels["repo2docker.version"] = application.version
        for line in pack.build(engine, "", 0, ARGUMENTS, [], {}):
            print(line, file=sys.stderr)
    except Exception as error:  # it says in many ways that it cannot use a file
        raise SystemExit(f"repo2docker: {error or type(error).__name__}") from None
    print("hubfleet:", json.dumps(engine.found))


if __name__ == "__main__":
    main(*sys.argv[1:])
