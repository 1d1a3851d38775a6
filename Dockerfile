# One recipe for every image: SERVICES names what is in it ("auth", "processor", or both for the bootstrap).
FROM python:3.13-slim-bookworm AS build
ARG SERVICES
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
COPY requirements/ /src/requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv --without-pip /app/venv \
    && for service in ${SERVICES:?}; do set -- "$@" -r "/src/requirements/${service}.lock"; done \
    && pip --python /app/venv/bin/python install --require-hashes "$@"
COPY shared/ /app/shared/
COPY services/ /src/services/
RUN mkdir /app/services \
    && for service in ${SERVICES}; do cp -r "/src/services/${service}" /app/services/; done \
    && /app/venv/bin/python -m compileall -q /app

FROM python:3.13-slim-bookworm
RUN pip uninstall --yes --quiet pip && useradd --system --uid 10001 --no-create-home mayfly
COPY --from=build /app /app
WORKDIR /app
USER 10001
ENV PATH=/app/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MAYFLY_HOST=0.0.0.0 MAYFLY_LOG_FORMAT=json
ENTRYPOINT ["python", "-m"]
