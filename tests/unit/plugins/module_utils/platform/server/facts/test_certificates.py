# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates that the operator keeps: which are refused, and when they end."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.certificate import DAY, expiry_warning
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.messages import explain
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.facts.certificates import (
    CertificateError,
    _served,
    certificate_digest,
    inspect,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime.datetime.now(datetime.timezone.utc)


def made(folder: Path, name: str, days: float = 90, password: bytes = b"", starts: float = -100) -> tuple[str, str]:
    """Return certificate and key for a name."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + datetime.timedelta(days=starts))
        .not_valid_after(NOW + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    paths = folder / f"{name}.pem", folder / f"{name}.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, form, encryption))
    return str(paths[0]), str(paths[1])


def test_takes_what_belongs_together(tmp_path: Path) -> None:
    inspect(*made(tmp_path, "hub.example.org"), "hub.example.org")
    inspect(*made(tmp_path, "*.example.org"), "any.example.org")
    inspect(*made(tmp_path, "hub.example.org"), "")


@pytest.mark.parametrize("host", ["hub.example.org", ""])
def test_refuses_one_that_has_expired(host: str, tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match=r"hub\.example\.org\.pem expired on \d{4}-\d\d-\d\d \d\d:\d\d UTC"):
        inspect(*made(tmp_path, "hub.example.org", days=-1), host)


def test_the_check_says_that_one_has_expired(tmp_path: Path) -> None:
    """A certificate can expire after it was deployed."""
    certificate, key = made(tmp_path, "hub.example.org", days=-1)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    with pytest.raises(ssl.SSLCertVerificationError) as told:
        _served(server, ssl.create_default_context(cafile=certificate), "hub.example.org")
    assert explain(told.value) == "TLS certificate of the hub not accepted: certificate has expired"


def test_refuses_one_that_is_not_valid_yet(tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match=r"hub\.example\.org\.pem is not valid before \d{4}-"):
        inspect(*made(tmp_path, "hub.example.org", starts=1), "hub.example.org")


def test_warns_of_one_that_expires_soon(tmp_path: Path) -> None:
    assert inspect(*made(tmp_path, "a.example.org", days=20), "a.example.org") == ""
    assert inspect(*made(tmp_path, "a.example.org", days=5.5), "").startswith("its certificate expires in 5 days (")


def test_names_the_other_host_of_one_that_has_expired(tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match="is not for other"):
        inspect(*made(tmp_path, "hub.example.org", days=-1), "other.example.org")


def test_refuses_one_for_another_name(tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match=r"hub\.example\.org\.pem is not for other\.example\.org"):
        inspect(*made(tmp_path, "hub.example.org"), "other.example.org")


def test_refuses_another_key(tmp_path: Path) -> None:
    certificate, _key = made(tmp_path, "a.example.org")
    _certificate, key = made(tmp_path, "b.example.org")
    with pytest.raises(CertificateError, match=r"b\.example\.org\.key is not the key of .*a\.example\.org\.pem"):
        inspect(certificate, key, "a.example.org")


def test_refuses_what_is_none(tmp_path: Path) -> None:
    certificate, key = made(tmp_path, "a.example.org")
    Path(certificate).write_text("nothing")
    with pytest.raises(CertificateError, match="are not a certificate and key"):
        inspect(certificate, key, "a.example.org")


def test_refuses_a_key_that_asks_for_a_password(tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match="the key is encrypted"):
        inspect(*made(tmp_path, "a.example.org", password=b"secret"), "a.example.org")


def test_a_renewed_one_has_another_digest(tmp_path: Path) -> None:
    first = certificate_digest(*made(tmp_path, "a.example.org"))
    assert first != certificate_digest(*made(tmp_path, "a.example.org"))


@pytest.mark.parametrize(
    ("life", "left", "renews", "said"),
    [
        (90, 15, False, ""),
        (90, 13.5, False, "its certificate expires in 13 days"),
        (90, 1.5, False, "its certificate expires in 1 day ("),
        (90, 0.3, False, "its certificate expires in 7 hours"),
        (0.5, 0.4, True, ""),
        (6, 1.5, True, ""),
        (6, 0.9, True, "its certificate expires in 21 hours"),
        (90, 10, True, "its certificate expires in 10 days"),
    ],
)
def test_warns_in_time(life: float, left: float, renews: bool, said: str) -> None:
    now = ssl.cert_time_to_seconds("Jan  5 09:34:43 2026 GMT")
    form = "%b %d %H:%M:%S %Y GMT"
    end = datetime.datetime.fromtimestamp(now + left * DAY, datetime.timezone.utc)
    start = end - datetime.timedelta(days=life)
    found = expiry_warning({"notBefore": start.strftime(form), "notAfter": end.strftime(form)}, renews, now)
    assert found.startswith(said) and bool(found) == bool(said)
    assert ("has not been renewed" in found) == (renews and bool(said))


def test_without_tls_there_is_nothing_to_say() -> None:
    assert expiry_warning({}, False) == ""
