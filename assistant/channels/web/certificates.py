"""A certificate made here, for a shop without one: browsers give a microphone to HTTPS pages only.

Nobody has signed it but itself, so a browser warns once on each device, until it is told to trust it.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from assistant.errors import SettingsError

CERTIFICATE_NAME = "assistant-certificate.pem"
KEY_NAME = "assistant-key.pem"
VALID_DAYS = 397  # browsers refuse certificates that are valid for longer than 398
_RENEW_DAYS = 30  # before its end: a server may run for weeks after it has looked
_CLOCK_DAYS = 1  # a tablet's clock may be behind
_ANY_ADDRESS = ("0.0.0.0", "::")
_LONGEST_NAME = 64  # characters of a common name, by its standard


def self_signed(folder: Path, names: Iterable[str]) -> tuple[Path, Path]:
    """Certificate and key as PEM files in `folder`, made anew where they are missing, ending or lack a name.

    They hold for localhost, this machine's name and its addresses as far as they are known, and for `names`
    (host names and addresses). Only the owner may read the key. Raises SettingsError where nothing can be
    written, or a name cannot stand in a certificate.
    """
    certificate_path, key_path = folder / CERTIFICATE_NAME, folder / KEY_NAME
    wanted = _alternative_names(names)
    if not _is_usable(certificate_path, key_path, wanted):
        key = ec.generate_private_key(ec.SECP256R1())
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _write(key_path, _key_pem(key))
            _write(certificate_path, _certificate(key, wanted).public_bytes(serialization.Encoding.PEM))
        except OSError as error:
            raise SettingsError(
                f"the certificate cannot be saved in {folder}: {error.strerror}",
                "make the folder writable, or bring a certificate with --tls-cert and --tls-key",
            ) from None
    return certificate_path, key_path


def _alternative_names(names: Iterable[str]) -> list[x509.GeneralName]:
    """All the names and addresses that the certificate holds for, each once, localhost first."""
    host = socket.gethostname()
    plain = (name.strip().strip("[]").rstrip(".").lower() for name in names)
    given = [name for name in plain if name and name not in _ANY_ADDRESS]
    return [
        _alternative_name(name)
        for name in dict.fromkeys(("localhost", "127.0.0.1", "::1", host.lower(), *_addresses(host), *given))
    ]


def _addresses(host: str) -> Sequence[str]:
    """Of this machine, as its own tables know them; none where they do not."""
    with contextlib.suppress(OSError):
        found = {str(entry[4][0]).partition("%")[0] for entry in socket.getaddrinfo(host, None)}
        return sorted(found)
    return ()


def _alternative_name(name: str) -> x509.GeneralName:
    with contextlib.suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(name))
    try:
        return x509.DNSName(name.encode("idna").decode())
    except UnicodeError:
        raise SettingsError(
            f"`{name}` is not a name that a certificate can hold for", "name a host or an address"
        ) from None


def _is_usable(certificate_path: Path, key_path: Path, wanted: Sequence[x509.GeneralName]) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(certificate_path.read_bytes())
        key = serialization.load_pem_private_key(key_path.read_bytes(), None)
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, TypeError, x509.ExtensionNotFound):
        return False
    now = datetime.now(UTC)
    is_current = certificate.not_valid_before_utc <= now < _renewal(certificate)
    return is_current and certificate.public_key() == key.public_key() and set(wanted) <= set(held)


def _renewal(certificate: x509.Certificate) -> datetime:
    return certificate.not_valid_after_utc - timedelta(days=_RENEW_DAYS)


def _certificate(key: ec.EllipticCurvePrivateKey, names: Sequence[x509.GeneralName]) -> x509.Certificate:
    own_name = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, f"assistant on {socket.gethostname()}"[:_LONGEST_NAME])]
    )
    begin = datetime.now(UTC) - timedelta(days=_CLOCK_DAYS)
    return (
        x509.CertificateBuilder()
        .subject_name(own_name)
        .issuer_name(own_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(path: Path, content: bytes) -> None:
    """All or nothing, and never readable for others, not even while it is written."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    temporary.replace(path)
