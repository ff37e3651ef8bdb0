// Reads a social security card through PC/SC: the card number, then, after the PIN, the registered address.
//
//     npm install smartcard
//     CARD_PIN=123456 node read_card.js [READER]
//
// 123456, also without CARD_PIN, is the PIN of the virtual test card; a real cardholder enters their own.
// The exit code is 0 when all was read, else 1 with the reason on stderr.
"use strict";
const smartcard = require("smartcard");

// sx1.sh.社会保障, the last part in GBK: the social security environment (SSSE); and the area of public data (DF01).
const ENVIRONMENT = Buffer.from("7378312E73682EC9E7BBE1B1A3D5CF", "hex");
const PUBLIC_DATA = Buffer.from("D15600000500", "hex");
const EF05 = 0x05;
const CARD_NUMBER = 0x07;
const ADDRESS = 0x21;
const TEST_PIN = "123456";

class Failed extends Error {}

function hex(sw) {
  return sw.toString(16).toUpperCase().padStart(4, "0");
}

// The card in that reader, or in the first that has one.
async function connected(context, wanted) {
  const readers = context.listReaders().filter((one) => wanted === "" || one.name === wanted);
  const reader = readers.find((one) => one.state & smartcard.SCARD_STATE_PRESENT);
  if (reader) {
    const card = await reader.connect(smartcard.SCARD_SHARE_SHARED, smartcard.SCARD_PROTOCOL_T0);
    console.log(`reader 读卡器: ${reader.name}`);
    return card;
  }
  throw new Failed(readers.length > 0 ? "no card in a reader 读卡器中没有卡" : "no such reader 没有这个读卡器");
}

// The answer's data and status word. T=0: 61xx says how much waits to be fetched, 6Cxx which length is right.
async function send(card, command) {
  const options = { autoGetResponse: true };
  const answer = await smartcard.transmitWithAutoResponse(card, Buffer.from(command), options);
  if (answer.length < 2) throw new Failed("the card 卡片: an answer that is none 应答格式错误");
  return [answer.subarray(0, -2), answer.readUInt16BE(answer.length - 2)];
}

async function done(card, doing, command) {
  const [data, sw] = await send(card, command);
  if (sw !== 0x9000) throw new Failed(`${doing}: ${hex(sw)}`);
  return data;
}

async function select(card, doing, name) {
  await done(card, doing, [0x00, 0xa4, 0x04, 0x00, name.length, ...name]);
}

// READ RECORD by its tag: tag, length, value; the value is GBK, filled up with 00.
async function item(card, doing, file, tag) {
  const record = await done(card, doing, [0x00, 0xb2, tag, file << 3, 0x00]);
  if (record.length < 2 || record[0] !== tag || record[1] !== record.length - 2) {
    throw new Failed(`${doing}: a record that is none 记录格式错误`);
  }
  return new TextDecoder("gb18030").decode(record.subarray(2)).replace(/\0+$/, "");
}

// VERIFY, once, after its tries were asked for; the last one is the cardholder's to use.
async function verify(card, pin) {
  let [, sw] = await send(card, [0x00, 0x20, 0x00, 0x00, 0x00]);
  if (sw >> 4 !== 0x63c) throw new Failed(`PIN 密码: ${hex(sw)}`);
  console.log(`PIN tries left 密码剩余次数: ${sw & 0x0f}`);
  if ((sw & 0x0f) < 2) throw new Failed("PIN 密码: not tried, too few tries left 剩余次数不足，未验证");
  const digits = Buffer.from(pin.length % 2 === 0 ? pin : `${pin}F`, "hex");
  [, sw] = await send(card, [0x00, 0x20, 0x00, 0x00, digits.length, ...digits]);
  if (sw >> 4 === 0x63c) throw new Failed(`PIN 密码: wrong, ${sw & 0x0f} tries left 错误，剩余${sw & 0x0f}次`);
  if (sw !== 0x9000) throw new Failed(`PIN 密码: ${hex(sw)}`);
}

async function read(wanted, pin) {
  if (!/^[0-9]{4,16}$/.test(pin)) throw new Failed("CARD_PIN: 4 to 16 digits 4至16位数字");
  const context = new smartcard.Context();
  try {
    const card = await connected(context, wanted);
    try {
      await select(card, "environment 社会保障系统环境", ENVIRONMENT);
      console.log(`card number 卡号: ${await item(card, "card number 卡号", EF05, CARD_NUMBER)}`);
      await verify(card, pin);
      await select(card, "public data 公共应用信息区", PUBLIC_DATA);
      const address = "registered address 户口所在地地址";
      console.log(`${address}: ${await item(card, address, EF05, ADDRESS)}`);
    } finally {
      card.disconnect(smartcard.SCARD_UNPOWER_CARD);
    }
  } finally {
    context.close();
  }
}

read(process.argv[2] ?? "", process.env.CARD_PIN ?? TEST_PIN).catch((error) => {
  console.error(`read_card: ${error.message}`);
  process.exitCode = 1;
});
