"""Pipelines and their versions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from awesome_kubeflow.errors import ApiError, CompileError
from awesome_kubeflow.names import kfp_name
from awesome_kubeflow.server.client import NotFoundError, equals, moment
from awesome_kubeflow.server.connection import Connection
from awesome_kubeflow.server.inputs import package_name, spec_inputs
from awesome_kubeflow.server.records import PipelineVersion, StoredPipeline
from awesome_kubeflow.server.schedules import Schedules


class Pipelines(Schedules):
    """What is asked about pipelines; one that a schedule runs is not deleted."""

    def __init__(self, connection: Connection) -> None:
        """As in `Client`."""
        super().__init__(connection)
        self._pipelines = self.models.PipelineServiceApi(self.client)
        self._uploads = self.models.PipelineUploadServiceApi(self.client)

    def pipelines(self) -> Iterator[StoredPipeline]:
        """All pipelines, by name."""
        method = self._pipelines.pipeline_service_list_pipelines_with_http_info
        for one in self.pages("pipelines", method, sort_by="display_name", **self.namespace()):
            yield self._pipeline(one)

    def find_pipeline(self, name: str) -> StoredPipeline:
        """A pipeline by its name, also as TFX has it, or by its id.

        Args:
            name: or id.

        Raises:
            ApiError: there is none.
        """
        found = self._named(name)
        if found is not None:
            return found
        get = self._pipelines.pipeline_service_get_pipeline_with_http_info
        try:
            return self._pipeline(self.call(f"pipeline {name}", get, name))
        except NotFoundError:
            known = ", ".join(one.name for one in self.pipelines()) or "none"
            raise ApiError(
                f"pipeline {name}: {self.connection.endpoint} has none of this name; there are {known}"
            ) from None

    def upload(self, package: Path, now: dt.datetime, *, new: bool | None = None) -> PipelineVersion:
        """Uploads a package: a new pipeline under the package's name, or a version of the one that is there.

        Args:
            package: a .yaml file.
            now: the present; the version's name holds it, in UTC.
            new: True for a pipeline that must not be there yet, False for one that must.

        Raises:
            ApiError: it is no package, or the server refuses it.
        """
        name = package_name(package)
        pipeline = self._named(name)
        if pipeline is not None and new is True:
            raise ApiError(f"pipeline {name}: is there already, id {pipeline.id}; update adds a version to it")
        if pipeline is None and new is False:
            raise ApiError(f"pipeline {name}: {self.connection.endpoint} has none of this name; create it first")
        made = pipeline is None
        if pipeline is None:
            # Not by the upload itself, which would name the first version as the pipeline.
            body = self.models.V2beta1Pipeline(display_name=name, **self.namespace())
            create = self._pipelines.pipeline_service_create_pipeline_with_http_info
            pipeline = self._pipeline(self.call(f"pipeline {name}", create, body))
        version = f"{name}-{now.astimezone(dt.timezone.utc):%Y%m%d-%H%M%S-%f}"[:-3]
        upload = self._uploads.upload_pipeline_version_with_http_info
        try:
            stored = self.call(f"package {package}", upload, str(package), name=version, pipelineid=pipeline.id)
        except ApiError:
            if made:
                self._delete_pipeline(pipeline.id)
            raise
        return self._version(stored, pipeline)

    def newest_version(self, pipeline: StoredPipeline) -> PipelineVersion:
        """The version that was uploaded last.

        Args:
            pipeline: whose.

        Raises:
            ApiError: it has none.
        """
        method = self._pipelines.pipeline_service_list_pipeline_versions_with_http_info
        what = f"versions of pipeline {pipeline.name}"
        answer = self.call(what, method, pipeline.id, sort_by="created_at desc", page_size=1)
        if not answer.pipeline_versions:
            raise ApiError(f"pipeline {pipeline.name}: has no version; `awesome kubeflow upload` adds one")
        return self._version(answer.pipeline_versions[0], pipeline)

    def delete_pipeline(self, pipeline: StoredPipeline) -> int:
        """Deletes a pipeline and all its versions; its runs stay.

        Args:
            pipeline: which.

        Returns:
            How many versions it had.

        Raises:
            ApiError: a schedule still runs it.
        """
        for schedule in self.schedules():
            if schedule.pipeline_id == pipeline.id:
                raise ApiError(
                    f"pipeline {pipeline.name}: schedule {schedule.name} still runs it; first: "
                    f"awesome kubeflow schedule --delete {schedule.id}"
                )
        method = self._pipelines.pipeline_service_list_pipeline_versions_with_http_info
        # The list at once, as pages shift when their entries go.
        versions = list(self.pages("pipeline_versions", method, pipeline.id))
        delete = self._pipelines.pipeline_service_delete_pipeline_version_with_http_info
        for version in versions:
            self.call(f"version {version.display_name}", delete, pipeline.id, version.pipeline_version_id)
        self._delete_pipeline(pipeline.id)
        return len(versions)

    def pipeline_link(self, version: PipelineVersion) -> str:
        """Where the UI shows a version."""
        return f"{self.connection.ui}/#/pipelines/details/{version.pipeline.id}/version/{version.id}"

    def _named(self, name: str) -> StoredPipeline | None:
        method = self._pipelines.pipeline_service_list_pipelines_with_http_info
        for one in _spellings(name):
            answer = self.call("pipelines", method, filter=equals("display_name", one), **self.namespace())
            if answer.pipelines:
                return self._pipeline(answer.pipelines[0])
        return None

    def _delete_pipeline(self, pipeline_id: str) -> None:
        method = self._pipelines.pipeline_service_delete_pipeline_with_http_info
        self.call(f"pipeline {pipeline_id}", method, pipeline_id)

    def _version(self, found: Any, pipeline: StoredPipeline) -> PipelineVersion:
        name = self.text(found.display_name)
        return PipelineVersion(self.text(found.pipeline_version_id), name, pipeline, spec_inputs(found.pipeline_spec))

    def _pipeline(self, found: Any) -> StoredPipeline:
        return StoredPipeline(self.text(found.pipeline_id), self.text(found.display_name), moment(found.created_at))


def _spellings(name: str) -> Iterator[str]:
    """A pipeline's name as it is given, and where that is another as KFP would have it."""
    yield name
    with suppress(CompileError):
        if (other := kfp_name(name)) != name:
            yield other
