# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start and stop a cluster of one node."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from . import configuration, credentials, images
from .configuration import STORAGE_CLASS, Places
from .credentials import NODE_NAME
from .networks import Network

#: Seconds that a step of a start may take, on a busy machine.
START_TIMEOUT = 180.0
#: Seconds that a program gets to end.
STOP_TIMEOUT = 10.0
_GROUPS = Path("/sys/fs/cgroup")


class ClusterError(Exception):
    """Why a cluster cannot be started."""


class Cluster:
    """A cluster on this machine. state: its directory. programs, built_images: what programs.py and images.py built."""

    def __init__(self, network: Network, state: Path, programs: Path, built_images: Path) -> None:
        self.network = network
        self.state = state
        self.places = Places(state, programs, network)
        self.built_images = built_images

    @property
    def kubeconfig(self) -> Path:
        """Return the kubeconfig file of the administrator."""
        return self.places.kubeconfig()

    # --- Start ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start what does not run yet, and wait until pods can be started. Raises ClusterError."""
        self.network.create()
        (self.state / "logs").mkdir(parents=True, exist_ok=True)
        if not self.kubeconfig.exists():
            credentials.write(self.places.credentials, self.network)
        configuration.write(self.places)
        self._create_control_groups()
        if not self.places.containerd.exists():
            images.copy(self.built_images, self.places.containerd)
        programs = configuration.commands(self.places)
        for name in ("etcd", "apiserver", "containerd"):
            self._start_program(name, programs[name])
        self._wait("the API server", lambda: self._kubectl("get", "--raw", "/readyz"))
        for name, command in programs.items():
            self._start_program(name, command)
        if not self._kubectl("get", "storageclass", STORAGE_CLASS):
            self._kubectl("apply", "--filename", str(self.state / "volumes.yaml"), check=True)
        self._wait("the node", self._node_is_ready)
        for name, command in configuration.commands_with_node(self.places).items():
            self._start_program(name, command)
        self._wait("the account of pods", lambda: self._kubectl("get", "serviceaccount", "default"))
        time.sleep(1)  # a program that cannot work ends at once
        self._require_all()

    def _create_control_groups(self) -> None:
        """Create the control group of all pods. Version 1 runs nothing in it until it names processors and memory."""
        for controller in _GROUPS.iterdir():
            if controller.is_dir() and (controller / "cgroup.procs").exists():
                (controller / self.network.name).mkdir(exist_ok=True)
        for name in ("cpuset.cpus", "cpuset.mems"):
            parent = _GROUPS / "cpuset" / name
            if parent.exists():
                (parent.parent / self.network.name / name).write_text(parent.read_text())

    def _start_program(self, name: str, command: list[str]) -> None:
        if self._running(name):
            return
        with open(self._log(name), "ab") as log:
            process = subprocess.Popen(
                [*self.network.inside, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd="/",
            )
        record = {"pid": process.pid, "started": _start_time(process.pid)}
        self._record(name).write_text(json.dumps(record), encoding="utf-8")

    def _node_is_ready(self) -> bool:
        return self._kubectl("wait", "--for=condition=Ready", f"node/{NODE_NAME}", "--timeout=1s")

    def _wait(self, what: str, is_there: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while not is_there():
            self._require_all()
            if time.monotonic() > deadline:
                raise ClusterError(f"{what} is not ready after {START_TIMEOUT:.0f} seconds; see {self.state}/logs")
            time.sleep(0.2)

    def _require_all(self) -> None:
        """Raise ClusterError if a program that was started has ended."""
        for record in self.state.glob("*.process"):
            if not self._running(record.stem):
                lines = self._log(record.stem).read_text(errors="replace").splitlines()
                raise ClusterError(f"{record.stem} has ended: {lines[-1] if lines else 'no output'}")

    def restart_api_server(self, seconds: float) -> None:
        """Let the API server be away for some seconds, and wait until it answers again."""
        self._end("apiserver")
        time.sleep(seconds)
        self._start_program("apiserver", configuration.commands(self.places)["apiserver"])
        self._wait("the API server", lambda: self._kubectl("get", "--raw", "/readyz"))

    # --- Stop -------------------------------------------------------------------------------------------------------

    def stop(self, *, keep_state: bool = False) -> None:
        """End all pods and programs; remove the network, and the state unless it is to be kept."""
        self._end("kubelet", "scheduler", "controller-manager")  # which would start pods again
        namespaces = self._namespaces_of_pods()
        if self._running("containerd"):
            self._remove_containers()
        self._end("volumes", "kube-router", "coredns", "proxy", "apiserver", "etcd", "containerd")
        # what was just being started has no task yet, and would outlive containerd
        subprocess.run(["pkill", "--signal", "KILL", "--full", str(self.places.socket)], check=False)
        for namespace in namespaces:
            subprocess.run(["umount", "--lazy", namespace], check=False, stderr=subprocess.DEVNULL)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(namespace)
        self._unmount()
        self.network.remove()
        for controller in _GROUPS.iterdir():
            _remove_group(controller / self.network.name)
        if not keep_state:
            shutil.rmtree(self.state, ignore_errors=True)

    def _remove_containers(self) -> None:
        for task in self._listed("tasks"):
            self._containerd("tasks", "kill", "--signal", "KILL", task)
        for task in self._listed("tasks"):
            self._containerd("tasks", "delete", "--force", task)
        for container in self._listed("containers"):
            self._containerd("containers", "delete", container)

    def _listed(self, kind: str) -> list[str]:
        return self._run_containerd(kind, "list", "--quiet").stdout.split()

    def _namespaces_of_pods(self) -> set[str]:
        """Return the network namespaces of all pods, which containerd leaves when it is ended."""
        found: set[str] = set()
        tasks = self.state / "containerd/state/io.containerd.runtime.v2.task/k8s.io"
        for specification in tasks.glob("*/config.json"):
            with contextlib.suppress(OSError):
                found.update(re.findall(r"/(?:var/)?run/netns/cni-[0-9a-f-]+", specification.read_text()))
        return found

    def _unmount(self) -> None:
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in sorted((path for path in mounts if Path(path).is_relative_to(self.state)), reverse=True):
            subprocess.run(["umount", "--lazy", mount], check=False)

    def _end(self, *names: str) -> None:
        """Ask programs to end, wait, and kill those that do not."""
        for name in names:
            self._signal(name, signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT
        while any(map(self._running, names)) and time.monotonic() < deadline:
            time.sleep(0.1)
        for name in names:
            self._signal(name, signal.SIGKILL)
            self._record(name).unlink(missing_ok=True)

    # --- Programs ---------------------------------------------------------------------------------------------------

    def _record(self, name: str) -> Path:
        return self.state / f"{name}.process"

    def _log(self, name: str) -> Path:
        return self.state / "logs" / f"{name}.log"

    def _running(self, name: str) -> bool:
        try:
            record = json.loads(self._record(name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return bool(record["started"]) and _start_time(record["pid"]) == record["started"]

    def _signal(self, name: str, number: int) -> None:
        if self._running(name):
            with contextlib.suppress(ProcessLookupError):
                os.kill(json.loads(self._record(name).read_text(encoding="utf-8"))["pid"], number)

    def _kubectl(self, *arguments: str, check: bool = False) -> bool:
        command = [self.places.program("kubectl"), "--kubeconfig", str(self.kubeconfig), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if check and done.returncode:
            raise ClusterError(f"kubectl {arguments[0]}: {done.stderr.strip()}")
        return done.returncode == 0

    def _containerd(self, *arguments: str, check: bool = False) -> None:
        done = self._run_containerd(*arguments)
        if check and done.returncode:
            raise ClusterError(f"ctr {' '.join(arguments)}: {done.stderr.strip()}")

    def _run_containerd(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*self.network.inside, "ctr", "--address", str(self.places.socket), "--namespace", "k8s.io"]
        return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)


def _start_time(pid: int) -> str:
    """Return when a process started, "" if there is none or it ended: process IDs are reused."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def _remove_group(group: Path) -> None:
    if group.is_dir():
        for directory, _subdirectories, _files in os.walk(group, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(directory)
