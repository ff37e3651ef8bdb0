// node emvreader.js READER: what two packages make of the card's bank application, as JSON: smartcard talks to the reader and
// follows 61xx and 6Cxx, node-emv takes apart what comes. As a payment terminal reads, up to where it would pay.
"use strict";
const emv = require("node-emv");
const smartcard = require("smartcard");

const ENVIRONMENT = Buffer.from("1PAY.SYS.DDF01").toString("hex");
const [, , wanted] = process.argv;

function parsed(hex) {
  let found;
  emv.parse(hex, (one) => (found = one));
  if (!found) throw new Error(`node-emv makes nothing of ${hex}`);
  return found;
}

function leaves(found) {
  return Object.assign({}, ...found.map((one) => (Array.isArray(one.value) ? leaves(one.value) : { [one.tag]: one.value })));
}

function list(hex) {
  const items = [];
  for (let at = 0; at < hex.length; ) {
    const size = (parseInt(hex.slice(at, at + 2), 16) & 0x1f) === 0x1f ? 4 : 2;
    items.push([hex.slice(at, at + size), parseInt(hex.slice(at + size, at + size + 2), 16)]);
    at += size + 2;
  }
  return items;
}

async function main() {
  const context = new smartcard.Context();
  try {
    const reader = context.listReaders().find((one) => one.name === wanted);
    const card = await reader.connect(smartcard.SCARD_SHARE_EXCLUSIVE, smartcard.SCARD_PROTOCOL_T0);
    const ask = async (command) => {
      const options = { autoGetResponse: true };
      const told = (await smartcard.transmitWithAutoResponse(card, Buffer.from(command, "hex"), options)).toString("hex").toUpperCase();
      if (!told.endsWith("9000")) throw new Error(`${command}: ${told.slice(-4)}`);
      return told.slice(0, -4);
    };
    const byte = (number) => number.toString(16).padStart(2, "0");

    const file = leaves(parsed(await ask(`00A404000E${ENVIRONMENT}`)))["88"];
    const listed = leaves(parsed(await ask(`00B201${byte((parseInt(file, 16) << 3) | 4)}00`)));
    const known = leaves(parsed(await ask(`00A40400${byte(listed["4F"].length / 2)}${listed["4F"]}`)));
    const size = list(known["9F38"] || "").reduce((sum, one) => sum + one[1], 0);
    const options = leaves(parsed(await ask(`80A80000${byte(size + 2)}83${byte(size)}${"00".repeat(size)}`)))["80"];
    let profile;
    emv.aip(options.slice(0, 4), (found) => (profile = found[0].filter((one) => one.value === "1").map((one) => one.description)));
    const data = {};
    for (let at = 4; at < options.length; at += 8) {
      const [sfi, first, last] = [0, 2, 4].map((place) => parseInt(options.slice(at + place, at + place + 2), 16));
      for (let number = first; number <= last; number++) {
        Object.assign(data, leaves(parsed(await ask(`00B2${byte(number)}${byte(sfi | 4)}00`))));
      }
    }
    const fields = list(leaves(parsed(await ask("80CA9F4F00")))["9F4F"]);
    const log = [];
    for (let number = 1; number <= parseInt(known["9F4D"].slice(2), 16); number++) {
      const record = await ask(`00B2${byte(number)}${byte((parseInt(known["9F4D"].slice(0, 2), 16) << 3) | 4)}00`);
      let at = 0;
      log.push(Object.fromEntries(fields.map(([tag, length]) => [tag, record.slice(at, (at += 2 * length))])));
    }
    card.disconnect(smartcard.SCARD_RESET_CARD);
    console.log(JSON.stringify({ listed, known, profile, data, log }));
  } finally {
    context.close();
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
