"""The answers to prompts, from the output alone."""

from tandem.examiner.lab.prompts import MAX_ANSWERS, Prompts

ASKED = (("student number", "0923456"), (r"team( name)?\?", "Zoë"))


def test_a_prompt_is_answered_however_its_output_comes() -> None:
    for parts in ([b"Student number: "], [b"Stud", b"ent num", b"ber: "]):
        prompts = Prompts(ASKED)
        assert [answer for part in parts for answer in prompts.feed(part)] == [("student number", "0923456")]


def test_each_prompt_is_answered_once() -> None:
    prompts = Prompts(ASKED)
    assert prompts.feed(b"student number: ") == [ASKED[0]]
    assert prompts.feed(b"thank you, and your ") == []
    assert prompts.feed(b"Team? ") == [ASKED[1]]


def test_the_same_prompt_again_is_answered_again_up_to_a_limit() -> None:
    prompts = Prompts(ASKED)
    answers = [prompts.feed(b"wrong. student number: ") for _ in range(MAX_ANSWERS + 5)]
    assert answers == [[ASKED[0]]] * MAX_ANSWERS + [[]] * 5


def test_the_one_that_comes_first_is_answered_first() -> None:
    assert Prompts(ASKED).feed(b"team name? and student number? ") == [ASKED[1], ASKED[0]]


def test_a_pattern_that_matches_nothing_at_all_answers_nothing() -> None:
    assert Prompts((("x*", "never"),)).feed(b"hello") == []
    assert Prompts((("x*", "once"),)).feed(b"hexxo") == []
