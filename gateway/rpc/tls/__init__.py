"""TLS on the gRPC port: the certificate's files, the trial of what they hold, and its service."""

from gateway.rpc.tls.files import CertificateFiles
from gateway.rpc.tls.served import ServedCertificate

__all__ = ["CertificateFiles", "ServedCertificate"]
