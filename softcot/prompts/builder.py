"""What the two models read: ids, where the thoughts go, and what training is graded on.

One path serves training and use: a training prompt is the prompt of use plus a target. The chat
template is cut once, at the places of the messages; text that could mean anything to it is
tokenised apart, as plain text, so it can never become a special token. Thought slots are inserted
as ids, never found again by counting offsets.
"""

import copy
import itertools
import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jinja2 import TemplateError

from softcot.data.tasks import Task
from softcot.prompts.wording import Templates, Wording
from softcot.support.errors import UserError
from softcot.support.presets import MAX_NEW_TOKENS
from softcot.support.reading import reason
from softcot.support.text import clean

CHAT_OPTIONS = {"enable_thinking": False, "date_string": "26 Jul 2024"}
"""What every chat template is told; those that do not ask for it never see it.

The thinking is done softly here, so a model's own mode for it is off; and no prompt may change
from one day to the next.
"""

_SAME_DAY = """\
{%- macro strftime_now(format) -%}
{{- format.replace("%d", "26").replace("%b", "Jul").replace("%B", "July").replace("%m", "07")
    .replace("%Y", "2024").replace("%y", "24").replace("%H:%M", "00:00").replace("%A", "Friday") -}}
{%- endmacro -%}
"""
"""Put before a chat template that asks for today's date: the day of `CHAT_OPTIONS` instead."""

STRANGE = (
    "The chat template of this tokenizer does not show each message exactly once; choose a model "
    "with an ordinary chat template."
)

SLOT = -1
"""Stands for a thought while a prompt is put together; no token has this id."""

ANSWERING = "\nAnswer:"
"""Opens the answer of a model without a chat template."""

ENDS = ("<|end_of_text|>", "<|endoftext|>")
"""What ends a text, where that is another token than the one that ends a turn."""

BRACKETED = re.compile(r"<.+>|\[.+\]")
"""An added token that looks like this has some job, declared special or not."""


@dataclass(frozen=True)
class ThoughtTokens:
    """The ids, in one tokenizer, that make room for thoughts."""

    placeholder: int
    """Fills every slot; its embedding is never seen where a thought is spliced in."""
    begin: int | None = None
    """Stands before the slots, if the tokenizer declares a `thought_start_token`."""
    end: int | None = None
    """Stands after the slots, if the tokenizer declares a `thought_end_token`."""

    @classmethod
    def choose(cls, tokenizer: Any, taken: Collection[int] = ()) -> "ThoughtTokens":
        """Find the tokens a tokenizer offers: `<unk>`, else a special token nothing else uses.

        Without either, a token in brackets that was added for some other use, such as filling in
        the middle, will do.

        Args:
            tokenizer: A Hugging Face tokenizer.
            taken: Ids that have a job elsewhere, such as ending a turn.

        Raises:
            UserError: Every special token of the tokenizer already has a job.
        """
        named = tokenizer.special_tokens_map
        markers = [named.get(f"thought_{edge}_token") for edge in ("start", "end")]
        roles = ("bos_token", "eos_token", "pad_token")
        busy = {str(token) for token in [*markers, *map(named.get, roles)]}
        template = str(tokenizer.chat_template or "")
        added = [
            token
            for number, token in sorted(tokenizer.added_tokens_decoder.items())
            if token.content not in busy and number not in taken and token.content not in template
        ]
        unknown = [token for token in added if token.content == tokenizer.unk_token]
        special = [token for token in added if token.special]
        bracketed = [token for token in added if BRACKETED.fullmatch(token.content)]
        free = [token.content for token in unknown + special + bracketed]
        if not free:
            raise UserError(
                "This tokenizer has no special token left to hold the thoughts; "
                "add an unknown token to it."
            )
        ids = [tokenizer.convert_tokens_to_ids(t) if t else None for t in markers]
        return cls(tokenizer.convert_tokens_to_ids(free[0]), *ids)


@dataclass(frozen=True)
class Prompt:
    """One row for a model; the three tuples have equal length."""

    ids: tuple[int, ...]
    """Token ids."""
    slot_mask: tuple[bool, ...]
    """True where a thought is read (assistant) or spliced in (base)."""
    loss_mask: tuple[bool, ...]
    """True on the tokens that training grades."""

    def __len__(self) -> int:
        """Length in tokens."""
        return len(self.ids)


def cut_at_slots(prompt: Prompt) -> tuple[Prompt, Prompt]:
    """The prompt before its first slot, and from there on."""
    start = prompt.slot_mask.index(True)
    parts = [(row[:start], row[start:]) for row in (prompt.ids, prompt.slot_mask, prompt.loss_mask)]
    before, after = zip(*parts, strict=True)
    return Prompt(*before), Prompt(*after)


class PromptBuilder:
    """Builds every prompt of one model.

    Args:
        tokenizer: A Hugging Face tokenizer; its chat template is used if it has one.
        tokens: The thought tokens; chosen from the tokenizer by default.
        context: The longest sequence the model takes, in tokens.
        reserve: Tokens of the context that a question must leave for the answer.
        templates: What the model is told; by default the set `mini`.
        stops: Ids that end an answer of this model, besides the end of a turn.
    """

    def __init__(
        self,
        tokenizer: Any,
        tokens: ThoughtTokens | None = None,
        context: int = 512,
        reserve: int = MAX_NEW_TOKENS,
        templates: Templates | None = None,
        stops: Collection[int] = (),
    ):
        self.tokenizer = tokenizer
        # Reading plain text sets a flag in a tokenizer, which another thread may be reading a
        # template with: plain text has a copy of its own, in which the flag stays set.
        self._plain_tokenizer = copy.deepcopy(tokenizer)
        self.context = context
        self.reserve = reserve
        self.templates = templates or Templates.named("mini")
        self.chat = bool(tokenizer.chat_template)
        self._cuts: dict[int, tuple[_Piece, ...]] = {}
        self._pieces(0)
        self.end_of_turn = self._end_of_turn()
        taken = {*stops, self.end_of_turn, *self._ids(self._whole_chat())}
        self._reserved = tokens or ThoughtTokens.choose(tokenizer, taken)
        self.tokens = self._filling()
        self._controls = _control_tokens(tokenizer)
        self._splits = _splits(tokenizer, self._controls)

    def told(self, templates: Templates) -> "PromptBuilder":
        """The same builder with other templates."""
        builder = copy.copy(self)
        builder.templates = templates
        builder.tokens = builder._filling()
        return builder

    def _filling(self) -> ThoughtTokens:
        """The thought tokens that the templates ask for."""
        if not self.templates.ends_fill_slots:
            return self._reserved
        known = self.tokenizer.get_added_vocab()
        found = next((known[token] for token in ENDS if token in known), None)
        found = self.tokenizer.eos_token_id if found is None else found
        if found is None:
            raise UserError(
                "This tokenizer has no token that ends a text, which these templates put into the "
                "slots; choose other ones with --prompts."
            )
        return replace(self._reserved, placeholder=found)

    @property
    def placeholder(self) -> str:
        """The token that fills every slot, as text."""
        return self.tokenizer.convert_ids_to_tokens(self.tokens.placeholder)

    def base(
        self,
        question: str,
        *,
        task: Task,
        k: int = 0,
        hint: str | None = None,
        opening: str = "",
        target: str | None = None,
    ) -> Prompt:
        """The prompt of the model that reasons; without thoughts and hint it is zero-shot CoT.

        Args:
            question: The user's text.
            task: Decides what to do with it.
            k: Number of thought slots, where the template says or directly after the question.
            hint: Text that stands after the question in the place of slots (Assist-CoT).
            opening: What the answer begins with, whatever the model would say (No CoT).
            target: The text the model should write; graded together with the end of turn.
        """
        if k and hint is not None:
            raise ValueError("A prompt holds thoughts or a hint, not both.")
        wording = self.templates.wording("base", task, k)
        asked, after = self._turn(wording, question)
        room = self._room(k, hint) if wording.between is None else [SLOT] * k
        opened = self._begun(opening) if opening else []
        header: list[int] = []
        if self.templates.writes_header(task) and not opening:
            after, header = self._parted(after)
        return self._finish([*asked, *room, *after, *opened], question, target, header)

    def assistant(
        self,
        question: str,
        *,
        task: Task,
        k: int = 0,
        target: str | None = None,
    ) -> Prompt:
        """The prompt of the model that thinks.

        The slots end it: they open the assistant's own turn, or stand where the template says. A
        prompt with K slots is a prefix of every prompt with more, so that one forward pass serves
        all K, unless the template says how many there are; see `counts`.

        Args:
            question: The user's text.
            task: Decides what to do with it.
            k: Number of slots.
            target: The hint the assistant should write instead; graded with the end of turn.
        """
        if k and target is not None:
            raise ValueError("A prompt holds thoughts or a target, not both.")
        wording = self.templates.wording("assistant", task, k)
        asked, after = self._turn(wording, question)
        # No slot can see what stands behind it.
        told = [*asked, *after] if wording.between is None else asked
        return self._finish([*told, *[SLOT] * k], question, target)

    def counts(self, task: Task) -> bool:
        """Whether the assistant is told how many slots there are: no K then serves another."""
        return self.templates.counts("assistant", task)

    def text(self, text: str) -> list[int]:
        """Tokenise plain text; nothing in it can become a special token."""
        text = clean(text)
        # `split_special_tokens` spares added tokens that are not declared special (`<think>` in
        # some tokenizers): those are cut in two, and the halves match nothing.
        pieces = self._splits.split(text) if self._splits else [text]
        options = {"add_special_tokens": False, "split_special_tokens": True}
        return [i for piece in pieces for i in self._plain_tokenizer(piece, **options).input_ids]

    def _turn(self, wording: Wording, question: str) -> tuple[list[int], list[int]]:
        """Ids up to the end of the question, and ids from there to the model's own turn."""
        question = clean(question).strip()
        if not question:
            raise UserError("The question is empty; type a question.")
        said, asked, rest = wording.turns(), wording.asked(question), wording.after
        pieces = self._pieces(len(wording.examples))
        whole = self._as_one(pieces, said, asked, rest)
        if whole is not None:
            return whole
        *earlier, before, after = pieces
        ids = [[*piece.ids, *self.text(text)] for piece, text in zip(earlier, said, strict=True)]
        start = [i for turn in ids for i in turn]
        return [*start, *before.ids, *self.text(asked)], [*self.text(rest), *after.ids]

    def _as_one(
        self, pieces: Sequence["_Piece"], said: Sequence[str], asked: str, rest: str
    ) -> tuple[list[int], list[int]] | None:
        """The same, tokenised together with the chat template; None where that is not safe.

        Some tokenizers read a space or a line break beside the message differently when it stands
        alone, so this is what the model was trained on. It is unsafe as soon as the text holds an
        added token, or forms one with the template.
        """
        texts, controls = [*said, f"{asked}{rest}"], self._controls
        if not self.tokenizer.is_fast or any(
            token in text for token in controls.values() for text in texts
        ):
            return None
        options = {"add_special_tokens": False, "return_offsets_mapping": True}
        filled = zip(pieces, [*said, asked], strict=False)
        before = "".join(f"{piece.text}{text}" for piece, text in filled)
        found = self.tokenizer(f"{before}{rest}{pieces[-1].text}", **options)
        ids, places = found.input_ids, found.offset_mapping
        edge = len(before)
        cut = sum(end <= edge for _, end in places)
        own = [i for piece in pieces for i in piece.ids if i in controls]
        straddles = any(start < edge for start, _ in places[cut:])
        if straddles or own != [i for i in ids if i in controls]:
            return None
        return ids[:cut], ids[cut:]

    def _ids(self, piece: str) -> list[int]:
        """Ids of a piece of the chat template, special tokens included."""
        return self.tokenizer(piece, add_special_tokens=False).input_ids

    def _room(self, k: int, hint: str | None) -> list[int]:
        """Ids of the region after the question, with `SLOT` where a thought goes."""
        if not k and hint is None:
            return []
        inside = [SLOT] * k if hint is None else self.text(hint)
        begin, end = self.tokens.begin, self.tokens.end
        opening = self.text("\n") if begin is None else [begin]
        return opening + inside + ([] if end is None else [end])

    def _parted(self, after: list[int]) -> tuple[list[int], list[int]]:
        """What follows the user's text, without the header of the model's turn, and the header.

        Raises:
            UserError: The chat template does not write it behind all else.
        """
        header = self._ids(self._header())
        if not header or after[-len(header) :] != header:
            raise UserError(
                "The header of the answering turn cannot be told from this chat template; use "
                "templates that give it."
            )
        return after[: -len(header)], header

    def _header(self) -> str:
        """The text that opens the model's own turn."""
        if not self.chat:
            return ANSWERING
        asked = _chat(["question"])
        closed, opened = (
            render_chat(self.tokenizer, asked, add_generation_prompt=given)
            for given in (False, True)
        )
        return opened.removeprefix(closed)

    def _finish(
        self, ids: list[int], question: str, target: str | None, header: Sequence[int] = ()
    ) -> Prompt:
        """Check the length, add the target, and turn `SLOT` into placeholders and their mask.

        The header is what the model has to write before the target, and is graded with it.
        """
        over = len(ids) - (self.context - self.reserve)
        if over > 0:
            size = len(self.text(question.strip()))
            raise UserError(
                f"The question is {size} tokens long; the limit is {max(size - over, 0)}. "
                "Shorten it."
            )
        graded = []
        if target is not None:
            graded = [*header, *self._begun(target), self.end_of_turn]
        whole = ids + graded
        if len(whole) > self.context:
            raise UserError(
                f"The question with its worked answer is {len(whole)} tokens long; "
                f"the limit is {self.context}. Leave this problem out."
            )
        return Prompt(
            ids=tuple(self.tokens.placeholder if i == SLOT else i for i in whole),
            slot_mask=tuple(i == SLOT for i in whole),
            loss_mask=(False,) * len(ids) + (True,) * len(graded),
        )

    def _begun(self, text: str) -> list[int]:
        """Ids of a text that begins the model's own turn."""
        return self.text(text if self.chat or text[0] == " " else f" {text}")

    def _whole_chat(self) -> str:
        """A chat of all roles: templates put some role's token together from parts."""
        turns = [{"role": role, "content": role} for role in ("system", "user", "assistant")]
        for chat in (turns, turns[1:]) if self.chat else ():
            try:
                return render_chat(self.tokenizer, chat, add_generation_prompt=True)
            except UserError:  # no system role, and so no token for it
                continue
        return ""

    def _pieces(self, examples: int) -> tuple["_Piece", ...]:
        """What stands before, between and after the messages of a chat with so many examples.

        Each example is two messages, and the question is the last one: 2 * examples + 2 pieces.
        """
        if examples not in self._cuts:
            texts = self._cut_template(2 * examples + 1)
            self._cuts[examples] = tuple(_Piece(text, self._ids(text)) for text in texts)
        return self._cuts[examples]

    def _cut_template(self, messages: int) -> list[str]:
        """The texts of the chat template around so many messages, the last of them a user's."""
        if not self.chat:
            earlier = [f"{ANSWERING} ", "\n\n"] * (messages // 2)
            return [self.tokenizer.bos_token or "", *earlier, ANSWERING]
        # A random word stands for each message: no template and no user can contain it.
        words = [secrets.token_hex(16) for _ in range(messages)]
        rendered = render_chat(self.tokenizer, _chat(words), add_generation_prompt=True)
        places = re.compile("|".join(words))
        if places.findall(rendered) != words:
            raise UserError(STRANGE)
        return places.split(rendered)

    def _end_of_turn(self) -> int:
        """The id that ends the model's turn."""
        tokenizer = self.tokenizer
        if not self.chat:
            return tokenizer.eos_token_id
        words = [secrets.token_hex(16) for _ in range(2)]
        closed = render_chat(tokenizer, _chat(words)).split(words[1])
        if len(closed) != 2:
            raise UserError(STRANGE)
        ending = [i for i in self._ids(closed[1])[:1] if i in tokenizer.added_tokens_decoder]
        return (ending or [tokenizer.eos_token_id])[0]


@dataclass(frozen=True)
class _Piece:
    """A part of a chat template between two messages."""

    text: str
    ids: list[int]
    """The same as tokens, special ones included."""


def _chat(messages: Sequence[str]) -> list[dict[str, str]]:
    """Messages of a user and of the model, in turn."""
    roles = itertools.cycle(("user", "assistant"))
    return [{"role": role, "content": text} for role, text in zip(roles, messages, strict=False)]


def render_chat(tokenizer: Any, turns: list[dict[str, str]], **options: Any) -> str:
    """Messages as text in a tokenizer's chat template, the same on every day.

    Args:
        tokenizer: A Hugging Face tokenizer with a chat template.
        turns: Messages with `role` and `content`.
        options: What `apply_chat_template` takes.

    Raises:
        UserError: The template refuses a user's message, with a system message and without.
    """
    try:
        template = tokenizer.get_chat_template()
        if "strftime_now" in template:
            template = _SAME_DAY + template
        options |= {**CHAT_OPTIONS, "tokenize": False, "chat_template": template}
        try:
            return tokenizer.apply_chat_template(turns, **options)
        except TemplateError:  # some insist on a system message
            system = {"role": "system", "content": "You are a helpful assistant."}
            return tokenizer.apply_chat_template([system, *turns], **options)
    except (TemplateError, ValueError) as error:
        raise UserError(
            f"The chat template of this tokenizer cannot be used ({reason(error)}); choose a "
            "model with an ordinary chat template."
        ) from error


def _control_tokens(tokenizer: Any) -> dict[int, str]:
    """The added tokens that are no words: special, in brackets, or with a job in the template."""
    template = str(tokenizer.chat_template or "")
    return {
        number: token.content
        for number, token in tokenizer.added_tokens_decoder.items()
        if token.special
        or BRACKETED.fullmatch(token.content)
        or (len(token.content.strip()) > 1 and token.content in template)
    }


def _splits(tokenizer: Any, controls: dict[int, str]) -> re.Pattern[str] | None:
    """Where to cut the control tokens that are not declared special."""
    special = {token.content for token in tokenizer.added_tokens_decoder.values() if token.special}
    contents = [token for token in controls.values() if token not in special]
    places = [f"(?<={re.escape(text[0])})(?={re.escape(text[1:])})" for text in contents]
    return re.compile("|".join(places)) if places else None
