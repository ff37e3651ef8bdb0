// Text from elsewhere made fit to be shown, with the same marks as on a terminal: harness/messages/visible.py.

const OBEYED = new RegExp(
  "[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f" +
    "\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069" +
    "\\u00ad\\u180e\\u200b-\\u200d\\u2060-\\u2065\\u206a-\\u206f\\ufeff\\ufff9-\\ufffb" +
    "\\u2028\\u2029\\ufffe\\uffff\\u{e0000}-\\u{e0fff}\\ud800-\\udfff]",
  "gu",
);

function escaped(letter) {
  if (letter < " ") return "\\x" + letter.charCodeAt(0).toString(16).padStart(2, "0");
  let shown = "";
  for (let at = 0; at < letter.length; at++) shown += "\\u" + letter.charCodeAt(at).toString(16).padStart(4, "0");
  return shown;
}

/** The text, each character that would be obeyed or not be seen as \x1b or \u202e. */
export function visible(text) {
  return String(text ?? "").replace(OBEYED, escaped);
}

/** Hex digits in pairs, so that they can be read. */
export function spaced(hex) {
  return String(hex ?? "").replace(/(..)(?=.)/g, "$1 ");
}
