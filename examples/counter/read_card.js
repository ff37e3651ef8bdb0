// Reads a social security card through SSCardDriver: who it is of, then, after the PIN, the registered address.
//
//     sscard driver build -o build && npm install koffi
//     SSCARD_DRIVER_ARGS="--persona pin-changed --psam --pad 142857,142857" node read_card.js build/libSSCardDriver.so
//
// The PIN is entered at the PIN pad, never here: the virtual one is given the test card's by --pad.
// The exit code is 0 when all was read, else 1 with the library's code and text on stderr.
"use strict";
const koffi = require("koffi");

const EITHER_CONTACT_FIRST = 3;
const AFTER_PIN = 1;
const INITIAL_PIN = -35;
const FIELDS = 11;
const [CARD_NUMBER, IDENTIFICATION, NAME] = [2, 3, 4];
const ADDRESS = "DF01EF05|21|$";

class Failed extends Error {}

// The library's functions, each giving its code and its text. What goes in is ASCII here, so that UTF-8 is GBK as well.
function loaded(path) {
  const library = koffi.load(path);
  function declared(name, inputs) {
    const call = library.func(`long ${name}(${inputs}, _Out_ uint8_t *pOutInfo)`);
    return (...values) => {
      const out = Buffer.alloc(4096);
      const code = call(...values, out);
      return [code, new TextDecoder("gb18030").decode(out.subarray(0, out.indexOf(0)))];
    };
  }
  return {
    iReadCardBas: declared("iReadCardBas", "int iType"),
    iReadCard: declared("iReadCard", "int iType, int iAuthType, const char *pCardInfo, const char *pFileAddr"),
    iVerifyPIN: declared("iVerifyPIN", "int iType"),
    iChangePIN: declared("iChangePIN", "int iType"),
  };
}

function checked(name, [code, text]) {
  if (code !== 0) throw new Failed(`${name}: ${code} ${text}`);
  return text;
}

// What stands before each |; at least so many fields.
function split(name, text, fields) {
  const found = text.split("|");
  if (found.length <= fields) throw new Failed(`${name}: not all its fields 字段不全`);
  return found;
}

function read(driver) {
  const basic = split("iReadCardBas", checked("iReadCardBas", driver.iReadCardBas(EITHER_CONTACT_FIRST)), FIELDS);
  console.log(`card number 卡号: ${basic[CARD_NUMBER]}`);
  console.log(`name 姓名: ${basic[NAME]}`);

  const verified = driver.iVerifyPIN(EITHER_CONTACT_FIRST);
  if (verified[0] === INITIAL_PIN) {
    // right, but a new card's: its holder is to set their own
    checked("iChangePIN", driver.iChangePIN(EITHER_CONTACT_FIRST));
    console.log("PIN 密码: changed 已修改");
  } else {
    checked("iVerifyPIN", verified);
    console.log("PIN 密码: verified 已验证");
  }

  // Of this very card: the library refuses another that came into the reader meanwhile.
  const card = `${basic[IDENTIFICATION]}|${basic[CARD_NUMBER]}|`;
  const items = checked("iReadCard", driver.iReadCard(EITHER_CONTACT_FIRST, AFTER_PIN, card, ADDRESS));
  console.log(`registered address 户口所在地地址: ${split("iReadCard", items, 2)[1]}`);
}

try {
  read(loaded(process.argv[2] ?? "build/libSSCardDriver.so"));
} catch (error) {
  console.error(`read_card: ${error.message}`);
  process.exitCode = 1;
}
