# Prices from the internet and databases to and from object storage; no TensorFlow.
#   podman build -f kubeflow/docker/extractor.Dockerfile -t awesome-extractor .
ARG BASE_IMAGE=awesome-base
FROM ${BASE_IMAGE} AS packages
USER root
WORKDIR /build
COPY tools/get_uv.py tools/
COPY kubeflow/docker/install.sh kubeflow/docker/
COPY pyproject.toml uv.lock ./
RUN --mount=type=secret,id=index --mount=type=secret,id=ca-certificates \
    sh kubeflow/docker/install.sh packages extract storage
# What no command of this image reaches: tests, Arrow's RPC and C++ headers, and AWS services other than storage and login.
RUN cd /opt/awesome/lib/python3.13/site-packages \
    && find numpy pandas pyarrow -type d -name tests -prune -exec rm -rf {} + \
    && rm -rf pyarrow/include pyarrow/src pyarrow/*flight* \
    && find botocore/data -mindepth 1 -maxdepth 1 -type d \
       ! -name s3 ! -name sts ! -name 'sso*' ! -name signin -exec rm -rf {} +

FROM packages AS project
COPY LICENSE README.md awesome.py setup.py ./
COPY components components
COPY kubeflow kubeflow
COPY models models
COPY pipeline pipeline
RUN --mount=type=secret,id=index --mount=type=secret,id=ca-certificates \
    sh kubeflow/docker/install.sh project \
    && PYTHONPATH=/opt/project/lib/python3.13/site-packages /opt/awesome/bin/python -c 'import components.extractor, components.object_storage, s3fs, awesome_kubeflow.cli'

FROM ${BASE_IMAGE} AS extractor
# Two layers: the large one changes with uv.lock alone.
COPY --from=packages /opt/awesome /opt/awesome
COPY --from=project /opt/project /opt/awesome
COPY --chmod=0755 kubeflow/docker/extract-then-succeed.sh /usr/local/bin/extract-then-succeed
ENTRYPOINT ["awesome"]
CMD ["--help"]
# Last, as they change with every build.
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="awesome-extractor" \
      org.opencontainers.image.description="Daily share prices into the feature store, and the store to object storage" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
