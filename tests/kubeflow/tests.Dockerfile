# The training image with what the tests need, to run them within it: the group dev, which uv takes by default, the
# group notebooks, and the extras that no step needs. The checkout itself is mounted.
#
# PACKAGES_IMAGE is the stage `packages` of training.Dockerfile. What stands on it is kept when only the project's code
# has changed; on the training image it would be installed anew each time.
ARG PACKAGES_IMAGE
ARG TRAINING_IMAGE
FROM ${PACKAGES_IMAGE} AS packages
RUN --mount=type=secret,id=index --mount=type=secret,id=ca-certificates \
    if [ -r /run/secrets/index ]; then set -a; . /run/secrets/index; set +a; fi \
    && if [ -r /run/secrets/ca-certificates ]; then export SSL_CERT_FILE=/run/secrets/ca-certificates; fi \
    && export UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 \
    && uv=$(python3 tools/get_uv.py) \
    && "$uv" export --quiet --frozen --no-emit-project --extra search --extra mlflow --group notebooks \
       > requirements.txt \
    && touch before \
    && "$uv" pip install --python /opt/awesome/bin/python --require-hashes -r requirements.txt \
    && mkdir /opt/tests \
    && find /opt/awesome -cnewer before ! -type d -printf '%P\0' \
       | tar -C /opt/awesome --null -T - -cf - | tar -C /opt/tests -xf -

FROM ${TRAINING_IMAGE}
USER root
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends git make sqlite3
COPY --from=packages /opt/tests /opt/awesome
USER 10001:10001
