"""One mailbox has one spelling, however an export writes it."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_teams_registration.graph.email_address import mailbox, read_email

ADA = "ada@example.org"
INTERNATIONAL = "ünï@exämple.org"


@pytest.mark.parametrize(
    "spelling",
    [
        "  Ada@Example.ORG\r\n",
        "\u00a0ada@example.org\u00a0",
        '"ada@example.org"',
        "'ada@example.org'",
        "“ada@example.org”",
        "„ada@example.org“",
        "«ada@example.org»",
        "<ada@example.org>",
        ' "ada@example.org" ',
        "mailto:ada@example.org",
        "MAILTO:ada@example.org?subject=Hello",
        "<mailto:%61da@example.org>",
        "\ufeffada@example.org",
        "a\u200bda@example.org",
        "ada\u200c\u200d@example.org",
        "ada@exam\u00adple.org",
        "ada@example.org\u200e",
        "\u202aada@example.org\u202c",
        "\u2066ada@example.org\u2069",
        "a\u2060d\u034fa\ufe0f@example.org",
        "ada\x7f@example.org",
        '\ufeff"ada@example.org"',
        "".join(chr(ord(one) + 0xFEE0) for one in ADA),
        "ada@example。org",
    ],
    ids=ascii,
)
def test_what_exports_add_makes_no_other_mailbox(spelling):
    assert read_email(spelling) == ADA
    assert mailbox(spelling) == ADA


@pytest.mark.parametrize(
    "spelling",
    [
        "ÜNÏ@EXÄMPLE.ORG",
        unicodedata.normalize("NFD", INTERNATIONAL),
        "ünï@xn--exmple-cua.org",
        "Ünï@XN--EXMPLE-CUA.org",
        "ünï@exa\u0308mple.org",
    ],
    ids=ascii,
)
def test_letters_beyond_ascii_have_one_form_and_domains_are_written_in_letters(spelling):
    assert read_email(spelling) == INTERNATIONAL
    assert mailbox(spelling) == INTERNATIONAL


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("o'hara@example.org", "ohara@example.org"),
        ("a2@example.org", "a²@example.org"),
        ("ada+news@example.org", "ada@example.org"),
        ("a.da@example.org", "ada@example.org"),
        ("ada@straße.example", "ada@strasse.example"),
        ("mailto@example.org", "ada@example.org"),
    ],
)
def test_mailboxes_that_differ_stay_apart(one, other):
    assert read_email(one)
    assert read_email(other)
    assert read_email(one) != read_email(other)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mailto:",
        '""',
        "@",
        "a..b@example.org",
        ".a@example.org",
        "a.@example.org",
        "ada@-example.org",
        "ada@example..org",
        "ada@example",
        "ada@[192.0.2.1]",
        "ada@192.0.2.1",
        "ada@xn--a.org",
        "ada@home.local",
        '"ada lovelace"@example.org',
        "Ada Lovelace <ada@example.org>",
        "ada @example.org",
        "ada\n@example.org",
        # In Persian the joiner is part of the name: without it this is another domain.
        "ada@\u0646\u0627\u0645\u0647\u200c\u0627\u06cc.ir",
        "ada@example.org\0",
        "ada\ud83d@example.org",
        "mailto:ada%00@example.org",
        "mailto:ada%ff@example.org",
        "a" * 5000,
        "<" * 5000 + "ada@example.org" + ">" * 5000,
    ],
    ids=lambda text: ascii(text[:40]),
)
def test_what_is_no_address_is_none(text):
    assert read_email(text) is None


@pytest.mark.parametrize("text", ["", "Nobody", "Ada@home.local ", "a..B@example.org"])
def test_what_the_service_names_tells_people_apart_even_where_it_is_no_address(text):
    assert mailbox(text) == text.strip().lower()


@given(st.text(max_size=300))
@example("İ@example.org")
@example("Σ@ΣΣ.gr")
@example("\ufb01\u0327\u0301@\u1e9e.de")
def test_any_text_is_read_and_the_form_is_final(text):
    for candidate in (text, f"{text}@example.org", f"ada@{text}.org"):
        email = read_email(candidate)
        if email is not None:
            assert read_email(email) == mailbox(email) == email
            assert mailbox(candidate) == email
            assert unicodedata.is_normalized("NFC", email)


@given(st.emails(), st.data())
def test_invisible_characters_anywhere_make_no_other_mailbox(email, data):
    place = data.draw(st.integers(0, len(email)))
    unseen = data.draw(st.sampled_from("\u200b\u200d\u00ad\u2060\ufeff\u202e\x01"))

    assert read_email(email[:place] + unseen + email[place:]) == read_email(email)
