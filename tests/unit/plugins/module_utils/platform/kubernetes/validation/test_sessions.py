# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What fails the start of every session is told, wherever it was set; what KubeSpawner takes is not."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.nested import path_text
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.chart.recorded import read
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.validation.hub_config import (
    check_spawner,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.validation.session_checks import (
    check_overrides,
    check_sessions,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.layers import (
    over_defaults,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.formatted_text import (
    KUBESPAWNER,
    from_literal_variable,
    literal,
    literal_variable,
    placeholder_problem,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.kubernetes.kubernetes_hubs import (  # noqa: E501
    CHARTS,
)

RECORD = read(CHARTS, "4.4.0")


def problems(singleuser: dict[str, Any], config: dict[str, Any] | None = None) -> dict[str, str]:
    """Return what is wrong with sessions of these values over the chart's defaults: place -> message."""
    merged: dict[str, Any] = {"singleuser": singleuser}
    if config:
        merged["hub"] = {"config": config}
    found: list[tuple[str, str]] = []
    check_sessions(
        over_defaults(RECORD.defaults, merged),
        merged,
        RECORD.traits,
        lambda path, message: found.append((path_text(path).replace("singleuser.", ""), message)),
    )
    assert len(dict(found)) == len(found), "two messages for one place"
    return dict(found)


def refused(**overrides: Any) -> bool:
    """Tell whether overrides of KubeSpawner have problems."""
    found: list[str] = []
    check_spawner(overrides, {}, RECORD.traits, lambda _path, message: found.append(message))
    check_overrides(("override",), overrides, lambda _path, message: found.append(message))
    return bool(found)


@pytest.fixture
def kubespawner(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that returns KubeSpawner with traits, without a cluster."""
    module = pytest.importorskip("kubespawner.spawner", reason="these tests need the package jupyterhub-kubespawner")
    for name in ("load_config", "shared_client"):
        monkeypatch.setattr(module, name, lambda *_args, **_kwargs: None)

    def made(**traits: Any) -> Any:
        spawner = module.KubeSpawner(_mock=True, **{"image": "quay.io/uni/base:1", **copy.deepcopy(traits)})
        spawner.user.id = 1
        return spawner

    return made


def pod_of(spawner: Any) -> Any:
    return asyncio.run(spawner.get_pod_manifest())


def starts(kubespawner: Any, **overrides: Any) -> bool:
    """Tell whether KubeSpawner makes a pod with these overrides, as those of a profile."""
    spawner = kubespawner(profile_list=[{"display_name": "One", "kubespawner_override": copy.deepcopy(overrides)}])
    try:
        asyncio.run(spawner.load_user_options())
        pod_of(spawner)
    except Exception:  # whatever it is, no session starts
        return False
    return True


# --- What KubeSpawner itself says

MEMORY = ["1Gi", "512Mi", "1GB", "1g", "100m", "2", "", "G", "1 Gi", "1.5G", "512M", "2G", "1T", "1K", 1073741824, 0.5]
TEXTS = [
    "plain",
    '{"a": 1}',
    "u-{user}",
    "{}",
    "{0}",
    "a { b",
    "a } b",
    "{username}",
    "{username!r}",
    "{username.x}",
    "{username[0]}",
    "{userid:03d}",
    "{username:03d}",
    "{userid.x}",
    "{{}}",
    '{{"a": {{"b": 1}}}}',
    "{unescaped_servername}-{user_server}",
    *(f"{{{name}}}" for name in KUBESPAWNER),
]


@pytest.mark.parametrize("amount", MEMORY)
def test_memory_is_what_kubespawner_takes(amount: Any, kubespawner: Any) -> None:
    assert refused(mem_limit=amount) is not starts(kubespawner, mem_limit=amount)


@pytest.mark.parametrize("text", TEXTS)
def test_texts_are_what_kubespawner_formats(text: str, kubespawner: Any) -> None:
    good = starts(kubespawner, environment={"A": text})
    assert bool(placeholder_problem(text)) is not good
    assert refused(environment={"A": text}) is not good


FORMATTED: dict[str, Any] = {
    "environment": {"A": "BAD"},
    "environment of a secret": {"A": {"valueFrom": {"secretKeyRef": {"name": "BAD", "key": "a"}}}},
    "extra_labels": {"a": "BAD"},
    "extra_annotations": {"a": "BAD"},
    "volumes": {"v": {"name": "v", "hostPath": {"path": "BAD"}}},
    "volume_mounts": {"v": {"name": "v", "mountPath": "/v", "subPath": "BAD"}},
    "init_containers": [{"name": "i", "image": "b", "command": ["sh", "-c", "BAD"]}],
    "extra_containers": [{"name": "i", "image": "b", "args": ["BAD"]}],
    "extra_pod_config": {"hostname": "BAD"},
    "service_account": "BAD",
    "node_selector": {"a": "BAD"},
    "tolerations": [{"key": "BAD", "operator": "Exists"}],
    "lifecycle_hooks": {"postStart": {"exec": {"command": ["BAD"]}}},
    "cmd": ["BAD"],
    "working_dir": "BAD",
}


def _with(value: Any, text: str) -> Any:
    if isinstance(value, dict):
        return {key: _with(item, text) for key, item in value.items()}
    return [_with(item, text) for item in value] if isinstance(value, list) else value.replace("BAD", text)


@pytest.mark.parametrize("name", FORMATTED)
@pytest.mark.parametrize("text", ["{user}", "x{x", "{}"])
def test_traits_are_formatted_where_kubespawner_does(name: str, text: str, kubespawner: Any) -> None:
    """A text that cannot be formatted is told in these traits, and only where the real KubeSpawner fails."""
    trait = name.partition(" ")[0]
    value = _with(FORMATTED[name], text)
    if starts(kubespawner, **{trait: value}):
        found: list[str] = []
        check_overrides((), {trait: value}, lambda _path, message: found.append(message))
        assert [line for line in found if "placeholder" in line] == []
    else:
        assert refused(**{trait: value})


@pytest.mark.parametrize(
    "text", ['{"foo": "bar"}', "a { b", "{}", "u-{username}", "$(HOME)", "$$", "a$b", "$x $(", "é{"]
)
def test_our_own_text_is_literal_in_a_session(text: str, kubespawner: Any) -> None:
    """What options render comes out of the real KubeSpawner, and of Kubernetes, as it was written."""
    pod = pod_of(kubespawner(environment={"A": literal_variable(text)}))
    (container,) = pod.spec.containers
    (found,) = [variable.value for variable in container.env if variable.name == "A"]
    assert expanded(found) == text
    assert from_literal_variable(literal_variable(text)) == text
    mounts = {"v": {"name": "v", "mountPath": literal(f"/x/{text}")}}
    pod = pod_of(kubespawner(volumes={"v": {"name": "v", "emptyDir": {}}}, volume_mounts=mounts))
    assert pod.spec.containers[0].volume_mounts[0].mount_path == f"/x/{text}"


def expanded(text: str) -> str:
    """Return what Kubernetes makes of a variable of a container, whose only other variable is HOME.

    Source: Expand in Kubernetes' third_party/forked/golang/expansion.
    """
    done, index = "", 0
    while index < len(text):
        rest = text[index + 1 :]
        if text[index] != "$" or not rest:
            done, index = done + text[index], index + 1
        elif rest[0] == "$":
            done, index = f"{done}$", index + 2
        elif rest[0] == "(" and ")" in rest:
            name = rest[1 : rest.index(")")]
            done, index = done + ("/home/ada" if name == "HOME" else f"$({name})"), index + len(name) + 3
        else:
            done, index = done + text[index : index + 2], index + 2
    return done


@pytest.mark.parametrize("name", ["", "0", "x y", "username"])
def test_references_and_placeholders_are_not_literal(name: str) -> None:
    for text in (f"{{{name}}}", f"$({name})", "{", "}"):
        with pytest.raises(ValueError, match="has"):
            from_literal_variable(text)


def test_messages_name_the_placeholder() -> None:
    assert placeholder_problem("_shared/{user}").startswith("has the unknown placeholder {user}; did you mean 'user")
    assert "(known: escaped_servername, " in placeholder_problem("{user}")
    assert "hunter2" not in placeholder_problem("{hunter2 hunter2")
    assert "hunter2" not in placeholder_problem('{"password": "hunter2"}')
    assert placeholder_problem("{servername}", ("username",)) == (
        "has the unknown placeholder {servername}; did you mean 'username'? (known: username)"
    )


def test_a_section_of_all_spawners_has_no_effect_beside_kubespawners(kubespawner: Any) -> None:
    """What is told of hub.config.Spawner beside the chart's values is so, even where these are empty."""
    config = pytest.importorskip("traitlets.config").Config()
    config.Spawner.environment = {"A": "1"}
    config.KubeSpawner.environment = {}
    assert kubespawner(config=config).environment == {}
    config.KubeSpawner.update({"environment": {"B": "2"}})  # as the chart does with hub.config
    assert kubespawner(config=config).environment == {"B": "2"}


def test_a_list_of_volumes_replaces_those_of_all_sessions(kubespawner: Any) -> None:
    homes = {"home": {"name": "home", "emptyDir": {}}}
    for given, names in (([{"name": "x"}], ["x"]), ({"x": {"name": "x"}}, ["home", "x"])):
        spawner = kubespawner(
            volumes=homes, profile_list=[{"display_name": "A", "kubespawner_override": {"volumes": given}}]
        )
        asyncio.run(spawner.load_user_options())
        assert [volume.name for volume in pod_of(spawner).spec.volumes] == names
        assert refused(volumes=given) is (names == ["x"])


# --- What Kubernetes says, whatever KubeSpawner makes a pod of

BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"memory": {"limit": "1Gi"}}, "memory.limit", "must be an amount of memory"),
    ({"memory": {"limit": "1G", "guarantee": "2G"}}, "memory.guarantee", "2G are guaranteed, but the limit is 1G"),
    ({"memory": {"limit": "512M"}}, "memory.limit", "1G are guaranteed by default, but the limit is 512M"),
    ({"cpu": {"limit": 1, "guarantee": 2}}, "cpu.guarantee", "2 are guaranteed, but the limit is 1"),
    ({"extraEnv": {"A": 1}}, "extraEnv.A", "must be text in quotes, not a whole number"),
    ({"extraEnv": {"A": True}}, "extraEnv.A", "must be text in quotes, not true or false"),
    ({"extraEnv": {"A=B": "1"}}, "extraEnv.A=B", "is not the name of an environment variable"),
    ({"extraEnv": {"A": {"valeuFrom": {}}}}, "extraEnv.A.valeuFrom", "is not a key of an environment variable"),
    ({"extraEnv": [{"name": "A", "value": "1"}]}, "extraEnv", "must be a mapping, not a list"),
    ({"nodeSelector": {"pool": True}}, "nodeSelector.pool", "must be text in quotes, not true or false"),
    ({"nodeSelector": {"a b": "x"}}, "nodeSelector.a b", "is not the name of a label"),
    ({"nodeSelector": {"pool": "a b"}}, "nodeSelector.pool", "is not the value of a label"),
    ({"extraLabels": {"team": "a" * 64}}, "extraLabels.team", "is not the value of a label"),
    ({"extraAnnotations": {"a/b/c": "x"}}, "extraAnnotations.a/b/c", "is not the name of an annotation"),
    ({"extraResource": {"limits": {"nvidia.com/gpu": "one"}}}, "extraResource.limits.nvidia.com/gpu", "quantity"),
    ({"extraResource": {"guarantees": {"nvidia.com/gpu": 1}}}, "extraResource.guarantees.nvidia.com/gpu", "no limit"),
    ({"storage": {"capacity": "10GB"}}, "storage.capacity", "quantity"),
    (
        {"storage": {"dynamic": {"storageAccessModes": ["ReadWriteonce"]}}},
        "storage.dynamic.storageAccessModes[0]",
        "is not allowed; did you mean 'ReadWriteOnce'?",
    ),
    ({"image": {"name": "Quay.io/Uni/Base", "tag": "1"}}, "image.name", "is not the name of a container image"),
    ({"serviceAccountName": "Ada"}, "serviceAccountName", "is not a Kubernetes name"),
    ({"uid": -1}, "uid", "is not a number of a user"),
    ({"extraTolerations": [{"operator": "exists"}]}, "extraTolerations[0].operator", "did you mean 'Exists'"),
    ({"extraTolerations": [{"value": "x"}]}, "extraTolerations[0]", "key is missing"),
    ({"extraTolerations": [{"key": "a", "efect": "x"}]}, "extraTolerations[0].efect", "did you mean 'effect'"),
    ({"extraTolerations": ["gpu"]}, "extraTolerations[0]", "must be a mapping, a toleration, not text"),
    ({"initContainers": [{"name": "a"}]}, "initContainers[0]", "image is missing"),
    ({"initContainers": [{"name": "a", "image": "b", "command": "sh"}]}, "initContainers[0].command", "must be a list"),
    (
        {"initContainers": [{"name": "a", "image": "b"}], "extraContainers": [{"name": "a", "image": "b"}]},
        "extraContainers[0].name",
        "'a' is used by two containers of the pod",
    ),
    ({"extraContainers": [{"name": "notebook", "image": "b"}]}, "extraContainers[0].name", "used by two containers"),
    (
        {"extraContainers": [{"name": "a", "image": "b", "volumeMounts": [{"name": "x", "mountPath": "/x"}]}]},
        "extraContainers[0].volumeMounts[0].name",
        "there is no volume 'x'",
    ),
    (
        {"storage": {"extraVolumes": [{"name": "a", "emptyDir": {}}, {"name": "a", "emptyDir": {}}]}},
        "storage.extraVolumes[1].name",
        "'a' is used by two volumes of the pod",
    ),
    (
        {"storage": {"extraVolumes": {"a": {"name": "a", "emptyDir": {}, "hostPath": {}}}}},
        "storage.extraVolumes.a",
        "has several kinds of volumes: emptyDir, hostPath; only one is allowed",
    ),
    (
        {"storage": {"extraVolumeMounts": {"a": {"name": "shm", "mountPath": "/dev/shm"}}}},
        "storage.extraVolumeMounts.a.name",
        "there is no volume 'shm'",
    ),
    (
        {"storage": {"type": "static", "extraVolumeMounts": [{"name": "home", "mountPath": "/home/jovyan/"}]}},
        "storage.extraVolumeMounts[0].mountPath",
        "'/home/jovyan/' is used by two mounts",
    ),
    ({"storage": {"type": "static", "static": {"subPath": "{user}"}}}, "storage.static.subPath", "placeholder {user}"),
    ({"storage": {"homeMountPath": "/home/{user}"}}, "storage.homeMountPath", "placeholder {user}"),
    ({"storage": {"extraLabels": {"a": "{user}"}}}, "storage.extraLabels.a", "placeholder {user}"),
    (
        {"extraFiles": {"a": {"mountPath": "/a/{x}", "stringData": "{}"}}},
        "extraFiles.a.mountPath",
        "placeholder {x}",
    ),
    ({"podNameTemplate": "jupyter-{name}"}, "podNameTemplate", "placeholder {name}"),
    ({"defaultUrl": "/lab/tree/{user}"}, "defaultUrl", "placeholder {user}; did you mean 'username'?"),
]


@pytest.mark.parametrize(("singleuser", "place", "message"), BAD, ids=[place for _values, place, _message in BAD])
def test_values_that_fail_every_start(singleuser: dict[str, Any], place: str, message: str) -> None:
    found = problems(singleuser)
    assert list(found) == [place], found
    assert message in found[place]


BAD_CONFIG: list[tuple[dict[str, Any], str, str]] = [
    ({"KubeSpawner": {"mem_limit": "512M"}}, "hub.config.KubeSpawner.mem_limit", "1G are guaranteed by default"),
    ({"Spawner": {"environment": {"A": "{}"}}}, "hub.config.Spawner.environment.A", "has braces"),
    ({"Spawner": {"notebook_dir": "/home/{user}"}}, "hub.config.Spawner.notebook_dir", "placeholder {user}"),
    ({"KubeSpawner": {"working_dir": "/home/{user}"}}, "hub.config.KubeSpawner.working_dir", "placeholder {user}"),
    (
        {"KubeSpawner": {"singleuser_extra_labels": {"a": "{x}"}}},
        "hub.config.KubeSpawner.singleuser_extra_labels.a",
        "",
    ),
    ({"KubeSpawner": {"port": 88888}}, "hub.config.KubeSpawner.port", "is not a port number from 1 to 65535"),
    ({"KubeSpawner": {"dns_name_template": "{username}"}}, "hub.config.KubeSpawner.dns_name_template", "namespace"),
    ({"KubeSpawner": {"image_pull_policy": "always"}}, "hub.config.KubeSpawner.image_pull_policy", "mean 'Always'"),
    ({"KubeSpawner": {"storage_class": "A_B"}}, "hub.config.KubeSpawner.storage_class", "is not a Kubernetes name"),
    (
        {"KubeSpawner": {"volumes": {}, "volume_mounts": {"a": {"name": "b", "mountPath": "/b"}}}},
        "hub.config.KubeSpawner.volume_mounts.a.name",
        "there is no volume 'b'",
    ),
]


@pytest.mark.parametrize(("config", "place", "message"), BAD_CONFIG, ids=[case[1] for case in BAD_CONFIG])
def test_configuration_that_fails_every_start(config: dict[str, Any], place: str, message: str) -> None:
    found = problems({}, config)
    assert list(found) == [place], found
    assert message in found[place]


SOUND: list[dict[str, Any]] = [
    {},
    {"memory": {"limit": "1G"}, "cpu": {"limit": 0.5, "guarantee": 0.5}},
    {"memory": {"limit": 4294967296, "guarantee": "0.5G"}},
    {"memory": {"limit": None, "guarantee": None}},
    {"extraEnv": {"A": "1", "B": None, "C": {"valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}}},
    {"extraEnv": {"A": {"name": "A", "value": "{username}"}, "B.c-d": "{{}}"}},
    {"extraLabels": {"hub.jupyter.org/user": "{username}", "a": ""}, "nodeSelector": {"k8s.io/x_y": "a.b-c"}},
    {"extraTolerations": [{"operator": "Exists"}, {"key": "a", "effect": "NoExecute", "tolerationSeconds": 5}]},
    {"extraResource": {"limits": {"nvidia.com/gpu": "1"}, "guarantees": {"nvidia.com/gpu": 1}}},
    {"extraResource": {"guarantees": {"ephemeral-storage": "500M"}, "limits": {"ephemeral-storage": "1Gi"}}},
    {"storage": {"type": "none", "static": {"subPath": "{nothing}"}, "capacity": "10.5Gi"}},
    {
        "storage": {
            "extraVolumes": [{"name": "a-{username}", "persistentVolumeClaim": {"claimName": "claim-{username}"}}],
            "extraVolumeMounts": [
                {"name": "a-{username}", "mountPath": "/a", "subPath": "{user_server}"},
                {"name": "a-{username}", "mountPath": "/b"},
                {"name": "volume-{user_server}", "mountPath": "/home/{username}/more"},
            ],
        }
    },
    {"extraFiles": {"a": {"mountPath": "/a", "stringData": "{"}, "b": {"mountPath": "/b", "data": {"x": "{y}"}}}},
    {"image": {"name": "localhost:5000/uni/base", "tag": "1.0_x"}},
    {"image": {"name": "quay.io/uni/base:1@sha256", "tag": "a" * 64}},
    {"initContainers": [{"name": "i", "image": "b:1", "command": ["sh", "-c", "echo {username}"]}]},
    {"extraPodConfig": {"volumes": [{"name": "x", "emptyDir": {}}]}, "storage": {"extraVolumeMounts": []}},
    {"cmd": ["start", "{not formatted}"], "lifecycleHooks": {"postStart": {"exec": {"command": ["echo", "{}"]}}}},
    {"defaultUrl": "/lab/tree/{username}", "podNameTemplate": "jupyter-{user_server}"},
]


@pytest.mark.parametrize("singleuser", SOUND, ids=range(len(SOUND)))
def test_values_that_start(singleuser: dict[str, Any]) -> None:
    assert problems(singleuser) == {}
