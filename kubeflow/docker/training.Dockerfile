# Every step of the pipeline: TFX 1.21 on Python 3.13.
#   podman build -f kubeflow/docker/training.Dockerfile -t awesome-training .
ARG BASE_IMAGE=awesome-base
FROM ${BASE_IMAGE} AS packages
USER root
WORKDIR /build
# Some packages come as source; Python's official images bring the headers, Debian's python3 does not.
RUN headers='import os, sysconfig; raise SystemExit(not os.path.exists(sysconfig.get_paths()["include"] + "/Python.h"))' \
    && needed=g++ \
    && { python3 -c "$headers" || needed="g++ python3-dev"; } \
    && apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $needed
COPY tools/get_uv.py tools/
COPY kubeflow/docker/install.sh kubeflow/docker/
COPY pyproject.toml uv.lock ./
# EXTRAS names what of pyproject.toml is installed.
ARG EXTRAS="pipeline extract storage kubeflow serve"
RUN --mount=type=secret,id=index --mount=type=secret,id=ca-certificates \
    sh kubeflow/docker/install.sh packages $EXTRAS
# What no step compiles against: TensorFlow's C++ headers.
RUN rm -rf /opt/awesome/lib/python3.13/site-packages/tensorflow/include
# LightGBM's wheel leaves OpenMP to the system, and the compiler that has it stays behind in this stage.
RUN cp -L /usr/lib/*-linux-gnu/libgomp.so.1 /opt/awesome/lib/

FROM packages AS project
COPY LICENSE README.md awesome.py setup.py ./
COPY components components
COPY kubeflow kubeflow
COPY models models
COPY pipeline pipeline
RUN --mount=type=secret,id=index --mount=type=secret,id=ca-certificates \
    sh kubeflow/docker/install.sh project

FROM ${BASE_IMAGE} AS training
# Two layers: the large one changes with uv.lock alone.
COPY --from=packages /opt/awesome /opt/awesome
COPY --from=project /opt/project /opt/awesome
ENV LD_LIBRARY_PATH=/opt/awesome/lib
# No entrypoint: a step's command is its own, and KFP's local runner would hand it to the entrypoint as arguments.
CMD ["awesome", "--help"]
# Last, as they change with every build.
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="awesome-training" \
      org.opencontainers.image.description="The TFX pipeline: features, models, evaluation, push" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
