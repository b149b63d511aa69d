"""What a page of a release links to and fetches, and whether it can be read aloud."""

from __future__ import annotations

from html.parser import HTMLParser


class Page(HTMLParser):
    """What a page links to or fetches, and whether its tables can be read aloud."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.n = {"table": 0, "caption": 0, "h1": 0, "figure": 0}
        self.unlabelled = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = dict(attrs)
        if tag in self.n:
            self.n[tag] += 1
        if tag == "a":
            self.links.append(of["href"] or "")
        if tag in ("link", "script", "img", "iframe") or of.get("src"):
            self.fetched.append(tag)
        self.unlabelled += tag == "figure" and not of.get("aria-label")
