"""
Collections that come in pages.

Service page: https://learn.microsoft.com/graph/paging
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import urljoin, urlsplit

from airflow_provider_teams_registration.exceptions import ServiceFailure
from airflow_provider_teams_registration.graph.address import same_origin
from airflow_provider_teams_registration.graph.shapes import Reader, Unreadable, an_object, objects, text

T = TypeVar("T")

NEXT_LINK = "@odata.nextLink"
MAX_PAGES = 10_000
"""Pages that a collection may have: 100,000 people, which no event holds, ten to a page."""
MAX_EMPTY_PAGES = 100
"""Pages without an item that may follow one another. Graph may send a few where it filters behind the scenes."""


@dataclass(frozen=True)
class Page(Generic[T]):
    """
    One page of a collection.

    :param items: what it lists, which may be nothing.
    :param next_link: where the next page is, as the service says it; None on the last one.
    """

    items: Sequence[T] = field(repr=False)
    next_link: str | None = field(repr=False)


def page_of(read_item: Reader[T]) -> Reader[Page[T]]:
    """
    Return the reader of a page.

    :param read_item: the reader of an item.
    """

    def read(body: Any) -> Page[T]:
        listed = objects(body)
        next_link = None
        if not is_last_page(body):
            next_link = text(body, NEXT_LINK)
            _refuse_no_link(next_link)
        return Page([read_item(item) for item in listed], next_link)

    return read


def is_last_page(body: Any) -> bool:
    """
    Return whether a collection ends with a page, so that what is not on it is not there.

    :param body: the body of the page.
    """
    return an_object(body).get(NEXT_LINK) is None


def read_pages(
    read_page: Callable[[str], Page[T]], first: str, *, max_pages: int = MAX_PAGES, max_empty: int = MAX_EMPTY_PAGES
) -> Iterator[T]:
    """
    Read a collection through all its pages, empty ones in between included.

    :param read_page: reads the page at an address. The stop signal is heard there, before each page.
    :param first: the first page's address.
    :param max_pages: pages that the collection may have.
    :param max_empty: pages without an item that may follow one another.
    :return: the items, one by one.
    :raises ServiceFailure: a next link leads to another host or in a circle, or the pages do not end.
    :raises TeamsRegistrationError: a page cannot be read.
    """
    url: str | None = first
    seen: set[str] = set()
    empty_in_a_row = 0
    while url is not None:
        seen.add(url)
        page = read_page(url)
        next_link = page.next_link
        empty_in_a_row = 0 if page.items else empty_in_a_row + 1
        yield from page.items
        # Nobody stands in this frame when the next page fails.
        del page
        url = None if next_link is None else _following(url, next_link, seen)
        if url is not None and (len(seen) >= max_pages or empty_in_a_row >= max_empty):
            raise ServiceFailure(200, "nextLink", f"The pages do not end: {len(seen)} of them were read.")


def _following(url: str, link: str, seen: set[str]) -> str:
    following = urljoin(url, link)
    if not same_origin(following, url):
        raise ServiceFailure(200, "nextLink", "The next page lies on another host; the token stays here.")
    if following in seen:
        raise ServiceFailure(200, "nextLink", "The pages lead in a circle.")
    return following


def _refuse_no_link(link: str) -> None:
    """
    Refuse what is no link that a request can go to.

    :raises Unreadable: it is none.
    """
    try:
        parts = urlsplit(link)
        is_link = parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        is_link = False
    if not is_link or not link.isprintable():
        raise Unreadable(f"{NEXT_LINK} is no link")
