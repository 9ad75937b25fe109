"""The gRPC face: service, streams, interceptors, requests from and responses to protobuf."""
