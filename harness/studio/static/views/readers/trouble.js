// What goes wrong on purpose: power that goes at a write, and faults that come by a plan.

import { html, useState } from "../../vendor/preact.js";
import { t } from "../../lib/i18n.js";
import { visible } from "../../lib/text.js";
import { Dialog, Field, tied } from "./dialog.js";

export function Tear({ slot, ask, onClose }) {
  const [k, setK] = useState("1");
  const count = Number(k);
  const good = /^\d+$/.test(k) && count >= 1;
  const field = { help: t("readers.tear_help"), wrong: good ? "" : t("readers.tear_wrong") };
  const submit = async (event) => {
    event.preventDefault();
    if (good && (await ask({ op: "tear", k: count }))) onClose();
  };
  return html`<${Dialog} title=${t("readers.tear_title", { slot: slot.slot })} onClose=${onClose}>
    <form onSubmit=${submit}>
      <${Field} id="tear-k" label=${t("readers.tear_k")} ...${field}>
        <input type="number" min="1" step="1" inputmode="numeric" value=${k} ...${tied("tear-k", field)} onInput=${(event) => setK(event.target.value)} />
      <//>
      <div class="row">
        <button class="btn main" disabled=${!good}>${t("readers.tear_on")}</button>
        ${slot.tear !== null &&
        html`<button type="button" class="btn" onClick=${async () => (await ask({ op: "tear", k: null })) && onClose()}>${t("readers.tear_off")}</button>`}
      </div>
    </form>
  <//>`;
}

export function Faults({ slot, app, ready, ask, onClose }) {
  const [text, setText] = useState((slot.faults?.faults ?? []).join("\n"));
  const [seed, setSeed] = useState(String(slot.faults?.seed ?? ""));
  const good = /^\d{0,18}$/.test(seed);
  const add = (one) => setText((before) => (before.trim() ? `${before.trimEnd()}\n${one}` : one));
  const submit = async (event) => {
    event.preventDefault();
    const request = { op: "faults", text };
    if (seed !== "") request.seed = Number(seed);
    if (await ask(request)) onClose();
  };
  const typed = { help: t("readers.faults_help") };
  const chance = { help: t("readers.seed_help"), wrong: good ? "" : t("readers.seed_wrong") };
  return html`<${Dialog} title=${t("readers.faults_title", { slot: slot.slot })} onClose=${onClose} wide>
    <form onSubmit=${submit}>
      <fieldset>
        <legend>${t("readers.faults_ready")}</legend>
        <ul class="ready">
          ${ready.map(
            (one) => html`<li key=${one.text}>
              <button type="button" class="btn quiet" onClick=${() => add(one.text)}>+ ${visible(app.lang === "zh" ? one.title_zh : one.title)}</button>
              <code class="dim">${one.text}</code>
            </li>`,
          )}
        </ul>
      </fieldset>
      <${Field} id="faults-text" label=${t("readers.faults_text")} ...${typed}>
        <textarea rows="5" spellcheck=${false} ...${tied("faults-text", typed)} value=${text} onInput=${(event) => setText(event.target.value)}></textarea>
      <//>
      <${Field} id="faults-seed" label=${t("readers.seed")} ...${chance}>
        <input inputmode="numeric" ...${tied("faults-seed", chance)} value=${seed} onInput=${(event) => setSeed(event.target.value.trim())} />
      <//>
      <div class="row">
        <button class="btn main" disabled=${!text.trim() || !good}>${t("readers.faults_on")}</button>
        <button type="button" class="btn" disabled=${slot.faults === null} onClick=${async () => (await ask({ op: "faults" })) && onClose()}>${t("readers.faults_off")}</button>
      </div>
    </form>
  <//>`;
}
