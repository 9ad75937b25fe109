# The gateway and the HTTP face: `python -m gateway`, which runs unless told otherwise, and
# `python -m web`. From the repository's root:
# docker build -f deploy/images/gateway.Dockerfile -t packshot-gateway .
ARG BASE=docker.io/library/debian:trixie-slim
ARG PYTHON=3.13

FROM ${BASE} AS python
ARG PYTHON
# The base's tag says which state of the distribution it is; its Python gets that one's corrections.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates "python${PYTHON}" \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*

FROM python AS build
ARG PYTHON
ARG UV_VERSION=0.13.9
# Further dependency groups; `heif` reads HEIC photos, by a library that holds GPL code.
ARG EXTRA_GROUPS=""
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
    UV_NO_CACHE=1 \
    UV_SYSTEM_CERTS=1
WORKDIR /src
COPY pyproject.toml uv.lock README.md LICENSE ./
# `set --` makes a flag of each further group; there may be none.
RUN set -- && for group in ${EXTRA_GROUPS}; do set -- "$@" --group "${group}"; done \
 && /uv/bin/uv sync --frozen --no-install-project --extra cli --group gateway --group web "$@"
COPY client ./client
RUN set -- && for group in ${EXTRA_GROUPS}; do set -- "$@" --group "${group}"; done \
 && /uv/bin/uv sync --frozen --no-editable --extra cli --group gateway --group web "$@"
# What no run needs: the packages' own tests, what their compilers and type checkers read, and the
# symbols of their libraries. A library that this breaks ends the build: it is imported below.
RUN find /opt/packshot/venv -type d -name tests -prune -exec rm -r {} + \
 && find /opt/packshot/venv -type f \( -name '*.pyi' -o -name '*.h' -o -name '*.hpp' -o -name '*.pyx' \
    -o -name '*.pxd' -o -name '*.c' -o -name '*.a' \) -delete \
 && find /opt/packshot/venv -name '*.so*' -type f -exec strip --strip-unneeded {} +
WORKDIR /opt/packshot/app
COPY deploy/images/probe.py ./
COPY processes ./processes
COPY imaging ./imaging
COPY gateway ./gateway
COPY web ./web
# The path file lets `python -m` find them in whatever folder it is called. The kernels are compiled
# for every x86-64: no more than 4 % of what cutting out takes was lost by that. What is imported
# here, no start compiles; the rest of the packages stays source, which saves 20 MB.
RUN pwd > "$(echo ../venv/lib/python*/site-packages)/packshot-application.pth" \
 && NUMBA_CPU_NAME=generic NUMBA_CACHE_DIR=/opt/packshot/app/imaging/kernels \
    ../venv/bin/python -c "import gateway.__main__, gateway.accounts.migrate, packshot.cli, psycopg, \
gateway.rendering.decoding.worker, web.__main__" \
 && ../venv/bin/python -m compileall -q . \
 && mkdir -p /var/cache/numba

FROM python
ARG BASE
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=""
ARG SOURCE=""
LABEL org.opencontainers.image.title="packshot-gateway" \
      org.opencontainers.image.description="Packshot: product photos in over gRPC or HTTP, packshots out" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.base.name="${BASE}"
COPY --from=build /opt/packshot/venv /opt/packshot/venv
COPY --from=build /opt/packshot/app /opt/packshot/app
# With a read-only root, a volume that the user may write to is mounted here.
COPY --from=build --chown=65532:65532 /var/cache/numba /var/cache/numba
ENV PATH=/opt/packshot/venv/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    NUMBA_CPU_NAME=generic \
    NUMBA_CACHE_DIR=/var/cache/numba \
    PACKSHOT_HOST=0.0.0.0 \
    PACKSHOT_PORT=50051 \
    PACKSHOT_METRICS_PORT=9095 \
    PACKSHOT_WEB_HOST=0.0.0.0 \
    PACKSHOT_WEB_PORT=8080 \
    PACKSHOT_REVISION=${REVISION}
WORKDIR /opt/packshot/app
USER 65532:65532
EXPOSE 50051 9095 8080
STOPSIGNAL SIGTERM
# Alive, not ready: whoever ends what is not healthy must not end it because Triton is away.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "/opt/packshot/app/probe.py", "PACKSHOT_METRICS_PORT", "/livez"]
ENTRYPOINT ["python", "-m"]
CMD ["gateway"]
