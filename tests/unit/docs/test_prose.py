"""
The documentation and the package are written in plain technical English.

This is a list of turns of phrase that readers have to read twice, and of private words that they would have to learn.
It is not a grammar check.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize

import pytest

from tests.docs_pages import IDS, PAGES, ROOT, without_code, without_generated

PACKAGE = ROOT / "airflow_provider_teams_registration"
START = r"(?:^|(?<=[.:!?;] ))"
"""Where a sentence, a list item or a table cell begins."""
BANNED = {
    START + r"(?:[Ww]ho|[Ww]hom|[Ww]hose)\b(?! acts)(?![^.]*\?)": "name the subject: 'a person who ...'",
    r"\b[Ww]ho(?:m|se)?ever\b": "name the subject: 'a person who ...'",
    START + r"Of (?!course)": "start with the subject: 'for a webinar, ...'",
    START + r"(?:Neither is|Nor |Not so |Be it )": "start with the subject, and use one negation",
    r"\bmay not be (?:read|written|sent|seen)\b": "say who acts: 'Graph refuses'",
    r"\blined up\b": "queued",
    r"\byounger attempt\b": "newer attempt",
    r"\bledgers? that lasts?\b|\bthe ledger lasts\b": "durable ledger",
    r"\bof patience\b|\bhas (?:less )?patience\b": "wait",
    r"\b(?:is|are|was|were) through\b": "done",
    r"\bladders?\b|\brungs?\b": "lookup",
    r"\bwitness(?:es)?\b": "control registrant",
    r"\bforgo(?:es|ne)?\b|\bforwent\b": "release",
    r"\bhands? (?:out|on|it on|them on)\b|\bhanded (?:out|on)\b|\bhanding on\b": "return, push",
    r"\bis gone\b|\bgone with\b": "say what happens: 'is lost'",
    r"\bstands? in the way\b": "say what the problem is",
    r"\bas it stands\b|\bas they stand\b": "unchanged",
    r"\bin trouble\b": "failing",
    r"\bthemself\b": "themselves",
    r"\bfrom (?:there|then) on\b|\bby then\b|\bsome at a time\b": "say when, or how many",
    r"\bto be told apart\b|\btell apart\b|\btold apart\b": "distinguish",
    r"\bwhat (?:came|comes) of it\b": "the outcome",
    r"\bwhatever (?:else|came)\b": "name it",
    r"\bwhere there is (?:one|none)\b|\bwhere (?:it|they) (?:is|are) there\b": "'if there is one'",
}
CODE = re.compile(r"`+[^`]*`+")


def paragraphs(text, first=1):
    """Yield the number of its first line and the text of each paragraph, list item, table cell and heading."""
    start, words = first, []
    for number, line in enumerate([*text.splitlines(), ""], first):
        stripped = line.strip()
        is_table = stripped.startswith("|")
        if not stripped or is_table or re.match(r"[-*#:]|\d+\. |\.\. ", stripped):
            if words:
                yield start, " ".join(words)
            start, words = number, []
        if is_table:
            yield from ((number, cell.strip()) for cell in stripped.strip("|").split(" | "))
        elif stripped:
            words.append(re.sub(r"^(?:[-*#]+|\d+\.) ", "", stripped))


def findings(units):
    for line, text in units:
        plain = CODE.sub("code", text)
        for pattern, instead in BANNED.items():
            if found := re.search(pattern, plain):
                around = plain[max(0, found.start() - 30) : found.end() + 40]
                yield f"line {line}: {found[0]!r} in {around!r}; {instead}"


def units_of(source):
    """The docstrings, texts and comments of a module, by paragraph."""
    inside = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            inside |= {id(part) for part in ast.walk(node)}
            text = "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
            yield from paragraphs(text, node.lineno)
        elif isinstance(node, ast.Constant) and id(node) not in inside and " " in str(node.value).strip():
            yield from paragraphs(str(node.value), node.lineno)
    start, words = 0, []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            start, words = start or token.start[0], [*words, token.string.lstrip("# ")]
        elif token.type != tokenize.NL and words:
            yield start, " ".join(words)
            start, words = 0, []


def modules():
    return {str(path.relative_to(PACKAGE)): path for path in sorted(PACKAGE.rglob("*.py"))}


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_page_is_in_plain_english(page):
    text = without_generated(without_code(page.read_text(encoding="utf-8")))

    assert list(findings(paragraphs(text))) == []


@pytest.mark.parametrize("name", modules())
def test_module_is_in_plain_english(name):
    assert list(findings(units_of(modules()[name].read_text(encoding="utf-8")))) == []
