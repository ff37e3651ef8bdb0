"""The files of the page: whole, from here alone, and every text in two languages."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from harness.studio import files, pages
from harness.studio.app import create
from harness.studio.hub import Hub

FOLDER = Path(pages.__file__).with_name("static")
SCRIPTS = sorted(path for path in FOLDER.rglob("*.js") if "vendor" not in path.parts)
KEY = re.compile(r"""(?<![\w.])t\(\s*["'`]([a-z_]+\.[\w.]+)["'`]""")
PART = re.compile(r"""(?<![\w.])t\(\s*`([a-z_]+\.[\w.]*)\$\{""")
NAMED = re.compile(r"""["'`]([a-z_]+\.[\w.]+)["'`]""")
MARKUP = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|dangerouslySet|createContextualFragment"
    r"|\beval\(|new Function"
)
CHINESE = re.compile(r"[\u4e00-\u9fff]")
VENDORED = {"preact.js": "72284e8e9079c87817145df1110f74e8a2aa040b2fc384922e18dfcb46fc1fd7"}


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(create(Hub(), {}), base_url="http://127.0.0.1")


def test_what_is_not_ours_is_as_it_was_released_and_its_licences_stand_beside_it() -> None:
    there = {path.name: sha256(path.read_bytes()).hexdigest() for path in (FOLDER / "vendor").glob("*.js")}
    assert there == VENDORED
    said = (FOLDER / "vendor" / "LICENSES.txt").read_text(encoding="utf-8")
    assert all(name in said for name in VENDORED)


def test_every_text_has_both_languages_and_the_same_places_to_fill() -> None:
    for key, both in files.texts().items():
        assert set(both) == {"zh", "en"}, key
        assert all(both.values()), key
        places = [sorted(re.findall(r"\{\w+\}", one)) for one in both.values()]
        assert places[0] == places[1], key


def test_every_text_that_is_asked_for_is_there_and_every_text_is_asked_for() -> None:
    source = {path: path.read_text(encoding="utf-8") for path in SCRIPTS}
    texts = files.texts()
    asked = {key for text in source.values() for key in KEY.findall(text)}
    assert sorted(asked - set(texts)) == []
    begun = tuple({part for text in source.values() for part in PART.findall(text)})
    named = {key for text in source.values() for key in NAMED.findall(text)}
    assert sorted(key for key in texts if key not in named and not key.startswith(begun)) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_writes_markup_of_its_own_asks_elsewhere_or_speaks_without_the_texts(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|dangerouslySet|\beval\(|new Function", source
    )
    assert not re.search(r"https?://(?!www\.w3\.org/)", source)
    assert not CHINESE.search(re.sub(r"^\s*(//|\*|/\*).*$", "", source, flags=re.MULTILINE))


def test_the_page_and_its_files_are_served_with_strict_rules(client: TestClient) -> None:
    shell = client.get("/")
    assert shell.status_code == 200
    assert "script-src 'self'" in shell.headers["content-security-policy"]
    assert "unsafe" not in shell.headers["content-security-policy"]
    for path in re.findall(r'(?:src|href)="([^"]+)"', shell.text):
        assert client.get(path).status_code == 200, path
    assert client.get("/static/vendor/preact.js").headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/texts/shell.json", "/static/", "/x"]
)
def test_nothing_but_the_files_of_the_page_is_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_foreign_page_gets_nothing(client: TestClient) -> None:
    assert client.get("/texts.json", headers={"origin": "http://evil.example"}).status_code == 403
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400
