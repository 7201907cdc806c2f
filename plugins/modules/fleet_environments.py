#!/usr/bin/python
# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_environments
short_description: Pin the commits that environments are built from, and build images
version_added: 0.1.0
description:
  - Validates the fleet, and finds the commits of git repositories that the hubs of the play offer environments of, if
    they are not in the lock file yet.
  - Writes the commits to C(environments.lock.yml) beside the inventory directory, or next to an inventory file. Deploys
    build these commits, whatever is pushed to the repositories later. Keep the file in git.
  - Commits that are in the file stay, unless O(update) is true. Those that no hub needs any more can be removed.
  - For hubs on Kubernetes, builds images of environments that have none in the inventory, in a sandbox of C(bwrap) on
    the controller, and pushes them to the registry in C(cluster_image_registry). An image that the registry has is not
    built again. The digests of images, and of the images that they are built on, are in the lock file, too.
  - Repositories with a C(Dockerfile), C(apt.txt) or files of R, Julia or Nix are built with podman or docker, if one of
    them works on the controller, as repo2docker says.
  - Reads the file C(hub.yml) of each repository in C(hub_admin_repository) anew, and writes what it says to the lock
    file. A file that cannot be used, or sets what the hub does not allow, is warned of; what it said before stays.
  - In check mode, asks registries which images there are, and builds nothing.
  - Fails without writing anything if a repository that has to be read cannot be, if what is in it cannot be built, or
    if the build of an image fails; the other images are built and pushed nevertheless.
  - Repositories are read with C(git) of the controller, with the credentials that it finds. Nothing in them is run.
  - Runs on the controller, once for all hosts of the play. Connects to no hub.
requirements:
  - git, to read repositories
  - oras and zstandard (Python packages), uv, bubblewrap and GNU tar, to build images
  - podman or docker, to build images of repositories that need a container engine
extends_documentation_fragment:
  - hubfleet.jupyterhub.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  update:
    description: >-
      Replace the commits of the hubs of the play by the newest of their branches, tags and default branches, and base
      images by the newest of their tags.
    type: bool
    default: false
  promotion:
    description: >-
      When production hubs get what O(update) finds. With V(automatic), with the same change to the lock file, since a
      deploy begins with the staging hubs. It must not differ from the variable C(environments_promotion) of other
      hubs. With V(pull-request), the lock file has it for staging hubs only, until
      O(promote) makes it that of all hubs; what no staging hub offers is for all hubs at once.
    type: str
    choices: [automatic, pull-request]
    default: automatic
  promotable:
    description: >-
      Only tell what the staging hubs of the play have that the other hubs do not have. Fails if there is no staging
      hub.
    type: bool
    default: false
  promote:
    description: >-
      Give all hubs what the staging hubs of the play have; RV(digest) of a task with O(promotable), or nothing. Fails
      if the lock file has something else for staging hubs by now. Files of admins are not read anew. Does not look at
      hubs; the playbook C(environments) compares and checks them between the two tasks.
    type: str
    default: ''
"""

EXAMPLES = r"""
- name: Pin environments
  hosts: clusters
  gather_facts: false
  tasks:
    - name: Pin the newest commits of all repositories of environments
      hubfleet.jupyterhub.fleet_environments:
        update: true

- name: Promote what staging hubs have
  hosts: clusters
  gather_facts: false
  tasks:
    - name: Look for what is to be promoted
      hubfleet.jupyterhub.fleet_environments:
        promotable: true
      register: promotable
      run_once: true

    - name: Check the hubs
      hubfleet.jupyterhub.fleet_check:
        every: true

    - name: Pin it for all hubs
      hubfleet.jupyterhub.fleet_environments:
        promote: "{{ promotable.digest }}"
"""

RETURN = r"""
digest:
  description: Digest of what only staging hubs have; empty if that is nothing.
  returned: O(promotable) is true
  type: str
  sample: 4b22822cc566
bases:
  description: Base images among that, on which all their environments are built.
  returned: O(promotable) is true
  type: list
  elements: str
  sample: [quay.io/jupyter/docker-stacks-foundation:2026-11-24]
path:
  description: Path of the lock file.
  returned: O(promotable) is false
  type: str
  sample: /home/ada/fleet/environments.lock.yml
repositories:
  description: What the lock file has; in check mode, what it would have.
  returned: O(promotable) is false
  type: list
  elements: dict
  sample:
    - repository: https://github.com/binder-examples/requirements
      ref: main
      subdirectory: ""
      commit: 50533eb470ee6c24e872043d30b2fee463d6943f
      tree: 6a0cf9f4a3d5d7b8c9d1d0b5f6c6c4d7e8f9a0b1
      date: "2026-03-01T12:00:00Z"
      kind: python
staging_bases:
  description: The base images that the lock file has for staging hubs only; their digests by their addresses.
  returned: O(promotable) is false
  type: dict
  sample: {}
staging:
  description: What the lock file has in place of that for staging hubs only, until it is promoted.
  returned: O(promotable) is false
  type: list
  elements: dict
  sample: []
admins:
  description: What admins of hubs have set, as the lock file has it.
  returned: O(promotable) is false
  type: list
  elements: dict
  sample:
    - repository: https://github.com/coast-lab/hub
      ref: ""
      commit: 4b22822cc566ec6c24e872043d30b2fee463d694
      date: "2026-11-30T09:15:00Z"
      author: Ada
      settings:
        announcement: The course begins on Monday
refused:
  description: Why files of admins are not used, one line for each.
  returned: O(promotable) is false
  type: list
  elements: str
  sample:
    - "lab: hub.yml 4b22822cc566 by Ada: environments: 'mapps' is not allowed; did you mean 'maps'?"
images:
  description: The images that the lock file has; in check mode, those that it would have without building any.
  returned: O(promotable) is false
  type: list
  elements: dict
  sample:
    - image: registry.example.org/hubs/science
      key: 538a3dd9e949
      digest: sha256:99f3748a631e88c0de7d7369676e8a92984d20fd4d7b3cfd4793e4e0c51b9e40
      date: "2026-11-30T19:28:20Z"
      jupyterhub: 5.5.4
      jupyterlab: 4.6.6
"""
