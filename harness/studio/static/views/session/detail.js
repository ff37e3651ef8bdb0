// One row with all that is known of it.

import { html } from "../../vendor/preact.js";
import { both, t } from "../../lib/i18n.js";
import { Pair } from "../../lib/pairs.js";
import { spaced, visible } from "../../lib/text.js";
import { changed, clock, duration, named } from "./words.js";

const LEVEL = { good: "good", warning: "warn", refused: "bad", silent: "warn", plain: "dim" };

/** `children`: what a view adds, as the card as it was. */
export function Detail({ row, marked, onMark, children }) {
  if (!row) return html`<section class="panel detail"><p class="empty">${t("session.choose")}</p></section>`;
  const isMarked = marked.includes(row.n);
  return html`
    <section class="panel detail" tabindex="0" aria-label=${t("session.detail")}>
      <div class="row">
        <h2>${visible(named(row, true))}</h2>
        ${onMark && html`<button class="btn" aria-pressed=${isMarked ? "true" : "false"} onClick=${() => onMark(row.n)}>
          ${t("session.mark")}</button>`}
      </div>
      <dl class="pairs">
        <${Pair} name=${t("session.place")}>${t("session.line_slot", { line: row.line, slot: row.slot })}${" "}
          <span class=${`badge lane-${row.lane}`}>${t(`session.lane_${row.lane}`)}</span><//>
        <${Pair} name=${t("session.time")}>${clock(row)}${row.time ? ` (+${row.t.toFixed(3)} s)` : ""}<//>
        ${row.command && html`<${Pair} name=${t("session.command")}><${Command} hex=${row.command} /><//>`}
        ${row.parameters && html`<${Pair} name=${t("session.parameters")}>${visible(both({ zh: row.parameters_zh, en: row.parameters }))}<//>`}
        ${row.about !== undefined && html`<${Pair} name=${t("session.about")}>
          <code>${visible(row.label)}</code> ${visible(both({ zh: row.about_zh, en: row.about }))}<//>`}
        ${row.plain && html`<${Pair} name=${t("session.plain")}><${Command} hex=${row.plain} /><//>`}
        <${Answer} row=${row} />
        ${row.reason && html`<${Pair} name=${t("session.reason")}>${visible(both({ zh: row.reason_zh, en: row.reason }))}<//>`}
        ${row.words && row.kind !== "call" && html`<${Pair} name=${t(row.kind === "fault" ? "session.fault" : "session.failure")}>${visible(row.words)}<//>`}
        ${row.hidden && html`<${Pair} name=${t("session.values")}>${t("session.masked")}<//>`}
        ${(row.values ?? []).map((one) => html`<${Pair} name=${`${visible(one.label)} ${visible(both(one))}`}>${visible(one.value)}<//>`)}
        ${row.layout && html`<${Pair} name=${t("session.layout")}>${visible(row.layout)} ${visible(row.algorithm)}<//>`}
        ${row.interface && html`<${Pair} name=${t("session.interface")}>${t(row.interface === "contactless" ? "session.contactless" : "session.contact")}<//>`}
        ${row.latency !== undefined && html`<${Pair} name=${t("session.latency")}>${duration(row.latency)}<//>`}
        ${row.writes && html`<${Pair} name=${t("session.writes")}>${row.writes}<//>`}
      </dl>
      ${(row.changes ?? []).length > 0 && html`
        <h3>${t("session.changes")}</h3>
        <ul class="plain">${row.changes.map((one) => html`<li><b>${changed(one.kind)}</b>${one.name && ` ${visible(one.name)}`}
          ${(one.before || one.after) && html`: ${visible(one.before || "–")} → ${visible(one.after || "–")}`}</li>`)}</ul>`}
      ${(row.findings ?? []).length > 0 && html`
        <h3>${t("session.findings")}</h3>
        <ul class="plain">${row.findings.map((one) => html`<li><${Finding} one=${one} /></li>`)}</ul>`}
      ${children}
    </section>`;
}

export function Finding({ one }) {
  return html`
    <span class=${`badge ${one.severity === "error" ? "bad" : "warn"}`}>${t(one.severity === "error" ? "session.error" : "session.warning")}</span>
    ${" "}<code>${visible(one.rule)}</code> ${visible(both({ zh: one.title_zh, en: one.title }))}
    <span class="dim"> ${visible(one.text)} · ${visible(one.source)}</span>`;
}

function Answer({ row }) {
  if (row.kind === "reset") return html`<${Pair} name="ATR"><code>${spaced(row.answer)}</code><//>`;
  if (row.kind === "off" || row.kind === "call") return null;
  if (row.kind === "fault") {
    return html`<${Pair} name=${t("session.card_itself")}><code>${row.answer ? spaced(row.answer) : t("session.never_reached")}</code><//>`;
  }
  const data = (row.answer ?? "").slice(0, -4);
  return html`<${Pair} name=${t("session.answer")}>
    ${data && html`<code>${spaced(data)}</code> `}
    <code class=${LEVEL[row.level]}>${row.sw || t("session.no_answer")}</code>
    ${" "}${visible(both({ zh: row.meaning_zh, en: row.meaning }))}<//>`;
}

/** A command's bytes, header, length and data apart. */
function Command({ hex }) {
  const parts = [[hex.slice(0, 8), "CLA INS P1 P2"], [hex.slice(8, 10), "P3"], [hex.slice(10), ""]];
  return parts.filter(([bytes]) => bytes).map(([bytes, name]) => html`<code title=${name}>${spaced(bytes)}</code> `);
}
