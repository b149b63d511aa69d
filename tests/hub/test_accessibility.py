"""Pages against WCAG 2.2 AA as far as axe can tell, in Chromium where there is one."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

from tests.hub.browsers import FLAGS, chromium
from tests.hub.conftest import Browser
from tests.hub.releases import P1

STATIC = Path(__file__).parents[2] / "hub" / "static"
AXE = Path(__file__).parent / "vendored" / "axe.min.js"
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
RUN = """
axe.run(document, {runOnly: RULES}).then(function (found) {
  var said = found.violations.map(function (v) { return v.id + ": " + v.nodes[0].html.slice(0, 200); });
  var out = document.createElement("pre");
  out.id = "axe-found";
  out.textContent = JSON.stringify({violations: said, passes: found.passes.length});
  document.body.appendChild(out);
});
""".replace("RULES", json.dumps(RULES))

pytestmark = pytest.mark.heavy


def violations(page: str, folder: Path, *, of_the_hub: bool = True) -> list[str]:
    """What axe finds in a page, opened from a file; one that the hub served, with the styles of the hub."""
    styles = f"<style>{(STATIC / 'hub.css').read_text(encoding='utf-8')}</style>" if of_the_hub else ""
    page = re.sub(r"<script[^>]*></script>|<link[^>]*>", "", page).replace("</head>", f"{styles}</head>")
    scripts = f"<script>{AXE.read_text(encoding='utf-8')}</script><script>{RUN}</script>"
    file = folder / "page.html"
    file.write_text(page.replace("</body>", f"{scripts}</body>"), encoding="utf-8")
    command = [
        chromium(),
        "--headless",
        "--no-sandbox",
        *FLAGS,
    ]
    done = subprocess.run(
        [
            *command,
            f"--user-data-dir={folder}/profile",
            "--virtual-time-budget=20000",
            "--dump-dom",
            file.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    said = re.search(r'<pre id="axe-found">(.*?)</pre>', done.stdout, re.DOTALL)
    assert said, "axe did not come to its end"
    found = json.loads(unescape(said[1]))
    assert found["passes"] > 0
    return found["violations"]


def test_axe_sees_what_is_wrong(tmp_path: Path) -> None:
    wrong = (
        "<!doctype html><html lang='en'><head><title>x</title></head><body><input><img src='x'></body></html>"
    )
    assert {
        v.split(":")[0] for v in violations(wrong.replace("<input>", "<p>x</p>" * 3 + "<input>"), tmp_path)
    } >= {
        "image-alt",
        "label",
    }


@pytest.mark.parametrize(
    ("role", "path"),
    [
        ("oversight", "/"),
        ("oversight", "/lists"),
        ("oversight", f"/persons/{P1}"),
        ("second_reviewer", f"/persons/{P1}"),
        ("reviewer", "/identities"),
        ("reviewer", "/search"),
        ("oversight", "/statistics"),
        ("oversight", "/scorecards"),
        ("national_analyst", "/sql"),
        ("oversight", "/oversight"),
        ("force_submitter", "/returns"),
        ("force_submitter", "/sign-off"),
        ("national_analyst", "/alerts"),
        ("oversight", "/oversight/cases"),
        ("administrator", "/users"),
    ],
)
def test_no_page_breaks_a_rule(browser: Callable[..., Browser], tmp_path: Path, role: str, path: str) -> None:
    assert violations(browser(role).get(path).text, tmp_path) == []
