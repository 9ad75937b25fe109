"""The gRPC interface: service, streams, interceptors, requests from and responses to protobuf."""
