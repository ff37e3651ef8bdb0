// How much there is of everything, and what waits: late, lost, frozen, half-way.

import { html, useEffect } from "../../vendor/preact.js";
import { t } from "../../lib/i18n.js";
import { moment, word } from "./client.js";
import { left } from "./lists.js";
import { Badge, CardLink, Go, Person, Rows, useAsked, Wrong } from "./parts.js";

function Tile({ app, title, count, to, kind }) {
  const body = html`<span class="count">${count}</span> <span>${title}</span>`;
  return html`<li class=${`tile ${count && kind ? kind : ""}`}>${to ? html`<${Go} app=${app} to=${to}>${body}<//>` : body}</li>`;
}

export function Overview({ app, office, change }) {
  const found = useAsked(() => office.get("/overview"), `overview ${change}`);
  const late = useAsked(() => office.get("/late"), `late ${change}`);
  const of = found.value;
  if (found.error) return html`<${Wrong} office=${office} error=${found.error} />`;
  if (!of) return html`<p class="wait" role="status">${t("office.waiting")}</p>`;
  const lost = of.losses.temporary + of.losses.formal;
  return html`<div class="stack">
    <section class="panel">
      <div class="row spread"><h2>${t("office.at_overview")}</h2><span class="dim">${t("office.clock", { at: moment(of.at) })}</span></div>
      <ul class="tiles">
        <${Tile} app=${app} title=${t("office.at_people")} count=${of.people} to=${{ at: "people" }} />
        ${Object.entries(of.cards).filter(([, count]) => count > 0).map(
          ([life, count]) => html`<${Tile} key=${life} app=${app} title=${`${t("office.cards")} · ${t(`office.life_${life}`)}`} count=${count} to=${{ at: "cards", life }} />`,
        )}
        <${Tile} app=${app} title=${t("office.open")} count=${of.due.open} to=${{ at: "applications", open: "true" }} />
        <${Tile} app=${app} title=${t("office.late")} count=${of.due.late} kind="bad" to=${{ at: "applications", open: "true" }} />
        ${of.due.unknown > 0 && html`<${Tile} app=${app} title=${t("office.due_unknown")} count=${of.due.unknown} kind="warn" />`}
        <${Tile} app=${app} title=${t("office.at_losses")} count=${lost} kind="warn" to=${{ at: "losses" }} />
        <${Tile} app=${app} title=${t("office.frozen")} count=${of.frozen} kind="bad" to=${{ at: "cards", frozen: "true" }} />
        <${Tile} app=${app} title=${t("office.suspended")} count=${of.suspended} kind="warn" />
        <${Tile} app=${app} title=${t("office.at_pending")} count=${of.pending} kind="bad" to=${{ at: "pending" }} />
        <${Tile} app=${app} title=${t("office.untold")} count=${of.untold} kind="warn" />
        <${Tile} app=${app} title=${t("office.anomalies")} count=${of.anomalies} kind="bad" />
      </ul>
    </section>
    ${lost > 0 && html`<${Losses} app=${app} office=${office} change=${of.change} />`}
    ${late.value?.length > 0 && html`<section class="panel"><h3>${t("office.late")}</h3>
      <${Rows} rows=${late.value} caption=${t("office.late")} columns=${[
        { key: "application", title: t("office.col_application") },
        { key: "person", title: t("office.col_person"), cell: (row) => html`<${Person} app=${app} number=${row.person} />` },
        { key: "outlet", title: t("office.col_outlet") },
        { key: "progress", title: t("office.col_progress"), cell: (row) => word(row, "progress") },
        { key: "deadline", title: t("office.col_due"), cell: (row) => html`${moment(row.deadline)} <${Badge} kind="bad">${t("office.days_over", { days: -row.days_left })}<//>` },
      ]} />
    </section>`}
  </div>`;
}

function Losses({ app, office, change }) {
  const found = useAsked(() => office.get("/losses?most=10"), `losses ${change}`);
  return html`<section class="panel"><h3>${t("office.at_losses")}</h3>
    <${Rows} rows=${found.value?.losses} caption=${t("office.at_losses")} columns=${[
      { key: "card", title: t("office.col_card"), cell: (row) => html`<${CardLink} app=${app} number=${row.card} />` },
      { key: "person", title: t("office.col_person"), cell: (row) => html`<${Person} app=${app} number=${row.person} />` },
      { key: "loss", title: t("office.col_loss"), cell: (row) => word(row, "loss") },
      { key: "ends", title: t("office.col_ends"), cell: (row) => (row.ends ? left(row.hours_left) : t("office.lasts")) },
    ]} />
  </section>`;
}

/** Calls back with the number of the last change, whenever something was done. */
export function useChange(app, heard) {
  useEffect(() => app.on("office", (data) => heard(data.change)), []);
}
