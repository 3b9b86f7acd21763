"""The bodies that Azure's clients send. What is not named here is ignored, as the service does."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


def _storable(value: Any) -> Any:
    """Only what can be written as JSON again: NaN and Infinity cannot."""
    json.dumps(value, allow_nan=False)
    return value


def _plain(value: str) -> str:
    if "\0" in value:
        raise ValueError("holds a zero byte")
    return value


Text = Annotated[str, Field(max_length=1_000), AfterValidator(_plain)]
Uri = Annotated[str, Field(max_length=8_192)]
Json = Annotated[Any, AfterValidator(_storable)]
Tags = Annotated[list[Annotated[str, Field(max_length=256)]], Field(max_length=50)]
Priority = Literal["Standard", "High"]


class _Wire(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")


class JobIn(_Wire):
    """A job to be, as `PUT jobs/{id}` has it."""

    name: Text = ""
    container_uri: Uri = ""
    input_data_uri: Uri = ""
    input_data_format: Text = ""
    output_data_format: Text | None = None
    provider_id: Text = ""
    target: Text
    input_params: Json = None
    session_id: Text | None = None
    metadata: Annotated[dict[str, Any], AfterValidator(_storable), Field(max_length=100)] | None = None
    priority: Priority | None = None
    tags: Tags | None = None
    job_type: Text | None = None


class SessionIn(_Wire):
    """A session to be, as `PUT sessions/{id}` has it."""

    name: Text = ""
    provider_id: Text = ""
    target: Text
    job_failure_policy: Literal["Abort", "Continue"] | None = None
    priority: Priority | None = None
    tags: Tags | None = None


class JobPatch(_Wire):
    """A merge patch of a job: what is absent stays, and null gives the default back."""

    name: Text | None = None
    priority: Priority | None = None
    tags: Tags | None = None


class SasUriIn(_Wire):
    """What a signed URL is wanted for."""

    container_name: Text
    blob_name: Annotated[str, Field(max_length=1_024)] | None = None


class GraphQuery(BaseModel):
    """A query of the Resource Graph, of which only the workspace's name is read."""

    query: Annotated[str, Field(max_length=10_000)]
