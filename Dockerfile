# One recipe for every image: SERVICES names what is in it ("auth", "processor", or both for the bootstrap).
FROM python:3.13-slim-bookworm AS build
ARG SERVICES
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY requirements/ requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --quiet --require-hashes -r requirements/build.lock \
    && python -m venv --without-pip /app \
    && for service in ${SERVICES:?}; do set -- "$@" -r "requirements/${service}.lock"; done \
    && pip --python /app/bin/python install --quiet --require-hashes "$@"
COPY shared/ shared/
COPY services/ services/
RUN for member in shared $(printf 'services/%s ' ${SERVICES}); do \
        pip wheel --quiet --no-deps --no-build-isolation --wheel-dir /wheels "./${member}" || exit 1; done \
    && pip --python /app/bin/python install --quiet --no-deps --no-index /wheels/*.whl

FROM python:3.13-slim-bookworm
RUN pip uninstall --yes --quiet pip \
    && useradd --system --uid 10001 --no-create-home mayfly \
    && install --directory --owner=mayfly /var/lib/mayfly
COPY --from=build /app /app
USER 10001
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MAYFLY_HOST=0.0.0.0 MAYFLY_LOG_FORMAT=json
HEALTHCHECK --interval=5s --timeout=3s --retries=20 CMD ["python", "-m", "shared.web.probe", "8001", "8002", "8003"]
ENTRYPOINT ["python", "-m"]
