"""Mutation testing: does one vector at least fail on a chip with one behaviour broken?

``python -m tests.mutation [COUNT [SEED]]`` breaks the chip in COUNT places chosen by SEED (all, for 0), one at a time,
in copies of the sources, and runs all vectors on all profiles until one fails. It prints every mutant that none caught,
and the share that was.
"""

from __future__ import annotations

import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

ROOT = Path(__file__).parents[1]
CHIP = ("apdu", "filesystem", "crypto", "chip.py", "session.py", "security.py")
APART = (
    "layouts/reader.py",
    "layouts/features.py",
    "layouts/node.py",
    "layouts/load.py",
    "image.py",
    "status.py",
    "psam.py",
    "psam_keys.py",
)
"""What vectors of a card cannot reach: how layouts and images are read, words, the terminal's own card."""
COMPARISONS = {ast.Eq: "!=", ast.NotEq: "==", ast.Lt: ">=", ast.GtE: "<", ast.Gt: "<=", ast.LtE: ">", ast.In: "not in",
               ast.NotIn: "in", ast.Is: "is not", ast.IsNot: "is"}  # fmt: skip
DEEDS = {"drop_keys", "restore", "need", "check", "put", "log", "enter", "drop_pin", "commit", "rollback", "open",
         "right_to_read", "right_to_update", "may_read", "may_update", "set_counter", "recover"}  # fmt: skip
TOLD = {"status", "writes", "secret", "versions", "answers", "cards", "source", "name", "name_zh"}
WORDS = {"parameters", "describe", "spans", "get", "_won", "__str__"}
BUILT, READ = "CommandAPDU", "answer"
"""What a terminal does with an instruction: functions that return the one, and that are called the other. Vectors send
bytes to the chip, which uses neither."""
LONGEST, SHORTEST, SLOWER = 600.0, 60.0, 4
"""Seconds that the chip as it is may take, and a mutant at least; and how often slower it may be, on each processor."""
RUN = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))  # a mutant may fill all memory
from harness.conformance import coverage, runner, vector
from harness.conformance.targets.virtual import Virtual
vectors = vector.find([Path("vectors")])
for profile in reversed(coverage.PROFILES):
    target = Virtual(*profile)
    for one in vectors:
        if runner.run_one(one, target).verdict in ("failed", "undefined"):
            sys.exit(9)
"""


@dataclass(frozen=True)
class Mutant:
    """One line changed in one file."""

    file: str
    line: int
    before: str
    after: str
    source: str


def mutants(file: Path) -> Iterator[Mutant]:
    """Every small change of one file that still parses. Words in messages, docstrings and types are left alone."""
    text = file.read_text(encoding="utf-8")
    lines = text.split("\n")
    tree = ast.parse(text)
    ignored = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr | ast.Raise | ast.Subscript)
               for part in ast.walk(node)}  # fmt: skip
    ignored |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for decorator in
                node.decorator_list for part in ast.walk(decorator)}  # fmt: skip
    ignored |= {id(part) for node in ast.walk(tree) if told_only(node) or terminal_side(file, node)
                for part in ast.walk(node)}  # fmt: skip
    for node in ast.walk(tree):
        after = changed(node)
        start, end = getattr(node, "lineno", 0), getattr(node, "end_lineno", 0)
        if after is None or start != end or id(node) in ignored:
            continue
        line = lines[start - 1].encode()
        new = line[: node.col_offset] + after.encode() + line[node.end_col_offset :]  # type: ignore[attr-defined]
        source = "\n".join((*lines[: start - 1], new.decode(), *lines[start:]))
        try:
            ast.parse(source)
        except SyntaxError:
            continue
        yield Mutant(str(file.relative_to(ROOT)), start, line.decode().strip(), new.decode().strip(), source)


def told_only(node: ast.AST) -> bool:
    """True for what instructions declare for decoders and documents only, and the functions that put it into words."""
    if isinstance(node, ast.Assign):
        return any(isinstance(name, ast.Name) and name.id in TOLD for name in node.targets)
    return isinstance(node, ast.FunctionDef) and node.name in WORDS


def terminal_side(file: Path, node: ast.AST) -> bool:
    """True for an instruction's functions that build its command, and that read its answer."""
    if file.parent.name != "instructions" or not isinstance(node, ast.FunctionDef):
        return False
    return node.name == READ or (isinstance(node.returns, ast.Name) and node.returns.id == BUILT)


def changed(node: ast.AST) -> str | None:
    """The node broken, as source; None for one that is left alone."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return f"({ast.unparse(node.left)} {COMPARISONS[type(node.ops[0])]} {ast.unparse(node.comparators[0])})"
    if isinstance(node, ast.BoolOp):
        word = " and " if isinstance(node.op, ast.Or) else " or "
        return "(" + word.join(f"({ast.unparse(value)})" for value in node.values) + ")"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return f"({ast.unparse(node.operand)})"
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        return str(not node.value)
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return str(node.value + 1)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in DEEDS:
        return "None"
    return None


def caught(folder: Path, mutant: Mutant, patience: float) -> bool:
    """True if a vector fails, the chip does not even start, or hangs: no end within ``patience`` seconds."""
    path = folder / mutant.file
    original = path.read_text(encoding="utf-8")
    path.write_text(mutant.source, encoding="utf-8")
    try:
        done = subprocess.run(
            [sys.executable, "-B", "-c", RUN], cwd=folder, env={**os.environ, "PYTHONPATH": str(folder)},
            capture_output=True, timeout=patience, check=False,
        )  # fmt: skip
        return done.returncode != 0
    except subprocess.TimeoutExpired:
        return True
    finally:
        path.write_text(original, encoding="utf-8")


def main(count: int, seed: int) -> int:
    """Prints what survived and the share that did not."""
    files = [path for name in CHIP for path in ([ROOT / "emulator" / name] if name.endswith(".py")
             else sorted((ROOT / "emulator" / name).rglob("*.py"))) if not path.as_posix().endswith(APART)]  # fmt: skip
    everything = [mutant for file in files for mutant in mutants(file)]
    random.Random(seed).shuffle(everything)
    chosen = everything[:count] if count else everything
    folders: Queue[Path] = Queue()
    with tempfile.TemporaryDirectory(prefix="sscard-mutation-") as base:
        workers = os.cpu_count() or 1
        for number in range(workers):
            folder = Path(base, str(number))
            for name in ("emulator", "harness", "vectors"):
                shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            folders.put(folder)
        begun = time.monotonic()
        if caught(folder, Mutant("emulator/__init__.py", 0, "", "", ""), LONGEST):
            print("the vectors fail on the chip as it is", file=sys.stderr)
            return 2
        patience = max(SHORTEST, SLOWER * workers * (time.monotonic() - begun))

        def judge(mutant: Mutant) -> bool:
            mine = folders.get()
            try:
                return caught(mine, mutant, patience)
            finally:
                folders.put(mine)

        with ThreadPoolExecutor(workers) as pool:
            verdicts = []
            for mutant, was in zip(chosen, pool.map(judge, chosen), strict=True):
                verdicts.append(was)
                if not was:
                    print(f"{mutant.file}:{mutant.line}: {mutant.before}  =>  {mutant.after}", flush=True)
                if sys.stderr.isatty():
                    print(f"\r{len(verdicts)} of {len(chosen)}", end="", file=sys.stderr, flush=True)
    print(f"{sum(verdicts)} of {len(chosen)} mutants caught by the vectors ({len(everything)} in all)")
    return 0


if __name__ == "__main__":
    sys.exit(main(*(int(one) for one in (sys.argv[1:] + ["300", "1"][len(sys.argv) - 1 :])[:2])))
