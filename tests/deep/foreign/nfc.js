// node nfc.js READER NAME COMMAND...: nfc-pcsc selects the application NAME by itself; then the ATR, what it got for that,
// and the answers to the commands, a line each.
"use strict";
const { NFC } = require("nfc-pcsc");

const [, , wanted, name, ...commands] = process.argv;

function hex(bytes) {
  return bytes.toString("hex").toUpperCase();
}

function fail(error) {
  console.error(error);
  process.exit(1);
}

async function talk(reader, card) {
  console.log(hex(card.atr));
  console.log(hex(card.data));
  for (const command of commands) {
    console.log(hex(await reader.transmit(Buffer.from(command, "hex"), 258)));
  }
  process.exit(0); // closing tells of the wait for the next card, which it ends, as an error
}

const nfc = new NFC();
nfc.on("error", fail);
nfc.on("reader", (reader) => {
  if (reader.name !== wanted) {
    reader.close();
    return;
  }
  reader.aid = name;
  reader.on("error", fail);
  reader.once("card", (card) => talk(reader, card).catch(fail));
});
