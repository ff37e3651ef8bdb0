// Filter, search, follow, pause.

import { html, useState } from "../../vendor/preact.js";
import { both, t } from "../../lib/i18n.js";
import { visible } from "../../lib/text.js";
import { EVERYTHING, isEverything, isStatus } from "./filters.js";
import { CHANGE_KINDS, changed } from "./words.js";

const LANES = ["card", "psam", "terminal"];
const LEVELS = ["good", "warning", "refused", "silent"];
const KINDS = ["apdu", "reset", "off", "fault", "reader", "call"];

export function FilterBar({ filter, setFilter, summary }) {
  const [status, setStatus] = useState(filter.sw);
  const list = (name, choices, told) => html`
    <label>${t(`session.by_${name}`)}
      <select value=${filter[name][0] ?? ""} onChange=${(event) => setFilter({ ...filter, [name]: chosen(event, choices) })}>
        <option value="">${t("session.any")}</option>
        ${choices.map((one) => html`<option key=${one} value=${one}>${told(one)}</option>`)}
      </select></label>`;
  const typed = (value) => {
    setStatus(value);
    if (isStatus(value)) setFilter({ ...filter, sw: value });
  };
  return html`
    <form class="row filters" role="search" aria-label=${t("session.filter")} onSubmit=${(event) => event.preventDefault()}>
      ${list("slots", summary.slots ?? [], String)}
      ${list("lanes", LANES, (one) => t(`session.lane_${one}`))}
      ${list("kinds", KINDS, (one) => t(`session.kind_${one}`))}
      ${list("levels", LEVELS, (one) => t(`session.level_${one}`))}
      <label>${t("session.by_instruction")}
        <select value=${filter.instruction} onChange=${(event) => setFilter({ ...filter, instruction: event.currentTarget.value })}>
          <option value="">${t("session.any")}</option>
          ${(summary.instructions ?? []).map((one) => html`<option key=${one.en} value=${one.en}>${visible(one.en)} ${visible(both({ zh: one.zh, en: "" }))}</option>`)}
        </select></label>
      <label>${t("session.by_change")}
        <select value=${filter.change} onChange=${(event) => setFilter({ ...filter, change: event.currentTarget.value })}>
          <option value="">${t("session.any")}</option>
          ${CHANGE_KINDS.map((one) => html`<option key=${one} value=${one}>${changed(one)}</option>`)}
        </select></label>
      <label>${t("session.by_sw")}
        <input class="short" value=${status} placeholder="63Cx" maxlength="4" spellcheck=${false}
          aria-invalid=${isStatus(status) ? "false" : "true"} title=${t("session.sw_form")}
          onInput=${(event) => typed(event.currentTarget.value)} /></label>
      <label>${t("session.by_text")}
        <input type="search" value=${filter.text} maxlength="200"
          onInput=${(event) => setFilter({ ...filter, text: event.currentTarget.value })} /></label>
      <label><input type="checkbox" checked=${filter.findings}
        onChange=${(event) => setFilter({ ...filter, findings: event.currentTarget.checked })} /> ${t("session.by_findings")}</label>
      <button type="button" class="btn" disabled=${isEverything(filter)} onClick=${() => {
        setStatus("");
        setFilter(EVERYTHING);
      }}>${t("session.clear")}</button>
    </form>`;
}

/** A select's value as it was offered: slots are numbers. */
function chosen(event, choices) {
  return choices.filter((one) => String(one) === event.currentTarget.value);
}

/** `onSearch(text, back)`; `told`: what came of it. */
export function SearchBar({ onSearch, told }) {
  const [text, setText] = useState("");
  const next = (back) => text && onSearch(text, back);
  return html`
    <form class="row search" onSubmit=${(event) => {
      event.preventDefault();
      next(false);
    }}>
      <label>${t("session.search")}
        <input type="search" value=${text} maxlength="200" onInput=${(event) => setText(event.currentTarget.value)}
          onKeyDown=${(event) => {
            if (event.key === "Enter" && event.shiftKey) {
              event.preventDefault();
              next(true);
            }
          }} /></label>
      <button type="button" class="btn" aria-label=${t("session.previous")} disabled=${!text} onClick=${() => next(true)}>↑</button>
      <button type="submit" class="btn" aria-label=${t("session.next")} disabled=${!text}>↓</button>
      <span role="status">${told}</span>
    </form>`;
}
