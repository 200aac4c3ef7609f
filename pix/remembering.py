"""What one change asks for again and again: the last answer is kept, for the very same question."""

from collections.abc import Callable
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Last(Generic[Question, Answer]):
    """A pure function of one value, which remembers its last answer. Safe between threads.

    Equal values are not looked for: to find them, all that is known of a patient would have to be hashed.
    """

    def __init__(self, function: Callable[[Question], Answer]) -> None:
        self._function = function
        self._last: tuple[Question, Answer] | None = None
        self.__doc__ = function.__doc__

    def told(self, question: Question, answer: Answer) -> None:
        """Remember an answer that was found elsewhere; it must be the one that this function would give."""
        self._last = (question, answer)

    def __call__(self, question: Question) -> Answer:
        last = self._last
        if last is not None and last[0] is question:
            return last[1]
        answer = self._function(question)
        self._last = (question, answer)
        return answer
