# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook: odd values come back through Ansible, secrets can be encrypted, and mistakes are one line."""

from __future__ import annotations

import functools
import json
import operator
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from imported import PASSWORD, differences, read_back, rendered, run_import

ODD: dict[str, Any] = {
    "custom": {
        "template": "{{ undefined_variable }}",
        "block": "{% if x %}\n  {{ y }}\n",
        "comment": "{# gone #}",
        "{{ key }}": "value",
        "words": ["y", "no", "1e3", "08", "null", "~", "2024-04-08", "1:30", "0x10", "=", "<<"],
        "types": [True, None, 0, -1, 1.0, 0.5, {}, [], "", 18446744073709551615],
        "spaces": [" a ", "\ta\n", "a\r\nb", "\n a\n\n", "a\u0085b\u2028c", "🚀", "a: b", "# a", "- a", "!vault x"],
        "vault": "$ANSIBLE_VAULT;1.1;AES256\n3132\n",
        "nothing": None,
        "password": "secret {{ word }}\n",
        "apiToken": 123456789012,
    },
    "hub": {
        "config": {
            "JupyterHub": {"authenticator_class": "github"},
            "GitHubOAuthenticator": {"client_id": "abc", "client_secret": " secret word "},
        },
        "extraFiles": {"key": {"stringData": "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----"}},
        "templateVars": {"announcement": "{{ not_a_template }}"},
    },
    "singleuser": {"extraEnv": {"A": "{{ user }}", "B": "$(JUPYTERHUB_USER)"}, "storage": None},
}


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A hub with odd values, imported."""
    text = json.dumps(ODD, ensure_ascii=False).replace("\u0085", "\\u0085").replace("\u2028", "\\u2028")
    (tmp_path / "odd.yaml").write_text(text, encoding="utf-8")
    done = run_import(tmp_path, source="odd.yaml", format="z2jh", directory="fleet")
    assert done.returncode == 0, done.stdout + done.stderr
    for secret in ("secret", "BEGIN", "123456789012"):
        assert secret not in done.stdout.replace("secrets", "")
    return tmp_path / "fleet"


def test_odd_values_come_back(odd: Path) -> None:
    assert differences(rendered(odd)["odd"], ODD) == []


def test_encrypted_secrets_come_back(odd: Path) -> None:
    files = [str(path) for path in (odd / "secrets").rglob("*") if path.is_file()]
    password = odd.parent / "password"
    password.write_text(PASSWORD, encoding="utf-8")
    program = Path(sys.executable).with_name("ansible-vault")
    command = [str(program), "encrypt", "--vault-password-file", str(password), *files]
    subprocess.run(command, capture_output=True, check=True)
    assert len(files) == 4
    assert all(Path(name).read_bytes().startswith(b"$ANSIBLE_VAULT") for name in files)
    assert differences(rendered(odd)["odd"], ODD) == []


def test_secrets_do_not_count_as_plain_text(odd: Path) -> None:
    host = read_back(odd).hosts["odd"]
    # No option takes a secret with spaces around it, so that it stays a Helm value.
    place = ("hub_helm_values", "hub", "config", "GitHubOAuthenticator", "client_secret")
    assert functools.reduce(operator.getitem, place, host.variables) == " secret word "
    assert host.protected(place)


def test_environment_variables_that_sound_like_secrets_are_none_of_the_inventory(tmp_path: Path) -> None:
    values = {
        "hub": {"extraEnv": {"LDAP_PASSWORD": "pwpw-hub", "API_TOKEN": {"value": "pwpw-value"}, "LANG": "de"}},
        "singleuser": {
            "extraEnv": {
                "MY_PASSWORD": "pwpw-{{ user }}",
                "PORT_KEY": 7,
                "EDITOR": "vi",
                "A_SECRET": {"valueFrom": {"secretKeyRef": {"name": "kept", "key": "a"}}},
            }
        },
        "custom": {"extraEnv": [{"name": "LIST_TOKEN", "value": "pwpw-list"}, {"name": "B", "value": "b"}]},
    }
    (tmp_path / "research.yaml").write_text(json.dumps(values), encoding="utf-8")
    done = run_import(tmp_path, source="research.yaml", format="z2jh", directory="fleet")
    assert done.returncode == 0, done.stdout + done.stderr
    fleet = tmp_path / "fleet"
    for path in fleet.rglob("*"):
        if path.is_file() and "secrets" not in path.relative_to(fleet).parts:
            assert "pwpw" not in path.read_text(encoding="utf-8"), path
    assert len([path for path in (fleet / "secrets").rglob("*") if path.is_file()]) == 5
    assert differences(rendered(fleet)["research"], values) == []


def test_several_values_files_and_names(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("custom: {a: 1, b: 1}", encoding="utf-8")
    (tmp_path / "two.yaml").write_text("custom: {b: 2}", encoding="utf-8")
    names = {"hub": "research", "cluster": "uni", "tier": "staging"}
    done = run_import(tmp_path, source="one.yaml,two.yaml", format="z2jh", directory="fleet", **names)
    assert done.returncode == 0, done.stdout + done.stderr
    assert rendered(tmp_path / "fleet") == {"research": {"custom": {"a": 1, "b": 2}}}
    assert read_back(tmp_path / "fleet").clusters == {"uni": ["research"]}


def test_check_mode_tells_the_same_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_text("custom: {a: 1}", encoding="utf-8")
    request = {"source": "lab.yaml", "format": "z2jh", "directory": "fleet"}
    tried = run_import(tmp_path, "--check", **request)
    assert not (tmp_path / "fleet").exists()
    done = run_import(tmp_path, **request)
    line = "1 hub in 1 cluster: 1 value, 0 % of them options"
    assert line in tried.stdout and line in done.stdout
    assert "changed=1" in tried.stdout and "changed=1" in done.stdout


def test_python_of_a_hub_is_read_and_not_run(tmp_path: Path) -> None:
    """What has an option comes back through Ansible; no secret is printed, and nothing of the file is run."""
    (tmp_path / "jupyterhub_config.py").write_text(
        "open('was-run', 'w')\n"
        "c.JupyterHub.authenticator_class = 'nativeauthenticator.NativeAuthenticator'\n"
        "c.Authenticator.allowed_users = {'ada'}\n"
        "c.JupyterHub.services = [{'name': 'grader', 'url': 'http://127.0.0.1:9000', 'api_token': 'hunter2hunter2'}]\n"
        "c.JupyterHub.log_level = 10\n",
        encoding="utf-8",
    )
    request = {"source": "jupyterhub_config.py", "format": "jupyterhub_config", "directory": "fleet", "hub": "campus"}
    done = run_import(tmp_path, **request)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "hunter2" not in done.stdout + done.stderr and not (tmp_path / "was-run").exists()
    host = read_back(tmp_path / "fleet").hosts["campus"]
    assert host.variables["hub_services"][0]["api_token"] == "hunter2hunter2"
    assert host.variables["hub_jupyterhub_config"] == "c.JupyterHub.log_level = 10\n"
    assert "- line 1: a call" in (tmp_path / "fleet" / "import-report.md").read_text(encoding="utf-8")
    again = run_import(tmp_path, **request)
    assert again.returncode == 0 and "changed=0" in again.stdout


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            {"format": "helm"},
            "import_format: 'helm' is not known; allowed: 2i2c, jupyterhub_config, tljh, z2jh; nothing was written",
        ),
        ({"source": "none.yaml"}, "none.yaml: there is no such file or directory; nothing was written"),
        ({"source": "bad.yaml"}, "bad.yaml:3: is not YAML: "),
        ({"format": "2i2c", "source": "."}, ".: has no cluster.yaml, and neither have its subdirectories"),
        ({"directory": "."}, ".: is not empty (it holds "),
        ({"overwrite": "perhaps"}, "import_overwrite: must be true or false"),
        (
            {"source": "lab.yaml, bad.yaml"},
            "import_source: contains an empty name between commas; write the names without spaces",
        ),
        ({"source": ""}, "import_source: is not set; set it to what is imported, -e import_source=PATH"),
    ],
)
def test_mistakes(tmp_path: Path, request_: dict[str, str], message: str) -> None:
    (tmp_path / "lab.yaml").write_text("custom: {a: 1}", encoding="utf-8")
    (tmp_path / "bad.yaml").write_text("custom:\n  a: [1\nb: 2\n", encoding="utf-8")
    request = {"source": "lab.yaml", "format": "z2jh", "directory": "fleet", **request_}
    done = run_import(tmp_path, **request)
    assert done.returncode == 2
    assert message in " ".join(done.stdout.split()) + " ".join(done.stderr.split())
    assert "Traceback" not in done.stdout + done.stderr
    assert not (tmp_path / "fleet").exists()
