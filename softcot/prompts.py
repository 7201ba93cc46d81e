"""What the two models read: ids, where the thoughts go, and what training is graded on.

One path serves training and use: a training prompt is the prompt of use plus a target. The chat
template is cut once, at the place of the user's message; user text is tokenised apart from it,
as plain text, so it can never become a special token. Thought slots are inserted as ids, never
found again by counting offsets.
"""

import re
import secrets
from dataclasses import dataclass
from typing import Any

from softcot.errors import UserError
from softcot.presets import MAX_NEW_TOKENS

SLOT = -1
"""Stands for a thought while a prompt is put together; no token has this id."""


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
    def choose(cls, tokenizer: Any) -> "ThoughtTokens":
        """Find the tokens a tokenizer offers: `<unk>`, else a special token nothing else uses.

        Raises:
            UserError: Every special token of the tokenizer already has a job.
        """
        named = tokenizer.special_tokens_map
        markers = [named.get(f"thought_{edge}_token") for edge in ("start", "end")]
        roles = ("bos_token", "eos_token", "pad_token")
        busy = {str(token) for token in [*markers, *map(named.get, roles)]}
        template = tokenizer.chat_template or ""
        declared = [
            token.content
            for _, token in sorted(tokenizer.added_tokens_decoder.items())
            if token.special and token.content not in busy
        ]
        free = [token for token in declared if token not in str(template)]
        unknown = [str(tokenizer.unk_token)] if tokenizer.unk_token in declared else []
        if not unknown + free:
            raise UserError(
                "This tokenizer has no special token left to hold the thoughts; "
                "add an unknown token to it."
            )
        ids = [tokenizer.convert_tokens_to_ids(t) if t else None for t in markers]
        return cls(tokenizer.convert_tokens_to_ids((unknown + free)[0]), *ids)


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
    """

    def __init__(
        self,
        tokenizer: Any,
        tokens: ThoughtTokens | None = None,
        context: int = 512,
        reserve: int = MAX_NEW_TOKENS,
    ):
        self.tokenizer = tokenizer
        self.tokens = tokens or ThoughtTokens.choose(tokenizer)
        self.context = context
        self.reserve = reserve
        self.chat = bool(tokenizer.chat_template)
        self._control = _control_tokens(tokenizer)
        self._before, self._after, self.end_of_turn = self._cut_template()

    def base(
        self,
        question: str,
        *,
        instruction: str,
        thoughts: int = 0,
        hint: str | None = None,
        target: str | None = None,
    ) -> Prompt:
        """The prompt of the model that reasons; without thoughts and hint it is zero-shot CoT.

        Args:
            question: The user's text.
            instruction: What to do with it.
            thoughts: Number of thought slots, directly after the question.
            hint: Text that takes the place of the slots (Assist-CoT).
            target: The text the model should write; graded together with the end of turn.
        """
        if thoughts and hint is not None:
            raise ValueError("A prompt holds thoughts or a hint, not both.")
        words = self._words(instruction, question)
        room = self._room(thoughts, hint)
        ids = [*self._before, *words, *room, *self._after]
        return self._finish(ids, question, target)

    def assistant(
        self,
        question: str,
        *,
        instruction: str,
        thoughts: int = 0,
        target: str | None = None,
    ) -> Prompt:
        """The prompt of the model that thinks.

        The slots open the assistant's own turn, so a prompt with K slots is a prefix of every
        prompt with more: one forward pass serves all K.

        Args:
            question: The user's text.
            instruction: What to do with it.
            thoughts: Number of slots.
            target: The hint the assistant should write instead; graded with the end of turn.
        """
        if thoughts and target is not None:
            raise ValueError("A prompt holds thoughts or a target, not both.")
        words = self._words(instruction, question)
        ids = [*self._before, *words, *self._after, *[SLOT] * thoughts]
        return self._finish(ids, question, target)

    def text(self, text: str) -> list[int]:
        """Tokenise plain text; nothing in it can become a special token."""
        # A lone surrogate (from a shell or a JSON escape) is no text: it becomes "?".
        text = text.encode("utf-8", "replace").decode("utf-8")
        # `split_special_tokens` spares added tokens that are not declared special (`<think>` in
        # some tokenizers): those are cut in two, and the halves match nothing.
        pieces = self._control.split(text) if self._control else [text]
        options = {"add_special_tokens": False, "split_special_tokens": True}
        return [i for piece in pieces for i in self.tokenizer(piece, **options).input_ids]

    def _words(self, instruction: str, question: str) -> list[int]:
        if not question.strip():
            raise UserError("The question is empty; type a question.")
        gap = "\n" if self.chat else "\n\n"
        return self.text(f"{instruction}{gap}{question.strip()}")

    def _room(self, thoughts: int, hint: str | None) -> list[int]:
        """Ids of the region after the question, with `SLOT` where a thought goes."""
        if not thoughts and hint is None:
            return []
        inside = [SLOT] * thoughts if hint is None else self.text(hint)
        begin, end = self.tokens.begin, self.tokens.end
        opening = self.text("\n") if begin is None else [begin]
        return opening + inside + ([] if end is None else [end])

    def _finish(self, ids: list[int], question: str, target: str | None) -> Prompt:
        """Check the length, add the target, and turn `SLOT` into placeholders and their mask."""
        over = len(ids) - (self.context - self.reserve)
        if over > 0:
            size = len(self.text(question.strip()))
            raise UserError(
                f"The question is {size} tokens long; the limit is {max(size - over, 0)}. "
                "Shorten it."
            )
        graded = []
        if target is not None:
            graded = self.text(target if self.chat else f" {target}") + [self.end_of_turn]
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

    def _cut_template(self) -> tuple[list[int], list[int], int]:
        """Ids before the user's message, ids after it, and the id that ends the model's turn."""
        tokenizer = self.tokenizer

        def ids(piece: str) -> list[int]:
            return tokenizer(piece, add_special_tokens=False).input_ids

        if not self.chat:
            start = [] if tokenizer.bos_token_id is None else [tokenizer.bos_token_id]
            return start, ids("\nAnswer:"), tokenizer.eos_token_id
        # A random word stands for each message: no template and no user can contain it.
        user, answer = secrets.token_hex(16), secrets.token_hex(16)
        turns = [{"role": "user", "content": user}, {"role": "assistant", "content": answer}]
        render = tokenizer.apply_chat_template
        opened = render(turns[:1], tokenize=False, add_generation_prompt=True).split(user)
        closed = render(turns, tokenize=False).split(answer)
        if len(opened) != 2 or len(closed) != 2:
            raise UserError(
                "The chat template of this tokenizer does not show each message exactly once; "
                "choose a model with an ordinary chat template."
            )
        ending = [i for i in ids(closed[1])[:1] if i in tokenizer.added_tokens_decoder]
        return ids(opened[0]), ids(opened[1]), (ending or [tokenizer.eos_token_id])[0]


def _control_tokens(tokenizer: Any) -> re.Pattern | None:
    """Where to cut added tokens that are not declared special but have a job in the template."""
    template = str(tokenizer.chat_template or "")
    contents = [
        token.content
        for token in tokenizer.added_tokens_decoder.values()
        if not token.special and len(token.content) > 1 and token.content in template
    ]
    places = [f"(?<={re.escape(text[0])})(?={re.escape(text[1:])})" for text in contents]
    return re.compile("|".join(places)) if places else None
