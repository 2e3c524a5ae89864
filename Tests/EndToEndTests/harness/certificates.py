"""Throw-away certificate authorities and certificates, as files."""

import dataclasses
import datetime
import ipaddress
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = datetime.timedelta(days=1)


@dataclasses.dataclass(frozen=True)
class Certificate:
    """A certificate chain and its key, in PEM files."""

    chain: pathlib.Path
    key: pathlib.Path

    @property
    def chain_text(self) -> str:
        return self.chain.read_text()

    @property
    def key_text(self) -> str:
        return self.key.read_text()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the leaf, in lower-case hex."""
        return x509.load_pem_x509_certificate(self.chain.read_bytes()).fingerprint(hashes.SHA256()).hex()


class Authority:
    """A certificate authority that lives as long as the folder it writes to."""

    def __init__(self, folder: pathlib.Path, name: str = "Test CA"):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.UTC)
        self._certificate = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(self._key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - _DAY).not_valid_after(now + 30 * _DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .sign(self._key, hashes.SHA256()))
        self.certificate = folder / "ca.crt"
        self.certificate.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))
        self._issued = 0

    def issue(self, *names: str, common_name: str | None = None, days: tuple[int, int] = (-1, 30),
              usage: str = "both", algorithm: str = "ecdsa") -> Certificate:
        """A certificate for `names` (DNS names, wildcards, addresses, `spiffe://` URIs), valid over `days` from now.

        usage: what the extended key usage allows: server, client or both. algorithm: ecdsa (P-256) or rsa (2048).
        """
        key = (ec.generate_private_key(ec.SECP256R1()) if algorithm == "ecdsa"
               else rsa.generate_private_key(public_exponent=65537, key_size=2048))
        now = datetime.datetime.now(datetime.UTC)
        usages = {"server": [ExtendedKeyUsageOID.SERVER_AUTH], "client": [ExtendedKeyUsageOID.CLIENT_AUTH],
                  "both": [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]}[usage]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name or (names[0] if names else "nobody"))])
        builder = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(self._certificate.subject)
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now + days[0] * _DAY).not_valid_after(now + days[1] * _DAY)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False))
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        self._issued += 1
        stem = self.folder / f"leaf-{self._issued}"
        chain, key_path = stem.with_suffix(".crt"), stem.with_suffix(".key")
        chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        key_path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                               serialization.NoEncryption()))
        key_path.chmod(0o600)
        return Certificate(chain, key_path)


def _general_name(name: str) -> x509.GeneralName:
    if "://" in name:
        return x509.UniformResourceIdentifier(name)
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(digital_signature=True, content_commitment=False, key_encipherment=not signs_certificates,
                         data_encipherment=False, key_agreement=False, key_cert_sign=signs_certificates,
                         crl_sign=signs_certificates, encipher_only=False, decipher_only=False)
