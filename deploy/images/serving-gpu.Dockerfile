# NVIDIA's Triton with its native ONNX Runtime and the models of the repository: `python -m serving`.
# From the repository's root:
# docker build -f deploy/images/serving-gpu.Dockerfile -t packshot-serving-gpu .
ARG BASE=docker.io/library/debian:trixie-slim
ARG TRITON_VERSION=25.08
ARG TRITON=nvcr.io/nvidia/tritonserver:${TRITON_VERSION}-py3

FROM ${BASE} AS uv
ARG UV_VERSION=0.13.9
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates python3-venv \
 && rm -rf /var/lib/apt/lists/* \
 && python3 -m venv /uv \
 && /uv/bin/pip install --no-cache-dir "uv==${UV_VERSION}"

FROM ${TRITON} AS build
# The image's own Python: 3.12 as of Triton 24.11.
ENV UV_PYTHON=/usr/bin/python3 \
    UV_PYTHON_DOWNLOADS=never \
    UV_PROJECT_ENVIRONMENT=/opt/packshot/venv \
    UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1 \
    UV_NO_CACHE=1 \
    UV_SYSTEM_CERTS=1
COPY --from=uv /uv/bin/uv /usr/local/bin/uv
WORKDIR /src
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv sync --frozen --no-install-project --only-group serving-native
WORKDIR /opt/packshot/app
COPY deploy/images/probe.py ./
COPY processes ./processes
COPY serving ./serving
# The path file lets `python -m` find them in whatever folder it is called.
RUN pwd > "$(echo ../venv/lib/python*/site-packages)/packshot-application.pth" \
 && ../venv/bin/python -m compileall -q .

FROM ${TRITON}
ARG TRITON
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=""
ARG SOURCE=""
LABEL org.opencontainers.image.title="packshot-serving-gpu" \
      org.opencontainers.image.description="Packshot's models, served on a GPU by NVIDIA's Triton" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.base.name="${TRITON}"
COPY --from=build /opt/packshot/venv /opt/packshot/venv
COPY --from=build /opt/packshot/app /opt/packshot/app
COPY model_repository /models
ENV PATH=/opt/packshot/venv/bin:/opt/tritonserver/bin:${PATH} \
    PYTHONDONTWRITEBYTECODE=1 \
    PACKSHOT_MODEL_REPOSITORY=/models \
    PACKSHOT_TRITON_HOST=0.0.0.0 \
    PACKSHOT_TRITON_HTTP_PORT=8000 \
    PACKSHOT_TRITON_GRPC_PORT=8001 \
    PACKSHOT_TRITON_METRICS_PORT=8002
WORKDIR /opt/packshot/app
USER 65532:65532
EXPOSE 8000 8001 8002
STOPSIGNAL SIGTERM
# ONNX Runtime chooses a convolution's algorithm for each size of batch, so warming up takes a while.
HEALTHCHECK --interval=10s --timeout=5s --start-period=180s --retries=3 \
  CMD ["python", "/opt/packshot/app/probe.py", "PACKSHOT_TRITON_HTTP_PORT", "/v2/health/ready"]
# In place of NVIDIA's own, a shell script that would stand between the process and its signals.
ENTRYPOINT ["python", "-m"]
CMD ["serving"]
