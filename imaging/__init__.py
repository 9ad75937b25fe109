"""Product photos as pure functions of arrays: decode, prepare, refine, compose, encode.

It imports nothing of the gateway, protobuf, gRPC or telemetry. Services, batch jobs and benchmarks
import it; between `matting.prepare` and `matting.refine` they ask a network for the matte.
"""
