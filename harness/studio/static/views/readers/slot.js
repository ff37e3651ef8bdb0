// One slot: its card, how the card stands, and what can be done to it.

import { html, useEffect, useState } from "../../vendor/preact.js";
import { t } from "../../lib/i18n.js";
import { Pair, dots } from "../../lib/pairs.js";
import { spaced, visible } from "../../lib/text.js";
import { Face } from "./face.js";

/** Tries that are left, as dots, and in words for those who do not see them. */
export function Tries({ left, of }) {
  if (!of || left === null || left === undefined) return html`<span class="dim">${t("readers.no_limit")}</span>`;
  const kind = left === 0 ? "bad" : left < of ? "warn" : "good";
  return html`<span class=${`dots ${kind}`} role="img" aria-label=${t("readers.tries", { left, of })}
    >${dots(left, of)}</span> <span class="dim">${left}/${of}</span>`;
}

function Keys({ keys }) {
  const spent = keys.filter((one) => one.of && one.left < one.of);
  const [open, setOpen] = useState(false); // what nobody sees is not drawn ten times a second
  return html`<details onToggle=${(event) => setOpen(event.target.open)}>
    <summary>${t("readers.keys_count", { count: keys.length })}${" "}
      ${spent.length > 0 && html`<span class="badge warn">${t("readers.keys_spent", { count: spent.length })}</span>`}</summary>
    ${open && html`<div class="scroll" tabindex="0" role="group" aria-label=${t("readers.keys")}><table class="table">
      <thead><tr><th scope="col">${t("readers.key")}</th><th scope="col">${t("readers.application")}</th><th scope="col">${t("readers.tries_left")}</th></tr></thead>
      <tbody>${keys.map(
        (one) => html`<tr key=${one.name}><td><code>${visible(one.name)}</code></td><td>${visible(one.application)}</td><td><${Tries} left=${one.left} of=${one.of} /></td></tr>`,
      )}</tbody>
    </table></div>`}
  </details>`;
}

function life(card) {
  const kinds = { "in use": ["good", "readers.life_in_use"], blank: ["info", "readers.life_blank"], blocked: ["bad", "readers.life_blocked"] };
  const [kind, key] = kinds[card.life] ?? ["", null];
  return html`<span class=${`badge ${kind}`}>${key ? t(key) : visible(card.life)}</span>
    ${card.activated === false && html` <span class="badge warn">${t("readers.inactive")}</span>`}
    ${Object.entries(card.blocked ?? {}).map(
      ([name, how]) => html` <span key=${name} class="badge bad">${visible(name)} ${t(how === "suspended" ? "readers.suspended" : "readers.blocked")}</span>`,
    )}`;
}

function origin(card) {
  if (card.persona) return html`<code>${visible(card.persona)}</code>`;
  if (card.branch) return t("readers.branch", { slot: card.branch.slot, n: card.branch.n });
  if (card.image_file) return html`${t("readers.of_image")} <code>${visible(card.image_file.split(/[\\/]/).pop())}</code>`;
  return html`<span class="dim">${t("readers.unknown")}</span>`;
}

function Standing({ slot }) {
  const { card } = slot;
  const rights = card.rights ?? [];
  const session = [
    card.challenge && "readers.challenge",
    card.session_key && "readers.session_key",
    card.transaction && "readers.transaction",
  ].filter(Boolean);
  return html`<dl class="pairs">
    <${Pair} name=${t("readers.power")}><span class=${`badge ${card.powered ? "good" : ""}`}>${t(card.powered ? "readers.power_on" : "readers.power_off")}</span><//>
    <${Pair} name="ATR"><span class="hex">${spaced(card.atr)}</span><//>
    <${Pair} name=${t("readers.persona")}>${origin(card)}<//>
    <${Pair} name=${t("readers.layout")}><code>${visible(card.layout)}</code> ${visible(card.algorithm)}<//>
    <${Pair} name=${t("readers.life")}>${life(card)}<//>
    ${card.pin && html`<${Pair} name=${t("readers.pin")}><${Tries} left=${card.pin.left} of=${card.pin.of} /><//>`}
    ${card.unblockings && html`<${Pair} name=${t("readers.unblockings")}><${Tries} left=${card.unblockings.left} of=${card.unblockings.of} /><//>`}
    <${Pair} name=${t("readers.rights")}>${rights.length
      ? rights.map((one) => html`<span key=${one} class="badge good">${visible(one)}</span> `)
      : html`<span class="dim">${t("readers.none")}</span>`}<//>
    <${Pair} name=${t("readers.selected")}><span class="path"><code>${visible(card.directory)}</code>${card.file
      ? html` › <code>${visible(card.file)}</code>${card.record ? html` <span class="dim">${t("readers.record", { record: card.record })}</span>` : null}`
      : html` <span class="dim">${t("readers.no_file")}</span>`}</span><//>
    ${session.length > 0 && html`<${Pair} name=${t("readers.session")}>${session.map((key) => html`<span key=${key} class="badge info">${t(key)}</span> `)}<//>`}
  </dl>
  <${Keys} keys=${card.keys ?? []} />`;
}

/** `ask(request)` steers the slot; `open(name)` opens a dialog about it. */
export function SlotPanel({ app, slot, busy, ask, open, gone }) {
  const [face, setFace] = useState(null);
  const { card, inserted } = slot;
  const printed = card && card.card === "user" ? `${slot.changes} ${card.life} ${card.atr}` : "";

  useEffect(() => {
    if (!printed) {
      setFace(null);
      return;
    }
    let current = true;
    app.get(`/api/readers/face/${slot.slot}`).then(
      (answer) => current && setFace(answer),
      () => current && setFace(null), // the card is drawn without what is printed on it
    );
    return () => (current = false);
  }, [slot.slot, printed]);

  const show = async () => {
    try {
      setFace(await app.get(`/api/readers/face/${slot.slot}?show=true`));
    } catch (error) {
      app.toast(error.message || t("shell.server_gone"), "error");
    }
  };
  const still = busy || gone;
  const sides = slot.pair === null ? ["contact", "contactless"] : ["contact", "contactless", "both"];
  const trouble = slot.faults !== null || slot.tear !== null;
  return html`<section class="panel slot" aria-labelledby=${`slot-${slot.slot}`} aria-busy=${busy}>
    <header class="slot-head">
      <h2 id=${`slot-${slot.slot}`}>${t("readers.slot", { slot: slot.slot })}</h2>
      <span class="dim reader">${visible(slot.reader)}</span>
      <span class=${`badge ${inserted ? "good" : ""}`}>${t(inserted ? "readers.in" : card ? "readers.out" : "readers.no_card")}</span>
    </header>
    <div class=${`cradle ${inserted ? "full" : ""}`}><${Face} slot=${slot} face=${face} /><span class="mouth"></span></div>
    ${face?.masked && html`<p class="row"><span class="dim">${t("readers.masked")}</span> <button class="btn quiet" onClick=${show}>${t("readers.show_values")}</button></p>`}
    <div class="row acts">
      ${inserted
        ? html`<button class="btn" disabled=${still} onClick=${() => ask({ op: "remove" })}>${t("readers.remove")}</button>`
        : html`<button class="btn main" disabled=${still || !card} onClick=${() => ask({ op: "insert" })}>${t("readers.insert")}</button>`}
      <button class=${`btn ${card ? "" : "main"}`} disabled=${still} onClick=${() => open("choose")}>${t(inserted ? "readers.swap" : "readers.other")}</button>
      <button class="btn" disabled=${still || !inserted} onClick=${() => ask({ op: "reset" })}>${t("readers.reset")}</button>
      <button class="btn" disabled=${still || !inserted} onClick=${() => open("tear")}>${t("readers.tear")}</button>
      <button class="btn" disabled=${still || card?.card === "psam"} aria-pressed=${slot.faults !== null} onClick=${() => open("faults")}>${t("readers.faults")}</button>
      <label>${t("readers.interface")}
        <select value=${slot.interface} disabled=${still || !inserted || card?.card === "psam"} onChange=${async (event) => {
          const field = event.target;
          const done = await ask({ op: "swap", interface: field.value });
          if (!done) field.value = slot.interface; // refused: it is as it was
        }}>
          ${sides.map((side) => html`<option key=${side} value=${side}>${t(`readers.side_${side}`)}</option>`)}
        </select>
      </label>
    </div>
    ${slot.pair !== null && html`<p class="dim">${t("readers.pair", { slot: slot.pair })}</p>`}
    ${trouble &&
    html`<div class="trouble" role="status">
      ${slot.tear !== null && html`<p><span class="badge bad">${t("readers.tear_waits", { count: slot.tear })}</span></p>`}
      ${slot.faults && html`<p><span class="badge warn">${t("readers.faults_are")}</span> ${slot.faults.faults.map((one) => html`<code key=${one}>${visible(one)}</code> `)}</p>`}
    </div>`}
    ${card && html`<${Standing} slot=${slot} />`}
    <footer class="row dim">${slot.last ? html`<a href=${`#/session?n=${slot.last}`}>${t("readers.last", { n: slot.last })}</a>` : t("readers.no_command")}
      ${card && html`<a href=${`#/card?slot=${slot.slot}`}>${t("readers.look")}</a>`}</footer>
  </section>`;
}
