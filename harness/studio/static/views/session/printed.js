// The rows as a table for paper, where nothing scrolls. It is made at once when the browser is about to print.

import { html, render } from "../../vendor/preact.js";
import { both, t } from "../../lib/i18n.js";
import { visible } from "../../lib/text.js";
import { Finding } from "./detail.js";
import { changed, clock, duration, named, saidShort } from "./words.js";

const MOST = 5000; // rows; some 150 pages

/** Keeps a table in `box` while the page is printed. `rows()`: those that are meant, at that moment. */
export function printed(box, rows) {
  addEventListener("beforeprint", () => render(html`<${Table} rows=${rows()} />`, box));
  addEventListener("afterprint", () => render(null, box));
}

function Table({ rows }) {
  return html`
    ${rows.length > MOST && html`<p>${t("session.printed", { count: MOST, total: rows.length })}</p>`}
    <table class="table">
      <thead><tr>${["place", "time", "command", "about", "answer", "changes"].map((one) => html`<th scope="col">${t(`session.${one}`)}</th>`)}</tr></thead>
      <tbody>${rows.slice(0, MOST).map(line)}</tbody>
    </table>`;
}

function line(row) {
  return html`<tr>
    <td>${row.line}<br />${t(`session.lane_${row.lane}`)} ${row.slot}</td>
    <td>${clock(row)}<br />${duration(row.latency)}</td>
    <td><b>${visible(named(row))}</b>${row.command && html`<br /><code>${row.command}</code>`}</td>
    <td>${row.label !== undefined && html`${visible(row.label)} ${visible(both({ zh: row.about_zh, en: row.about }))}`}
      ${(row.values ?? []).map((one) => html`<br />${visible(one.value)}`)}</td>
    <td><code>${row.kind === "reset" ? row.answer : (row.answer ?? "").slice(0, -4)} ${row.sw}</code> ${visible(saidShort(row))}
      ${(row.findings ?? []).map((one) => html`<br /><${Finding} one=${one} />`)}</td>
    <td>${(row.changes ?? []).map((one) => html`${changed(one.kind)} ${visible(one.name)} ${visible(one.before)} → ${visible(one.after)}<br />`)}</td>
  </tr>`;
}
