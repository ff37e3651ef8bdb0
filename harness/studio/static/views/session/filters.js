// Which rows of a session are meant; harness/studio/session/filters.py says the same of a session on the server.

const STATUS = /^[0-9A-F][0-9A-Fx]{0,3}$/;
const HEX = /^[0-9A-F*]{2,}$/;
const LISTS = ["slots", "lanes", "kinds", "levels"];
const TEXTS = ["instruction", "sw", "change", "text"];

/** A filter that leaves nothing out. Lists hold what may be; an empty one asks for nothing. */
export const EVERYTHING = Object.freeze({
  slots: [], lanes: [], kinds: [], levels: [], instruction: "", sw: "", change: "", text: "", findings: false,
});

export function isEverything(filter) {
  return query(filter) === "";
}

/** True for the beginning of a status word, x for any digit. */
export function isStatus(text) {
  return text === "" || STATUS.test(text);
}

/** A filter as the server is asked for it. */
export function query(filter) {
  const told = new URLSearchParams();
  for (const name of LISTS) if (filter[name].length) told.set(name, filter[name].join(","));
  for (const name of TEXTS) if (filter[name]) told.set(name, filter[name]);
  if (filter.findings) told.set("findings", "true");
  return told.toString();
}

/** Says of rows whether a filter means them. `shared(row)`: what the row has in common with others. */
export function matcher(filter, shared = (row) => row) {
  const has = filter.text ? hasText(filter.text, shared) : () => true;
  const status = filter.sw ? new RegExp(`^${filter.sw.replaceAll("x", "[0-9A-F]")}`) : null;
  const means = remembered((said) =>
    LISTS.every((name) => !filter[name].length || filter[name].includes(said[name.slice(0, -1)])) &&
    (!filter.instruction || said.instruction === filter.instruction) &&
    (!status || status.test(said.sw ?? "")) &&
    (!filter.change || (said.changes ?? []).some((one) => one.kind === filter.change)));
  return (row) => (!filter.findings || Boolean(row.findings?.length)) && means(shared(row)) && has(row);
}

/** Says of rows whether a text is in them, whatever its case: in words of both languages, values, findings, bytes. */
export function hasText(text, shared = (row) => row) {
  const wanted = text.toLowerCase();
  const digits = text.replace(/\s+/g, "").toUpperCase();
  const hex = HEX.test(digits) ? digits : "";
  const inside = (value) => typeof value === "string" && value.toLowerCase().includes(wanted);
  const said = remembered((one) => texts(one).some(inside));
  return (row) =>
    said(shared(row)) ||
    (hex !== "" && [row.command, row.answer, row.plain].some((bytes) => bytes?.includes(hex))) ||
    (row.findings ?? []).some((one) => [one.rule, one.title, one.title_zh, one.text].some(inside));
}

function texts(said) {
  return [
    said.sw, said.instruction, said.instruction_zh, said.parameters, said.parameters_zh, said.meaning, said.meaning_zh,
    said.reason, said.reason_zh, said.label, said.about, said.about_zh, said.words, said.layout, said.algorithm, said.interface,
    ...(said.values ?? []).flatMap((one) => [one.label, one.zh, one.en, one.value]),
    ...(said.changes ?? []).flatMap((one) => [one.name, one.before, one.after]),
  ];
}

function remembered(ask) {
  const known = new Map();
  return (value) => {
    if (!known.has(value)) known.set(value, ask(value));
    return known.get(value);
  };
}
