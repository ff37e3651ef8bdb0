"""What a card is made of, found by asking: applications, files, records, and the ways in which they answer.

Nothing is taken from a layout but names and where to look first: a file that no layout has is found as one that all
have. Each ``script`` begins with a reset, so that a twin can be asked the same in the same order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from emulator import ber
from emulator.apdu.command import CommandAPDU
from emulator.apdu.instructions.binary import ReadBinary
from emulator.apdu.instructions.records import ReadRecord
from emulator.apdu.instructions.select import ANY, CHILD, EF, Select
from emulator.apdu.status import SW
from emulator.errors import CardFailure, ErrorKind
from emulator.messages import _
from harness.learning import known, shapes
from harness.learning.known import HOME, IDENTIFICATION_TAG, ISSUER, ROOT, SHORTEST_NAME, VERSION_TAG
from harness.learning.observation import Built, Way
from harness.learning.prober import Answer, Prober

NOBODY = b"\xf0SSCARD\x00"
"""A name that nothing has: a card that finds it says yes to everything."""
NOWHERE = 0x5E5E
SFIS = range(1, 31)
MOST_RECORDS = 254
LIST = bytes.fromhex("D156000005")
"""Of which all applications of the family have names that begin so: SELECT of the next one tells them all."""
MOST_LISTED = 24
OWN_DFS = range(0xDF01, 0xDF10)
DEEP_DFS = range(0xDF00, 0xE000)
CHUNK = 256
LARGEST = 32767
NAME_TAG, TEMPLATE, PROPRIETARY, DIRECTORY_TAG, DISCRETIONARY = 0x84, 0x6F, 0xA5, 0x88, 0x73
ALGORITHM = 0x9F0C
WAYS = ("number-sfi", "tag-sfi", "number-current", "tag-current", "last", "next", "previous", "to-last", "from-last")
"""In which a record can be addressed: by its number or its tag, by SFI or in the current EF; and the further modes."""


OF_A_PSAM = b"sx3."
"""How the environments of terminals' own cards are called. [S: part9:9.1, prog-huada-usb]"""
PSAM_FOR_SM4 = bytes.fromhex("7378332E73682EC9E7BBE1B1A3D5CF")
"""sx3.sh.社会保障 in GBK, as terminals select a PSAM's environment for SM4. [1: reference:field]"""
SW_TOO_LONG, LONGEST_LE = 0x6C00, 0xFF


def tells_of_rights(sw: int) -> bool:
    """False for a refusal that is of the command itself, whatever rights were won."""
    return sw >> 8 in (0x69, 0x63, 0x93, 0x94) and sw not in (SW.COMMAND_INCOMPATIBLE, SW.NO_CURRENT_EF)


class NoSocialSecurityCard(CardFailure, RuntimeError):
    """The card in the reader is another one, or answers nothing that makes sense: what it seems to be."""

    kind = ErrorKind.REFUSED


@dataclass(slots=True)
class Application:
    """A DF as found. ``fci`` raw; ``ways`` that select it; ``entering``: the commands that make it current."""

    name: str
    parent: str
    known: bool
    fid: int | None = None
    dfname: bytes = b""
    fci: bytes = b""
    sw: int = 0
    ways: list[Way] = field(default_factory=list)
    entering: tuple[bytes, ...] = ()

    @property
    def open(self) -> bool:
        """True where it can be looked into."""
        return self.sw == SW.OK

    def objects(self, *tags: int) -> bytes | None:
        """What the FCI has under tags, one within another; None where it has not."""
        value: bytes | None = self.fci
        for tag in (TEMPLATE, *tags):
            try:
                value = dict(ber.objects(value or b"")).get(tag)
            except ValueError:
                return None
        return value

    @property
    def algorithm(self) -> int | None:
        """The number under 9F0C, None without one."""
        told = self.objects(PROPRIETARY, ALGORITHM)
        try:
            return dict(ber.objects(told))[0x86][0] if told else None
        except (ValueError, KeyError, IndexError):
            return None


@dataclass(slots=True)
class File:
    """An EF as found. ``opened``: by which rights reading was tried, and whether it was granted. ``words``: what was
    answered to a record and to bytes, without rights.
    """

    path: str
    sfi: int
    fid: int | None = None
    structure: Built = ""
    record_word: int = 0
    binary_word: int = 0
    first: bytes = b""
    """Its first record, where that was given without rights."""
    opened: dict[frozenset[str], bool] = field(default_factory=dict)
    records: list[bytes] | None = None
    content: bytes | None = None
    whole: bool = True
    addressings: dict[str, str] = field(default_factory=dict)
    how: list[str] = field(default_factory=list)

    @property
    def application(self) -> str:
        """Returns the application that it lies in."""
        return self.path.partition("/")[0]

    @property
    def read(self) -> bool:
        """True where its content is at hand."""
        return self.records is not None or self.content is not None


@dataclass(slots=True)
class Found:
    """All that was found."""

    applications: dict[str, Application] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    counters: dict[str, str] = field(default_factory=dict)
    not_seen: list[tuple[str, str]] = field(default_factory=list)
    absent: int = SW.FILE_NOT_FOUND
    """What an SFI that no file has is answered by."""
    select_ef: int = EF
    """P1 by which SELECT finds an EF."""
    asking_is_free: bool = True
    """VERIFY without data may be sent: it was not seen to cost a try, and three are left or none is counted."""

    @property
    def version(self) -> str:
        """Of the specification, as the card says; empty where it does not."""
        told = self._issuers(VERSION_TAG)
        text = told.rstrip(b"\0").decode("ascii", "replace")
        return text if text.replace(".", "").isalnum() and len(text) <= 8 else ""

    @property
    def identification(self) -> bytes:
        """The card identification code; empty where it was not read."""
        return self._issuers(IDENTIFICATION_TAG)

    def _issuers(self, tag: int) -> bytes:
        file = self.files.get(ISSUER)
        return next((one[2:] for one in (file.records if file else None) or () if one[:1] == bytes((tag,))), b"")

    @property
    def algorithm(self) -> str:
        """``3des`` or ``sm4``; empty where the card names another. A card that names none has 3DES, terminals say.
        [1: reference:card §2]
        """
        home = self.applications.get(HOME)
        code = home.algorithm if home else None
        return {None: "3des", 1: "3des", 3: "sm4"}.get(code, "")


class Explorer:
    """Asks one card: ``environment`` first, then ``structure``. ``identification``: the card's code, once known."""

    def __init__(self, prober: Prober, *, deep: bool = False) -> None:
        self.prober = prober
        self.deep = deep
        self.found = Found()
        self.le: int | None = 0
        self.binary_le: int | None = None
        self.identification = b""
        self.by_sfi = True
        """READ RECORD by SFI and number works; where it does not, files are selected first."""
        self._strangers: list[bytes] = []

    def structure(self) -> Found:
        """Applications, files and what can be read without rights, once the environment was found. PcscError,
        Endless.
        """
        self._applications_by_name()
        self._listed()
        self._applications_by_id()
        self._moved_applications()
        self._strange_applications()
        for application in list(self.found.applications.values()):
            if application.open:
                self._files(application)
        self._settle_files()
        for application in list(self.found.applications.values()):
            if application.open:
                self._contents(application, frozenset())
        return self.found

    # --- applications --------------------------------------------------------------------------------------------

    def environment(self) -> None:
        """That there is the environment, and that the card does not say yes to everything. NoSocialSecurityCard,
        PcscError, Endless.
        """
        self.prober.reset()
        spec = known.applications()[HOME].spec
        way: Way = "name"
        entering: tuple[bytes, ...] = (bytes(Select.command(spec.dfname)),)
        named = answer = self.prober.ask("select/SSSE/name", Select.command(spec.dfname), shapes.fci)
        if not answer.ok:
            way, entering = (
                "id",
                (bytes(Select.by_id(known.applications()[ROOT].spec.fid)), bytes(Select.by_id(spec.fid))),
            )
            answer = self._home_by_id(entering)
        if not answer.ok:
            raise NoSocialSecurityCard(self._what_it_is(named))
        control = self.prober.ask("select/nobody", Select.command(NOBODY), shapes.fci)
        if control.ok:
            raise NoSocialSecurityCard(
                _(
                    "the card answers 9000 to the selection of a name that nothing has: what it says cannot be learned"
                    " from"
                )
            )
        self._enter_app(HOME, ROOT, answer, dfname=spec.dfname if way == "name" else b"", way=way, entering=entering)
        self._how_lengths_are_asked()
        self._not_a_psam()

    def _not_a_psam(self) -> None:
        """A terminal's own card has an environment of the same name, and under its other name too, but no file of an
        issuer. [S: part9:5, prog-huada-usb]
        """
        told = [one.sw for one in self.prober.asked if one.probe.startswith("length/")]
        if set(told) == {f"{SW.FILE_NOT_FOUND:04X}"} and self.prober.go(Select.command(PSAM_FOR_SM4)).ok:
            raise NoSocialSecurityCard(_("the card is a terminal's own card (PSAM)"))

    def _home_by_id(self, entering: tuple[bytes, ...]) -> Answer:
        """The environment by its file id, where its name does not select it: told by its name in the FCI, or by what
        its first file begins with.
        """
        answer = Answer(b"", 0)
        for command in entering:
            answer = self.prober.go(command)
        name = Application(HOME, ROOT, True, fci=answer.data).objects(NAME_TAG) or b""
        if answer.ok and name == known.applications()[HOME].spec.dfname:
            return answer
        if name.startswith(OF_A_PSAM):
            return Answer(b"", int(SW.FILE_NOT_FOUND))
        first = self.prober.go(ReadRecord.command(int(ISSUER[-2:], 16), number=1))
        mine = first.gave and shapes.is_tlv(first.data) and first.data[0] == IDENTIFICATION_TAG
        return answer if answer.ok and mine else Answer(b"", answer.sw if not answer.ok else int(SW.FILE_NOT_FOUND))

    def _how_lengths_are_asked(self) -> None:
        """Le by which this card gives a whole record: 00 as a rule, else FF, else none at all."""
        self.prober.reset()
        self.enter(self.found.applications[HOME])
        sfi = int(ISSUER[-2:], 16)
        for le in (0x00, 0xFF, None):
            command = self.with_le(ReadRecord.command(sfi, number=1), le)
            answer = self.prober.ask(f"length/{'absent' if le is None else f'{le:02X}'}", command, self.shape(ISSUER))
            if answer.gave:
                self.le = le
                if shapes.is_tlv(answer.data) and answer.data[0] == IDENTIFICATION_TAG:
                    self.identification = answer.data[2:]
                return

    @staticmethod
    def with_le(command: CommandAPDU, le: int | None) -> bytes:
        """A command with this Le, or with none."""
        return command.header + (b"" if le is None else bytes((le,)))

    def record(self, sfi: int, number: int = 1) -> bytes:
        """READ RECORD as this card gives a whole one."""
        return self.with_le(ReadRecord.command(sfi, number=number), self.le)

    def binary(self, sfi: int, offset: int = 0) -> bytes:
        """READ BINARY of as much as this card gives at once."""
        return self.with_le(ReadBinary.command(sfi, offset), self.le if self.binary_le is None else self.binary_le)

    def _what_it_is(self, answer: Answer) -> str:
        """Why a card without the environment is not learned."""
        if answer.sw in (SW.FUNCTION_NOT_SUPPORTED, SW.APPLICATION_BLOCKED, SW.APPLICATION_BLOCKED_TEMPORARILY):
            return _("the card is blocked: SELECT of the social security environment answered {sw}").format(
                sw=answer.word
            )
        others = {
            PSAM_FOR_SM4.hex(): _("a terminal's own card (PSAM)"),
            "315041592E5359532E4444463031": _("a bank card"),
            "504B492EC9E7BBE1B1A3D5CF": _("a card with certificates alone"),
        }
        for name, what in others.items():
            if self.prober.go(Select.command(bytes.fromhex(name))).ok:
                return _(
                    "the card has no social security environment (SELECT answered {sw}): it seems to be {what}"
                ).format(sw=answer.word or "-", what=what)
        return _("the card has no social security environment: SELECT answered {sw}").format(sw=answer.word or "-")

    def _enter_app(
        self,
        name: str,
        parent: str,
        answer: Answer,
        *,
        way: Way,
        entering: tuple[bytes, ...],
        dfname: bytes = b"",
        fid: int | None = None,
    ) -> Application:
        """Takes an answer to SELECT down: a new application, or one more way to a known one."""
        one = self.found.applications.get(name)
        if one is None:
            one = Application(name, parent, name in known.applications(), sw=answer.sw, fci=answer.data)
            one.entering = entering
            self.found.applications[name] = one
        one.dfname = one.dfname or dfname or one.objects(NAME_TAG) or b""
        one.fid = one.fid if fid is None else fid
        if way not in one.ways:
            one.ways.append(way)
        return one

    @staticmethod
    def _is_there(answer: Answer) -> bool:
        """True for a DF that is current now, blocked or not."""
        return answer.sw in (SW.OK, SW.APPLICATION_BLOCKED_TEMPORARILY, SW.APPLICATION_BLOCKED)

    def _applications_by_name(self) -> None:
        self.prober.reset()
        for name, one in known.applications().items():
            ways: tuple[tuple[Way, bytes], ...] = (("name", one.spec.dfname), ("label", one.label))
            for way, dfname in ways:
                if not SHORTEST_NAME <= len(dfname) <= 16 or (name == HOME and way == "name"):
                    continue
                command = Select.command(dfname)
                answer = self.prober.ask(f"select/{name}/{way}", command, shapes.fci)
                if self._is_there(answer):
                    told = dfname if way == "name" else b""
                    self._enter_app(name, one.spec.parent, answer, dfname=told, way=way, entering=(bytes(command),))

    def _listed(self) -> None:
        """Names that begin as all of the family's do, one after another; those that no layout has are kept."""
        self.prober.reset()
        ours = {one.spec.dfname for one in known.applications().values()}
        names: list[bytes] = []
        for number in range(MOST_LISTED):
            command = Select.command(LIST, following=bool(number))
            answer = self.prober.ask(f"list/{number:02d}", command, shapes.fci)
            name = Application("", "", False, fci=answer.data).objects(NAME_TAG)
            if not answer.ok or not name or name in names:
                break
            names.append(name)
        self._strangers += [name for name in names if name not in ours]

    def _parents(self) -> Iterator[tuple[str, Iterable[int]]]:
        """Where DFs are looked for by their ids, and which."""
        specs = [one.spec for one in known.applications().values()]
        for parent in dict.fromkeys(spec.parent for spec in specs if spec.parent):
            wanted = [spec.fid for spec in specs if spec.parent == parent]
            more = OWN_DFS if parent == HOME else ()
            yield parent, dict.fromkeys((*wanted, *more, *(DEEP_DFS if self.deep else ())))

    def _applications_by_id(self) -> None:
        """DFs by file id, from the DF that they lie in."""
        self.prober.reset()
        answer = self.prober.ask("select/MF/id", Select.by_id(known.applications()[ROOT].spec.fid), shapes.fci)
        if self._is_there(answer):
            root = bytes(Select.by_id(known.applications()[ROOT].spec.fid))
            self._enter_app(ROOT, "", answer, way="id", fid=known.applications()[ROOT].spec.fid, entering=(root,))
        by_place = {(one.spec.parent, one.spec.fid): name for name, one in known.applications().items()}
        for parent, fids in self._parents():
            home = self.found.applications.get(parent)
            if home is None or not home.open:
                continue
            self.prober.reset()
            for fid in fids:
                self.enter(home)
                # A DF as a child of the current one, so that no EF of this id is taken for it.
                command = Select.by_id(fid, CHILD)
                name = by_place.get((parent, fid), "")
                answer = self.prober.ask(f"select/{name or f'{parent}-{fid:04X}'}/id", command, shapes.fci)
                if self._is_there(answer):
                    self._by_id(parent, home, fid, name, bytes(command), answer)

    def _moved_applications(self) -> None:
        """Applications that their names select and their usual ids do not, though others' do: anywhere on the page."""
        by_id = [one for one in self.found.applications.values() if one.fid is not None and one.parent]
        for one in list(self.found.applications.values()):
            spec = known.applications()[one.name].spec if one.known else None
            home = self.found.applications.get(one.parent)
            if not by_id or spec is None or one.fid is not None or home is None or not home.open:
                continue
            self.prober.reset()
            for low in range(0x100):
                fid = spec.fid & 0xFF00 | low
                self.enter(home)
                command = Select.by_id(fid, CHILD)
                answer = self.prober.ask(f"select/{one.parent}-{fid:04X}/id", command, shapes.fci)
                if self._is_there(answer):
                    self._by_id(one.parent, home, fid, "", bytes(command), answer)
                if one.fid is not None:
                    break

    def _by_id(self, parent: str, home: Application, fid: int, name: str, command: bytes, answer: Answer) -> None:
        """A DF that answers to an id: the one that has its name, or one that is named after the id."""
        dfname = Application("", "", False, fci=answer.data).objects(NAME_TAG)
        same = (one.name for one in self.found.applications.values() if dfname and one.dfname == dfname)
        name = next(same, name) or self._new_name(f"{fid:04X}")
        self._enter_app(name, parent, answer, way="id", fid=fid, entering=(*home.entering, command))

    def _new_name(self, wanted: str) -> str:
        """A name for an application that no layout has."""
        taken = {*self.found.applications, *known.applications()}
        free = (f"X{number:02d}" for number in range(1, 100))
        return (
            wanted if wanted.startswith("DF") and wanted not in taken else next(one for one in free if one not in taken)
        )

    def _strange_applications(self) -> None:
        """Applications that no layout has, by the names that the card told."""
        told = [one for one in self._strangers if one not in {app.dfname for app in self.found.applications.values()}]
        if not told:
            return
        self.prober.reset()
        for number, name in enumerate(told, 1):
            command = Select.command(name)
            answer = self.prober.ask(f"select/listed-{number:02d}/name", command, shapes.fci)
            if self._is_there(answer):
                self._enter_app(self._new_name("-"), HOME, answer, dfname=name, way="name", entering=(bytes(command),))

    def enter(self, application: Application) -> Answer:
        """Makes an application current by the way that led to it."""
        answer = Answer(b"", 0)
        for command in application.entering:
            answer = self.prober.go(command)
        return answer

    # --- files ---------------------------------------------------------------------------------------------------

    def _files(self, application: Application) -> None:
        """Asks every SFI for its first record, for its bytes where that is not granted, and every usual id."""
        name = application.name
        self.prober.reset()
        self.enter(application)
        for sfi in SFIS:
            path = f"{name}/EF{sfi:02X}"
            record = self.prober.ask(f"sfi/{path}/record", self.record(sfi), self.shape(path))
            file = File(path, sfi, record_word=record.sw, first=record.data if record.gave else b"")
            if not record.gave:
                file.binary_word = self.prober.ask(f"sfi/{path}/binary", self.binary(sfi)).sw
            self.found.files[path] = file
        self.prober.reset()
        self.enter(application)
        for sfi in SFIS:
            file = self.found.files[f"{name}/EF{sfi:02X}"]
            self._find_fid(file, known.usual_fids(file.path)[: 2 if self.deep else 1])

    def _find_fid(self, file: File, fids: Iterable[int]) -> None:
        for fid in fids:
            if file.fid is not None:
                return
            command = Select.by_id(fid, self.found.select_ef)
            by = "" if self.found.select_ef == EF else "/00"
            if self.prober.ask(f"fid/{file.application}/{fid:04X}{by}", command, shapes.fci).ok:
                file.fid = fid
                file.how.append("select")

    def _settle_files(self) -> None:
        """Which of the SFIs are files: what is found by its id, or answers otherwise than those that are not."""
        files = self.found.files
        if not any(one.fid is not None for one in files.values()):
            self._select_otherwise()
        silent = [one for one in files.values() if one.fid is None]
        words = Counter((one.record_word, one.binary_word) for one in silent)
        absent = words.most_common(1)[0][0] if words else (int(SW.FILE_NOT_FOUND), int(SW.FILE_NOT_FOUND))
        self.found.absent = absent[0]
        there = {
            path: file
            for path, file in files.items()
            if (file.fid is not None or (file.record_word, file.binary_word) != absent)
            and not self._is_directory_of(file)
        }
        self.found.files = there
        self.by_sfi = any(one.record_word == SW.OK for one in there.values())
        if any(one.fid is not None for one in there.values()):
            for home in dict.fromkeys(one.application for one in there.values() if one.fid is None):
                self._look_further(home)
        elif there:
            self.found.not_seen.append((_("file ids"), _("SELECT finds no file by an id")))
        for file in there.values():
            self._structure_of(file)

    def _select_otherwise(self) -> None:
        """The card finds no EF by P1 02: as files of any kind, then."""
        self.found.select_ef = ANY
        for name, application in self.found.applications.items():
            if application.open:
                self.prober.reset()
                self.enter(application)
                for sfi in SFIS:
                    file = self.found.files[f"{name}/EF{sfi:02X}"]
                    self._find_fid(file, known.usual_fids(file.path)[:1])

    def _is_directory_of(self, file: File) -> bool:
        """True for the SFI of the directory, which lies in the DF above: the FCI names it, or it gives the same."""
        home = self.found.applications[file.application]
        named = home.objects(PROPRIETARY, DIRECTORY_TAG)
        above = self.found.files.get(f"{home.parent}/EF{file.sfi:02X}")
        if above is None or file.fid is not None or above.fid is None:
            return False
        return named == bytes((file.sfi,)) or (bool(file.first) and file.first == above.first)

    def _look_further(self, name: str) -> None:
        """Files whose id is not the usual one: any page with the SFI in it."""
        files = [one for one in self.found.files.values() if one.application == name]
        self.prober.reset()
        self.enter(self.found.applications[name])
        for file in files:
            if file.fid is None:
                self._find_fid(file, known.usual_fids(file.path)[1:])
            if file.fid is None:
                self._find_fid(file, (page << 8 | file.sfi for page in range(0x100) if page not in (0xEF, 0x00, 0x3F)))

    @staticmethod
    def _structure_of(file: File) -> None:
        """By which command the card says that it is the wrong one."""
        if file.record_word == SW.COMMAND_INCOMPATIBLE:
            file.structure = "transparent"
            file.how.append("read record refused")
        elif file.binary_word == SW.COMMAND_INCOMPATIBLE:
            file.structure = "records"
            file.how.append("read binary refused")

    # --- contents ------------------------------------------------------------------------------------------------

    def shape(self, path: str) -> shapes.Shaper:
        """What of a file's records may be told."""
        return shapes.Shaper(known.nested(path), plain=known.is_cyclic(path))

    def _contents(self, application: Application, rights: frozenset[str]) -> None:
        """Reads what these rights open of an application that is entered anew."""
        self.prober.reset()
        self.enter(application)
        self.read_files(application.name, rights)

    def read_files(self, application: str, rights: frozenset[str]) -> None:
        """Reads what can be read now, with rights that were won before, of the current application."""
        for file in self.found.files.values():
            if file.application == application and not file.read:
                self._read(file, rights)

    def ask_binary(self, probe: str, file: File) -> Answer:
        """The first bytes of a transparent file: by SFI, or else of the current EF."""
        answer = self.prober.ask(probe, self.binary(file.sfi))
        if answer.sw == SW_TOO_LONG and self.le != LONGEST_LE:
            # 6C00: more than Le can say; as much as it can say, then.
            self.binary_le = LONGEST_LE
            answer = self.prober.ask(f"{probe}/FF", self.binary(file.sfi))
        if answer.gave or file.fid is None or answer.sw in (SW.SECURITY_NOT_SATISFIED, SW.COMMAND_INCOMPATIBLE):
            return answer
        self.prober.go(Select.by_id(file.fid, self.found.select_ef))
        return self.prober.ask(f"{probe}/current", self.binary(0))

    def ask_record(self, probe: str, file: File, number: int) -> Answer:
        """A record by its number: by SFI, or in the current EF where this card does not take that."""
        if self.by_sfi or file.fid is None:
            return self.prober.ask(f"{probe}/number/{number:02X}", self.record(file.sfi, number), self.shape(file.path))
        if number == 1:
            self.prober.go(Select.by_id(file.fid, self.found.select_ef))
        return self.prober.ask(f"{probe}/current/{number:02X}", self.record(0, number), self.shape(file.path))

    def _read(self, file: File, rights: frozenset[str]) -> None:
        under = "".join(f"{name}/" for name in sorted(rights))
        probe = f"read/{under}{file.path}"
        first = said = self.ask_record(probe, file, 1)
        if first.gave:
            self._records(file, probe, first.data)
        elif first.sw == SW.RECORD_NOT_FOUND and file.structure != "transparent":
            file.records, file.structure = [], file.structure or "records"
        else:
            content = self.ask_binary(f"{probe}/binary/0000", file)
            if content.gave:
                self._binary(file, probe, content.data)
            if file.structure == "transparent":
                said = content
        if file.read or tells_of_rights(said.sw):
            file.opened[rights] = file.read
        if file.read:
            self._addressings(file, f"address/{under}{file.path}")

    def _records(self, file: File, probe: str, first: bytes) -> None:
        records = [first]
        for number in range(2, MOST_RECORDS + 1):
            answer = self.ask_record(probe, file, number)
            if not answer.gave:
                break
            records.append(answer.data)
        file.records = records
        file.how.append("read record")
        file.structure = "records" if all(map(shapes.is_tlv, records)) and not known.is_cyclic(file.path) else "cyclic"
        self.prober.reading.records[file.path] = records

    def _binary(self, file: File, probe: str, first: bytes) -> None:
        """The rest of a transparent file, in the current EF, which reading by SFI has made it."""
        content, last = first, first
        chunk = self.binary_le or self.le or CHUNK
        while len(last) == chunk and len(content) <= LARGEST:
            answer = self.prober.ask(f"{probe}/binary/{len(content):04X}", self.binary(0, len(content)))
            if not answer.gave:
                file.whole = answer.sw == SW.WRONG_OFFSET
                break
            last = answer.data
            content += last
        file.content, file.structure = content, "transparent"
        file.how.append("read binary")
        self.prober.reading.contents[file.path] = content

    def _addressings(self, file: File, probe: str) -> None:
        """Every way to read a record, or the two to read bytes."""
        ask, sfi = self.prober.ask, file.sfi
        shape = None
        if file.structure == "transparent":
            ways = {"binary-sfi": ReadBinary.command(sfi, 0), "binary-current": ReadBinary.command(0, 0)}
        else:
            tag = file.records[0][0] if file.records and file.structure == "records" else 0
            shape = self.shape(file.path)
            ways = {
                "number-sfi": ReadRecord.command(sfi, number=1),
                "tag-sfi": ReadRecord.command(sfi, tag=tag),
                "last": ReadRecord.command(sfi, mode=1),
                "to-last": ReadRecord.command(sfi, number=1, mode=5),
                "from-last": ReadRecord.command(sfi, number=1, mode=6),
                "number-current": ReadRecord.command(0, number=1),
                "tag-current": ReadRecord.command(0, tag=tag),
                "next": ReadRecord.command(0, mode=2),
                "previous": ReadRecord.command(0, mode=3),
            }
        for way, command in ways.items():
            if way.endswith("current") and file.fid is not None:
                self.prober.go(Select.by_id(file.fid, self.found.select_ef))
            file.addressings[way] = ask(f"{probe}/{way}", self.with_le(command, self.le), shape).word
