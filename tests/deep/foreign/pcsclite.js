// node pcsclite.js PACKAGE READER COMMAND...: the ATR and the answers, a line each, through pcsclite or its offspring.
"use strict";
const [, , name, wanted, ...commands] = process.argv;
const pcsc = require(name)();

function hex(bytes) {
  return bytes.toString("hex").toUpperCase();
}

function fail(error) {
  console.error(error);
  process.exit(1);
}

function talk(reader, protocol) {
  if (commands.length === 0) {
    reader.disconnect(reader.SCARD_RESET_CARD, (error) => {
      if (error) fail(error);
      process.exit(0); // closing tells of the wait for the next card, which it ends, as an error
    });
    return;
  }
  reader.transmit(Buffer.from(commands.shift(), "hex"), 258, protocol, (error, answer) => {
    if (error) fail(error);
    console.log(hex(answer));
    talk(reader, protocol);
  });
}

pcsc.on("error", fail);
pcsc.on("reader", (reader) => {
  if (reader.name !== wanted) {
    reader.close();
    return;
  }
  reader.on("error", fail);
  reader.once("status", (status) => {
    console.log(hex(status.atr));
    reader.connect({ share_mode: reader.SCARD_SHARE_EXCLUSIVE }, (error, protocol) => {
      if (error) fail(error);
      talk(reader, protocol);
    });
  });
});
