"""Templates, addresses and what an author may get wrong."""

from __future__ import annotations

import pytest
from jinja2 import DictLoader

from airflow_provider_teams_registration.core.event_facts import read_event_facts
from airflow_provider_teams_registration.core.mail import MailKind
from airflow_provider_teams_registration.mail.event_time import event_in_mail
from airflow_provider_teams_registration.mail.message import read_sender
from airflow_provider_teams_registration.mail.recipient import Columns, LeftOut, mailbox_key, read_recipients
from airflow_provider_teams_registration.mail.templating import (
    MailTemplates,
    TemplateProblem,
    TemplateSource,
    default_source,
)

SECRET = "canary"


def render(text, html=None, subject="x", **values):
    templates = MailTemplates({MailKind.JOIN: TemplateSource(subject, text, html)})
    return templates.render(MailKind.JOIN, {"row": {"first_name": SECRET, "n": None}, **values})


def test_html_is_escaped_and_text_is_not():
    rendered = render("{{ name }}", "{{ name }}", "{{ name }}", name="<b> & co")
    assert (rendered.subject, rendered.text, rendered.html) == ("<b> & co", "<b> & co", "&lt;b&gt; &amp; co")


def event_in(**facts):
    return event_in_mail(read_event_facts(facts), {})


@pytest.mark.parametrize("kind", MailKind)
def test_each_packaged_html_is_one_page_in_the_frame_of_the_package(kind):
    templates = MailTemplates({kind: default_source(kind)})
    values = {"name": "Ada", "join_web_url": "https://x.example/?a=1&b=2", "is_update": False}
    html = templates.render(kind, {"row": {}, "event": event_in(title="A & B"), **values}).html
    assert [html.count(tag) for tag in ("<html", "<body", "</body>", "</html>", "Hello Ada,")] == [1] * 5
    assert "<title>A &amp; B</title>" in html
    assert ("https://x.example/?a=1&amp;b=2" in html) == (kind is MailKind.JOIN)
    assert [html.count(f"<{tag}") for tag in ("table", "tr", "td")] == [
        html.count(f"</{tag}>") for tag in ("table", "tr", "td")
    ]


def test_an_authors_template_extends_the_package_s_frame_and_includes_files_of_their_own():
    loader = DictLoader({"footer.html": "<tr><td>Bye, {{ name }}</td></tr>"})
    html = (
        "{% extends 'teams_registration/base.html' %}{% block content %}<tr><td>{{ name }}</td></tr>"
        "{% include 'footer.html' %}{% endblock %}"
    )
    templates = MailTemplates({MailKind.JOIN: TemplateSource("x", "x", html)}, loader)
    rendered = templates.render(MailKind.JOIN, {"row": {}, "name": "<Ada>", "event": event_in(title="Launch")}).html
    assert "<title>Launch</title>" in rendered
    assert "<tr><td>&lt;Ada&gt;</td></tr><tr><td>Bye, &lt;Ada&gt;</td></tr>" in rendered


def test_an_authors_template_without_a_frame_stays_as_it_is():
    assert render("x", "<p>{{ name }}</p>", name="Ada").html == "<p>Ada</p>"


def test_an_empty_column_renders_to_nothing():
    assert render("[{{ row.n }}]").text == "[]"


def test_a_column_may_be_called_like_a_method_of_a_dict():
    rendered = render("{{ row.items }} {{ row.values }}", row={"items": "2 seats", "values": None})
    assert rendered.text == "2 seats "


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ row.title }}", "The template text names 'title', which is not there"),
        ("{{ nobody }}", "The template text names 'nobody', which is not there"),
        ("{{ row[row.first_name] }}", "The template text names a column that is not there."),
        ("{{ row.first_name + 1 }}", "The template text fails with TypeError."),
        ("{{ row.first_name.__class__.__mro__ }}", "The template text does what the sandbox does not allow."),
        ("{% include 'x.txt' %}", "The template text includes a template that Airflow does not find in the DAG's"),
        (
            "{% include 'teams_registration/../__init__.py' %}",
            "The template text includes a template that Airflow does",
        ),
        ("{{ row.items }}", "The template text names a column that is not there."),
        ("{{ " + "(" * 500 + "1" + ")" * 500 + " }}", "The template text does not compile: it is nested too deeply."),
        ("{{ row.first_name | nothing }}", "The template text does not compile: line 1: No filter named 'nothing'."),
        ("{% if %}", "The template text does not compile: line 1: "),
    ],
)
def test_a_wrong_template_is_named_without_anything_of_the_row(text, said):
    with pytest.raises(TemplateProblem) as problem:
        render(text)
    assert str(problem.value).startswith(said)
    assert SECRET not in str(problem.value)
    # What an error keeps of the one before it may hold the row.
    assert problem.value.__context__ is None or "compile" in said


def test_the_time_is_told_in_the_zone_of_the_row_or_else_of_the_event():
    facts = read_event_facts(
        {"start": "2026-07-01T22:30:00Z", "end": "2026-07-01T23:30:00Z", "time_zone": "Pacific Standard Time"}
    )
    told = [
        event_in_mail(facts, row).when
        for row in ({"preferred_timezone": "Europe/Rome"}, {}, {"preferred_timezone": "x"})
    ]
    assert told == [
        "Thursday, 2 July 2026, 00:30 to 01:30 (Europe/Rome)",
        "Wednesday, 1 July 2026, 15:30 to 16:30 (America/Los_Angeles)",
        "Wednesday, 1 July 2026, 15:30 to 16:30 (America/Los_Angeles)",
    ]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, "no address in its column 'email'"),
        (" ", "no address in its column 'email'"),
        (3, "its column 'email' holds a int and no address"),
        ("canary", "its column 'email' holds no address that can be right"),
        ("canary@example.org, other@example.org", "its column 'email' holds several addresses; give one"),
        ("canary@example.org\r\nBcc: other@example.org", "its column 'email' holds several addresses; give one"),
    ],
)
def test_an_address_that_cannot_be_right_is_told_by_its_column(value, why):
    rows = [{"email": value, "outcome": "enrolled"}]
    assert read_recipients(rows, Columns(), mailbox_key) == ([], [LeftOut(1, why)])


def test_a_row_that_comes_twice_is_one_person():
    rows = [{"email": "Ada@example.org", "outcome": "enrolled", "join_web_url": "https://x"}] * 2
    recipients, left_out = read_recipients(rows, Columns(), mailbox_key)
    assert ([one.address for one in recipients], [one.is_expected for one in left_out]) == (["ada@example.org"], [True])


@pytest.mark.parametrize("text", [None, "", "events", "Events <events>", "a@example.org\r\nBcc: b@example.org"])
def test_a_sender_that_is_no_address_is_refused(text):
    with pytest.raises(ValueError, match="No address to send from"):
        read_sender(text)
