// The lanes terminal, PSAM and card on a time line: one sees who spoke when, how long it took, and where it went wrong.

import { html, useEffect, useRef, useState } from "../../vendor/preact.js";
import { t } from "../../lib/i18n.js";
import { visible } from "../../lib/text.js";
import { duration } from "./words.js";

const HEIGHT = 132;
const LANES = { psam: 24, terminal: 66, card: 108 };
const LEFT = 78; // pixels for the lanes' names
const SIDE = 10;
const PART = 3; // pixels of a part that is counted
const LABEL = 96; // pixels that a name needs
const LARGE = 20000; // rows, above which the line is drawn anew less often
const LEAST = 1e-4; // seconds that can be looked at

export function Timeline({ source, filter, revision, total, selected, onPick }) {
  const box = useRef(null);
  const [width, setWidth] = useState(900);
  const [part, setPart] = useState(null); // [begin, end] in seconds, null for all
  const [told, setTold] = useState(null);
  const drag = useRef(null);
  useEffect(() => {
    const watch = new ResizeObserver(() => setWidth(box.current?.clientWidth || 900));
    watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  useThrottled(
    async (isWanted) => {
      const parts = Math.max(Math.min(Math.floor((width - LEFT) / PART), 2000), 10);
      const got = await source.timeline(filter, part?.[0] ?? null, part?.[1] ?? null, parts).catch(() => null);
      if (got && isWanted()) setTold(got);
    },
    [source, filter, part, width],
    revision,
    total > LARGE ? 3000 : 700,
  );

  const whole = told ?? { first: 0, last: 0, start: 0, end: 0 };
  const [begin, end] = part ?? [whole.first, whole.last];
  const span = Math.max(end - begin, LEAST);
  const room = Math.max(width - LEFT - SIDE, 1);
  const x = (time) => LEFT + ((time - begin) / span) * room;
  const look = (from, to) => {
    const all = Math.max(whole.last - whole.first, LEAST);
    const many = Math.min(Math.max(to - from, LEAST), all);
    const start = Math.min(Math.max(from, whole.first), whole.first + all - many);
    setPart(many >= all ? null : [start, start + many]);
  };
  const zoom = (by, around = begin + span / 2) => look(around - (around - begin) / by, around + (end - around) / by);
  const move = (by) => look(begin + span * by, end + span * by);
  const pressed = (event) => {
    const does = {
      "+": () => zoom(2), "=": () => zoom(2), "-": () => zoom(0.5), 0: () => setPart(null), Home: () => setPart(null),
      ArrowLeft: () => move(-0.2), ArrowRight: () => move(0.2),
    }[event.key];
    if (!does || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    does();
  };
  const timeAt = (event) => begin + ((event.clientX - box.current.getBoundingClientRect().left - LEFT) / room) * span;
  const wheeled = (event) => {
    if (!event.ctrlKey && !event.shiftKey) return; // the page scrolls
    event.preventDefault();
    if (event.ctrlKey) zoom(event.deltaY < 0 ? 1.4 : 1 / 1.4, timeAt(event));
    else move(event.deltaY > 0 ? 0.15 : -0.15);
  };
  const held = (event) => {
    drag.current = { at: event.clientX, begin, end, moved: false };
  };
  const dragged = (event) => {
    if (!drag.current || !event.buttons) return;
    const by = ((drag.current.at - event.clientX) / room) * span;
    if (Math.abs(drag.current.at - event.clientX) > 4) drag.current.moved = true;
    if (drag.current.moved) look(drag.current.begin + by, drag.current.end + by);
  };
  const pick = (position) => {
    if (!drag.current?.moved) onPick(position);
  };
  return html`
    <section class="panel timeline" aria-label=${t("session.timeline")}>
      <div class="row">
        <span class="dim">${t("session.timeline_part", { begin: begin.toFixed(3), end: end.toFixed(3), count: told?.count ?? 0 })}</span>
        <span class="tools">
          <button class="btn quiet" aria-label=${t("session.zoom_in")} onClick=${() => zoom(2)}>＋</button>
          <button class="btn quiet" aria-label=${t("session.zoom_out")} onClick=${() => zoom(0.5)}>－</button>
          <button class="btn quiet" aria-label=${t("session.earlier")} onClick=${() => move(-0.5)}>◂</button>
          <button class="btn quiet" aria-label=${t("session.later")} onClick=${() => move(0.5)}>▸</button>
          <button class="btn quiet" onClick=${() => setPart(null)}>${t("session.whole")}</button>
        </span>
      </div>
      <div class="time-box" ref=${box} tabindex="0" role="group" aria-label=${t("session.timeline_keys")}
        onKeyDown=${pressed} onWheel=${wheeled} onPointerDown=${held} onPointerMove=${dragged}>
        <svg width=${width} height=${HEIGHT} role="img" aria-label=${t("session.timeline_part", { begin: begin.toFixed(3), end: end.toFixed(3), count: told?.count ?? 0 })}>
          ${Object.entries(LANES).map(([lane, y]) => html`
            <line class="axis" x1=${LEFT - 8} x2=${width} y1=${y} y2=${y} />
            <text class="lane" x="4" y=${y + 4}>${t(`session.lane_${lane}`)}</text>`)}
          ${told?.rows && singles(told.rows, x, selected, pick)}
          ${told?.bins && counted(told, x, pick)}
        </svg>
      </div>
    </section>`;
}

function singles(rows, x, selected, pick) {
  let free = { psam: -LABEL, card: -LABEL, terminal: -LABEL };
  return rows.map((row) => {
    const at = x(row.t);
    const y = LANES[row.lane];
    const isNamed = at - free[row.lane] >= LABEL;
    if (isNamed) free = { ...free, [row.lane]: at };
    const name = row.name === row.kind ? t(`session.kind_${row.kind}`) : row.name;
    const title = [row.n, name, row.sw, row.latency ? duration(row.latency) : ""].filter(Boolean).join(" ");
    return html`
      <g key=${row.n} class=${`hit ${row.level} ${row.n === selected ? "chosen" : ""}`} onClick=${() => pick(row.position)}>
        <title>${visible(title)}</title>
        ${row.lane !== "terminal" && html`<line class="talk" x1=${at} x2=${at} y1=${LANES.terminal} y2=${y} />`}
        ${row.latency > 0 && html`<line class="took" x1=${x(row.t - row.latency)} x2=${at} y1=${y} y2=${y} />`}
        ${mark(row.level, at, y)}
        ${row.findings > 0 && html`<path class="found" d=${`M${at - 5} ${y - 18}h10l-5 8z`} />`}
        ${isNamed && html`<text x=${at + 5} y=${y + 16}>${visible(name).slice(0, 14)}</text>`}
      </g>`;
  });
}

/** A shape for each level, so that colour is not all that tells them apart. */
function mark(level, x, y) {
  if (level === "refused") return html`<path class="mark" d=${`M${x - 4} ${y - 4}l8 8m0 -8l-8 8`} />`;
  if (level === "warning") return html`<path class="mark" d=${`M${x - 5} ${y + 4}h10l-5 -9z`} />`;
  if (level === "silent") return html`<circle class="mark hollow" cx=${x} cy=${y} r="4" />`;
  if (level === "plain") return html`<rect class="mark" x=${x - 1.5} y=${y - 7} width="3" height="14" />`;
  return html`<circle class="mark" cx=${x} cy=${y} r="3.5" />`;
}

function counted(told, x, pick) {
  const width = (told.end - told.start) / told.parts;
  const most = Math.max(...told.bins.map((one) => one.count), 1);
  return told.bins.map((one) => {
    const at = x(told.start + one.at * width);
    const height = 4 + (26 * Math.log1p(one.count)) / Math.log1p(most);
    const y = LANES[one.lane];
    return html`
      <g key=${`${one.lane} ${one.at}`} class=${`hit ${one.level}`} onClick=${() => pick(one.position)}>
        <title>${t("session.part_count", { count: one.count, findings: one.findings })}</title>
        <rect class="bar-of" x=${at} y=${y - height / 2} width=${Math.max(x(told.start + (one.at + 1) * width) - at - 0.5, 1)} height=${height} />
        ${one.findings > 0 && html`<path class="found" d=${`M${at - 3} ${y - height / 2 - 7}h7l-3.5 6z`} />`}
      </g>`;
  });
}

/** Runs at once when `keys` change, and when `revision` does, but then not more often than each `pause` milliseconds. */
function useThrottled(run, keys, revision, pause) {
  const state = useRef({ last: 0, timer: 0, wanted: null });
  const begin = () => {
    const wanted = {};
    Object.assign(state.current, { last: performance.now(), timer: 0, wanted });
    run(() => state.current.wanted === wanted);
  };
  const latest = useRef(begin);
  latest.current = begin;
  useEffect(() => latest.current(), keys);
  useEffect(() => {
    const one = state.current;
    if (one.timer) return;
    one.timer = setTimeout(() => latest.current(), Math.max(pause - (performance.now() - one.last), 0));
  }, [revision]);
  useEffect(() => () => {
    clearTimeout(state.current.timer);
    state.current.wanted = null;
  }, []);
}
