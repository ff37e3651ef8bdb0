// Readers: each slot with its card, and what can be done to it.

import { html, useEffect, useState } from "../vendor/preact.js";
import { t } from "../lib/i18n.js";
import { visible } from "../lib/text.js";
import { Choose } from "./readers/choose.js";
import { Dialog } from "./readers/dialog.js";
import { Pads } from "./readers/pads.js";
import { NewPersona } from "./readers/persona.js";
import { SlotPanel } from "./readers/slot.js";
import { useSteering } from "./readers/steering.js";
import { Faults, Tear } from "./readers/trouble.js";

const NONE = { personas: [], layouts: [], faults: [] };

/** What keeps this machine from having a reader, each with its remedy. */
function Trouble({ app }) {
  const [findings, setFindings] = useState(null);
  useEffect(() => {
    app.get("/api/readers/doctor").then((answer) => setFindings(answer.findings), () => setFindings([]));
  }, []);
  const wrong = (findings ?? []).filter((one) => one.level === "fault");
  return html`<div class="panel">
    <h2>${t("readers.no_reader")}</h2>
    <p>${t("readers.no_reader_help")} <code>sscard doctor</code></p>
    <ul>${wrong.map((one) => html`<li key=${one.check}><strong>${visible(one.check)}</strong> ${visible(one.detail)}${one.remedy && html` → <code>${visible(one.remedy)}</code>`}</li>`)}</ul>
  </div>`;
}

function Conflict({ conflict }) {
  return html`<${Dialog} title=${t("readers.conflict")} onClose=${conflict.drop}>
    <p>${visible(conflict.text)}</p>
    <p>${t("readers.conflict_ask")}</p>
    <div class="row">
      <button class="btn main" onClick=${conflict.drop}>${t("readers.conflict_look")}</button>
      <button class="btn danger" onClick=${conflict.again}>${t("readers.conflict_again")}</button>
    </div>
  <//>`;
}

export default function View({ app }) {
  const [cards, setCards] = useState(null);
  const [open, setOpen] = useState(null); // {what, slot, changes}: a dialog, and the slot's changes as it was opened
  const { steer, busy, conflict, seen } = useSteering(app);
  const load = () =>
    app.get("/api/readers/cards").then(setCards, (error) => app.toast(error.message || t("shell.server_gone"), "error"));
  useEffect(() => {
    load();
  }, []);

  const slots = app.slots.filter((one) => "changes" in one);
  const gone = app.run?.state !== "here";
  const about = open && slots.find((one) => one.slot === open.slot);
  const close = () => setOpen(null);
  const show = (what, slot) => {
    load(); // a persona may have come or gone since
    setOpen({ what, slot: slot?.slot, changes: slot && seen(slot) });
  };
  const ask = (request) => steer(about, request, open.changes);
  return html`<header class="row view-head">
      <h1>${t("shell.readers")}</h1>
      <button class="btn" onClick=${() => show("persona", slots[0])}>${t("readers.new_persona")}</button>
    </header>
    ${app.run?.state === "none"
      ? html`<${Trouble} app=${app} />`
      : html`<div class="grid slots">${slots.map(
          (slot) => html`<${SlotPanel} key=${slot.slot} app=${app} slot=${slot} gone=${gone} busy=${busy.includes(slot.slot)}
            ask=${(request) => steer(slot, request)} open=${(what) => show(what, slot)} />`,
        )}</div>`}
    <${Pads} app=${app} />
    ${open?.what === "choose" && about &&
    html`<${Choose} app=${app} slot=${about} cards=${cards} onClose=${close} onNew=${() => setOpen({ ...open, what: "persona" })}
      put=${(named) => ask({ op: about.inserted ? "swap" : "insert", ...named })} />`}
    ${open?.what === "tear" && about && html`<${Tear} slot=${about} ask=${ask} onClose=${close} />`}
    ${open?.what === "faults" && about && html`<${Faults} app=${app} slot=${about} ready=${(cards ?? NONE).faults} ask=${ask} onClose=${close} />`}
    ${open?.what === "persona" &&
    html`<${NewPersona} app=${{ ...app, personas: (cards ?? NONE).personas.filter((one) => !one.own && one.card === "user") }} slots=${gone ? [] : slots} first=${about}
      saved=${load} onClose=${close}
      put=${(slot, named) => steer(slot, { op: slot.inserted ? "swap" : "insert", ...named }, slot.slot === open.slot ? open.changes : seen(slot))} />`}
    ${conflict && html`<${Conflict} conflict=${conflict} />`}`;
}
