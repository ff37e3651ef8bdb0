// Calls the library from Node as calls.c does from C, by what its header declares: node calls.js LIBRARY HEADER, then a
// request a line, function and arguments between tabs, and the code and pOutInfo back. Each byte is one character here:
// Node writes no GBK.
"use strict";
const fs = require("fs");
const readline = require("readline");
const koffi = require("koffi");

const [, , library, header] = process.argv;
const loaded = koffi.load(library);
const functions = {};
for (const [, name, taken] of fs.readFileSync(header, "utf8").matchAll(/long SSCARD_CALL (\w+)\((.*)\);/g)) {
  const types = taken.split(", ").map((one) => (one.startsWith("int ") ? "int" : "_Inout_ uint8_t *"));
  functions[name] = { types, call: loaded.func(`long ${name}(${types.join(", ")})`) };
}

function answer(line) {
  const [name, ...words] = line.split("\t");
  const { types, call } = functions[name];
  const out = Buffer.alloc(4096);
  const values = types.map((type, at) => {
    if (at === words.length) return out;
    return type === "int" ? Number(words[at]) : Buffer.from(`${words[at]}\0`, "latin1");
  });
  const code = call(...values);
  return `${code}\t${out.toString("latin1", 0, out.indexOf(0))}\n`;
}

process.stdin.setEncoding("latin1");
readline.createInterface({ input: process.stdin }).on("line", (line) => {
  process.stdout.write(answer(line), "latin1");
});
