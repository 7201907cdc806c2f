# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rendering with the real Helm, and checking what comes out: every defect is one line, and none shows a secret."""

from __future__ import annotations

import base64
import importlib.util
import multiprocessing
import os
import random
import shutil
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import PlatformError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.manifests import (
    check as manifests_check,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.manifests import (
    engine as manifests_engine,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.manifests import (
    render as manifests,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.manifests.failures import (
    problems_of,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.manifests.record import (
    record_problems,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.manifests.render import (
    Release,
    Rendered,
    render_all,
    schema_version,
)

# Looked for without importing it: ansible-test forks for every test, and Helm's library does not survive a fork.
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("helm_python") is None, reason="these tests need the Python package helm-python-sdk"
)
pytest.importorskip("kubernetes_validate", reason="these tests need the Python package kubernetes-validate")
pytest.importorskip("jsonschema_rs", reason="these tests need the Python package jsonschema-rs")

CHART = str(Path(__file__).parents[1] / "tiny")
KUBERNETES = "1.34"
SECRET = "hunter2-and-more"

#: Renders with the library, but is called as the command line is.
HELM = """#!{python}
import json, os, signal, sys
import helm_python
arguments = sys.argv[1:]
if arguments[0] == "version":
    print("v9.8.7+g0123456")
    sys.exit()
options = dict(zip(arguments[3::2], arguments[4::2]))
assert arguments[0] == "template" and options["--values"] == "-", arguments
values = json.load(sys.stdin)
if values.get("refuse") == "die":
    os.kill(os.getppid(), signal.SIGKILL)
assert options["--kube-version"] == "{kubernetes}", arguments
try:
    chart = helm_python.Chart.load(arguments[2])
    texts = chart.render(values, name=arguments[1], namespace=options["--namespace"])
except helm_python.HelmError as error:
    sys.exit(f"Error: {{error}}\\n\\nUse --debug flag to render out invalid YAML")
for template, text in texts.items():
    if not template.endswith("NOTES.txt"):
        print(f"---\\n# Source: {{template}}\\n{{text}}")
"""


def release(values: dict[str, Any] | None = None, name: str = "alpha") -> Release:
    return Release(name, f"{name}-space", CHART, values or {})


def rendered(values: dict[str, Any] | None = None, kube_version: str | None = KUBERNETES) -> Rendered:
    (only,) = render_all([release(values)], kube_version, processes=1)
    return only


def lines(values: dict[str, Any]) -> list[str]:
    return [problem.line() for problem in rendered(values).problems]


def manifest(api_version: str, kind: str, name: str = "other", **fields: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, **fields}


def workers() -> list[int]:
    """Return the processes that this one has started to render."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            is_worker = b"manifests.worker" in (process / "cmdline").read_bytes()
            parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        if is_worker and parent == str(os.getpid()):
            found.append(int(process.name))
    return found


@pytest.fixture
def helm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A command ``helm`` on PATH."""
    command = tmp_path / "helm"
    command.write_text(HELM.format(python=sys.executable, kubernetes=KUBERNETES))
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    return command


@pytest.fixture
def no_helm(monkeypatch: pytest.MonkeyPatch) -> None:
    """No command ``helm``, whatever this machine has."""
    monkeypatch.setattr(shutil, "which", lambda _name: None)


def test_sound_release_has_all_its_objects_and_no_problems() -> None:
    result = rendered()
    assert result.name == "alpha"
    assert {found["kind"] for found in result.objects} == {"Deployment", "Secret", "Service"}
    assert len(result.objects) == 3
    assert all(found["metadata"]["name"] == "alpha" for found in result.objects)
    assert result.problems == []
    assert result.unchecked == {}
    assert result.seconds > 0


@pytest.mark.parametrize(
    "values, expected",
    [
        (
            {"extra": {"replica": 2}},
            ["Deployment alpha: spec.replica: unknown field; did you mean 'replicas'? (known: "],
        ),
        ({"replicas": "two"}, ["Deployment alpha: spec.replicas: must be integer"]),
        (
            # Kubernetes' own types come with this one.
            {"extra": {"strategy": {"rollingUpdate": {"maxSurge": []}}}},
            ["Deployment alpha: spec.strategy.rollingUpdate.maxSurge: must be string or integer"],
        ),
        # To Helm's parser, and so to the cluster, y is true.
        (
            {"variable": "y"},
            ["Deployment alpha: spec.template.spec.containers[0].env[0].value: must be string"],
        ),
        ({"objects": [manifest("v1", "Pod", spec={})]}, ["Pod other: spec.containers: it is missing"]),
        ({"objects": [manifest("v1", "Service", "alpha")]}, ["Service alpha: the kind and name are used twice"]),
        ({"objects": [{"kind": "Pod"}]}, ["Pod: apiVersion: it is missing", "Pod: metadata.name: it is missing"]),
        (
            {"objects": [manifest("apps/v1", "Deploymnt")]},
            ["Deploymnt other: apiVersion: Kubernetes 1.34 has no Deploymnt in apps/v1; did you mean 'Deployment'?"],
        ),
        (
            {"objects": [manifest("policy/v1beta1", "PodDisruptionBudget")]},
            ["PodDisruptionBudget other: apiVersion: Kubernetes 1.34 has no PodDisruptionBudget in policy/v1beta1;"],
        ),
        (
            {"objects": [{"apiVersion": "v1", "kind": "List", "items": [manifest("v1", "ConfigMap", data={"a": 1})]}]},
            ["ConfigMap other: data.a: must be string"],
        ),
        ({"replica": 1}, ["values: additional properties 'replica' not allowed"]),
        ({"extra": [], "refuse": 1}, ["values: extra: got array, want object", "values: refuse: got number, want"]),
        (
            {"missing": {"a": {}}},
            ["template tiny/templates/secret.yaml.tpl:11:14: nil pointer evaluating interface {}.c in .a.b.c"],
        ),
    ],
)
def test_every_defect_is_a_line(values: dict[str, Any], expected: list[str]) -> None:
    found = lines(values)
    assert len(found) == len(expected), found
    for line, start in zip(found, expected):
        assert line.startswith(start), line
        assert "\n" not in line


def test_text_of_a_chart_that_refuses_is_one_line_without_its_frame() -> None:
    (line,) = lines({"refuse": "replicas must not be 13"})
    # What was refused comes from the values, and these may be secret.
    assert line == "template tiny/templates/secret.yaml.tpl:2:4: refused: *** aHVudGVyMg=="


@pytest.mark.parametrize(
    "values",
    [
        {"password": SECRET, "refuse": "no:"},
        {"password": f"*{SECRET}"},  # refers to an anchor, to a parser of YAML
        {"password": f"{SECRET}: x: y"},
        {"password": f'"{SECRET}'},
        {"password": f"{SECRET} x"},  # breaks the pattern of the chart's schema
        {"password": f"[{SECRET}]"},
        {"objects": [manifest("v1", "Secret", data=SECRET)]},
        {"objects": [manifest("v1", "Secret", stringData=[SECRET])]},
        {"objects": [manifest("v1", "Secret", type=[SECRET])]},
        {"objects": [manifest("v1", SECRET), SECRET]},
    ],
)
def test_problems_show_no_secret(values: dict[str, Any]) -> None:
    found = lines(values)
    assert found
    # The kind of an object is no secret, wherever it comes from.
    assert not [line for line in found if SECRET in line and not line.startswith(SECRET)]


def test_kinds_without_schema_are_counted() -> None:
    routes = [manifest("gateway.networking.k8s.io/v1", "HTTPRoute", name, spec={}) for name in ("one", "two")]
    result = rendered({"objects": routes})
    assert result.problems == []
    assert result.unchecked == {"gateway.networking.k8s.io/v1 HTTPRoute": 2}
    assert len(result.objects) == 5


def test_version_of_kubernetes_reaches_templates_and_schemas() -> None:
    labels = rendered(kube_version="v1.31.4").objects[0]["metadata"]["labels"]
    assert labels == {"kubernetes": "v1.31.4"}
    # Its own resource for pods came with Kubernetes 1.34.
    claim = {"objects": [manifest("resource.k8s.io/v1", "ResourceClaim", spec={})]}
    assert rendered(claim, "1.34").problems == []
    (problem,) = rendered(claim, "1.33").problems
    assert problem.message.startswith("Kubernetes 1.33 has no ResourceClaim in resource.k8s.io/v1; it is in")


def test_schemas_are_the_nearest() -> None:
    newest = schema_version(None)
    assert schema_version("v1.31.2-eks-abc") == "1.31"
    assert schema_version("1.5") == "1.25"
    assert schema_version("1.99") == newest == schema_version("2.0")
    # What Kubernetes has got since the newest schemas is not wrong.
    unknown = {"objects": [manifest("batch/v2", "Job")]}
    assert rendered(unknown, "1.99").unchecked == {"batch/v2 Job": 1}
    assert rendered(unknown, newest).problems


def test_what_is_no_version_is_told() -> None:
    with pytest.raises(PlatformError, match="'latest' is not a version of Kubernetes"):
        list(render_all([release()], "latest"))


def test_many_releases_come_as_they_are_done() -> None:
    wanted = [release({"replicas": number}, f"hub-{number}") for number in range(30)]
    wanted.append(release({"refuse": "no"}, "wrong"))
    found = {result.name: result for result in render_all(wanted, KUBERNETES, processes=2)}
    assert sorted(found) == sorted(one.name for one in wanted)
    for number in range(30):
        deployment = next(one for one in found[f"hub-{number}"].objects if one["kind"] == "Deployment")
        assert deployment["spec"]["replicas"] == number
        assert not found[f"hub-{number}"].problems
    assert found["wrong"].problems and not found["wrong"].objects
    assert workers() == []


def test_no_release_needs_no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifests, "engine", lambda: pytest.fail("asked for an engine"))
    assert list(render_all([], KUBERNETES)) == []


def test_nothing_is_left_when_the_caller_stops_early() -> None:
    results = render_all([release(name=f"hub-{number}") for number in range(50)], KUBERNETES, processes=2)
    next(results)
    assert len(workers()) == 2
    results.close()  # type: ignore[attr-defined]
    assert workers() == []


def test_works_in_a_fork_of_a_process_with_threads() -> None:
    """Ansible runs its actions so."""
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        child = multiprocessing.get_context("fork").Process(target=lambda: os._exit(42 if not lines({}) else 1))
        child.start()
        child.join(60)
        assert child.exitcode == 42
    finally:
        stop.set()
        thread.join()


def test_what_is_no_chart_is_a_problem_of_the_release(tmp_path: Path) -> None:
    (result,) = render_all([Release("alpha", "alpha", str(tmp_path), {})], KUBERNETES)
    (problem,) = result.problems
    assert problem.line().startswith("release alpha: ")
    assert "Chart.yaml" in problem.message


def test_invalid_name_of_a_release_is_a_problem() -> None:
    (result,) = render_all([release(name="Not_Valid")], KUBERNETES)
    assert "invalid release name" in result.problems[0].message


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (random.Random(1).randbytes(250_000), []),
        (
            random.Random(1).randbytes(400_000),
            ["values: files[0]: Helm keeps 1.1 MB of this release in a secret, and the most is 1 MB"],
        ),
        (bytes(1_100_000), ["values: files[0]: makes a secret or ConfigMap of 1.1 MB, and the most is 1 MB"]),
    ],
)
def test_releases_too_large_for_helm_are_refused(file: bytes, expected: list[str]) -> None:
    text = base64.b64encode(file).decode()
    secret = manifest("v1", "Secret", data={"file": text})
    found = record_problems(release({"files": [text], "other": "x"}), [secret])
    assert [problem.line().rpartition(":")[0] for problem in found] == expected


def test_engine_is_named(no_helm: None) -> None:
    assert manifests.engine().name.startswith("helm-python-sdk ")
    assert manifests.engine().command == ""


def test_missing_packages_are_named(no_helm: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifests_engine.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(PlatformError, match="pip install helm-python-sdk"):
        manifests.engine()
    with pytest.raises(PlatformError, match="pip install kubernetes-validate jsonschema-rs"):
        manifests_check.schema_version("1.34")


def test_helm_on_path_is_preferred_and_renders_the_same(helm: Path) -> None:
    assert manifests.engine() == manifests.Engine("helm v9.8.7+g0123456", str(helm))
    result = rendered({"replicas": 3, "objects": [manifest("v1", "ConfigMap", data={"day": "2026-01-01"})]})
    assert result.problems == []
    assert sorted(found["kind"] for found in result.objects) == ["ConfigMap", "Deployment", "Secret", "Service"]


def test_yaml_has_no_dates_for_helm_on_path(helm: Path) -> None:
    """To PyYAML 2026-01-01 is a date, to Helm it is text."""
    assert rendered({"variable": "2026-01-01"}).problems == []


@pytest.mark.parametrize(
    "values, expected",
    [
        ({"refuse": SECRET}, "template tiny/templates/secret.yaml.tpl:2:4: refused: ***"),
        ({"replica": 1}, "values: additional properties 'replica' not allowed"),
        ({"missing": {"a": {}}}, "template tiny/templates/secret.yaml.tpl:11:14: nil pointer evaluating"),
        ({"password": f"*{SECRET}"}, "template "),
    ],
)
def test_what_helm_on_path_says_is_told_the_same(helm: Path, values: dict[str, Any], expected: str) -> None:
    (line,) = lines(values)
    assert line.startswith(expected)
    assert SECRET not in line and "debug" not in line


def test_renderer_that_dies_is_told(helm: Path) -> None:
    with pytest.raises(PlatformError, match="ended at alpha, with status -9"):
        rendered({"refuse": "die"})
    assert workers() == []


@pytest.mark.parametrize(
    "text, expected",
    [
        (  # Helm 3.18 and later
            "Error: values don't meet the specifications of the schema(s) in the following chart(s):\njupyterhub:\n"
            "- at '/hub': validation failed\n  - at '/hub/db/0': got string, want null or integer\n"
            "  - at '/hub/a~1b': got number, want string\n- at '/proxy': got null, want object\n",
            [
                "values: hub.a/b: got number, want string",
                "values: hub.db[0]: got string, want null or integer",
                "values: proxy: got null, want object",
            ],
        ),
        (  # before
            "Error: values don't meet the specifications of the schema(s) in the following chart(s):\njupyterhub:\n"
            "- (root): Additional property hubb is not allowed\n- hub.db: Invalid type. Expected: object\n",
            ["values: Additional property hubb is not allowed", "values: hub.db: Invalid type. Expected: object"],
        ),
        (  # Helm 3's way to tell of nested templates
            'Error: template: z/templates/a.yaml:1:23: executing "z/templates/a.yaml" at <include "x" .>: '
            'error calling include: template: z/templates/_h.tpl:1:26: executing "x" at <.Values.a.b.c>: '
            "nil pointer evaluating interface {}.c\n\nUse --debug flag to render out invalid YAML\n",
            ["template z/templates/_h.tpl:1:26: nil pointer evaluating interface {}.c in .Values.a.b.c"],
        ),
        ("Error: something\nelse\n", ["release alpha: something else"]),
    ],
)
def test_all_versions_of_helm_are_understood(text: str, expected: list[str]) -> None:
    assert [problem.line() for problem in problems_of(text, "alpha", {})] == expected


def test_real_chart() -> None:
    chart = os.environ.get("HUBFLEET_TEST_CHART")
    if not chart:
        pytest.skip("HUBFLEET_TEST_CHART names no directory with a zero-to-jupyterhub chart")
    has_references = "parentRefs" in Path(chart, "values.yaml").read_text(encoding="utf-8")
    gateway = {"parentRefs": [{"kind": "Gateway", "name": "main"}]} if has_references else {"gateway": {"name": "main"}}
    route = {"httpRoute": {"enabled": True, "hostnames": ["hub.example.org"], **gateway}}
    sound = Release("sound", "sound", chart, {"hub": {"config": {"JupyterHub": {"admin_access": False}}}, **route})
    wrong = Release("wrong", "wrong", chart, {"hub": {"extraContainers": [{"nam": "x"}], "cookieSecret": 5}})
    odd = Release("odd", "odd", chart, {"hub": {"extraContainers": [{"name": "x", "imag": "y"}]}})
    found = {result.name: result for result in render_all([sound, wrong, odd], KUBERNETES)}
    assert found["sound"].problems == []
    assert {"Deployment", "Secret", "NetworkPolicy"} <= {one["kind"] for one in found["sound"].objects}
    assert found["sound"].unchecked == {"gateway.networking.k8s.io/v1 HTTPRoute": 1}
    assert [problem.path for problem in found["wrong"].problems] == [("hub", "cookieSecret")]
    (problem,) = found["odd"].problems
    assert (problem.kind, problem.name) == ("Deployment", "hub")
    assert problem.path[-3:] == ("containers", 1, "imag") and "did you mean 'image'" in problem.message
