"""TLS on the gRPC port: the certificate's files, the trial of what they hold, and its service."""

from gateway.tls.files import CertificateFiles
from gateway.tls.served import ServedCertificate

__all__ = ["CertificateFiles", "ServedCertificate"]
