// Words for rows, in the chosen language.

import { both, t } from "../../lib/i18n.js";

const CHANGES = {
  directory: "session.change_directory", file: "session.change_file", right: "session.change_right",
  challenge: "session.change_challenge", tries: "session.change_tries", state: "session.change_state",
  written: "session.change_written", key: "session.change_key", pin: "session.change_pin",
  purse: "session.change_purse", data: "session.change_data",
};
export const CHANGE_KINDS = Object.keys(CHANGES);

/** What a kind of change is called; a kind that this page does not know, as it is. */
export function changed(kind) {
  return CHANGES[kind] ? t(CHANGES[kind]) : kind;
}

/** The time of day to a millisecond, in the zone of the trace; seconds since the first event where it has none. */
export function clock(row) {
  const told = /T(\d\d:\d\d:\d\d\.\d{3})/.exec(row.time ?? "");
  return told ? told[1] : `+${row.t.toFixed(3)} s`;
}

/** A latency in words. */
export function duration(seconds) {
  if (seconds === undefined || seconds === null) return "";
  return seconds < 1 ? `${(seconds * 1000).toFixed(1)} ms` : `${seconds.toFixed(2)} s`;
}

/** What an event is called: the command's name, or the event's. `isFull`: in Chinese with the standard's own name. */
export function named(row, isFull = false) {
  if (row.kind === "call") return row.words;
  if (row.kind === "reset" || row.kind === "off") return t(`session.kind_${row.kind}`);
  if (row.kind === "fault") return `${t("session.kind_fault")}: ${row.words ?? ""}`;
  const name = both({ zh: row.instruction_zh, en: row.instruction }) || t("session.unknown_command");
  return isFull && row.instruction && name !== row.instruction ? `${name} ${row.instruction}` : name;
}

/** What came back, in a few words. */
export function saidShort(row) {
  if (row.kind === "reset") {
    const side = row.interface === "contactless" ? t("session.contactless") : "";
    return [row.layout, row.algorithm, side].filter(Boolean).join(" ");
  }
  if (row.kind === "fault" || row.kind === "off" || row.kind === "call") return "";
  if (!row.sw) return t("session.no_answer");
  return [both({ zh: row.meaning_zh, en: row.meaning }), both({ zh: row.reason_zh, en: row.reason })].filter(Boolean).join(": ");
}
