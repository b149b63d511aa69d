"""What every page is held to in the browser."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.hub.test_accessibility import AXE, RULES


def broken_on(page: Page, where: str) -> list[str]:
    """What axe finds against WCAG 2.2 AA on the page as it stands, and whether it is wider than the window."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    broken = page.evaluate(
        "rules => axe.run(document, {runOnly: rules}).then("
        "r => r.violations.map(v => v.id + ': ' + v.nodes[0].html.slice(0, 160)))",
        list(RULES),
    )
    size = page.evaluate("() => [document.documentElement.scrollWidth, window.innerWidth]")
    wide = [f"{size[0]} px wide on {size[1]}"] if size[0] > size[1] else []
    return [f"{where}: {said}" for said in [*broken, *wide]]
