// What the office's lists, forms and refusals are made of.

import { html, useEffect, useRef, useState } from "../../vendor/preact.js";
import { lang, t } from "../../lib/i18n.js";
import { visible } from "../../lib/text.js";

const FORMULA = /^[=+\-@\t\r]/;

/** Asks once for each key: {value, error, again, stale}. What was there stays until the new is. `change`: the number of
 * the office's last change; what was asked for before it is stale. */
export function useAsked(ask, key, change = null) {
  const [state, setState] = useState({});
  const [round, setRound] = useState(0);
  const now = useRef(change);
  now.current = change;
  useEffect(() => {
    let wanted = true;
    ask().then(
      (value) => wanted && setState({ value, key, at: now.current }),
      (error) => wanted && setState({ error, key, at: now.current }),
    );
    return () => {
      wanted = false;
    };
  }, [key, round]);
  const stale = typeof state.at === "number" && state.at !== change;
  return { ...state, waiting: state.key !== key, stale, again: () => setRound((before) => before + 1) };
}

/** Says that something was done since a list was asked for. It is not asked for again unasked: each look is told of. */
export function Stale({ asked }) {
  return html`<span role="status">${asked.stale && html`<button class="btn" onClick=${asked.again}>${t("office.stale")}</button>`}</span>`;
}

/** A table; `columns`: {key, title, cell, right}. A cell's default is the row's value as text. No rows: they
 * have not come yet. */
export function Rows({ columns, rows, caption, empty }) {
  if (!rows) return html`<p class="wait" role="status">${t("office.waiting")}</p>`;
  if (!rows.length) return html`<p class="empty">${empty ?? t("office.nothing")}</p>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${caption}>
    <table class="table">
      <caption class="hidden">${caption}</caption>
      <thead><tr>${columns.map((one) => html`<th key=${one.key} scope="col">${one.title}</th>`)}</tr></thead>
      <tbody>
        ${rows.map(
          (row, at) => html`<tr key=${at}>
            ${columns.map((one) => html`<td key=${one.key}>${one.cell ? one.cell(row) : visible(row[one.key])}</td>`)}
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** A link within the office, by the parameters of its place. */
export function Go({ app, to, children }) {
  const place = `#/office?${new URLSearchParams(to)}`;
  return html`<a href=${place} onClick=${(event) => {
    event.preventDefault();
    app.go("office", to);
  }}>${children}</a>`;
}

export function Person({ app, number }) {
  if (!number) return "";
  return html`<${Go} app=${app} to=${{ at: "person", number }}>${t("office.person_number", { number })}<//>`;
}

export function CardLink({ app, number }) {
  if (!number) return "";
  return html`<${Go} app=${app} to=${{ at: "card", number }}><code>${visible(number)}</code><//>`;
}

export function Badge({ kind, children }) {
  return html`<span class=${`badge ${kind ?? ""}`}>${children}</span>`;
}

/** What went wrong. A refusal by the Measures has its article, quoted word for word. */
export function Wrong({ office, error }) {
  const more = error.more ?? {};
  const cited = error.kind === "refused" && more.article;
  const [article, setArticle] = useState(null);
  useEffect(() => {
    setArticle(null);
    if (cited) office.get(`/measures/${more.article}`).then(setArticle, () => setArticle(null));
  }, [error]);
  if (!cited) {
    return html`<p class="banner bad" role="alert"><strong>${t(`office.wrong_${known(error.kind)}`)}</strong> ${visible(error.message)}</p>`;
  }
  const zh = lang() === "zh";
  return html`<section class="panel refusal" role="alert">
    <h3 class="bad">${t("office.refused")} <${Badge} kind="bad">${t("office.article", { article: more.article })}<//></h3>
    <p><strong>${visible(zh ? more.zh : more.en)}</strong></p>
    <p class="dim">${visible(zh ? more.en : more.zh)} <code>${visible(more.rule)}</code></p>
    ${article && html`<figure class="quoted">
      <figcaption>${t("office.measures_say")}</figcaption>
      ${article.paragraphs.map(
        (one, at) => html`<blockquote key=${at} class=${at + 1 === (more.paragraph ?? 1) ? "meant" : "dim"}>
          <p lang="zh-CN"><strong>${visible(one.label_zh)}</strong> ${visible(one.zh)}</p>
          ${!zh && html`<p lang="en">${visible(one.label_en)}: ${visible(one.en)}</p>`}
        </blockquote>`,
      )}
    </figure>`}
  </section>`;
}

const KINDS = ["token", "role", "unknown", "input", "busy", "failed", "half-way", "rate", "gone", "reader", "conflict"];

function known(kind) {
  return KINDS.includes(kind) ? kind.replace("-", "_") : "other";
}

/** The page's rows, as CSV or JSON, into a file of the browser's. */
export function Export({ name, rows }) {
  if (!rows) return html`<p class="wait" role="status">${t("office.waiting")}</p>`;
  if (!rows?.length) return null;
  const save = (type, text) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = `${name}.${type === "text/csv" ? "csv" : "json"}`;
    link.click();
    URL.revokeObjectURL(link.href);
  };
  return html`<span class="row">
    <button class="btn" onClick=${() => save("text/csv", csv(rows))}>${t("office.csv")}</button>
    <button class="btn" onClick=${() => save("application/json", JSON.stringify(rows, null, 1))}>${t("office.json")}</button>
  </span>`;
}

/** CSV with a BOM, as spreadsheets want it; no cell is taken for a formula. */
export function csv(rows) {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cell = (value) => {
    const text = value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
    return `"${(FORMULA.test(text) && typeof value === "string" ? `'${text}` : text).replaceAll('"', '""')}"`;
  };
  const lines = [names, ...rows.map((row) => names.map((name) => row[name]))];
  return `\ufeff${lines.map((line) => line.map(cell).join(",")).join("\r\n")}\r\n`;
}

/** One field of a filter. It is asked for when it is left or Enter is pressed: each look is a line of the trail. */
export function Filter({ name, value, set, choices, type, pattern, hint }) {
  const id = `filter-${name}`;
  const change = (event) => set(name, event.target.value);
  return html`<div class="field">
    <label for=${id}>${t(`office.filter_${name}`)}</label>
    ${choices
      ? html`<select id=${id} value=${value ?? ""} onChange=${change}>
          <option value="">${t("office.any")}</option>
          ${choices.map(([one, text]) => html`<option key=${one} value=${one}>${visible(text)}</option>`)}
        </select>`
      : html`<input id=${id} type=${type ?? "text"} pattern=${pattern} value=${value ?? ""} onChange=${change} autocomplete="off" />`}
    ${hint && html`<span class="help">${hint}</span>`}
  </div>`;
}
