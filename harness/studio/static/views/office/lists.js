// People, cards, applications and losses in lists; one person, and one card's life.

import { html, useState } from "../../vendor/preact.js";
import { t } from "../../lib/i18n.js";
import { visible } from "../../lib/text.js";
import { moment, query, word } from "./client.js";
import { Badge, CardLink, Export, Filter, Go, Person, Rows, Stale, useAsked, Wrong } from "./parts.js";

const PAGE = 50;
const HOURS = 24;
const LIVES = ["making", "made", "issued", "replaced", "cancelled", "ended", "surplus"];
const LOSSES = ["none", "temporary", "formal"];
const PROGRESS = ["accepted", "made", "delivered", "undelivered", "disposed"];
const KINDS = ["first", "anew", "reissue", "replace"];

const WORDS = {
  life: [LIVES, (one) => t(`office.life_${one}`)],
  loss: [LOSSES, (one) => t(`office.loss_${one}`)],
  progress: [PROGRESS, (one) => t(`office.progress_${one}`)],
  kind: [KINDS, (one) => t(`office.for_${one}`)],
  yes: [["true", "false"], (one) => t(`office.yes_${one}`)],
};

function named(kind) {
  const [values, told] = WORDS[kind];
  return values.map((one) => [one, told(one)]);
}

/** So long is left of a temporary loss: days and hours of the Measures' seven days. */
export function left(hours) {
  return t("office.hours_left", { days: Math.floor(hours / HOURS), hours: hours % HOURS });
}

function Due({ row }) {
  if (row.deadline_unknown) return html`<span class="dim" title=${visible(row.deadline_unknown)}>${t("office.due_unknown")}</span>`;
  if (row.days_left === null) return moment(row.deadline);
  const late = row.days_left < 0;
  const text = late ? t("office.days_over", { days: -row.days_left }) : t("office.days_left", { days: row.days_left });
  return html`${moment(row.deadline)} <${Badge} kind=${late ? "bad" : row.days_left < 5 ? "warn" : ""}>${text}<//>`;
}

function State({ row }) {
  const marks = [];
  if (row.loss !== "none") marks.push(html`<${Badge} kind="warn">${t(`office.loss_${row.loss}`)}<//>`);
  if (row.frozen) marks.push(html`<${Badge} kind="bad">${t("office.frozen")}<//>`);
  if (row.suspended) marks.push(html`<${Badge} kind="warn">${t("office.suspended")}<//>`);
  if (row.holder_dead) marks.push(html`<${Badge} kind="bad">${t("office.dead")}<//>`);
  if (row.usable) marks.push(html`<${Badge} kind="good">${t("office.usable")}<//>`);
  return html`<span class="row">${marks}</span>`;
}

const PEOPLE = (app) => [
  { key: "person", title: t("office.col_person"), cell: (row) => html`<${Person} app=${app} number=${row.person} />` },
  { key: "name", title: t("office.col_name") },
  { key: "kind", title: t("office.col_kind"), cell: (row) => word(row, "kind") },
  { key: "document", title: t("office.col_document"), cell: (row) => html`${word(row, "document_type")} <code>${visible(row.document_number)}</code>` },
  { key: "phone", title: t("office.col_phone") },
  { key: "region", title: t("office.col_region") },
  { key: "dead", title: t("office.col_state"), cell: (row) => row.dead && html`<${Badge} kind="bad">${t("office.dead")}<//>` },
];

const CARDS = (app) => [
  { key: "card", title: t("office.col_card"), cell: (row) => html`<${CardLink} app=${app} number=${row.card} />` },
  { key: "person", title: t("office.col_person"), cell: (row) => html`<${Person} app=${app} number=${row.person} />` },
  { key: "bank", title: t("office.col_bank") },
  { key: "life", title: t("office.col_life"), cell: (row) => word(row, "life") },
  { key: "state", title: t("office.col_state"), cell: (row) => html`<${State} row=${row} />` },
];

const APPLICATIONS = (app) => [
  { key: "application", title: t("office.col_application") },
  { key: "kind", title: t("office.col_for"), cell: (row) => word(row, "kind") },
  { key: "progress", title: t("office.col_progress"), cell: (row) => word(row, "progress") },
  { key: "person", title: t("office.col_person"), cell: (row) => html`<${Person} app=${app} number=${row.person} />` },
  { key: "bank", title: t("office.col_bank") },
  { key: "accepted", title: t("office.col_accepted"), cell: (row) => moment(row.accepted) },
  { key: "deadline", title: t("office.col_due"), cell: (row) => html`<${Due} row=${row} />` },
];

const LOST = (app) => [
  { key: "card", title: t("office.col_card"), cell: (row) => html`<${CardLink} app=${app} number=${row.card} />` },
  { key: "person", title: t("office.col_person"), cell: (row) => html`<${Person} app=${app} number=${row.person} />` },
  { key: "loss", title: t("office.col_loss"), cell: (row) => word(row, "loss") },
  { key: "reported", title: t("office.col_reported"), cell: (row) => moment(row.reported) },
  { key: "ends", title: t("office.col_ends"), cell: (row) =>
    row.ends ? html`${moment(row.ends)} <${Badge} kind=${row.hours_left < HOURS ? "bad" : "warn"}>${left(row.hours_left)}<//>` : t("office.lasts") },
];

const LISTS = {
  people: { columns: PEOPLE, filters: { region: { pattern: "[0-9]{1,6}" } } },
  cards: {
    columns: CARDS,
    filters: {
      person: { type: "number" }, bank: { banks: true }, life: { words: "life" }, loss: { words: "loss" },
      frozen: { words: "yes" },
    },
  },
  applications: {
    columns: APPLICATIONS,
    filters: {
      person: { type: "number" }, bank: { banks: true }, kind: { words: "kind" },
      progress: { words: "progress" }, open: { words: "yes" },
    },
  },
  losses: { columns: LOST, filters: {} },
};

function Pager({ after, before, go }) {
  return html`<p class="row">
    <button class="btn" disabled=${!before} onClick=${() => go(before.slice(0, -1))}>${t("office.page_before")}</button>
    <button class="btn" disabled=${after === null} onClick=${() => go([...(before ?? []), after])}>${t("office.page_after")}</button>
  </p>`;
}

export function List({ app, office, what, params, change }) {
  const { columns, filters } = LISTS[what];
  const [pages, setPages] = useState([]);
  const wanted = Object.fromEntries(Object.keys(filters).map((name) => [name, params[name] ?? ""]));
  const on = query({ ...wanted, after: pages.at(-1) ?? "", most: PAGE });
  const found = useAsked(() => office.get(`/${what}${on}`), what + on, change);
  const banks = useAsked(() => office.get("/banks"), "banks");
  const set = (name, value) => {
    setPages([]);
    app.go("office", Object.fromEntries(Object.entries({ at: what, ...wanted, [name]: value }).filter(([, one]) => one !== "")));
  };
  const rows = found.value?.[what];
  const choices = (spec) => {
    if (spec.banks) return (banks.value ?? []).map((one) => [one.bank, `${one.bank} ${word({ name: one.name_en, name_zh: one.name }, "name")}`]);
    return spec.words && named(spec.words);
  };
  return html`<section class="panel">
    <div class="row spread"><h2>${t(`office.at_${what}`)}</h2><${Stale} asked=${found} /><${Export} name=${`office-${what}`} rows=${rows} /></div>
    ${what === "people" && html`<${Find} app=${app} office=${office} />`}
    <div class="row filters">
      ${Object.entries(filters).map(
        ([name, spec]) => html`<${Filter} key=${name} name=${name} value=${wanted[name]} set=${set} choices=${choices(spec)}
          type=${spec.type} pattern=${spec.pattern} />`,
      )}
    </div>
    ${found.error ? html`<${Wrong} office=${office} error=${found.error} />` : html`
      <${Rows} columns=${columns(app)} rows=${rows} caption=${t(`office.at_${what}`)} />
      <${Pager} after=${found.value?.after ?? null} before=${pages.length ? pages : null} go=${setPages} />`}
  </section>`;
}

/** A search by name or document: neither goes into an address, nor into the browser's history. */
function Find({ app, office }) {
  const [asked, setAsked] = useState({ name: "", number: "", type: "id-card" });
  const [found, setFound] = useState(null);
  const set = (event) => setAsked({ ...asked, [event.target.name]: event.target.value });
  const search = async (event) => {
    event.preventDefault();
    const body = {};
    if (asked.name.trim()) body.name = asked.name;
    if (asked.number.trim()) body.document = { type: asked.type, number: asked.number };
    try {
      setFound({ rows: (await office.post("/people/find", body)).people });
    } catch (error) {
      setFound({ error });
    }
  };
  return html`<form class="find" onSubmit=${search}>
    <div class="row">
      <span class="field"><label for="find-name">${t("office.find_name")}</label>
        <input id="find-name" name="name" value=${asked.name} onInput=${set} autocomplete="off" maxlength="50" /></span>
      <span class="field"><label for="find-number">${t("office.find_document")}</label>
        <input id="find-number" name="number" value=${asked.number} onInput=${set} autocomplete="off" maxlength="24" /></span>
      <button class="btn main" disabled=${!asked.name.trim() && !asked.number.trim()}>${t("office.find")}</button>
    </div>
    <div aria-live="polite">
      ${found?.error && html`<${Wrong} office=${office} error=${found.error} />`}
      ${found?.rows && html`<h3>${t("office.found", { count: found.rows.length })}</h3>
        <${Rows} columns=${PEOPLE(app)} rows=${found.rows} caption=${t("office.find")} />`}
    </div>
  </form>`;
}

function Titled({ title, children }) {
  return html`<section class="panel"><h3>${title}</h3>${children}</section>`;
}

export function OnePerson({ app, office, number, trail }) {
  const found = useAsked(() => office.get(`/people/${encodeURIComponent(number)}`), number);
  if (found.error) return html`<${Wrong} office=${office} error=${found.error} />`;
  if (!found.value) return html`<p class="wait" role="status">${t("office.waiting")}</p>`;
  const person = found.value;
  return html`<div class="stack">
    <section class="panel">
      <h2>${t("office.person_number", { number: person.person })} <bdi>${visible(person.name)}</bdi></h2>
      <${Rows} columns=${PEOPLE(app)} rows=${[person]} caption=${t("office.at_person")} />
      <p class="row">
        ${person.electronic && html`<${Badge} kind="info">${t("office.electronic")}<//>`}
        ${person.guardian && html`<${Badge}>${t("office.guardian")}<//>`}
      </p>
    </section>
    <${Titled} title=${t("office.at_cards")}><${Rows} columns=${CARDS(app)} rows=${person.cards} caption=${t("office.at_cards")} /><//>
    <${Titled} title=${t("office.at_applications")}>
      <${Rows} columns=${APPLICATIONS(app)} rows=${person.applications} caption=${t("office.at_applications")} /><//>
    ${person.agents.length > 0 && html`<${Titled} title=${t("office.agents")}>
      <${Rows} rows=${person.agents} caption=${t("office.agents")} columns=${[
        { key: "at", title: t("office.col_at"), cell: (row) => moment(row.at) },
        { key: "operation", title: t("office.col_operation") },
        { key: "relation", title: t("office.col_relation"), cell: (row) => word(row, "relation") },
        { key: "cause", title: t("office.col_cause"), cell: (row) => word(row, "cause") },
      ]} /><//>`}
    ${trail({ person: person.person })}
  </div>`;
}

export function OneCard({ app, office, number, trail }) {
  const found = useAsked(() => office.get(`/cards/${encodeURIComponent(number)}`), number);
  if (found.error) return html`<${Wrong} office=${office} error=${found.error} />`;
  if (!found.value) return html`<p class="wait" role="status">${t("office.waiting")}</p>`;
  const card = found.value;
  return html`<div class="stack">
    <section class="panel">
      <h2>${t("office.card_number", { number: visible(card.card) })}</h2>
      <dl class="pairs">
        <dt>${t("office.col_person")}</dt><dd><${Person} app=${app} number=${card.person} /></dd>
        <dt>${t("office.col_life")}</dt><dd>${word(card, "life")} <${State} row=${card} /></dd>
        ${card.loss_ends && html`<dt>${t("office.col_ends")}</dt><dd>${moment(card.loss_ends)}</dd>`}
        <dt>${t("office.col_bank")}</dt><dd>${visible(card.bank)} ${card.account && word(card, "account")}</dd>
        <dt>${t("office.col_layout")}</dt><dd>${visible(card.layout)} ${visible(card.algorithm)}</dd>
        <dt>${t("office.col_valid")}</dt><dd>${moment(card.valid_until)}</dd>
        <dt>${t("office.col_drawer")}</dt><dd>${card.in_drawer ? t("office.in_drawer") : t("office.not_in_drawer")}</dd>
      </dl>
      ${card.pending && html`<p class="banner warn"><${Go} app=${app} to=${{ at: "pending" }}>${t("office.card_pending", { number: card.pending })}<//></p>`}
      <p><${Go} app=${app} to=${{ at: "ask", drawer: card.card }}>${t("office.ask_with_card")}<//></p>
    </section>
    <${Titled} title=${t("office.life")}>
      <ol class="life">${card.events.map(
        (one) => html`<li key=${one.event}><time>${moment(one.at)}</time> <strong>${word({ what: one.en, what_zh: one.zh }, "what")}</strong> ${visible(one.why)}</li>`,
      )}</ol>
    <//>
    <${Titled} title=${t("office.at_applications")}>
      <${Rows} columns=${APPLICATIONS(app)} rows=${card.applications} caption=${t("office.at_applications")} /><//>
    ${trail({ card: card.card })}
  </div>`;
}
