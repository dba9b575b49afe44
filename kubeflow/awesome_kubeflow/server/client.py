"""How the API of Kubeflow Pipelines (v2beta1) is reached, and what goes wrong with a request as one line. No TFX.

It stands on `kfp_server_api`, the client that KFP generates from its OpenAPI description and its own `kfp.Client` uses.
`kfp.Client` itself takes no time-outs, prints links, and looks for hosts, cookies and namespaces in ~/.config/kfp and
in variables of its own.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from awesome_kubeflow.cluster import ClusterSettings, refused_address
from awesome_kubeflow.errors import ApiError, NoAnswerError
from awesome_kubeflow.sdk import check_kfp_client, quiet_imports
from pipeline.settings import KFP_TOKEN

_TIMEOUT = (10, 60)
"""Seconds to connect, and between two parts of an answer."""

_PAGE = 100
_LONGEST = 400
_SINGLE_USER = "kubeflow"
_EPOCH = dt.datetime.fromtimestamp(0, dt.UTC)


@dataclass(frozen=True)
class Connection:
    """How Kubeflow Pipelines is reached.

    Attributes:
        endpoint: address of the API.
        ui: address that links begin with.
        context: of kubectl, for what a message tells to do.
        namespace: of a multi-user installation; empty in any other, which takes none.
        ca_certificate: file of the certificates that vouch for the endpoint; empty for the usual ones.
        token: of the bearer; empty for none.
    """

    endpoint: str
    ui: str
    context: str
    namespace: str = ""
    ca_certificate: str = ""
    token: str = field(default="", repr=False)

    @property
    def forward(self) -> str:
        """What makes the endpoint of a cluster one of this machine."""
        return _forward(self.context)


def connection(
    cluster: ClusterSettings, token: str = "", endpoint: str | None = None, namespace: str | None = None
) -> Connection:
    """How the API of a cluster is reached.

    Args:
        cluster: its settings.
        token: of the bearer; empty for none.
        endpoint: instead of the cluster's.
        namespace: instead of the cluster's. KFP's own, kubeflow, stands for a single-user installation.

    Raises:
        ApiError: there is no endpoint, or it is no address; or there is no such file of certificates.
    """
    address = (endpoint or cluster.endpoint).rstrip("/")
    if not address:
        raise ApiError(
            f"no endpoint of Kubeflow Pipelines: {_forward(cluster.context)}, then --endpoint http://127.0.0.1:8888; "
            f"or set endpoint in [clusters.{cluster.name}] of awesome.toml"
        )
    if why := refused_address(address):
        raise ApiError(f"--endpoint: {why}")
    if cluster.ca_certificate and not Path(cluster.ca_certificate).is_file():
        raise ApiError(f"clusters.{cluster.name}.ca_certificate: there is no file {cluster.ca_certificate}")
    namespace = namespace or cluster.namespace
    return Connection(
        endpoint=address,
        ui=cluster.ui.rstrip("/") or address,
        context=cluster.context,
        namespace="" if namespace == _SINGLE_USER else namespace,
        ca_certificate=cluster.ca_certificate,
        token=token,
    )


def _forward(context: str) -> str:
    return f"`kubectl --context {context} -n kubeflow port-forward svc/ml-pipeline 8888:8888`"


class NotFoundError(ApiError):
    """404."""


class Client:
    """What all requests have in common; every method may raise ApiError.

    Attributes:
        connection: how the API is reached.
        models: the generated module, for bodies.
        client: the generated client, for its services.
    """

    def __init__(self, connection: Connection) -> None:
        """Sends nothing yet.

        Raises:
            ApiError: KFP's SDK is not installed.
        """
        check_kfp_client()
        with quiet_imports():
            import kfp_server_api
        configuration = kfp_server_api.Configuration(host=connection.endpoint)
        # Once: a repeated upload is a second version, and a redirection leads to a login page.
        configuration.retries = False
        if connection.ca_certificate:
            configuration.ssl_ca_cert = connection.ca_certificate
        if connection.token:
            configuration.api_key["authorization"] = connection.token
            configuration.api_key_prefix["authorization"] = "Bearer"
        self.connection = connection
        self.models = kfp_server_api
        self.client = kfp_server_api.ApiClient(configuration)

    def text(self, value: object) -> str:
        """What no answer can lack."""
        if not isinstance(value, str) or not value:
            raise self.stranger()
        return value

    def namespace(self) -> dict[str, str]:
        """What the lists of a multi-user installation are asked with."""
        return {"namespace": self.connection.namespace} if self.connection.namespace else {}

    def pages(self, entries: str, method: Any, *args: Any, **chosen: Any) -> Iterator[Any]:
        """The entries of a list, page by page; `entries` is the field that has them."""
        token = ""
        while True:
            answer = self.call(entries, method, *args, page_token=token, page_size=_PAGE, **chosen)
            yield from getattr(answer, entries) or ()
            token = answer.next_page_token or ""
            if not token:
                return

    def call(self, what: str, method: Any, *args: Any, **chosen: Any) -> Any:
        """One request, and what went wrong as one line.

        Args:
            what: is asked for or sent, for a message.
            method: of the generated client; its variant that returns status and headers as well is called.
            *args: of the method.
            **chosen: likewise.
        """
        import urllib3

        endpoint = self.connection.endpoint
        try:
            request = getattr(method.__self__, f"{method.__name__}_with_http_info")
            answer, _, headers = request(*args, _request_timeout=_TIMEOUT, **chosen)
        except self.models.ApiException as error:
            raise self._refusal(what, error) from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise NoAnswerError(
                f"{endpoint} does not answer ({_cause(error)}); is it forwarded? {self.connection.forward}"
            ) from None
        except AttributeError as error:
            # The generated client trips over an error of TLS, which has no body.
            if isinstance(error.__context__, self.models.ApiException):
                raise self._refusal(what, error.__context__) from None
            raise
        except (ValueError, TypeError):
            raise self.stranger() from None
        if "json" not in headers.get("Content-Type", ""):
            raise self.stranger()
        return answer

    def stranger(self) -> ApiError:
        """What to say of an answer that makes no sense."""
        return ApiError(f"{self.connection.endpoint}: what answers there is not the API of Kubeflow Pipelines v2")

    def _refusal(self, what: str, error: Any) -> ApiError:
        endpoint, status = self.connection.endpoint, error.status
        if not status:
            return NoAnswerError(
                f"{endpoint} does not answer over TLS ({one_line(str(error.reason))}); certificates of your own: "
                "ca_certificate in awesome.toml"
            )
        told = _server_message(error.body)
        if self.connection.token:
            told = told.replace(self.connection.token, "***")
        if status in (401, 403) or 300 <= status < 400:
            token = (
                f"the token in {KFP_TOKEN} is not accepted"
                if self.connection.token
                else f"a token goes into the environment, {KFP_TOKEN}"
            )
            return ApiError(f"{endpoint} refuses (HTTP {status}): {token}{f'; it says: {told}' if told else ''}")
        if status == 404:
            return NotFoundError(f"{what}: {endpoint} has none{f'; it says: {told}' if told else ''}")
        if status == 409:
            return ApiError(f"{what}: exists already{f'; {endpoint} says: {told}' if told else ''}")
        return ApiError(f"{what}: {endpoint} refuses (HTTP {status}): {told or one_line(str(error.reason))}")


def equals(key: str, value: str) -> str:
    """A filter of lists: those whose field has that value."""
    return json.dumps({"predicates": [{"operation": "EQUALS", "key": key, "stringValue": value}]})


def moment(value: object) -> dt.datetime | None:
    """What has not come about is left out by some servers, and the epoch with others."""
    return value if isinstance(value, dt.datetime) and value > _EPOCH else None


def one_line(text: str | None) -> str:
    """What a server says, as one printable line of bounded length."""
    # What a server says may hold anything, a terminal's control codes too.
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text or "").split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."


def _server_message(body: str | None) -> str:
    """What the server says in its own words: of the gateway, of the upload, or of what stands before it."""
    try:
        told = json.loads(body or "")
    except ValueError:
        return "" if "<" in (body or "") else one_line(body)
    if isinstance(told, Mapping):
        for name in ("message", "error_message", "error"):
            if isinstance(told.get(name), str):
                return one_line(told[name])
    return ""


def _cause(error: BaseException) -> str:
    """The innermost reason, without the objects that carried it."""
    while (inner := getattr(error, "reason", None) or error.__cause__) is not None and isinstance(inner, BaseException):
        error = inner
    text = getattr(error, "strerror", None) or re.sub(r"^.*?(HTTPS?Connection(Pool)?)?\([^)]*\)?>?: ", "", str(error))
    return one_line(str(text))
