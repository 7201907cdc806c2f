# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenLDAP's slapd with a few people and a group, on ports of its own."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_client import wait_for
from runtime_rig import free_ports

SUFFIX = "dc=example,dc=org"
SEARCH_USER, SEARCH_PASSWORD = f"cn=search,{SUFFIX}", "search-password"
PASSWORDS = {"ada": "adas-password", "ben": "bens-password", "eve": "eves-password"}

_CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile {directory}/certificate.pem
TLSCertificateKeyFile {directory}/key.pem
security simple_bind=128
database mdb
suffix "{suffix}"
rootdn "{search_user}"
rootpw {search_password}
directory {directory}/database
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
"""
_ENTRIES = """\
dn: {suffix}
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ou=people,{suffix}
objectClass: organizationalUnit
ou: people

{people}
dn: cn=staff,{suffix}
objectClass: groupOfNames
cn: staff
member: uid=ben,ou=people,{suffix}
"""
_PERSON = """\
dn: uid={name},ou=people,{suffix}
objectClass: inetOrgPerson
uid: {name}
cn: {name}
sn: {name}
userPassword: {password}

"""


class LdapServer:
    """A running server. certificate: the authority of its certificate, which is for the name localhost."""

    def __init__(self, directory: Path, port: int, tls_port: int) -> None:
        self.certificate, self.port, self.tls_port = directory / "certificate.pem", port, tls_port


@contextlib.contextmanager
def ldap_server(directory: Path) -> Iterator[LdapServer]:
    """Run a server until the context ends."""
    slapd = shutil.which("slapd", path="/usr/sbin:/usr/bin:/sbin:/bin")
    if slapd is None:
        pytest.skip("needs slapd")
    server = LdapServer(directory, *free_ports(2))
    (directory / "database").mkdir()
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(directory / "key.pem"), "-out", str(server.certificate)]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *files]
    subprocess.run(command, check=True, capture_output=True)
    values = {
        "directory": directory,
        "suffix": SUFFIX,
        "search_user": SEARCH_USER,
        "search_password": SEARCH_PASSWORD,
    }
    people = "".join(_PERSON.format(name=name, password=word, suffix=SUFFIX) for name, word in PASSWORDS.items())
    config, entries = directory / "slapd.conf", directory / "entries.ldif"
    config.write_text(_CONFIG.format(**values), encoding="utf-8")
    entries.write_text(_ENTRIES.format(people=people, suffix=SUFFIX), encoding="utf-8")
    added = [slapd, "-Tadd", "-f", str(config), "-l", str(entries)]
    subprocess.run(added, check=True, capture_output=True)
    urls = f"ldap://127.0.0.1:{server.port} ldaps://127.0.0.1:{server.tls_port}"
    with subprocess.Popen([slapd, "-f", str(config), "-h", urls, "-d", "0"]) as process:
        try:
            wait_for("slapd", lambda: _listens(server.port) and _listens(server.tls_port), 20)
            yield server
        finally:
            process.terminate()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
