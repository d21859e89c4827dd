"""What an answer tells: its first sentences, as plain text. A base learns from them beside its questions.

Somebody who asks uses words of the answer that no question of the entry holds.
"""

from __future__ import annotations

import re
from itertools import islice

from assistant.matching.sentences import sentences
from assistant.matching.text import fold, words

_SENTENCES = 3  # six were no better on two public FAQs in two languages
_LONGEST = 300  # characters of one
_SHORTEST = 2  # words: "Yes." tells nothing

_PICTURE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_MARKS = re.compile(r"^[ \t]*(?:[-+*>]|#+|\d+\.)[ \t]+|[*_`|]+", re.MULTILINE)


def told(answer: str) -> tuple[str, ...]:
    """The first sentences of an answer written in Markdown; none where it says nothing."""
    plain = _MARKS.sub("", _LINK.sub(r"\1", _PICTURE.sub("", answer)))
    telling = (one for one in sentences(plain) if len(words(fold(one))) >= _SHORTEST)
    return tuple(one[:_LONGEST] for one in islice(telling, _SENTENCES))
