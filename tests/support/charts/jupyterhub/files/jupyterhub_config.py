# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configure JupyterHub by the values of the chart, which are mounted from the hub's Secret."""

import os
import re
from pathlib import Path

import yaml

HERE = Path("/usr/local/etc/jupyterhub")
#: What an administrator's own Secret holds wins.
SECRETS = (HERE / "existing-secret", HERE / "secret")
HUB_PORT = 8081

#: Values that are traits with the same name in snake case, and those with another name.
HUB_VALUES = (
    "activeServerLimit",
    "allowNamedServers",
    "authenticatePrometheus",
    "baseUrl",
    "concurrentSpawnLimit",
    "namedServerLimitPerUser",
    "redirectToServer",
    "shutdownOnLogout",
    "templatePaths",
    "templateVars",
)
SESSION_VALUES = (
    "allowPrivilegeEscalation",
    "extraAnnotations",
    "extraContainers",
    "extraLabels",
    "extraPodConfig",
    "fsGid",
    "initContainers",
    "lifecycleHooks",
    "nodeSelector",
    "podNameTemplate",
    "profileList",
    "startTimeout",
    "uid",
)
SESSION_TRAITS = {
    "cpu.guarantee": "cpu_guarantee",
    "cpu.limit": "cpu_limit",
    "events": "events_enabled",
    "extraEnv": "environment",
    "extraNodeAffinity.preferred": "node_affinity_preferred",
    "extraNodeAffinity.required": "node_affinity_required",
    "extraPodAffinity.preferred": "pod_affinity_preferred",
    "extraPodAffinity.required": "pod_affinity_required",
    "extraPodAntiAffinity.preferred": "pod_anti_affinity_preferred",
    "extraPodAntiAffinity.required": "pod_anti_affinity_required",
    "extraResource.guarantees": "extra_resource_guarantees",
    "extraResource.limits": "extra_resource_limits",
    "image.pullPolicy": "image_pull_policy",
    "image.pullSecrets": "image_pull_secrets",
    "memory.guarantee": "mem_guarantee",
    "memory.limit": "mem_limit",
    "serviceAccountName": "service_account",
    "storage.extraLabels": "storage_extra_labels",
}
DYNAMIC_STORAGE_TRAITS = {
    "capacity": "storage_capacity",
    "dynamic.pvcNameTemplate": "pvc_name_template",
    "dynamic.storageAccessModes": "storage_access_modes",
    "dynamic.storageClass": "storage_class",
}


def merged(lower, upper):
    """Return a mapping over another."""
    both_mappings = [key for key in upper if isinstance(upper[key], dict) and isinstance(lower.get(key), dict)]
    return {**lower, **upper, **{key: merged(lower[key], upper[key]) for key in both_mappings}}


def read_values():
    """Return the chart's values, with those of the administrator's own Secret on top."""
    found = {}
    for directory in reversed(SECRETS):
        file = directory / "values.yaml"
        if file.exists():
            found = merged(found, yaml.safe_load(file.read_text()))
    return found


def value(path, default=None):
    """Return the value at a path written with dots."""
    found = VALUES
    for key in path.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    return default if found is None else found


def secret(key, default=None):
    """Return a secret that was given or generated."""
    files = [directory / key for directory in SECRETS if (directory / key).exists()]
    return files[0].read_text() if files else default


def same_names(*names):
    """Return name of a value -> name of the trait."""
    return {name: re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name) for name in names}


def set_traits(section, below, traits):
    """Set those traits that have a value; traits: name of the value -> trait."""
    for name, trait in traits.items():
        found = value(f"{below}.{name}")
        if found is not None:
            setattr(section, trait, found)


def configure_hub():
    """Set where hub, proxy and database are, and how users come in."""
    hub = c.JupyterHub
    hub.spawner_class = "kubespawner.KubeSpawner"
    hub.hub_bind_url = f"http://:{HUB_PORT}"
    hub.hub_connect_url = f"http://hub:{HUB_PORT}"
    # servers outlive the hub
    hub.cleanup_servers = False
    hub.last_activity_interval = 60
    hub.tornado_settings = {"slow_spawn_timeout": 0}
    c.ConfigurableHTTPProxy.should_start = False
    c.ConfigurableHTTPProxy.api_url = "http://proxy-api:8001"
    databases = {"sqlite-pvc": "sqlite:///jupyterhub.sqlite", "sqlite-memory": "sqlite://"}
    hub.db_url = databases.get(value("hub.db.type")) or value("hub.db.url")
    password = {"postgres": "PGPASSWORD", "mysql": "MYSQL_PWD"}.get(value("hub.db.type"))
    if password and secret("hub.db.password"):
        os.environ[password] = secret("hub.db.password")
    set_traits(hub, "hub", same_names(*HUB_VALUES))
    hub.cookie_secret = secret("hub.config.JupyterHub.cookie_secret")
    c.CryptKeeper.keys = secret("hub.config.CryptKeeper.keys").split(";")
    if value("debug.enabled"):
        hub.log_level = "DEBUG"


def configure_services():
    """Add the services and roles of the values, and the service that stops idle servers."""
    services = c.JupyterHub.services = []
    roles = c.JupyterHub.load_roles = []
    if value("cull.enabled"):
        services.append({"name": "jupyterhub-idle-culler", "command": culler_command()})
        scopes = ["list:users", "read:users:activity", "read:servers", "delete:servers"]
        scopes += ["admin:users"] if value("cull.users") else []
        roles.append({"name": "jupyterhub-idle-culler", "scopes": scopes, "services": ["jupyterhub-idle-culler"]})
    for name, service in value("hub.services", {}).items():
        known = {key: item for key, item in service.items() if key != "apiToken"}
        services.append({"name": name, **known, "api_token": secret(f"hub.services.{name}.apiToken")})
    for name, role in value("hub.loadRoles", {}).items():
        roles.append({"name": name, **role})


def culler_command():
    """Return the command of jupyterhub-idle-culler."""
    base = value("hub.baseUrl").rstrip("/")
    command = ["python3", "-m", "jupyterhub_idle_culler", f"--url=http://localhost:{HUB_PORT}{base}/hub/api"]
    for name, flag in (
        ("timeout", "timeout"),
        ("every", "cull-every"),
        ("concurrency", "concurrency"),
        ("maxAge", "max-age"),
    ):
        if value(f"cull.{name}"):
            command.append(f"--{flag}={value(f'cull.{name}')}")
    for name, flag in (("users", "cull-users"), ("removeNamedServers", "remove-named-servers")):
        command += [f"--{flag}"] if value(f"cull.{name}") else []
    return command if value("cull.adminUsers") else [*command, "--cull-admin-users=false"]


def configure_sessions():
    """Set what pods of users are."""
    spawner = c.KubeSpawner
    spawner.namespace = os.environ["POD_NAMESPACE"]
    release = os.environ["HELM_RELEASE_NAME"]
    names = {"app.kubernetes.io/name": "jupyterhub", "app.kubernetes.io/instance": release}
    spawner.common_labels = {"app": "jupyterhub", "release": release, **names}
    set_traits(spawner, "singleuser", same_names(*SESSION_VALUES) | SESSION_TRAITS)
    set_traits(c.Spawner, "singleuser", same_names("cmd", "defaultUrl"))
    set_traits(c.Spawner, "hub", same_names("consecutiveFailureLimit"))
    if value("singleuser.image.name"):
        spawner.image = ":".join(filter(None, (value("singleuser.image.name"), value("singleuser.image.tag"))))
    spawner.tolerations = value("scheduling.userPods.tolerations", []) + value("singleuser.extraTolerations", [])
    prefer_user_nodes(spawner)
    if value("scheduling.podPriority.enabled"):
        spawner.priority_class_name = f"{release}-default-priority"
    if value("singleuser.cloudMetadata.blockWithIptables"):
        spawner.init_containers = [*value("singleuser.initContainers", []), metadata_blocker()]
    if value("singleuser.storage.type") == "dynamic":
        spawner.storage_pvc_ensure = True
        set_traits(spawner, "singleuser.storage", DYNAMIC_STORAGE_TRAITS)
    spawner.volumes, spawner.volume_mounts = volumes(), volume_mounts()


def prefer_user_nodes(spawner):
    """Bring sessions to nodes that are labelled for them."""
    purpose = {"key": "hub.jupyter.org/node-purpose", "operator": "In", "values": ["user"]}
    wanted = value("scheduling.userPods.nodeAffinity.matchNodePurpose")
    if wanted == "require":
        given = value("singleuser.extraNodeAffinity.required", [])
        spawner.node_affinity_required = [*given, {"matchExpressions": [purpose]}]
    elif wanted == "prefer":
        given = value("singleuser.extraNodeAffinity.preferred", [])
        term = {"weight": 100, "preference": {"matchExpressions": [purpose]}}
        spawner.node_affinity_preferred = [*given, term]


def metadata_blocker():
    """Return the container that makes the cloud's metadata server unreachable from a pod."""
    tools = value("singleuser.networkTools")
    rule = f"--append OUTPUT --protocol tcp --destination {value('singleuser.cloudMetadata.ip')} --destination-port 80"
    return {
        "name": "block-cloud-metadata",
        "image": f"{tools['image']['name']}:{tools['image']['tag']}",
        "command": ["iptables", *rule.split(), "--jump", "DROP"],
        "resources": tools["resources"],
        "securityContext": {"privileged": True, "runAsUser": 0, "capabilities": {"add": ["NET_ADMIN"]}},
    }


def home():
    """Return (name, claim, sub-path) of the volume of homes; None without one."""
    storage = value("singleuser.storage")
    if storage["type"] == "dynamic":
        return storage["dynamic"]["volumeNameTemplate"], "{pvc_name}", storage["dynamic"].get("subPath")
    if storage["type"] == "static":
        return "home", storage["static"]["pvcName"], storage["static"].get("subPath")
    return None


def volumes():
    """Return the volumes of a session, by name."""
    found = {}
    if home():
        name, claim, _sub_path = home()
        found[name] = {"name": name, "persistentVolumeClaim": {"claimName": claim}}
    files = value("singleuser.extraFiles", {})
    if files:
        items = [
            {"key": key, "path": key, **({"mode": file["mode"]} if "mode" in file else {})}
            for key, file in files.items()
        ]
        found["files"] = {"name": "files", "secret": {"secretName": "singleuser", "items": items}}
    return {**found, **by_name(value("singleuser.storage.extraVolumes", {}))}


def volume_mounts():
    """Return the mounts of a session, each with a name."""
    found = {}
    if home():
        name, _claim, sub_path = home()
        found[name] = {"name": name, "mountPath": value("singleuser.storage.homeMountPath"), "subPath": sub_path}
    for number, (key, file) in enumerate(value("singleuser.extraFiles", {}).items()):
        found[f"{number}-files"] = {"name": "files", "mountPath": file["mountPath"], "subPath": key}
    return {**found, **by_name(value("singleuser.storage.extraVolumeMounts", {}))}


def by_name(entries):
    """Return volumes or mounts as a mapping; they may be a list."""
    return entries if isinstance(entries, dict) else {f"{n}-{entry['name']}": entry for n, entry in enumerate(entries)}


def pass_configuration_on():
    """Set what `hub.config` says, and run the code of `hub.extraConfig` in the order of its keys."""
    secrets = {("JupyterHub", "cookie_secret"), ("CryptKeeper", "keys"), ("ConfigurableHTTPProxy", "auth_token")}
    for section, traits in value("hub.config", {}).items():
        c[section].update({trait: item for trait, item in traits.items() if (section, trait) not in secrets})
    for _key, code in sorted(value("hub.extraConfig", {}).items()):
        exec(code, globals())


c = get_config()  # noqa: F821  # pylint: disable=undefined-variable
VALUES = read_values()
configure_hub()
configure_services()
configure_sessions()
pass_configuration_on()
