"""What a client may ask, read and checked: OpenAI's fields, and a few of ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from softcot.support.errors import UserError
from softcot.support.text import clean

MOST_ANSWERS = 16
"""Answers to one request."""

MOST_STOPS = 4
"""Strings that end an answer."""

HARMLESS: tuple[Any, ...] = (None, False, 0, "", [], {})
"""What a field that is not supported may say."""

ALSO_HARMLESS = {"best_of": 1, "response_format": {"type": "text"}, "tool_choice": "none"}
"""Likewise, where OpenAI's default is another one."""

UNSUPPORTED = (
    *("logprobs", "top_logprobs", "echo", "suffix", "best_of", "logit_bias"),
    *("presence_penalty", "frequency_penalty", "repetition_penalty"),
    *("tools", "tool_choice", "functions", "function_call", "response_format", "audio"),
    # What a server reads as a tensor can end it, so none is ever taken from a client.
    *("prompt_embeds", "prompt_token_ids", "inputs_embeds"),
)
"""Fields that would change the answer, and here cannot."""


class _Part(BaseModel):
    """A part of a message; there is nothing but text."""

    type: Literal["text"]
    text: str


class _Message(BaseModel):
    role: str
    content: str | list[_Part]


class _StreamOptions(BaseModel):
    include_usage: bool = False


class _Fields(BaseModel):
    """What both kinds of requests have."""

    model_config = ConfigDict(extra="allow")

    model: str
    stream: bool = False
    stream_options: _StreamOptions | None = None
    n: Annotated[int, Field(ge=1, le=MOST_ANSWERS)] = 1
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    k: Annotated[int | None, Field(validation_alias=AliasChoices("k", "K"))] = None
    """K, the number of thoughts; by default the method's own choice."""
    thoughts: int | None = None
    """The same, as the command line calls it."""
    control: str = "none"
    """What replaces a question's own thoughts."""
    task: str | None = None
    """Whose projection and answer kind to use; by default what the question reads like."""

    @property
    def question(self) -> str:
        """What is asked."""
        raise NotImplementedError


class _ChatFields(_Fields):
    messages: list[_Message]

    @property
    def question(self) -> str:
        """The one message.

        Raises:
            UserError: There are others.
        """
        if [message.role for message in self.messages] != ["user"]:
            raise UserError(
                "Send one message, of the role user: what both models are told about a question "
                "belongs to the method, and there is no conversation."
            )
        content = self.messages[0].content
        return content if isinstance(content, str) else "".join(part.text for part in content)


class _CompletionFields(_Fields):
    prompt: str | list[str]

    @property
    def question(self) -> str:
        """The prompt, which is a question here, too.

        Raises:
            UserError: There are several.
        """
        if isinstance(self.prompt, str):
            return self.prompt
        if len(self.prompt) != 1:
            raise UserError("Send one prompt at a time.")
        return self.prompt[0]


@dataclass(frozen=True)
class AnswerRequest:
    """A question, who is to answer it, and how."""

    model: str
    """As `/v1/models` lists it."""
    question: str
    chat: bool
    """Whether it was asked as a conversation; the answer has that form, then."""
    stream: bool
    usage: bool
    """Whether a stream ends with how many tokens it took."""
    samples: int
    temperature: float
    top_p: float
    top_k: int
    longest: int | None
    """Tokens of the longest answer; None leaves it to the server."""
    seed: int | None
    stops: tuple[str, ...]
    k: int | None
    control: str
    task: str | None


def read_request(body: bytes, chat: bool) -> AnswerRequest:
    """What a client asks.

    Raises:
        UserError: It is not what the interface describes, or wants what there is not.
    """
    try:
        fields = (_ChatFields if chat else _CompletionFields).model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        raise UserError(f"{where}: {first['msg']}.") from error
    for name, value in (fields.model_extra or {}).items():
        if name in UNSUPPORTED and value not in (*HARMLESS, ALSO_HARMLESS.get(name)):
            raise UserError(f"{name} is not supported here; leave it out.")
    stops = (fields.stop,) if isinstance(fields.stop, str) else tuple(fields.stop or ())
    if len(stops) > MOST_STOPS or not all(stops):
        raise UserError(f"stop takes at most {MOST_STOPS} strings, none of them empty.")
    longest = fields.max_completion_tokens or fields.max_tokens
    usual = 0.0 if fields.n == 1 else 1.0  # several answers are only worth it if they may differ
    return AnswerRequest(
        model=fields.model,
        question=clean(fields.question),
        chat=chat,
        stream=fields.stream,
        usage=fields.stream_options is not None and fields.stream_options.include_usage,
        samples=fields.n,
        temperature=usual if fields.temperature is None else fields.temperature,
        top_p=1.0 if fields.top_p is None else fields.top_p,
        top_k=max(0, fields.top_k or 0),  # -1 is how others say all
        longest=longest,
        seed=fields.seed,
        stops=stops,
        k=fields.thoughts if fields.k is None else fields.k,
        control=fields.control,
        task=fields.task,
    )


def cut_at(text: str, stops: Sequence[str]) -> int | None:
    """Where the first of some strings begins in a text; None if none of them is there."""
    places = [place for stop in stops if (place := text.find(stop)) >= 0]
    return min(places, default=None)
