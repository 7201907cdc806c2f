# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values files say to Helm and to PyYAML what was meant; the script that installs them is sound; secrets are hidden."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("hypothesis", reason="these tests need the Python package hypothesis")

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.chart.content import (
    ChartReference,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.install_files import (
    HEADER,
    INSTALL,
    install_files,
    values_text,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.secrets import redactor
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.kubernetes.helm_chart import (
    seen_by_templates,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.kubernetes.kubernetes_hubs import (  # noqa: E501
    hub_of,
    values_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st

#: Texts that some reader of YAML takes for something else, or that blocks and folds could change.
NASTY = [
    *("", " ", "1", "-1", "+1", "1.5", ".5", "5.", "1e3", "1E+3", "1.e3", "-.5e-2", "1_000", "1__0", "+1_0.5"),
    *("0o17", "017", "08", "0x1F", "0b11", "-0x1f", "0X1f", "0O17", "1:30", "190:20:30", "-1:30.5", ".inf", "-.INF"),
    *(".nan", ".NaN", "Infinity", "NaN", "nan", "yes", "Yes", "NO", "on", "Off", "y", "Y", "n", "N", "true", "True"),
    *("TRUE", "null", "Null", "NULL", "~", "=", "<<", "!", "!tag", "&a", "*a", "%a", "@a", "`a`", "#a", "a #b", "a: b"),
    *("a:", ":a", "- a", "-", "---", "...", "--- a", "?", "? a", "[a]", "{a: b}", "a, b", "|", ">", "'", '"', "it's"),
    *('say "a"', "\\", "\\n", "a\\tb", "2024-04-08", "2024-04-08T10:00:00Z", "2024-4-8 1:02:03", "12e03", "1e"),
    *("a\n", "\na", "\n", "\n\n", "a\n\n", "a\nb", "  a\nb", "a\n  b\n", "\n  a\nb", "a \nb", "a\t\nb", "\ta", "a\tb"),
    *("a\r\nb", "a\rb", "a\x85b", "a\u2028b", "a\u2029b\n", "\ufeffa", "a\x00b", "a\x07b\n", "a\x7fb", "\x9fa\n"),
    *(
        "ümläut ☃",
        "日本\nすし\n",
        "😀",
        "a\U0001f600\nb",
        "# a\nb",
        "---\na",
        "a\n---\nb",
        "a\n...\nb\n",
        "%a\nb",
        "a  b",
    ),
    *(
        "word " * 60,
        "x" * 500,
        ("word " * 60).strip() + "\nb",
        "a" * 119 + " b",
        " " * 130 + "a",
        "a" + " " * 130 + "b",
    ),
    *(
        "if a:\n    b = 1\n\n\n    c = 2\n",
        "a\n \nb",
        "a\n\t\nb",
        "trailing ",
        " leading",
        "{{ .Values }}",
        "${A}",
        "$(A)",
    ),
]
NUMBERS = [0, -1, 2**31, 2**53, 0.1, 1.5, -2.5e-3, 1e20, 3.0, 0.5]
TEXTS = st.one_of(
    st.text(max_size=30),
    st.text("01-+._eExobinfyYnN:~=<", max_size=6),
    st.text(" \t\nab#:-'\"", max_size=20),
    st.sampled_from(NASTY),
).filter(lambda text: not any("\ud800" <= letter <= "\udfff" for letter in text))
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), TEXTS)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A function that returns what Helm reads in a values file."""
    pytest.importorskip("helm_python", reason="what Helm reads is not compared without the package helm-python-sdk")
    chart = tmp_path_factory.mktemp("tiny")
    return lambda text: seen_by_templates(chart, [text])


def as_helm_says(value: Any) -> Any:
    """Helm has one kind of number only, and says 3.0 as 3."""
    return json.loads(
        json.dumps(value), parse_float=lambda text: int(float(text)) if float(text) % 1 == 0 else float(text)
    )


def test_pyyaml_reads_what_was_meant() -> None:
    meant = {"texts": NASTY, "keys": dict.fromkeys(NASTY, 1), "numbers": NUMBERS, "nothing": None, "no": False}
    assert yaml.safe_load(values_text(meant)) == meant


@pytest.mark.parametrize("text", NASTY, ids=repr)
def test_helm_reads_each_nasty_text(helm: Any, text: str) -> None:
    assert helm(values_text({"alpha": text}))["alpha"] == text
    assert helm(values_text({"alpha": {text: "value"}}))["alpha"] == {text: "value"}
    assert helm(values_text({"alpha": [{"a": text}, text]}))["alpha"] == [{"a": text}, text]


@pytest.mark.parametrize("number", NUMBERS, ids=repr)
def test_helm_reads_numbers_as_numbers(helm: Any, number: float) -> None:
    found = helm(values_text({"alpha": number}))["alpha"]
    assert found == number and not isinstance(found, (str, bool))


@given(tree=TREES)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_both_read_whatever_is_written(helm: Any, tree: Any) -> None:
    text = values_text({"alpha": tree})
    assert yaml.safe_load(text) == {"alpha": tree}
    if tree is not None:  # Helm 4.0 to 4.2 leave out what a chart's own values say is null
        assert without_null(as_helm_says(helm(text)["alpha"])) == without_null(as_helm_says(tree))


def without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_null(item) for key, item in value.items() if item is not None}
    return [without_null(item) for item in value] if isinstance(value, list) else value


def test_values_are_written_for_people() -> None:
    code = "import os\n\nif True:\n    c.x = 1\n"
    shared = {"a": [1]}
    text = values_text({"b": code, "a": shared, "again": shared})
    assert text.startswith(HEADER)
    assert "b: |\n  import os\n" in text
    assert "&" not in text and "*" not in text
    assert text.index("b:") < text.index("a:")


# --- The script


ADDONS: dict[str, Any] = {
    "dask-gateway": {},
    "jupyterhub-home-nfs": {},
    "mine": {"chart": "oci://registry.example.org/mine", "version": "1.0.0", "values": {"a": "yes"}},
    "local": {"chart": "/srv/odd charts/it's $HOME `x`", "version": "1.0.0"},
}
REFERENCES = [
    ChartReference("jupyterhub", "4.4.0", "https://hub.jupyter.org/helm-chart/"),
    ChartReference("oci://registry.example.org/charts/jupyterhub", "4.4.0", ""),
    ChartReference('/srv/odd charts/it\'s $HOME `x` "y"\\ *.tgz', "4.4.0", ""),
]
#: Stands for helm: writes the words it is called with, one per line.
HELM = '#!/bin/sh\nprintf "%s\\n" "$@" END >> "$CALLS"\n'


#: The last word of calls that only render.
RENDER = "--dry-run=server"


def calls_of_helm(directory: Path) -> list[list[str]]:
    """Return the words of each call that was written to a directory."""
    return [call.split("\n") for call in (directory / "calls").read_text().removesuffix("\nEND\n").split("\nEND\n")]


def script_of(reference: ChartReference, **variables: Any) -> dict[str, str]:
    hub = hub_of(hub_addons=ADDONS, **variables)
    return install_files(hub, values_of(hub_addons=ADDONS, **variables).merged, reference, "/srv/fleet/inventory").texts


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: reference.chart)
def test_shellcheck_finds_nothing(reference: ChartReference, tmp_path: Path) -> None:
    program = shutil.which("shellcheck", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if program is None:
        pytest.skip("shellcheck is not installed here")
    script = tmp_path / INSTALL
    script.write_text(script_of(reference)[INSTALL])
    # SC2016: dollar signs in single quotes are meant as they stand.
    command = [program, "--exclude=SC2016", str(script)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout) == (0, "")


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: reference.chart)
def test_helm_is_called_as_it_should_be(reference: ChartReference, tmp_path: Path) -> None:
    """From anywhere, with every word as it is, and with what is given to the script."""
    folder, programs = tmp_path / "odd place's", tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    (programs / "helm").write_text(HELM)
    (programs / "helm").chmod(0o755)
    texts = script_of(reference, hub_release="research", hub_namespace="maps")
    for name, text in texts.items():
        (folder / name).write_text(text)
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "CALLS": str(tmp_path / "calls")}
    command = ["sh", str(folder / INSTALL), "--dry-run", "a b"]
    subprocess.run(command, env=environment, cwd="/", check=True)
    calls = calls_of_helm(tmp_path)
    assert [call[-3:] for call in calls if call[-1] == RENDER] == [["--dry-run", "a b", RENDER]] * 2
    calls = [call for call in calls if call[-1] != RENDER]

    source = ["--repo", reference.repository] if reference.repository else []
    version = [] if reference.chart.startswith("/") else ["--version", "4.4.0"]
    last = ["--values", "values.yaml", "--dry-run", "a b"]
    assert calls[0] == (
        ["upgrade", "--install", "research", reference.chart, *source, *version, "--namespace", "maps", *last]
    )
    assert [call[2:4] for call in calls[1:]] == [
        ["research-dask-gateway", "dask-gateway"],
        ["research-jupyterhub-home-nfs", "oci://ghcr.io/2i2c-org/jupyterhub-home-nfs/jupyterhub-home-nfs"],
        ["research-mine", "oci://registry.example.org/mine"],
        ["research-local", "/srv/odd charts/it's $HOME `x`"],
    ]
    for call in calls:
        assert (folder / call[call.index("--values") + 1]).is_file()
        assert call[-2:] == ["--dry-run", "a b"]
    assert yaml.safe_load(texts["mine.values.yaml"]) == {"a": "yes"}


def test_directories_of_a_shell_mislead_no_script(tmp_path: Path) -> None:
    """CDPATH names where ``cd`` looks first."""
    (tmp_path / "helm").write_text("#!/bin/sh\npwd\n")
    (tmp_path / "helm").chmod(0o755)
    for place in ("staging/hub", "production/hub"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / INSTALL).write_text(script_of(REFERENCES[0])[INSTALL])
    more = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "CDPATH": str(tmp_path / "production")}
    command = ["sh", f"hub/{INSTALL}"]
    done = subprocess.run(
        command, env={**os.environ, **more}, cwd=tmp_path / "staging", check=True, capture_output=True, text=True
    )
    assert set(done.stdout.splitlines()) == {str(tmp_path / "staging" / "hub")}


def test_the_script_stops_at_the_first_failure(tmp_path: Path) -> None:
    (tmp_path / "helm").write_text(HELM + "exit 3\n")
    (tmp_path / "helm").chmod(0o755)
    (tmp_path / INSTALL).write_text(script_of(REFERENCES[0])[INSTALL])
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "CALLS": str(tmp_path / "calls")}
    done = subprocess.run(["sh", str(tmp_path / INSTALL)], env=environment, check=False)
    assert done.returncode == 3
    assert [call for call in calls_of_helm(tmp_path) if call[-1] != RENDER] == calls_of_helm(tmp_path)[-1:]


@pytest.mark.parametrize(("checksum", "upgrades"), [("0123", 1), ("$(wc -l < $CALLS)", 2)])
def test_helm_runs_twice_where_the_chart_generates_secrets(tmp_path: Path, checksum: str, upgrades: int) -> None:
    """Two renderings differ then; what Helm prints of the first run says nothing that the second does not."""
    (tmp_path / "helm").write_text(f'{HELM}echo "  checksum/secret: {checksum}"\n')
    (tmp_path / "helm").chmod(0o755)
    (tmp_path / INSTALL).write_text(script_of(REFERENCES[0])[INSTALL])
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "CALLS": str(tmp_path / "calls")}
    command = ["sh", str(tmp_path / INSTALL), "--wait"]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    found = [call for call in calls_of_helm(tmp_path) if call[2] == "alpha" and call[-1] != RENDER]
    assert [call[-2:] for call in found] == [["--wait", "--wait=false"], ["values.yaml", "--wait"]][-upgrades:]
    assert ("Helm runs twice" in done.stdout) is (upgrades == 2)


def test_what_fails_in_the_first_run_is_told_in_the_second(tmp_path: Path) -> None:
    fail = 'case "$*" in *server) echo "checksum/secret: $(wc -l < $CALLS)" ;; *) echo refused >&2; exit 3 ;; esac\n'
    (tmp_path / "helm").write_text(HELM + fail)
    (tmp_path / "helm").chmod(0o755)
    (tmp_path / INSTALL).write_text(script_of(REFERENCES[0])[INSTALL])
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "CALLS": str(tmp_path / "calls")}
    done = subprocess.run(["sh", str(tmp_path / INSTALL)], env=environment, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (3, "refused\n")


def test_without_its_secrets_a_hub_is_not_installed(tmp_path: Path) -> None:
    (tmp_path / INSTALL).write_text(script_of(REFERENCES[0], hub_pending_secrets=["enc-a.yaml", "it's"])[INSTALL])
    done = subprocess.run(["sh", str(tmp_path / INSTALL)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.endswith("these of its secrets are missing: enc-a.yaml, it's\n")


SECRET = "hunter2-and-more"


def test_secrets_of_options_are_hidden() -> None:
    hub = values_of(
        hub_authenticator="github",
        hub_authenticator_settings={"client_id": "abc", "client_secret": SECRET},
        hub_services=[{"name": "grader", "api_token": SECRET}],
        hub_files={
            "key": {"path": "/key", "content": f"{SECRET}\n"},
            "exact": {"path": "/exact", "content": SECRET},
        },
    )
    encoded = base64.b64encode(SECRET.encode()).decode()
    shown, masked = json.dumps(hub.merged), json.dumps(redactor().mask(hub.merged))
    assert shown.count(SECRET) == 3 and encoded in shown
    assert SECRET not in masked and encoded not in masked


def test_the_script_says_how_to_read_generated_passwords(tmp_path: Path) -> None:
    (tmp_path / "helm").write_text("#!/bin/sh\n")
    (tmp_path / "helm").chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    said = {}
    demonstration = {"hub_demonstration": True}
    for authenticator, rules in (("native", {}), ("shared-password", {}), ("dummy", demonstration)):
        variables = {"hub_authenticator": authenticator, "hub_allowed_users": ["ada"], "hub_namespace": "maps", **rules}
        (tmp_path / INSTALL).write_text(script_of(REFERENCES[0], **variables)[INSTALL])
        done = subprocess.run(
            ["sh", str(tmp_path / INSTALL)], env=environment, capture_output=True, text=True, check=True
        )
        said[authenticator] = done.stdout
    command = "kubectl exec --namespace maps deploy/hub -- cat /srv/jupyterhub"
    assert said == {
        "native": f"First passwords that people have not changed yet: {command}/first-passwords\n",
        "shared-password": f"Passwords of users and admins: {command}/shared-passwords\n",
        "dummy": "",
    }


def rules_of(**variables: Any) -> dict[str, list[str]]:
    """Return resource -> verbs of the rendered Role."""
    made = install_files(hub_of(cluster_permissions="namespace", **variables), {}, REFERENCES[0], "")
    account, role, binding = yaml.safe_load(made.texts["role.yaml"])["items"]
    assert binding["subjects"][0]["name"] == account["metadata"]["name"] and binding["roleRef"]["kind"] == "Role"
    return {rule["resources"][0]: rule["verbs"] for rule in role["rules"]}


def test_the_role_has_what_the_release_has() -> None:
    rules = rules_of()
    assert {"roles", "rolebindings", "serviceaccounts", "events", "replicasets"} <= rules.keys()
    assert "update" in rules["secrets"] and not {"ingresses", "httproutes"} & rules.keys()
    given = rules_of(hub_service_account="institute")
    assert not {"roles", "rolebindings", "serviceaccounts"} & given.keys()
    assert given["events"] == ["get", "list", "watch"]
    exposed = {"hub_domain": "hub.example.org", "cluster_certificate_issuer": "letsencrypt"}
    assert "ingresses" in rules_of(cluster_exposure="ingress", **exposed)
    assert "role.yaml" not in install_files(hub_of(), {}, REFERENCES[0], "").texts
