// The rows, of which only those on the screen are in the page: a hundred thousand scroll like ten.

import { html, useEffect, useLayoutEffect, useRef, useState } from "../../vendor/preact.js";
import { t, both } from "../../lib/i18n.js";
import { visible } from "../../lib/text.js";
import { clock, duration, named, saidShort } from "./words.js";

const HEIGHT = 30; // pixels of a row
const MORE = 8; // rows above and below that are laid out too
const KEYS = { ArrowDown: 1, ArrowUp: -1, PageDown: "page", PageUp: "-page", Home: "first", End: "last" };

/**
 * `view`: what useRows gives. `selected`, `marked`: numbers of rows. `target`: {position} to scroll to, another object
 * each time. `onPick(position)`.
 */
export function RowList({ view, see, selected, marked, target, follow, setFollow, onPick }) {
  const box = useRef(null);
  const [top, setTop] = useState(0);
  const [room, setRoom] = useState(480);
  const { first, total, start, rows } = view;
  const shown = Math.ceil(room / HEIGHT);
  const from = Math.max(first + Math.floor(top / HEIGHT), first);
  const at = rows.findIndex((row) => row.n === selected);

  useEffect(() => {
    const watch = new ResizeObserver(() => setRoom(box.current?.clientHeight || 480));
    watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  useEffect(() => see(from, shown, follow), [from, shown, follow]);
  useLayoutEffect(() => {
    if (follow) box.current.scrollTop = box.current.scrollHeight;
  }, [follow, total, room]);
  const before = useRef(first);
  useLayoutEffect(() => {
    // What is not kept any more goes above; what one looks at stays where it is.
    if (first > before.current && !follow) box.current.scrollTop -= (first - before.current) * HEIGHT;
    before.current = first;
  }, [first]);
  useLayoutEffect(() => {
    if (!target) return;
    const y = (target.position - first) * HEIGHT;
    const { scrollTop, clientHeight } = box.current;
    if (y < scrollTop) box.current.scrollTop = y;
    else if (y + HEIGHT > scrollTop + clientHeight) box.current.scrollTop = y + HEIGHT - clientHeight;
  }, [target]);

  const scrolled = (event) => {
    const { scrollTop } = event.currentTarget;
    setTop(scrollTop);
    const isEnd = scrollTop + room >= (total - first) * HEIGHT - HEIGHT / 2;
    if (follow && !isEnd) setFollow(false);
  };
  const pressed = (event) => {
    const step = KEYS[event.key];
    if (step === undefined || !total || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const now = at < 0 ? from : start + at;
    const page = Math.max(shown - 2, 1);
    const wanted = { page: now + page, "-page": now - page, first, last: total - 1 }[step] ?? (at < 0 ? now : now + step);
    if (step !== "last") setFollow(false);
    onPick(Math.min(Math.max(wanted, first), total - 1));
  };

  const last = Math.min(total, from + shown + MORE);
  const lines = [];
  for (let position = Math.max(from - MORE, first); position < last; position++) {
    // Elements that leave the screen are those that come: nothing is made anew while one scrolls.
    lines.push(line(position % (shown + 2 * MORE + 1), position, rows[position - start], position - first, { selected, marked, onPick }));
  }
  return html`
    <div class="rows" role="grid" tabindex="0" ref=${box} aria-label=${t("session.rows")} aria-rowcount=${total}
      aria-activedescendant=${at < 0 ? undefined : `row-${selected}`} onScroll=${scrolled} onKeyDown=${pressed}>
      <div class="rows-all" role="rowgroup" style=${{ height: `${(total - first) * HEIGHT}px` }}>${lines}</div>
    </div>`;
}

function line(key, position, row, index, { selected, marked, onPick }) {
  const style = { transform: `translateY(${index * HEIGHT}px)` };
  if (!row) {
    return html`<div key=${key} class="line wait" role="row" style=${style}><span role="gridcell">…</span></div>`;
  }
  const classes = ["line", `is-${row.level}`, `is-${row.kind}`, marked.includes(row.n) && "marked"].filter(Boolean).join(" ");
  const findings = row.findings ?? [];
  const worst = findings.some((one) => one.severity === "error") ? "bad" : "warn";
  return html`
    <div key=${key} id=${`row-${row.n}`} class=${classes} role="row" aria-rowindex=${position + 1}
      aria-selected=${row.n === selected ? "true" : "false"} style=${style} onClick=${() => onPick(position)}>
      <span role="gridcell" class="l-n">${row.line}</span>
      <span role="gridcell" class="l-time">${clock(row)}</span>
      <span role="gridcell" class="l-lane"><span class=${`badge lane-${row.lane}`}>${t(`session.lane_${row.lane}`)} ${row.slot}</span></span>
      <span role="gridcell" class="l-what">
        <b>${visible(named(row))}</b>
        ${row.label !== undefined && html` <span class="dim">${visible(row.label)} ${visible(both({ zh: row.about_zh, en: row.about }))}</span>`}
      </span>
      <span role="gridcell" class="l-sw"><code>${row.sw}</code> ${visible(saidShort(row))}</span>
      <span role="gridcell" class="l-marks">
        ${findings.length > 0 && html`<span class=${`badge ${worst}`} title=${findings.map((one) => one.rule).join(", ")}>${visible(findings[0].rule)}${findings.length > 1 ? ` +${findings.length - 1}` : ""}</span>`}
        ${(row.changes ?? []).length > 0 && html`<span class="badge" title=${t("session.changes")}>Δ${row.changes.length}</span>`}
      </span>
      <span role="gridcell" class="l-took">${duration(row.latency)}</span>
    </div>`;
}
