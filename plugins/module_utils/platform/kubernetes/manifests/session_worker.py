# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that lets KubeSpawner make the pods of sessions, and checks them; session_pods.py starts it.

It needs the Python package jupyterhub-kubespawner. It reads lines of JSON: first the version of Kubernetes, then the
traits of one hub per line, answered by its pods and problems.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import sys
from collections.abc import Iterator
from typing import Any

from ....common.nested import path_text
from .check import ManifestChecker

#: Up to so many combinations of choices of a profile are all made; of more, each choice once.
MOST_COMBINATIONS = 100
_PROFILES = ("singleuser", "profileList")
_UNLISTED = "registry.example.org/image:tag"

Options = dict[str, str]


def main() -> None:
    """Answer every line of standard input."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # libraries may write to standard output
    checker = ManifestChecker(json.loads(sys.stdin.readline()))
    for line in sys.stdin:
        answers.write(json.dumps(asyncio.run(_answer(json.loads(line), checker))) + "\n")
        answers.flush()


async def _answer(traits: dict[str, Any], checker: ManifestChecker) -> dict[str, Any]:
    pods: list[dict[str, Any]] = []
    problems: dict[tuple[Any, ...], dict[str, Any]] = {}

    def report(place: tuple[Any, ...], options: str, message: str, **more: Any) -> None:
        said = f"{message} ({options})" if options else message
        problems.setdefault((place, message), {"place": place, "message": said, **more})

    try:
        choices = list(_choices(traits.get("profile_list") or []))
    except Exception as error:  # profiles in Helm values may be anything, if their problems are ignored
        choices = []
        report(_PROFILES, "", f"cannot be read as profiles: {type(error).__name__}")
    for place, chosen in choices:
        options = ", ".join(f"{name}: {value}" for name, value in chosen.items() if name != "profile")
        try:
            made = await _objects(traits, chosen)
        except Exception as error:  # whatever KubeSpawner raises would fail the start; its message may repeat values
            report(place, options, f"KubeSpawner cannot make a pod of it: {type(error).__name__}")
            continue
        for manifest in made:
            for problem in checker.check([manifest])[0]:
                message = f"{problem.kind}: {path_text(problem.path)}: {problem.message}"
                report(place, options, message, field=problem.path, manifest=manifest)
        pods.append({"place": place, "options": options, "manifest": made[0]})
    return {"pods": pods, "problems": list(problems.values())}


async def _objects(traits: dict[str, Any], options: Options) -> list[dict[str, Any]]:
    """Return the pod of a session, and the claim of its home if it has one."""
    from kubernetes_asyncio.client import ApiClient
    from kubespawner import spawner as module  # type: ignore[import-untyped]

    module.load_config = module.shared_client = lambda *_arguments, **_more: None  # no cluster is asked
    spawner = module.KubeSpawner(_mock=True, **traits)
    spawner.user_options = dict(options)
    await spawner.load_user_options()
    made = [await spawner.get_pod_manifest()]
    if spawner.storage_pvc_ensure:
        made.append(spawner.get_pvc_manifest())
    async with ApiClient() as client:
        return [client.sanitize_for_serialization(each) for each in made]


def _choices(profiles: list[dict[str, Any]]) -> Iterator[tuple[tuple[Any, ...], Options]]:
    """Yield what users may choose, each with the place of its profile in the chart's values."""
    from slugify import slugify  # KubeSpawner needs it

    if not profiles:
        yield (), {}
    for index, profile in enumerate(profiles):
        chosen = {"profile": profile["slug"] if "slug" in profile else slugify(profile["display_name"])}
        options = [list(_of_option(name, option)) for name, option in (profile.get("profile_options") or {}).items()]
        for made in _combinations([choices for choices in options if choices]):
            yield (*_PROFILES, index), {**chosen, **made}


def _of_option(name: str, option: dict[str, Any]) -> Iterator[Options]:
    for choice in option.get("choices") or {}:
        yield {name: choice}
    unlisted = option.get("unlisted_choice") or {}
    if unlisted.get("enabled") and re.match(unlisted.get("validation_regex") or "", _UNLISTED):
        yield {f"{name}--unlisted-choice": _UNLISTED}


def _combinations(options: list[list[Options]]) -> Iterator[Options]:
    count = 1
    for choices in options:
        count *= len(choices)
    if count <= MOST_COMBINATIONS:
        for parts in itertools.product(*options):
            yield {name: value for part in parts for name, value in part.items()}
        return
    usual = {name: value for choices in options for name, value in choices[0].items()}
    for choices in options:
        rest = {name: value for name, value in usual.items() if name not in choices[0]}
        for choice in choices:
            yield {**rest, **choice}


if __name__ == "__main__":
    main()
