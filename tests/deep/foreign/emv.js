// node emv.js HEX: what node-emv makes of BER-TLV, as JSON: tag, then value, or what is within it.
"use strict";
const emv = require("node-emv");

function objects(found) {
  return Object.fromEntries(found.map((one) => [one.tag, Array.isArray(one.value) ? objects(one.value) : one.value]));
}

emv.parse(process.argv[2], (found) => console.log(JSON.stringify(objects(found))));
