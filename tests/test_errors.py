"""The message of an error stays one line for each that was meant, whatever a file holds."""

import pickle

from cancertype.errors import InputError


def test_a_character_that_breaks_a_line_is_shown_by_its_escape():
    for broken in ("\f", "\x0b", "\x1c", "\x85", "\u2028", "\r", "\n", "\x1b[31m", "\x00"):
        said = str(InputError(f"a.tsv: line 1: no column {broken!s}x"))
        assert said.splitlines() == [said] and said.isprintable()
        assert repr(broken)[1:-1] in said


def test_ordinary_text_stays_as_it_is_and_lines_are_those_given():
    assert str(InputError("Müller’s file “ä.tsv”: 1 ≥ 0", "b")) == "Müller’s file “ä.tsv”: 1 ≥ 0\nb"


def test_an_error_of_another_process_says_the_same():
    error = InputError("a\fb", "c")
    assert str(pickle.loads(pickle.dumps(error))) == str(error) == "a\\x0cb\nc"


def test_a_word_that_nobody_would_read_is_cut():
    assert (
        str(InputError(f"line 1: {'A' * 5_000} is no gene")) == f"line 1: {'A' * 200}... (5,000 characters) is no gene"
    )
    path = "/".join(["folder"] * 100)
    assert path in str(InputError(f"{path}: missing"))
