"""One signed manifest covers every file of a report; `report verify` names what is wrong, and blames whom to blame."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from harness.trace import read
from harness.trace.record import TraceFile
from harness.verdicts import manifest
from tests.kit.cards import SSSE, VERIFY, Card, new_card
from tests.unit.harness.cli.test_cli import run

FILES = {"report.json", "junit.xml", "report.html", "trace.jsonl", "trace.html", "manifest.json", "manifest.sig"}


def pem(key: Ed25519PrivateKey) -> tuple[bytes, bytes]:
    """Private and public key."""
    return (
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    )


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    private, public = tmp_path / "key.pem", tmp_path / "key.pub"
    for path, data in zip((private, public), pem(Ed25519PrivateKey.generate()), strict=True):
        path.write_bytes(data)
    return private, public


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """A session with everything in it, secrets and values too."""
    path = tmp_path / "session.jsonl"
    with TraceFile(path, show_secrets=True, personal_data=True) as written:
        card = Card(new_card().chip)
        card.chip.observer = written.slot(0, card.chip.image)
        card.chip.power_on()
        for command in (SSSE, "00C0000020", VERIFY, "00B207280B"):
            card.send(command)
        card.chip.power_off()
    return path


@pytest.fixture
def signed(tmp_path: Path, trace: Path, keys: tuple[Path, Path]) -> Path:
    """A terminal's report."""
    folder = tmp_path / "report"
    run("monitor", str(trace), "--report", str(folder), "--sign", str(keys[0]), expect=1)
    return folder


def refused(folder: Path, *more: str) -> str:
    """What `report verify` says of it."""
    return run("report", "verify", str(folder), *more, expect=1).stderr


def test_a_whole_report_is_told_to_be_whole(signed: Path, keys: tuple[Path, Path]) -> None:
    assert {one.name for one in signed.iterdir()} == FILES
    told = run("report", "verify", str(signed), "--key", str(keys[1])).stdout
    assert re.search(r"every file .* signed by the key you named \(fingerprint [0-9a-f]{64}\)", told)
    assert "whoever has it" in run("report", "verify", str(signed)).stdout


@pytest.mark.parametrize("name", sorted(FILES - {"manifest.sig"}))
def test_an_altered_file_is_named(signed: Path, name: str) -> None:
    path = signed / name
    path.write_bytes(path.read_bytes().replace(b"a", b"b", 1))
    assert f"{name} " in refused(signed)
    assert "altered" in refused(signed)


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_missing_file_is_named(signed: Path, name: str) -> None:
    (signed / name).unlink()
    assert f"{name} is missing" in refused(signed)


def test_an_added_file_and_a_link_are_named(signed: Path, tmp_path: Path) -> None:
    (signed / "more.html").write_text("all passed", encoding="utf-8")
    (signed / "junit.xml").rename(tmp_path / "junit.xml")
    (signed / "junit.xml").symlink_to(tmp_path / "junit.xml")
    told = refused(signed)
    assert "more.html was added" in told
    assert "junit.xml is missing" in told


def test_a_manifest_made_anew_is_not_the_signed_one(signed: Path) -> None:
    (signed / "report.html").write_text("all passed", encoding="utf-8")
    path = signed / "manifest.json"
    table = json.loads(path.read_text())
    table["files"]["report.html"] = sha256(b"all passed").hexdigest()
    path.write_text(json.dumps(table, indent=1) + "\n")
    assert "the signature is not right" in refused(signed)


def changed(field: str, change: Callable[[str], object]) -> Callable[[str], str]:
    """A signature file with one field changed."""

    def act(text: str) -> str:
        table = json.loads(text)
        return json.dumps({**table, field: change(table[field])})

    return act


SPOILT: dict[str, Callable[[str], str]] = {
    "no algorithm": changed("algorithm", lambda _: "none"),
    "another algorithm": changed("algorithm", lambda _: "ED25519"),
    "garbage in base64": changed("signature", lambda text: text[:8] + "!\n*" + text[8:]),
    "base64 that goes on": changed("signature", lambda text: text + "AAAA"),
    "a cut signature": changed("signature", lambda text: text[:-4]),
    "a number": changed("signature", lambda _: 7),
    "another signature": changed("signature", lambda _: base64.b64encode(bytes(64)).decode()),
    "no key": changed("public_key", lambda _: "none"),
    "a key twice": lambda text: text.replace('"algorithm"', '"algorithm": "none", "algorithm"'),
    "one field more": lambda text: text.replace("{", '{"note": "all well",', 1),
    "no JSON": lambda text: text + "}",
    "a list": lambda _: "[]",
    "nothing": lambda _: "",
    "far too long": lambda text: text + " " * (2 << 20),
}


@pytest.mark.parametrize("kind", SPOILT)
def test_a_signature_is_taken_strictly(signed: Path, kind: str) -> None:
    path = signed / "manifest.sig"
    path.write_text(SPOILT[kind](path.read_text()))
    assert "manifest.sig" in refused(signed)


def test_the_key_is_blamed_and_not_the_folder(signed: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    other = tmp_path / "other.pub"
    other.write_bytes(pem(Ed25519PrivateKey.generate())[1])
    assert refused(signed, "--key", str(other)).startswith(f"sscard: {other}: not the key that signed")
    for wrong in (keys[0], signed / "report.json", tmp_path / "nowhere"):
        assert refused(signed, "--key", str(wrong)).startswith(f"sscard: {wrong}: ")


def test_an_unsigned_report_is_told_to_be_unsigned(trace: Path, signed: Path) -> None:
    run("monitor", str(trace), "--report", str(signed), expect=1)
    assert "not signed" in refused(signed), "an older signature went"


def test_a_bad_key_is_found_before_anything_is_written(trace: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.pem"
    curve = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for data in (b"no key", curve):
        bad.write_bytes(data)
        for command in (["monitor", str(trace)], ["vectors", "run"], ["scenarios", "run"]):
            told = run(*command, "--report", str(tmp_path / "new"), "--sign", str(bad), expect=1)
            assert str(bad) in told.stderr
            assert told.stdout == "", "nothing was run"
            assert not (tmp_path / "new").exists()


def test_a_key_without_a_report_is_an_error(trace: Path, keys: tuple[Path, Path]) -> None:
    for command in (["monitor", str(trace)], ["vectors", "run"], ["scenarios", "run"]):
        assert "--sign needs --report" in run(*command, "--sign", str(keys[0]), expect=2).stderr


def test_a_signed_report_has_a_folder_of_its_own(trace: Path, tmp_path: Path, keys: tuple[Path, Path]) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/notes.txt").touch()
    told = run("monitor", str(trace), "--report", str(tmp_path / "full"), "--sign", str(keys[0]), expect=1)
    assert "notes.txt" in told.stderr


def test_a_report_names_its_session(signed: Path, trace: Path) -> None:
    session = json.loads((signed / "report.json").read_text(encoding="utf-8"))["session"]
    assert session["sha256"] == sha256(trace.read_bytes()).hexdigest()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", session["date"])
    assert session["cards"] == ["3B6D00000081544C908684510100000000"]
    assert session["commands"] == sum(one.kind == "apdu" for one in read.events(trace))
    assert session["sha256"] in (signed / "report.html").read_text(encoding="utf-8")


def test_the_trace_beside_a_report_holds_neither_secrets_nor_values(signed: Path, trace: Path) -> None:
    records = new_card().chip.image.memory.records("SSSE/EF05")
    number = next(one[2:].hex().upper() for one in records if one[0] == 0x07)
    whole, copy = trace.read_text(), (signed / "trace.jsonl").read_text()
    assert number in whole
    assert VERIFY in whole
    assert number not in copy
    assert VERIFY not in copy
    assert [one.kind for one in read.events(signed / "trace.jsonl")] == [one.kind for one in read.events(trace)]
    assert "SELECT" in run("trace", "show", str(signed / "trace.jsonl")).stdout


def test_the_page_of_the_trace_is_of_the_masked_one(signed: Path, tmp_path: Path) -> None:
    run("trace", "html", str(signed / "trace.jsonl"), "-o", str(tmp_path / "again.html"))
    again = (tmp_path / "again.html").read_text(encoding="utf-8")
    assert (signed / "trace.html").read_text(encoding="utf-8") == again


def signature(folder: Path, key: Ed25519PrivateKey) -> None:
    """The folder's manifest signed anew, as its text describes."""
    public = pem(key)[1].decode()
    over = base64.b64encode(key.sign((folder / "manifest.json").read_bytes())).decode()
    (folder / "manifest.sig").write_text(json.dumps({"algorithm": "ed25519", "public_key": public, "signature": over}))


def test_the_signers_fingerprint_stands_in_the_report_and_is_the_one_that_openssl_gives(
    signed: Path, keys: tuple[Path, Path]
) -> None:
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-in", str(keys[1]), "-outform", "DER"], check=True, capture_output=True
    ).stdout
    fingerprint = sha256(der[-32:]).hexdigest()
    stated = json.loads((signed / "report.json").read_text(encoding="utf-8"))["signer"]
    assert stated == {"algorithm": "ed25519", "fingerprint": fingerprint}
    assert fingerprint in run("report", "verify", str(signed)).stdout


def test_openssl_finds_the_signature_right(signed: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    """A recipient needs no program of ours to check it."""
    stated = json.loads((signed / "manifest.sig").read_text(encoding="utf-8"))
    (tmp_path / "sig").write_bytes(base64.b64decode(stated["signature"]))
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(keys[1]), "-rawin"]
    files = ["-sigfile", str(tmp_path / "sig"), "-in", str(signed / "manifest.json")]
    assert subprocess.run([*command, *files], check=False, capture_output=True).returncode == 0
    (signed / "manifest.json").write_bytes((signed / "manifest.json").read_bytes() + b" ")
    assert subprocess.run([*command, *files], check=False, capture_output=True).returncode != 0


def test_a_report_that_another_signs_anew_is_refused(signed: Path) -> None:
    signature(signed, Ed25519PrivateKey.generate())
    assert "it was signed anew" in refused(signed)


def test_a_report_whose_signature_was_taken_away_says_who_had_signed(signed: Path) -> None:
    (signed / "manifest.sig").unlink()
    fingerprint = json.loads((signed / "report.json").read_text(encoding="utf-8"))["signer"]["fingerprint"]
    told = run("report", "show", str(signed), expect=1).stderr
    assert "manifest.sig is missing" in told
    assert fingerprint in told


def test_what_is_no_text_is_in_the_manifest_too(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    manifest.write(manifest.Goal(tmp_path / "r", key), {"page.pdf": b"%PDF-1.7\n\xe2\xe3", "a.txt": "a\r\n"})
    assert manifest.verify(tmp_path / "r", None, frozenset()).public_bytes_raw() == key.public_key().public_bytes_raw()
    assert (tmp_path / "r" / "a.txt").read_bytes() == b"a\r\n"
    (tmp_path / "r" / "page.pdf").write_bytes(b"%PDF-1.7\n\xe2\xe4")
    with pytest.raises(manifest.ReportError, match=r"page\.pdf was altered"):
        manifest.verify(tmp_path / "r", None, frozenset())
