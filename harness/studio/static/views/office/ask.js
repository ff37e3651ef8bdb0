// An operation asked for by form: which there are, the form of one, which card is in the reader, and what came of it.

import { html, useEffect, useState } from "../../vendor/preact.js";
import { lang, t } from "../../lib/i18n.js";
import { visible } from "../../lib/text.js";
import { query, spoken } from "./client.js";
import { Form, Problem, useForm } from "./form.js";
import { Badge, CardLink, Person, Rows, useAsked, Wrong } from "./parts.js";
import { request } from "./schema.js";

const ISSUE = "issue";
const SERVICE = ["clerk", "administrator"];

/** Whose operations these are: those that this clerk's role may not ask for have the rule that says so. */
export function Ask({ app, office, me, services, params }) {
  const rules = useAsked(() => office.get("/rules"), "rules");
  const banks = useAsked(() => office.get("/banks"), "banks");
  const issue = { operation: ISSUE, zh: t("office.issue"), en: t("office.issue"), roles: SERVICE, rule: "SOCIAL-FUNCTION", card: false, article: 11 };
  const all = [issue, ...services];
  const chosen = all.find((one) => one.operation === params.operation);
  const allowed = (one) => one.roles.includes(me.role);
  const why = (one) => (rules.value ?? []).find((rule) => rule.rule === one.rule);
  const choose = (name) => app.go("office", { at: "ask", operation: name, ...(params.drawer ? { drawer: params.drawer } : {}) });
  return html`<div class="split office-ask">
    <nav class="panel" aria-label=${t("office.operations")}>
      <h2>${t("office.operations")}</h2>
      <ul class="operations">
        ${all.map((one) => html`<li key=${one.operation}>
          <button class=${`btn quiet ${allowed(one) ? "" : "closed"}`} aria-pressed=${chosen === one ? "true" : "false"}
            onClick=${() => choose(one.operation)}>${spoken(one)}</button>
          <span class="dim">${t("office.article", { article: one.article })}</span>
          ${!allowed(one) && html`<${Badge} kind="warn">${t("office.not_allowed")}<//>`}
          ${one.card && html`<${Badge} kind="info">${t("office.with_card")}<//>`}
        </li>`)}
      </ul>
    </nav>
    <div>
      ${!chosen && html`<p class="empty">${t("office.choose_operation")}</p>`}
      ${chosen && !allowed(chosen) && html`<${Closed} operation=${chosen} rule=${why(chosen)} me=${me} />`}
      ${chosen && allowed(chosen) && html`<${One} key=${chosen.operation} app=${app} office=${office} me=${me} operation=${chosen}
        drawer=${params.drawer ?? ""} banks=${banks.value ?? []} rules=${rules.value ?? []} />`}
    </div>
  </div>`;
}

function Closed({ operation, rule, me }) {
  return html`<section class="panel" role="note">
    <h2>${spoken(operation)}</h2>
    <p class="banner warn">${t("office.not_for_role", { role: lang() === "zh" ? me.role_zh : me.role_en })}</p>
    ${rule && html`<p><strong>${t("office.article", { article: rule.article })}</strong> ${spoken(rule)} <code>${visible(rule.rule)}</code></p>`}
  </section>`;
}

function One({ app, office, me, operation, drawer, banks, rules }) {
  const name = operation.operation;
  const form = useForm(office, name, banks, request);
  const [card, setCard] = useState({ drawer, reader: "" });
  const [state, setState] = useState({});
  const send = async (event) => {
    event.preventDefault();
    form.touchAll();
    if (form.bad() || form.problems.length || state.busy) return;
    setState({ busy: true });
    const place = name === ISSUE ? "/issue" : `/operations/${name}`;
    try {
      setState({ done: await office.post(place + query(card), JSON.parse(form.body)) });
    } catch (error) {
      setState({ error });
    }
  };
  if (form.error) return html`<${Wrong} office=${office} error=${form.error} />`;
  if (!form.schema) return html`<p class="wait" role="status">${t("office.waiting")}</p>`;
  const demanded = rules.filter((rule) => rule.operations.includes(name));
  return html`<form class="panel" onSubmit=${send} novalidate>
    <div class="row spread"><h2>${spoken(operation)} <${Badge}>${t("office.article", { article: operation.article })}<//></h2>
      <${Examples} examples=${form.schema["x-examples"] ?? []} fill=${(value, put) => { form.fill(value); if (put) setCard({ drawer: put, reader: "" }); }} /></div>
    <fieldset>
      <legend>${t("office.in_reader")}${operation.card && html` <span class="wrong" title=${t("office.needed")}>*</span>`}</legend>
      <div class="row">
        <span class="field"><label for="in-drawer">${t("office.from_drawer")}</label>
          <input id="in-drawer" value=${card.drawer} autocomplete="off" pattern="[A-Z][0-9A-Z]{7}[0-9X]"
            onInput=${(event) => setCard({ drawer: event.target.value.trim(), reader: "" })} /></span>
        <span class="field"><label for="in-reader">${t("office.from_reader")}</label>
          <select id="in-reader" value=${card.reader} disabled=${!me.readers.length} onChange=${(event) => setCard({ drawer: "", reader: event.target.value })}>
            <option value="">${me.readers.length ? t("office.none") : t("office.no_readers")}</option>
            ${me.readers.map((one) => html`<option key=${one} value=${one}>${visible(one)}</option>`)}
          </select></span>
      </div>
    </fieldset>
    <${Form} form=${form} />
    ${form.touched.has("*") && form.problems.length > 0 && html`<div class="banner bad" role="alert">
      <p>${t("office.not_good_yet", { count: form.problems.length })}</p>
      <ul>${form.problems.map((one, n) => html`<li key=${n}><${Problem} form=${form} one=${one} /></li>`)}</ul>
    </div>`}
    <p class="row"><button class="btn main" disabled=${state.busy}>${t("office.send")}</button>
      <span role="status">${state.busy ? t("office.waiting") : form.problems.length ? t("office.problems", { count: form.problems.length }) : t("office.form_good")}</span></p>
    ${state.error && html`<${Wrong} office=${office} error=${state.error} />`}
    ${state.done && html`<${Done} app=${app} done=${state.done} operation=${operation} />`}
    ${demanded.length > 0 && html`<details><summary>${t("office.demands", { count: demanded.length })}</summary>
      <ul>${demanded.map((rule, n) => html`<li key=${n}><strong>${t("office.article", { article: rule.article })}</strong> ${spoken(rule)} <code>${visible(rule.rule)}</code></li>`)}</ul>
    </details>`}
  </form>`;
}

/** Requests of the service's own documentation that work, one after the other, on a fresh register. */
function Examples({ examples, fill }) {
  return html`<span class="row">${examples.map((one) => html`<button key=${one.title} type="button" class="btn"
    onClick=${() => fill(one.value, one.drawer)}>${t("office.example", { title: visible(one.title) })}</button>`)}</span>`;
}

const COMMON = ["operation", "article", "person", "card", "notices", "changes"];

/** What came of it: what changed in the register and on the card, what the holder must be told, what was found. */
export function Done({ app, done, operation }) {
  const found = Object.entries(done).filter(([name]) => !COMMON.includes(name));
  const changes = done.changes ?? { register: [], card: [] };
  return html`<section class="panel done" role="status">
    <h3 class="good">${t("office.done", { operation: spoken(operation) })} <${Badge} kind="good">${t("office.article", { article: done.article })}<//></h3>
    <p class="row"><${Person} app=${app} number=${done.person} /> <${CardLink} app=${app} number=${done.card} /></p>
    ${done.notices.map((one, n) => html`<p key=${n} class="banner warn"><strong>${t("office.article", { article: one.article })}</strong> ${spoken(one)}</p>`)}
    <h4>${t("office.changed_register")}</h4>
    ${changes.register.length ? html`<${Rows} rows=${changes.register} caption=${t("office.changed_register")} columns=${[
      { key: "row", title: t("office.col_row"), cell: (row) => html`${spoken(row)} <code>${visible(row.row)}</code>` },
      { key: "column", title: t("office.col_column"), cell: (row) => row.column ? html`<code>${visible(row.column)}</code>` : t(`office.how_${row.how}`) },
      { key: "before", title: t("office.col_before"), cell: (row) => row.column && row.how === "changed" ? told(row, "before") : "" },
      { key: "after", title: t("office.col_after"), cell: (row) => row.column ? told(row, "after") : "" },
    ]} />` : html`<p class="dim">${t("office.unchanged")}</p>`}
    <h4>${t("office.changed_card")}</h4>
    ${changes.card.length ? html`<ul>${changes.card.map((one, n) => html`<li key=${n}>${spoken(one)} ${one.items.map((item) => html`<code key=${item}>${visible(item)}</code> `)}</li>`)}</ul>`
      : html`<p class="dim">${t("office.unchanged")}</p>`}
    ${found.length > 0 && html`<h4>${t("office.result")}</h4><dl class="pairs">${found.map(
      ([name, value]) => html`<dt key=${name}><code>${visible(name)}</code></dt><dd>${typeof value === "object" && value !== null ? html`<pre>${visible(JSON.stringify(value, null, 1))}</pre>` : visible(value)}</dd>`,
    )}</dl>`}
  </section>`;
}

/** A value that may be told, nothing, or the word that it is not told. */
function told(row, name) {
  if (!(name in row)) return html`<span class="dim">${t("office.not_told")}</span>`;
  return row[name] === null || row[name] === undefined ? "—" : visible(row[name]);
}

/** Work on a card that was cut off: finished, or undone, on the same card. */
export function Pending({ app, office, me, change }) {
  const found = useAsked(() => office.get("/pending"), `pending ${change}`);
  const [state, setState] = useState({});
  const end = async (row, how, pin, reader) => {
    const on = query(reader ? { reader } : { drawer: row.card });
    try {
      const done = await office.post(`/pending/${row.pending}/${how}${on}`, how === "resume" && pin ? { pin } : {});
      setState({ done: how === "resume" ? done : null, number: row.pending, how });
    } catch (error) {
      setState({ error });
    }
    found.again();
  };
  if (found.error) return html`<${Wrong} office=${office} error=${found.error} />`;
  return html`<section class="panel">
    <h2>${t("office.at_pending")}</h2>
    ${found.value?.length === 0 && html`<p class="empty">${t("office.nothing_waits")}</p>`}
    ${(found.value ?? []).map((row) => html`<${Waiting} key=${row.pending} app=${app} me=${me} row=${row} end=${end} />`)}
    ${state.error && html`<${Wrong} office=${office} error=${state.error} />`}
    ${state.how && html`<p role="status">${t(`office.ended_${state.how}`, { number: state.number })}</p>`}
    ${state.done && html`<${Done} app=${app} done=${state.done} operation=${{ zh: state.done.operation, en: state.done.operation }} />`}
  </section>`;
}

function Waiting({ app, me, row, end }) {
  const [pin, setPin] = useState("");
  const [reader, setReader] = useState("");
  useEffect(() => setPin(""), [row.pending]);
  const id = `pending-${row.pending}`;
  return html`<fieldset>
    <legend>${t("office.pending_number", { number: row.pending, operation: visible(row.operation) })} <${CardLink} app=${app} number=${row.card} /></legend>
    <p>${t("office.begun", { at: visible(row.begun) })}</p>
    <div class="row">
      ${row.needs_pin && html`<span class="field"><label for=${id}>${t("office.pin_again")}</label>
        <input id=${id} type="password" autocomplete="new-password" inputmode="numeric" value=${pin} onInput=${(event) => setPin(event.target.value)} /></span>`}
      ${me.readers.length > 0 && html`<span class="field"><label for=${`${id}-reader`}>${t("office.in_reader")}</label>
        <select id=${`${id}-reader`} value=${reader} onChange=${(event) => setReader(event.target.value)}>
          <option value="">${t("office.from_drawer")}</option>
          ${me.readers.map((one) => html`<option key=${one} value=${one}>${visible(one)}</option>`)}
        </select></span>`}
      <button class="btn main" onClick=${() => end(row, "resume", pin, reader)}>${t("office.resume")}</button>
      <button class="btn danger" onClick=${() => end(row, "abandon", pin, reader)}>${t("office.abandon")}</button>
    </div>
  </fieldset>`;
}
