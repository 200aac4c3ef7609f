"""What one change asks for again and again, or had worked out before it began: answers to the very same question."""

from collections.abc import Callable
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")
KEPT = 200
"""Fewest answers of one function that are kept, and half of the most: changes wait for others meanwhile."""


class Last(Generic[Question, Answer]):
    """A pure function of one value, which remembers its last answers. Safe between threads.

    Equal values are not looked for: to find them, all that is known of a patient would have to be hashed.
    """

    def __init__(self, function: Callable[[Question], Answer]) -> None:
        self._function = function
        self._answers: dict[int, tuple[Question, Answer]] = {}
        self._older = self._answers
        self.__doc__ = function.__doc__

    def __call__(self, question: Question) -> Answer:
        found = self._answers.get(id(question)) or self._older.get(id(question))
        if found is not None and found[0] is question:
            return found[1]
        answer = self._function(question)
        if len(self._answers) >= KEPT:
            self._older, self._answers = self._answers, {}
        # The question is kept as well: nothing else can have its identity meanwhile.
        self._answers[id(question)] = (question, answer)
        return answer
