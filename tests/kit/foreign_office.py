"""An office that another maker might have written: forms and transaction codes in, XML in GBK out, HTTP 200 whatever
happens, the reason for a refusal in a sentence, a session by cookie. Small, in memory, and with mistakes planted where
they are asked for. Nothing of this project's own is in it.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

Form = dict[str, str]
PASSWORD = "geheim-9f3a"
MISTAKES = TWO_CARDS, ID_DIGITS, AGENTS, IDENTITY = ("two-cards", "id-digits", "agents", "identity")
IN_USE, CANCELLED, MADE, APPLIED = "1", "9", "3", "0"


class No(Exception):
    """Why not."""


class Office:
    """Its business."""

    def __init__(self, mistakes: Sequence[str] = ()) -> None:
        self.mistakes = mistakes
        self.sessions: set[str] = set()
        self.seen: list[tuple[str, Form]] = []
        self.empty()

    def empty(self) -> None:
        self.today = datetime(2025, 3, 3)
        self.people: dict[str, Form] = {}
        self.cards: dict[str, Form] = {}

    def do(self, code: str, form: Form) -> Form:
        self.seen.append((code, form))
        work = getattr(self, f"t_{code.lower()}", None)
        if work is None:
            raise No("交易代码错误")
        told: Form = work(form)
        return told

    def _wrong(self, code: str) -> bool:
        return code in self.mistakes

    def _agent(self, form: Form) -> None:
        cause = form.get("DBYY")
        if not cause or self._wrong(AGENTS):
            return
        person = self.people.get(form["ZJHM"], {})
        born = form.get("CSRQ") or person.get("CSRQ") or form["ZJHM"][6:14]
        age = self.today.year - int(born[:4])
        good = {
            "1": age < 16, "2": (form.get("XWNL") or person.get("XWNL")) == "0", "3": age >= 60, "4": True,
            "5": "SWZM" in form.get("ZJQD", ""),
        }  # fmt: skip
        if not good[cause]:
            raise No("代办理由不成立")

    def _shown(self, form: Form) -> None:
        if self._wrong(IDENTITY) or form.get("DBYY"):
            return
        if form["ZJHM"] not in form.get("CYZJ", "").split("|"):
            raise No("未交验本人有效身份证件")

    def _of(self, form: Form) -> Form:
        own = [one for one in self.cards.values() if one["ZJHM"] == form["ZJHM"]]
        if not own:
            raise No("查无此人")
        return own[-1]

    def t_sq01(self, form: Form) -> Form:
        """申领"""
        self._agent(form)
        number, known = form["ZJHM"], self.people.get(form["ZJHM"])
        agrees = number[6:14] == form["CSRQ"] and int(number[16]) % 2 == (form["XB"] == "M")
        renamed = known is not None and known["XM"] != form["XM"]
        if not self._wrong(ID_DIGITS) and (renamed or not agrees):
            raise No("基本信息校核不一致")
        if not self._wrong(TWO_CARDS) and any(
            one["ZJHM"] == number and one["KZT"] != CANCELLED for one in self.cards.values()
        ):
            raise No("该人员已有社保卡或在办申请，不能重复申领")
        self.people[number] = form
        key = f"B{len(self.cards) + 1:07}X"
        self.cards[key] = {"KH": key, "ZJHM": number, "KZT": APPLIED, "GSZT": "0"}
        return {"SQH": str(len(self.cards)), "KH": key}

    def _applied(self, form: Form) -> Form:
        return list(self.cards.values())[int(form["SQH"]) - 1]

    def t_zk01(self, form: Form) -> Form:
        """制卡"""
        self._applied(form)["KZT"] = MADE
        return {"KH": self._applied(form)["KH"]}

    def t_ff01(self, form: Form) -> Form:
        """发放"""
        self._applied(form)["KZT"] = IN_USE
        return {"KH": self._applied(form)["KH"]}

    def t_js01(self, form: Form) -> Form:
        """即时制卡"""
        told = self.t_sq01(form)
        self.cards[told["KH"]]["KZT"] = IN_USE
        return told

    def t_gs01(self, form: Form) -> Form:
        """挂失"""
        self._agent(form)
        self._shown(form)
        card = self._of(form)
        card["GSZT"] = form["GSLX"]
        return {"KH": card["KH"]}

    def t_zx01(self, form: Form) -> Form:
        """注销"""
        self._agent(form)
        card = self._of(form)
        card["KZT"] = CANCELLED
        return {"KH": card["KH"]}

    def t_cx01(self, form: Form) -> Form:
        """查询卡"""
        known = self.cards.get(form.get("KH", "")) or self._of(form)
        return {"KZT": known["KZT"], "GSZT": known["GSZT"], "YX": "N" if known["GSZT"] != "0" else "Y"}

    def t_cx02(self, form: Form) -> Form:
        """查询人员"""
        used = sum(one["ZJHM"] == form["ZJHM"] and one["KZT"] == IN_USE for one in self.cards.values())
        known = form["ZJHM"] in self.people
        return {"CZ": "Y" if known else "N", "KS": str(used), "DZK": "Y" if known else "N"}

    def t_cs00(self, form: Form) -> Form:
        """测试：清空"""
        del form
        self.empty()
        return {}

    def t_cs01(self, form: Form) -> Form:
        """测试：日期"""
        self.today = datetime.strptime(form["RQ"][:10], "%Y-%m-%d")
        return {}


@contextmanager
def served(office: Office) -> Iterator[str]:
    """The office at a free port of loopback; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers.get("content-length", "0"))).decode()
            form = {name: one[-1] for name, one in parse_qs(text, keep_blank_values=True).items()}
            path, __, code = self.path.partition("?jydm=")
            if path == "/sbk/login.do":
                good = form.get("mm") == PASSWORD
                session = secrets.token_hex(8)
                office.sessions |= {session} if good else set()
                self._say({"ERR": "OK" if good else "用户名或密码错误"}, f"JSESSIONID={session}; Path=/sbk")
            elif self.headers.get("cookie", "").removeprefix("JSESSIONID=") not in office.sessions and code[:2] != "CS":
                self._say({"ERR": "未登录"})
            else:
                try:
                    self._say({"ERR": "OK", **office.do(code, form)})
                except No as why:
                    self._say({"ERR": str(why)})

        def _say(self, told: Form, cookie: str = "") -> None:
            inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in told.items())
            body = f'<?xml version="1.0" encoding="GBK"?><ALL>{inner}<时间>20250303090000</时间></ALL>'.encode("gbk")
            self.send_response(200)
            self.send_header("content-type", "text/xml; charset=GBK")
            self.send_header("content-length", str(len(body)))
            if cookie:
                self.send_header("set-cookie", cookie)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
