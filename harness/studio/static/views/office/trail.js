// The trail: who did or saw what, when, by which article, and how it ended.

import { html, useState } from "../../vendor/preact.js";
import { t } from "../../lib/i18n.js";
import { visible } from "../../lib/text.js";
import { moment, query, word } from "./client.js";
import { Badge, CardLink, Export, Filter, Person, Rows, Stale, useAsked, Wrong } from "./parts.js";

const PAGE = 50;
const FILTERS = ["card", "person", "clerk", "operation", "outcome", "from", "to"];
const OUTCOMES = ["done", "refused", "failed", "half-way", "resumed", "abandoned"];
const KINDS = { done: "good", resumed: "good", refused: "bad", failed: "bad", "half-way": "warn", abandoned: "warn" };

const LOOKS = ["list", "trail", "token", "letter"]; // what stands on the trail and is no operation

const COLUMNS = (app, names) => [
  { key: "line", title: t("office.col_line") },
  { key: "at", title: t("office.col_at"), cell: (row) => moment(row.at) },
  { key: "operation", title: t("office.col_operation"), cell: (row) => visible(names[row.operation] ?? row.operation) },
  { key: "outcome", title: t("office.col_outcome"), cell: (row) => html`<${Badge} kind=${KINDS[row.outcome]}>${word(row, "outcome")}<//>
      ${row.rule && html` <span>${t("office.by_rule", { rule: visible(row.rule), article: row.article_of_rule })}</span>`}` },
  { key: "article", title: t("office.col_article") },
  { key: "clerk", title: t("office.col_clerk"), cell: (row) => html`${visible(row.clerk)} <span class="dim">${visible(row.outlet)}</span>` },
  { key: "person", title: t("office.col_person"), cell: (row) => html`<${Person} app=${app} number=${row.person} />` },
  { key: "card", title: t("office.col_card"), cell: (row) => html`<${CardLink} app=${app} number=${row.card} />` },
];

/** `about`: a person or a card that it is about, and no filters then. */
export function Trail({ app, office, params, about, change, names: operations }) {
  const names = { ...operations, ...Object.fromEntries(LOOKS.map((one) => [one, t(`office.look_${one}`)])) };
  const [pages, setPages] = useState([]);
  const wanted = about ?? Object.fromEntries(FILTERS.map((name) => [name, params[name] ?? ""]));
  const on = query({ ...wanted, before: pages.at(-1) ?? "", last: PAGE });
  const found = useAsked(() => office.get(`/trail${on}`), on, about ? null : change);
  const verified = useAsked(() => (about ? Promise.resolve(null) : office.get("/trail/verify")), "verify");
  const set = (name, value) => {
    setPages([]);
    app.go("office", Object.fromEntries(Object.entries({ at: "trail", ...wanted, [name]: value }).filter(([, one]) => one !== "")));
  };
  const rows = found.value?.lines.toReversed();
  const choices = {
    operation: Object.entries(names),
    outcome: OUTCOMES.map((one) => [one, t(`office.outcome_${one.replace("-", "_")}`)]),
  };
  const types = { from: "date", to: "date", person: "number" };
  return html`<section class="panel">
    <div class="row spread"><h2>${t("office.at_trail")}</h2><${Stale} asked=${found} />
      ${verified.value && html`<${Badge} kind=${verified.value.broken === null ? "good" : "bad"}>${
        verified.value.broken === null ? t("office.seals_hold", { lines: verified.value.lines }) : t("office.seals_broken", { line: verified.value.broken })}<//>`}
      <${Export} name="office-trail" rows=${rows} /></div>
    ${!about && html`<div class="row filters">${FILTERS.map(
      (name) => html`<${Filter} key=${name} name=${name} value=${wanted[name]} set=${set} choices=${choices[name]} type=${types[name]} />`,
    )}</div>`}
    ${found.error ? html`<${Wrong} office=${office} error=${found.error} />` : html`
      <${Rows} columns=${COLUMNS(app, names)} rows=${rows} caption=${t("office.at_trail")} empty=${t("office.no_lines")} />
      <p class="row">
        <button class="btn" disabled=${!pages.length} onClick=${() => setPages(pages.slice(0, -1))}>${t("office.newer")}</button>
        <button class="btn" disabled=${!found.value?.before} onClick=${() => setPages([...pages, found.value.before])}>${t("office.older")}</button>
      </p>`}
  </section>`;
}
