// A new persona: a form that is judged as one types, its TOML beside it, kept or put straight into a reader.

import { html, useEffect, useRef, useState } from "../../vendor/preact.js";
import { t } from "../../lib/i18n.js";
import { visible } from "../../lib/text.js";
import { Dialog, Field, tied } from "./dialog.js";

const PAUSE = 250; // milliseconds without a key before it is judged
const KEPT = "sscard.persona"; // a draft outlives a reload; its PIN does not
const EMPTY = { key: "my-persona", holder: "", number: "", region: "510100", parent: "", pin: "123456", tries_left: "", activated: true };
const TEXTS = ["key", "holder", "number", "region"];

function kept() {
  try {
    return { ...EMPTY, ...JSON.parse(sessionStorage.getItem(KEPT) ?? "{}") };
  } catch {
    return EMPTY;
  }
}

function keep(form) {
  try {
    const { pin, ...rest } = form;
    sessionStorage.setItem(KEPT, JSON.stringify(rest));
  } catch {
    /* then only as long as the page is open */
  }
}

function asked(form) {
  return { ...form, tries_left: form.tries_left === "" ? null : Number(form.tries_left) };
}

function Number18({ app, set }) {
  const [birth, setBirth] = useState("1990-03-07");
  const [sex, setSex] = useState("female");
  const make = async () => {
    try {
      const order = Math.floor(Math.random() * 500);
      set((await app.post("/api/readers/persona/number", { birth: birth.replaceAll("-", ""), sex, order })).number);
    } catch (error) {
      app.toast(error.message || t("shell.server_gone"), "error");
    }
  };
  return html`<div class="row">
    <label>${t("readers.birth")} <input type="date" value=${birth} onInput=${(event) => setBirth(event.target.value)} /></label>
    <label>${t("readers.sex")} <select value=${sex} onChange=${(event) => setSex(event.target.value)}>
      <option value="female">${t("readers.sex_female")}</option><option value="male">${t("readers.sex_male")}</option></select></label>
    <button type="button" class="btn" disabled=${!birth} onClick=${make}>${t("readers.make_number")}</button>
  </div>`;
}

/** `put(slot, request)` puts a text into a slot and says whether it is in; `saved()`: there is one more persona. */
export function NewPersona({ app, slots, first, put, saved, onClose }) {
  const [form, setForm] = useState(kept);
  const [touched, setTouched] = useState(new Set());
  const [text, setText] = useState(null); // typed TOML, null where the form counts
  const [judged, setJudged] = useState(null);
  const [failed, setFailed] = useState("");
  const [there, setThere] = useState(false);
  const [slot, setSlot] = useState(String(first?.slot ?? slots[0]?.slot ?? ""));
  const asking = useRef(0);

  const draft = text === null ? { form: asked(form) } : { form: asked(form), text };
  useEffect(() => {
    keep(form);
    const turn = ++asking.current;
    setJudged(null);
    const timer = setTimeout(() => {
      app.post("/api/readers/persona/check", draft).then(
        (answer) => {
          if (turn !== asking.current) return;
          setJudged(answer);
          setFailed("");
        },
        (error) => turn === asking.current && setFailed(error.message || t("shell.server_gone")),
      );
    }, PAUSE);
    return () => clearTimeout(timer);
  }, [form, text]);

  const change = (name, value) => {
    setTouched((before) => new Set(before).add(name));
    setThere(false);
    setForm((before) => ({ ...before, [name]: value }));
  };
  const wrong = judged?.wrong ?? [];
  const shown = (name) => touched.has(name) || Boolean(form[name]);
  const about = (name) =>
    shown(name) ? visible(wrong.filter((one) => one.field === name).map((one) => one.problem).join("; ")) : "";
  const others = wrong.filter((one) => text !== null || !one.field || !shown(one.field));
  const good = judged?.good === true;

  const save = async (replace) => {
    try {
      const answer = await app.post("/api/readers/persona/save", { ...draft, replace });
      setThere(false);
      saved();
      app.toast(t("readers.saved", { path: answer.path }));
      return answer;
    } catch (error) {
      setThere(error.kind === "there");
      app.toast(error.message || t("shell.server_gone"), "error");
      return null;
    }
  };
  const putIn = async () => {
    const target = slots.find((one) => String(one.slot) === slot);
    if (target && (await put(target, { text: judged.text }))) onClose();
  };
  const field = (name, more = {}) => {
    const id = `persona-${name}`;
    const told = { help: t(`readers.help_${name}`), wrong: about(name) };
    return html`<${Field} key=${name} id=${id} label=${t(`readers.field_${name}`)} ...${told}>
      <input ...${tied(id, told)} ...${more} value=${form[name]} disabled=${text !== null} onInput=${(event) => change(name, event.target.value)} />
    <//>`;
  };
  const parent = { help: t("readers.help_parent"), wrong: about("parent") };
  return html`<${Dialog} title=${t("readers.new_persona")} onClose=${onClose} wide>
    <form class="persona" onSubmit=${(event) => event.preventDefault()}>
      <div class="fields">
        ${TEXTS.map((name) => field(name))}
        <${Number18} app=${app} set=${(value) => change("number", value)} />
        ${field("pin", { inputmode: "numeric" })}
        ${field("tries_left", { type: "number", min: 0, max: 15 })}
        <${Field} id="persona-parent" label=${t("readers.field_parent")} ...${parent}>
          <select ...${tied("persona-parent", parent)} value=${form.parent} disabled=${text !== null} onChange=${(event) => change("parent", event.target.value)}>
            <option value="">${t("readers.parent_none")}</option>
            ${(app.personas ?? []).map((one) => html`<option key=${one.name} value=${one.name}>${one.name}</option>`)}
          </select>
        <//>
        <label><input type="checkbox" checked=${form.activated} disabled=${text !== null} onChange=${(event) => change("activated", event.target.checked)} /> ${t("readers.field_activated")}</label>
      </div>
      <div role="status" class="judged">
        ${failed
          ? html`<p class="wrong">${visible(failed)}</p>`
          : judged === null
            ? html`<p class="dim">${t("readers.judging")}</p>`
            : good
              ? html`<p class="good">${t("readers.persona_good")}</p>`
              : html`<p class="wrong">${t("readers.persona_wrong", { count: wrong.length })}</p>`}
        ${others.length > 0 &&
        html`<ul class="findings">${others.map(
          (one, at) => html`<li key=${at}>${one.line > 0 && html`<span class="badge">${t("readers.line", { line: one.line })}</span> `}${one.key ? html`<code>${visible(one.key)}</code> ${visible(app.lang === "zh" ? one.name : one.name_en)}` : one.field ? html`<strong>${t(`readers.field_${one.field}`)}</strong>` : null} <span class="wrong">${visible(one.problem)}</span></li>`,
        )}</ul>`}
      </div>
      <details open=${text !== null}>
        <summary>TOML</summary>
        <p class="help">${t(text === null ? "readers.toml_help" : "readers.toml_counts")}</p>
        <textarea class="toml" rows="14" spellcheck=${false} aria-label="TOML" value=${text ?? judged?.text ?? ""}
          onInput=${(event) => setText(event.target.value)}></textarea>
        ${text !== null && html`<button type="button" class="btn" onClick=${() => setText(null)}>${t("readers.toml_back")}</button>`}
      </details>
      <div class="row">
        <button type="button" class="btn" disabled=${!good} onClick=${() => save(false)}>${t("readers.save")}</button>
        ${there && html`<button type="button" class="btn danger" disabled=${!good} onClick=${() => save(true)}>${t("readers.replace")}</button>`}
        ${slots.length > 0 &&
        html`<button type="button" class="btn main" disabled=${!good} onClick=${putIn}>${t("readers.put_persona")}</button>
        <label>${t("readers.into")} <select value=${slot} onChange=${(event) => setSlot(event.target.value)}>
          ${slots.map((one) => html`<option key=${one.slot} value=${String(one.slot)}>${t("readers.slot", { slot: one.slot })}</option>`)}
        </select></label>`}
      </div>
    </form>
  <//>`;
}
