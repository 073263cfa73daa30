"""Characters that nobody sees."""

import sys
import unicodedata

import pytest

from airflow_provider_teams_registration.graph.characters import without_unseen


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Ada", "Ada"),
        ("A\u200bd\u00ada\ufeff", "Ada"),
        ("\u202eAda\u202c", "Ada"),
        ("A\x07da\x9f", "Ada"),
        ("Ada\r\nLovelace", "Ada  Lovelace"),
        ("Ada\u2028Lovelace", "Ada Lovelace"),
        ("Ada\u200d\u200c", "Ada"),
        ("A\ufe0fda", "Ada"),
        ("Ünï", "Ünï"),
        ("U\u0308", "U\u0308"),
    ],
    ids=ascii,
)
@pytest.mark.parametrize("keep_spelling", [True, False])
def test_unseen_characters_are_left_out(text, seen, keep_spelling):
    assert without_unseen(text, keep_spelling=keep_spelling) == seen


@pytest.mark.parametrize(
    "name",
    [
        "\u0646\u0627\u0645\u0647\u200c\u0627\u06cc",  # Persian
        "\u0d28\u0d4d\u200d",  # Malayalam, where the joiner ends the word
        "\u9089\U000e0102",  # a Japanese name's own shape of a character
        "\U0001f469\u200d\U0001f4bb",  # one picture of two
    ],
    ids=ascii,
)
def test_names_are_spelled_as_their_script_needs_it(name):
    assert without_unseen(name, keep_spelling=True) == name
    assert without_unseen(name) != name


def test_nothing_that_is_a_format_or_control_character_stays():
    # Those that stand before digits of their scripts, and are seen.
    seen = {
        "\u0600",
        "\u0601",
        "\u0602",
        "\u0603",
        "\u0604",
        "\u0605",
        "\u06dd",
        "\u070f",
        "\u0890",
        "\u0891",
        "\u08e2",
    }
    every = "".join(chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in ("Cc", "Cf"))

    left = {one for one in without_unseen(every) if unicodedata.category(one) in ("Cc", "Cf")}

    assert {one for one in left - seen if ord(one) not in (*range(0x110BD, 0x110CE), *range(0x13430, 0x13440))} <= set(
        "\ufff9\ufffa\ufffb"
    )
