# The embedded Triton on a CPU with the models of the repository: `python -m serving`.
# From the repository's root:
# docker build -f deploy/images/serving-cpu.Dockerfile -t packshot-serving-cpu .
ARG BASE=docker.io/library/debian:trixie-slim
ARG PYTHON=3.13

FROM ${BASE} AS python
ARG PYTHON
# Triton's stub runs this Python by its shared library.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
    ca-certificates "libpython${PYTHON}" "python${PYTHON}" \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*

FROM python AS build
ARG PYTHON
ARG UV_VERSION=0.13.9
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends binutils "python${PYTHON}-venv" \
 && rm -rf /var/lib/apt/lists/* \
 && "python${PYTHON}" -m venv /uv \
 && /uv/bin/pip install --no-cache-dir "uv==${UV_VERSION}"
ENV UV_PYTHON=/usr/bin/python${PYTHON} \
    UV_PYTHON_DOWNLOADS=never \
    UV_PROJECT_ENVIRONMENT=/opt/packshot/venv \
    UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1 \
    UV_NO_CACHE=1 \
    UV_SYSTEM_CERTS=1
WORKDIR /src
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN /uv/bin/uv sync --frozen --no-install-project --only-group serving \
 && find /opt/packshot/venv -type d -name tests -prune -exec rm -r {} + \
 && find /opt/packshot/venv -name '*.so*' -type f -exec strip --strip-unneeded {} +
# Triton's wheel lies apart, under the name by which serving looks for it; stubs for other versions
# of Python go.
RUN /uv/bin/uv export --frozen --only-group triton --no-annotate --no-header > triton.txt \
 && triton="/opt/packshot/triton/$(sed -n 's/^\(nvidia-pytriton\)==\([0-9.]*\).*/\1-\2/p' triton.txt)" \
 && UV_COMPILE_BYTECODE=0 /uv/bin/uv pip install --no-deps --require-hashes \
    --target "${triton}" -r triton.txt \
 && find "${triton}/pytriton/tritonserver/python_backend_stubs" -mindepth 1 -maxdepth 1 \
    ! -name "${PYTHON}" -exec rm -r {} +
WORKDIR /opt/packshot/app
COPY deploy/images/probe.py ./
COPY processes ./processes
COPY serving ./serving
# The path file lets `python -m` find them in whatever folder it is called.
RUN pwd > "$(echo ../venv/lib/python*/site-packages)/packshot-application.pth" \
 && ../venv/bin/python -c "import onnxruntime, serving.__main__" \
 && ../venv/bin/python -m compileall -q .

FROM python
ARG BASE
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=""
ARG SOURCE=""
LABEL org.opencontainers.image.title="packshot-serving-cpu" \
      org.opencontainers.image.description="Packshot's models, served on a CPU by Triton" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.base.name="${BASE}"
COPY --from=build /opt/packshot/triton /opt/packshot/triton
COPY --from=build /opt/packshot/venv /opt/packshot/venv
COPY --from=build /opt/packshot/app /opt/packshot/app
COPY model_repository /models
ENV PATH=/opt/packshot/venv/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PACKSHOT_MODEL_REPOSITORY=/models \
    PACKSHOT_TRITON_DIR=/opt/packshot/triton \
    PACKSHOT_TRITON_HOST=0.0.0.0 \
    PACKSHOT_TRITON_HTTP_PORT=8000 \
    PACKSHOT_TRITON_GRPC_PORT=8001 \
    PACKSHOT_TRITON_METRICS_PORT=8002
WORKDIR /opt/packshot/app
USER 65532:65532
EXPOSE 8000 8001 8002
STOPSIGNAL SIGTERM
# A model whose process has died is served again by `python -m serving` itself.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "/opt/packshot/app/probe.py", "PACKSHOT_TRITON_HTTP_PORT", "/v2/health/ready"]
ENTRYPOINT ["python", "-m"]
CMD ["serving"]
