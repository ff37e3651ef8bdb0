// Where the rows of a session come from: the server, or the page itself. Both answer the same questions.

import { matcher, hasText, query } from "./filters.js";

const SINGLE = 400; // rows that the time line shows one by one, as harness/studio/session/timeline.py
const WORST = ["plain", "good", "silent", "warning", "refused"];

/** A session that the server holds. `ask(path)` gives JSON. */
export class RemoteRows {
  constructor(ask, id, summary) {
    this.ask = ask;
    this.id = id;
    this.summary = summary;
  }

  #get(what, filter, more = {}) {
    const rest = new URLSearchParams({ session: this.id });
    for (const [name, value] of Object.entries(more)) if (value !== null) rest.set(name, value);
    return this.ask(`/api/session/${what}?${[rest, filter ? query(filter) : ""].filter(String).join("&")}`);
  }

  /** {first, total, start, rows} from a position of the filter on; a negative one counts from the end. */
  window(filter, start, count) {
    return this.#get("rows", filter, { start, count });
  }

  /** Where in a filter a row stands, or the next one that it means. */
  async position(filter, n) {
    return (await this.#get("position", filter, { n })).position;
  }

  /** {position, n} of the next row that has a text, null where none has. */
  search(filter, wanted, start, back) {
    return this.#get("search", filter, { wanted, start, back });
  }

  findings() {
    return this.#get("findings");
  }

  timeline(filter, begin, end, parts) {
    return this.#get("timeline", filter, { begin, end, parts });
  }
}

/** A session that is all in the page, packed as harness/studio/session/packed.py has it. */
export class LocalRows {
  constructor(data) {
    this.data = data;
    this.summary = data.about;
    this.time = data.began ? timer(data.began) : null;
    this.made = new Array(data.rows.length);
    this.views = new Map();
  }

  #row(at) {
    if (!this.made[at]) {
      const [said, stood, ...own] = this.data.rows[at];
      const row = Object.create(this.data.said[said]);
      row.stood = this.data.stood[stood];
      this.data.own.forEach((name, index) => {
        if (own[index]) row[name] = own[index];
      });
      row.n ??= 0;
      row.t ??= 0;
      if (this.time) row.time = this.time(row.t);
      this.made[at] = row;
    }
    return this.made[at];
  }

  #meant(filter) {
    const key = query(filter);
    if (!this.views.has(key)) {
      const means = matcher(filter, Object.getPrototypeOf);
      const found = [];
      for (let at = 0; at < this.made.length; at++) if (means(this.#row(at))) found.push(at);
      this.views.set(key, found);
    }
    return this.views.get(key);
  }

  /** All rows that a filter means, at once. */
  all(filter) {
    return this.#meant(filter).map((at) => this.#row(at));
  }

  async window(filter, start, count) {
    const meant = this.#meant(filter);
    const begin = Math.max(start < 0 ? meant.length + start : start, 0);
    return {
      first: 0, total: meant.length, start: begin, rows: meant.slice(begin, begin + count).map((at) => this.#row(at)),
    };
  }

  async position(filter, n) {
    const found = this.#meant(filter).findIndex((at) => this.#row(at).n >= n);
    return found < 0 ? this.#meant(filter).length : found;
  }

  async search(filter, wanted, start, back) {
    const meant = this.#meant(filter);
    const has = hasText(wanted, Object.getPrototypeOf);
    const many = meant.length;
    const from = back ? Math.min(start, many - 1) : Math.max(start, 0);
    for (let step = 0; step < many; step++) {
      const at = (((back ? from - step : from + step) % many) + many) % many;
      const row = this.#row(meant[at]);
      if (has(row)) return { position: at, n: row.n };
    }
    return null;
  }

  async findings() {
    const told = [];
    for (let at = 0; at < this.made.length; at++) {
      for (const one of this.#row(at).findings ?? []) told.push({ n: this.#row(at).n, line: this.#row(at).line, ...one });
    }
    return told;
  }

  async timeline(filter, begin, end, parts) {
    const rows = this.#meant(filter).map((at, position) => [position, this.#row(at)]);
    const times = rows.map(([, row]) => row.t);
    const first = times.reduce((least, t) => Math.min(least, t), times[0] ?? 0);
    const last = times.reduce((most, t) => Math.max(most, t), times[0] ?? 0);
    const start = begin ?? first;
    const stop = end ?? last;
    const seen = rows.filter(([, row]) => start <= row.t && row.t <= stop);
    const told = { first, last, start, end: stop, count: seen.length };
    if (seen.length <= SINGLE) return { ...told, rows: seen.map(single) };
    return { ...told, parts, bins: bins(seen, start, Math.max(stop - start, 1e-9) / parts, parts) };
  }
}

/** Gives the time so many seconds after `began`, in its zone. */
function timer(began) {
  const zone = /([+-])(\d\d):(\d\d)$/.exec(began);
  const ahead = zone ? Number(`${zone[1]}1`) * (Number(zone[2]) * 60 + Number(zone[3])) * 60000 : 0;
  const first = Date.parse(began) + ahead;
  return (seconds) => new Date(first + seconds * 1000).toISOString().replace("Z", zone?.[0] ?? "Z");
}

function single([position, row]) {
  return {
    position, n: row.n, t: row.t, latency: row.latency ?? 0, lane: row.lane, slot: row.slot, kind: row.kind,
    level: row.level, name: row.instruction || row.kind, sw: row.sw ?? "", findings: row.findings?.length ?? 0,
  };
}

function bins(seen, start, width, parts) {
  const found = new Map();
  for (const [position, row] of seen) {
    const at = Math.min(Math.floor((row.t - start) / width), parts - 1);
    const key = `${row.lane} ${at}`;
    if (!found.has(key)) found.set(key, { lane: row.lane, at, position, count: 0, findings: 0, level: "plain" });
    const one = found.get(key);
    one.count += 1;
    one.findings += row.findings?.length ?? 0;
    if (WORST.indexOf(row.level) > WORST.indexOf(one.level)) one.level = row.level;
  }
  return [...found.values()].sort((one, other) =>
    one.lane === other.lane ? one.at - other.at : one.lane < other.lane ? -1 : 1);
}
