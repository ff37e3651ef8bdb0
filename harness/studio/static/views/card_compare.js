// Two cards, or one at two moments: what differs first, then both trees beside each other.

import { html, useMemo, useState } from "../vendor/preact.js";
import { both, t } from "../lib/i18n.js";
import { visible } from "../lib/text.js";
import { CardPanes } from "./card_tree.js";

/** Kinds of difference that a reader looks for apart, by what differs. */
const GROUPS = { key: "keys", tries: "states", unblockings: "states", pin: "states", life: "states", activation: "states",
  rights: "session", application: "session", current: "session", layout: "structure", algorithm: "structure", fci: "structure",
  dfname: "structure", structure: "structure", size: "structure", read: "structure", update: "structure", reference: "structure" }; // prettier-ignore
const ORDER = ["content", "states", "session", "structure", "keys"];

function groupOf(change) {
  return GROUPS[change.what] ?? "content";
}

export function Compared({ found, query, names, selected, onSelect }) {
  const { left, right, changes } = found;
  const [only, setOnly] = useState("");
  const counts = useMemo(() => {
    const by = new Map();
    for (const one of changes) by.set(groupOf(one), (by.get(groupOf(one)) ?? 0) + 1);
    return by;
  }, [changes]);
  const rows = only ? changes.filter((one) => groupOf(one) === only) : changes.filter((one) => groupOf(one) !== "keys" || counts.get("keys") === 1);
  const name = (of) => names.find((one) => one.of === of)?.name ?? of;
  return html`<div class="card-compare">
    <div class="panel">
      <h2>${changes.length ? t("card.differences", { count: changes.length }) : t("card.no_differences")}</h2>
      ${changes.length > 0 && html`<div class="row" role="group" aria-label=${t("card.kinds")}>
        <button class="btn" aria-pressed=${String(!only)} onClick=${() => setOnly("")}>${t("card.group_all")}</button>
        ${ORDER.filter((group) => counts.has(group)).map((group) => html`<button key=${group} class="btn" aria-pressed=${String(only === group)}
          onClick=${() => setOnly(group)}>${t(`card.group_${group}`)} (${counts.get(group)})</button>`)}
      </div>
      <div class="scroll differences" tabindex="0" role="region" aria-label=${t("card.list_of_differences")}><table class="table">
        <thead><tr><th scope="col">${t("card.place")}</th><th scope="col">${t("card.what")}</th><th scope="col">${name(left.of)}</th><th scope="col">${name(right.of)}</th></tr></thead>
        <tbody>${rows.map((one) => html`<tr key=${one.at + one.what} class=${one.at === selected ? "chosen" : undefined}>
          <td><button class="btn quiet place" onClick=${() => onSelect(one.at)}>${visible(both(one.place))}</button></td>
          <td>${both(one.words)}</td>
          <${Side} change=${one} value=${one.before} there=${one.kind !== "added"} />
          <${Side} change=${one} value=${one.after} there=${one.kind !== "removed"} />
        </tr>`)}</tbody>
      </table></div>
      ${!only && counts.get("keys") > 1 && html`<p class="help">${t("card.keys_apart", { count: counts.get("keys") })}</p>`}`}
    </div>
    <div class="split">
      ${[left, right].map((one, place) => html`<div key=${place}><h2>${name(one.of)}</h2>
        <${CardPanes} card=${one.card} changes=${changes} query=${query} selected=${selected} onSelect=${onSelect} narrow=${true} comparing=${true} label=${name(one.of)} /></div>`)}
    </div>
  </div>`;
}

function Side({ change, value, there }) {
  if (value) return html`<td class="value">${visible(both(value))}</td>`;
  if (!there) return html`<td class="dim">${t("card.not_there")}</td>`;
  return html`<td class="dim">${t(change.what === "there" ? "card.is_there" : "card.differs")}</td>`;
}
