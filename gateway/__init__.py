"""The gateway: the gRPC service between callers and Triton.

A photo's way: `rpc` takes the request and reads it, `admission` lets it in, `rendering` leads it
through the steps of the package `imaging` and through `inference`, `rpc` answers. `accounts` charge
for it, `observability` tells of it, `app` puts the parts together.
"""
