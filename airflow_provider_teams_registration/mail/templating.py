"""Subject, text and HTML of a mail, rendered per person from Jinja templates."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING, Any

from airflow_provider_teams_registration.core.mail import MailKind
from airflow_provider_teams_registration.core.service_text import one_line

if TYPE_CHECKING:
    from jinja2 import BaseLoader, Template

EXTENSIONS = (".txt", ".html", ".jinja")
PARTS = ("subject", "text", "html")
_LONGEST_SUBJECT = 250
_PREFIX = "teams_registration"
"""What stands before the name of one of the package's own templates if a template extends or includes it."""


class TemplateProblem(ValueError):
    """A template cannot be used. The sentence names the template and holds nothing of any row."""


@dataclass(frozen=True)
class TemplateSource:
    """
    The Jinja source of one kind of mail.

    :param subject: the subject.
    :param text: the plain text.
    :param html: the HTML; None sends plain text alone.
    """

    subject: str
    text: str
    html: str | None = None

    @property
    def fingerprint(self) -> str:
        """A hash of the sources."""
        told = "\0".join((self.subject, self.text, self.html or ""))
        return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True)
class Rendered:
    """
    One person's mail. Its texts hold the link.

    :param subject: the subject, in one line.
    :param text: the plain text.
    :param html: the HTML, if there is any.
    """

    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class _Part:
    label: str
    source: str = field(repr=False)
    template: Template = field(repr=False)


class MailTemplates:
    """
    Renders mails. A name that is not there is an error, and HTML is escaped.

    The environment is a sandbox: a template reaches no attribute that begins with an underscore and changes nothing.

    :param sources: the sources of each kind of mail that is sent.
    :param loader: finds the templates that a template includes or extends. The package's own templates, such as
        ``teams_registration/base.html``, are found without it.
    :raises TemplateProblem: a source does not compile.
    """

    def __init__(self, sources: Mapping[MailKind, TemplateSource], loader: BaseLoader | None = None) -> None:
        self.fingerprints = {kind: source.fingerprint for kind, source in sources.items()}
        plain, escaping = (_environment(loader, autoescape) for autoescape in (False, True))
        self._parts: dict[tuple[MailKind, str], _Part] = {}
        for kind, source in sources.items():
            for part in PARTS:
                text = getattr(source, part)
                if text is not None:
                    label = argument_name(kind, part)
                    template = _compiled(escaping if part == "html" else plain, label, text)
                    self._parts[kind, part] = _Part(label, text, template)

    def render(self, kind: MailKind, values: Mapping[str, Any]) -> Rendered:
        """
        Render one person's mail.

        :param kind: the kind of mail.
        :param values: what the template may name.
        :raises TemplateProblem: a template names what is not there, or fails.
        """
        texts: dict[str, str] = {}
        for part in PARTS:
            found = self._parts.get((kind, part))
            if found is not None:
                texts[part] = _render(found, values)
        # Half of a surrogate pair cannot be sent in any encoding.
        texts = {part: text.encode("utf-8", "replace").decode() for part, text in texts.items()}
        subject = one_line(texts["subject"])[:_LONGEST_SUBJECT].strip()
        if not subject:
            raise TemplateProblem(f"The template {argument_name(kind, 'subject')} renders to an empty text.")
        return Rendered(subject, texts["text"], texts.get("html"))


def argument_name(kind: MailKind, part: str) -> str:
    """Return the operator's argument that holds a part of a kind of mail."""
    prefix = {MailKind.JOIN: "", MailKind.WAITLIST: "waitlist_", MailKind.CANCELLED: "cancel_"}[kind]
    return f"{prefix}{part}"


def default_source(kind: MailKind) -> TemplateSource:
    """Return the templates that this package brings along."""
    return TemplateSource(*(_packaged(f"{kind.value}.{ending}") for ending in ("subject.jinja", "txt", "html")))


def _packaged(name: str) -> str:
    return resources.files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


def _packaged_if_there(name: str) -> str | None:
    folder = resources.files(__package__).joinpath("templates")
    # A name with "../" in it must lead nowhere.
    return _packaged(name) if name in {one.name for one in folder.iterdir()} else None


def _environment(loader: BaseLoader | None, autoescape: bool) -> Any:
    from jinja2 import ChoiceLoader, FunctionLoader, PrefixLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Environment(ImmutableSandboxedEnvironment):
        """Lets ``row.items`` be the column of that name, and not a method of the dict."""

        def getattr(self, obj: Any, attribute: str) -> Any:
            if isinstance(obj, Mapping) and attribute in obj:
                return obj[attribute]
            return super().getattr(obj, attribute)

    return Environment(
        autoescape=autoescape,
        undefined=StrictUndefined,
        loader=ChoiceLoader(
            [PrefixLoader({_PREFIX: FunctionLoader(_packaged_if_there)}), *([loader] if loader else [])]
        ),
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable,
    )


def _printable(value: Any) -> Any:
    from jinja2 import Undefined, UndefinedError

    if callable(value) and not isinstance(value, Undefined):
        # Such as {{ row.items }} where no column is called so. Nobody wants to read the name of a method.
        raise UndefinedError
    return "" if value is None else value


def _compiled(environment: Any, label: str, source: str) -> Template:
    from jinja2 import TemplateSyntaxError

    try:
        template: Template = environment.from_string(source)
    except TemplateSyntaxError as error:
        raise TemplateProblem(f"The template {label} does not compile: line {error.lineno}: {error.message}") from None
    except RecursionError:
        raise TemplateProblem(f"The template {label} does not compile: it is nested too deeply.") from None
    return template


def _render(part: _Part, values: Mapping[str, Any]) -> str:
    problem: str | None = None
    try:
        return part.template.render(values)
    except Exception as error:
        problem = _why(error, part.source)
    # Raised out here, the error carries no frame of the template, whose variables are the person's.
    raise TemplateProblem(f"The template {part.label} {problem}")


def _why(error: Exception, source: str) -> str:
    from jinja2 import TemplateNotFound, UndefinedError
    from jinja2.exceptions import SecurityError

    if isinstance(error, UndefinedError):
        # "'x' is undefined", or "'dict object' has no attribute 'x'". A name that the author did not write may be data.
        name = str(error).replace("' is undefined", "'").rstrip("'").rpartition("'")[2]
        if name.isidentifier() and name in source:
            return f"names {name!r}, which is not there. Correct the name, or test it with 'is defined'."
        return "names a column that is not there."
    if isinstance(error, TemplateNotFound):
        return "includes a template that Airflow does not find in the DAG's template search path."
    if isinstance(error, SecurityError):
        return "does what the sandbox does not allow."
    return f"fails with {type(error).__name__}."
