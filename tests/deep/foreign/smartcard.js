// node smartcard.js told|followed READER COMMAND...: the ATR and the answers, a line each, through the package smartcard;
// followed: 61xx and 6Cxx are left to it.
"use strict";
const smartcard = require("smartcard");

const [, , how, wanted, ...commands] = process.argv;

function hex(bytes) {
  return bytes.toString("hex").toUpperCase();
}

async function main() {
  const context = new smartcard.Context();
  try {
    const reader = context.listReaders().find((one) => one.name === wanted);
    const card = await reader.connect(smartcard.SCARD_SHARE_EXCLUSIVE, smartcard.SCARD_PROTOCOL_T0);
    console.log(hex(card.atr));
    for (const command of commands) {
      const options = { autoGetResponse: how === "followed" };
      console.log(hex(await smartcard.transmitWithAutoResponse(card, Buffer.from(command, "hex"), options)));
    }
    card.disconnect(smartcard.SCARD_RESET_CARD);
  } finally {
    context.close();
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
