# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is more than a line for an inventory of hubs on Kubernetes: limits, many hubs, secrets, the other playbooks."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from bad_inventories import Case, content, playbook, printed, problems, read_cases

CASES = {case.name: case for case in read_cases() if case.base == "base_kubernetes"}
SECRET = "hunter2"  # the secret in every case that has one
DOMAIN = "hub_domain: alpha.example.org\n"
MORE = "group_vars/cloud/more.yml"
UNKNOWN_KEY = "cluster_helm_values:\n  hub:\n    resource: {}\n"


def write(inventory: Path, files: dict[str, str | None]) -> None:
    Case("", files, [], "base_kubernetes").write(inventory)


def test_limit_to_a_sound_hub(inventory: Path) -> None:
    """Helm values of one hub stop that hub only."""
    case = CASES["kubernetes_values/unknown_key"]
    case.write(inventory)
    assert problems(inventory, "beta") == []
    assert problems(inventory, "alpha") == case.expect
    done = playbook(inventory, "--limit", "beta")
    assert done.returncode == 0, done.stdout + done.stderr
    assert printed(done.stdout) == ["1 hub in 1 cluster: valid"]


def test_limit_to_one_of_many(inventory: Path) -> None:
    """Helm values of the cluster stop whichever hub is asked for, and only that one is named."""
    write(inventory, {MORE: UNKNOWN_KEY})
    message = "cluster_helm_values.hub.resource: is not a key of the chart; did you mean 'resources'?"
    for hub in ("alpha", "beta"):
        assert problems(inventory, hub) == [f"{MORE}:3: {hub}: {message}"]


def test_many_hubs_one_line(inventory: Path) -> None:
    """A defect of a group is one line, however many hubs it has."""
    many = [f"hub-{number:02}" for number in range(50)]
    files: dict[str, str | None] = {
        "hosts.yml": f"clusters: {{children: {{cloud: {{hosts: {{{', '.join(many)}}}}}}}}}\n"
        "production: {children: {cloud: }}\n",
        "host_vars/alpha.yml": None,
        "host_vars/beta.yml": None,
        MORE: UNKNOWN_KEY,
    }
    write(inventory, files)
    assert problems(inventory) == [
        f"{MORE}:3: hub-00 and 49 more: cluster_helm_values.hub.resource: is not a key of the chart;"
        " did you mean 'resources'?"
    ]


def test_ignored_problems_are_printed_and_stop_nothing(inventory: Path) -> None:
    CASES["kubernetes_sound/ignored_problems"].write(inventory)
    done = playbook(inventory)
    assert done.returncode == 0, done.stdout + done.stderr
    assert printed(done.stdout) == [
        "ignored: host_vars/alpha.yml:7: alpha: hub_helm_values.singleuser.memmory: is not a key of the chart;"
        " did you mean 'memory'?",
        "ignored: host_vars/alpha.yml:11: alpha: hub_helm_values.hub.config.JupyterHub.admin_acces:"
        " JupyterHub has no such trait; did you mean 'admin_access'?",
        "2 hubs in 1 cluster: valid",
    ]


def test_what_is_replaced_on_purpose_is_told(inventory: Path) -> None:
    """null, and a list in place of another, stop nothing; both places are named."""
    values = """\
hub_domain: alpha.example.org
hub_environment_variables: {A: "1"}
hub_tolerations: [{key: a, operator: Exists}]
hub_helm_values:
  singleuser:
    extraEnv: null
    extraTolerations:
      - {key: b, operator: Exists}
"""
    write(inventory, {"host_vars/alpha.yml": values})
    done = playbook(inventory)
    assert done.returncode == 0, done.stdout + done.stderr
    assert printed(done.stdout) == [
        "note: host_vars/alpha.yml:6: alpha: hub_helm_values.singleuser.extraEnv:"
        " null removes what hub_environment_variables (host_vars/alpha.yml:2) sets",
        "note: host_vars/alpha.yml:7: alpha: hub_helm_values.singleuser.extraTolerations:"
        " replaces the list of hub_tolerations (host_vars/alpha.yml:3)",
        "2 hubs in 1 cluster: valid",
    ]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("render", ("-e", "render_directory=out")), ("explain", ("-e", "explain_option=cull.every"))],
    ids=["render", "explain"],
)
def test_other_playbooks_refuse_it_the_same_way(name: str, arguments: tuple[str, ...], inventory: Path) -> None:
    """The same lines, and nothing is written."""
    case = CASES["kubernetes_values/number_is_text"]
    case.write(inventory)
    before = content(inventory)
    done = playbook(inventory, *arguments, name=name)
    assert done.returncode != 0
    assert printed(done.stdout) == case.expect
    assert "1 problem in 1 hub, listed above; nothing was changed" in done.stdout
    assert content(inventory) == before


def test_render_of_a_sound_hub_beside_a_broken_one(inventory: Path) -> None:
    """What the test above refuses is written where the broken hub is left out."""
    CASES["kubernetes_values/number_is_text"].write(inventory)
    done = playbook(inventory, "-e", "render_directory=out", "--limit", "beta", name="render")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [path.name for path in (inventory / "out").iterdir()] == ["beta"]


def _values(*lines: str) -> str:
    """Return hub_helm_values with lines below ``hub``."""
    return "\n".join(["hub_helm_values:", "  hub:", *(f"    {line}" for line in lines)])


WRONG_PLACES = {
    "values as text": f"hub_helm_values: client_secret={SECRET}",
    "values as a list": f"hub_helm_values: [client_secret, {SECRET}]",
    "section as text": f"hub_helm_values: {{hub: cookieSecret={SECRET}}}",
    "secret one level too deep": _values(f"cookieSecret: {{value: {SECRET}}}"),
    "secret in a list": _values(f"cookieSecret: [{SECRET}]"),
    "secret of a wrong type": _values(f"cookieSecret: [{{value: {SECRET}}}]"),
    "secret under an unknown key": _values(f"cookieSecrets: {SECRET}"),
    "secret as an image": _values("image:", f"  pullPolicy: {SECRET}"),
    "class as text": _values("config:", f"  GitHubOAuthenticator: client_secret={SECRET}"),
    "trait in a list": _values("config:", "  GitHubOAuthenticator:", f"    client_secret: [{SECRET}]"),
    "trait in a mapping": _values("config:", "  GitHubOAuthenticator:", f"    client_secret: {{value: {SECRET}}}"),
    "unknown trait": _values("config:", "  GitHubOAuthenticator:", f"    client_secrets: {SECRET}"),
    "trait of another type": _values("config:", "  GitHubOAuthenticator:", f"    scope: {SECRET}"),
    "trait with choices": _values("config:", "  JupyterHub:", f"    log_level: {SECRET}"),
    "trait of another class": _values("config:", "  GoogleOAuthenticator:", f"    client_secret: {SECRET}"),
    "unknown class": _values("config:", "  GithubOAuthenticator:", f"    client_secret: {SECRET}"),
    "tokens in a list": _values("services:", f"  - {{name: a, apiToken: {SECRET}}}"),
    "token as a list": _values("services:", f"  a: {{apiToken: [{SECRET}]}}"),
    "choice of a user's": f"hub_helm_values: {{singleuser: {{profileList: [{SECRET}]}}}}",
    "override of a choice": "hub_profiles: [{title: A, environments: [python],"
    f" override: {{environment: password={SECRET}}}}}]",
    "setting of an add-on as text": f"hub_addons: {{binderhub-service: {{settings: registry_password={SECRET}}}}}",
    "setting of an add-on": f"hub_addons: {{binderhub-service: {{settings: {{registry_password: [{SECRET}]}}}}}}",
    "unknown setting": f"hub_addons: {{binderhub-service: {{settings: {{registry_passwords: {SECRET}}}}}}}",
    "add-on as text": f"hub_addons: {{binderhub-service: registry_password={SECRET}}}",
    "authenticator settings as text": f"hub_authenticator_settings: client_secret={SECRET}",
    "authenticator setting of a wrong type": f"hub_authenticator_settings: {{client_id: a, client_secret: [{SECRET}]}}",
    "authenticator setting that is unknown": f"hub_authenticator_settings: {{client_id: a, client_secrets: {SECRET}}}",
}


@pytest.mark.parametrize("line", WRONG_PLACES.values(), ids=WRONG_PLACES.keys())
def test_secrets_are_not_printed(line: str, inventory: Path) -> None:
    """Wherever a secret was put by mistake, the message does not repeat it."""
    write(inventory, {"host_vars/alpha.yml": f"{DOMAIN}{line}\n"})
    found = problems(inventory)
    assert found
    assert SECRET not in "".join(found)


CHART: dict[str, str | None] = {
    "../chart/Chart.yaml": "{apiVersion: v2, name: tiny, version: 1.2.3, appVersion: 5.4.0}\n",
    "../chart/values.yaml": 'replicas: 1\ncookie: ""\n',
    "../chart/values.schema.json": '{"type": "object"}\n',
    "../chart/templates/deployment.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: hub
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: hub}}
  template:
    metadata: {labels: {app: hub}}
    spec:
      containers:
        - {name: hub, image: "example.org/hub:1", env: [{name: COOKIE, value: {{ .Values.cookie | quote }}}]}
""",
}


@pytest.mark.skipif(
    not find_spec("helm_python") or not find_spec("kubernetes_validate"),
    reason="rendering needs the Python packages helm-python-sdk and kubernetes-validate",
)
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("{replicas: 2, cookie: \"{{ 'hunter' ~ 2 }}\"}", []),
        (
            "{replicas: two, cookie: \"{{ 'hunter' ~ 2 }}\"}",
            [
                f"{MORE}:2: alpha and 1 more: cluster_helm_values.replicas:"
                " Deployment hub: spec.replicas: must be integer"
            ],
        ),
    ],
    ids=["sound", "broken"],
)
def test_render_mode(values: str, expected: list[str], inventory: Path) -> None:
    """What only shows in the manifests is told at the line that it comes from."""
    write(inventory, {**CHART, MORE: f"cluster_chart: ../chart\ncluster_helm_values: {values}\n"})
    assert problems(inventory) == []
    done = playbook(inventory, "-e", "validate_render=true")
    lines = printed(done.stdout)
    assert lines[0].startswith("rendering 2 hubs with ")
    assert SECRET not in done.stdout + done.stderr
    if expected:
        assert done.returncode != 0
        assert lines[1:] == expected
    else:
        assert done.returncode == 0, done.stdout + done.stderr
        assert lines[1].startswith("2 manifests checked")
        assert lines[2:] == ["2 hubs in 1 cluster: valid"]
