// Which card to put in: a persona, with what is to be said of it, or an image file.

import { html, useEffect, useState } from "../../vendor/preact.js";
import { t } from "../../lib/i18n.js";
import { visible } from "../../lib/text.js";
import { Dialog, Field, tied } from "./dialog.js";

function title(one, lang) {
  return visible(lang === "zh" ? one.title_zh || one.title : one.title || one.title_zh);
}

function meant(one, words) {
  const all = [one.name, one.title, one.title_zh, one.holder ?? "", one.region ?? ""].join(" ").toLowerCase();
  return words.every((word) => all.includes(word));
}

function Persona({ one, lang, chosen, choose }) {
  return html`<label class=${`choice ${one.wrong ? "unfit" : ""}`}>
    <input type="radio" name="persona" value=${one.name} checked=${chosen} disabled=${Boolean(one.wrong)}
      onChange=${() => choose(one.name)} />
    <span>
      <strong>${title(one, lang)}</strong>
      <span class="dim"> ${visible(one.holder ?? "")} <code>${visible(one.name)}</code></span>
      ${one.card === "psam" && html` <span class="badge info">PSAM</span>`}
      ${one.own && html` <span class="badge">${t("readers.own")}</span>`}
      ${one.wrong && html`<span class="wrong"> ${visible(one.wrong)}</span>`}
    </span>
  </label>`;
}

/** `put(request)` is asked to put it in, and says whether it is done. */
export function Choose({ app, slot, cards, put, onClose, onNew }) {
  const [query, setQuery] = useState("");
  const [persona, setPersona] = useState("");
  const [file, setFile] = useState(null);
  const [kept, setKept] = useState(null);
  const [wrong, setWrong] = useState("");
  const [layout, setLayout] = useState("");
  const [algorithm, setAlgorithm] = useState("");
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = (cards?.personas ?? []).filter((one) => meant(one, words));
  const plan = cards?.layouts.find((one) => one.name === layout);

  useEffect(() => {
    if (!file) return;
    let current = true;
    setKept(null);
    setWrong("");
    app.post("/api/readers/image", file).then(
      (answer) => current && setKept(answer),
      (error) => current && setWrong(error.message || t("shell.server_gone")),
    );
    return () => (current = false);
  }, [file]);

  const ready = file ? kept : persona;
  const submit = async (event) => {
    event.preventDefault();
    const named = file ? { image: kept.image } : { persona, layout, algorithm };
    if (await put(named)) onClose();
  };
  const image = { wrong: visible(wrong), help: kept ? t("readers.image_is", { layout: kept.layout, algorithm: kept.algorithm }) : t("readers.image_help") };
  return html`<${Dialog} title=${t("readers.choose", { slot: slot.slot })} onClose=${onClose} wide>
    <form onSubmit=${submit}>
      <${Field} id="persona-search" label=${t("readers.search")}>
        <input id="persona-search" type="search" value=${query} onInput=${(event) => setQuery(event.target.value)} />
      <//>
      <fieldset class="choices" disabled=${Boolean(file)}>
        <legend>${t("readers.personas")} <span class="dim">${t("readers.of", { count: shown.length })}</span></legend>
        <div class="list" tabindex="-1">
          ${shown.map(
            (one) => html`<${Persona} key=${one.name} one=${one} lang=${app.lang} chosen=${persona === one.name} choose=${setPersona} />`,
          )}
          ${cards && !shown.length && html`<p class="empty">${t("readers.none_found")}</p>`}
        </div>
      </fieldset>
      <div class="row">
        <${Field} id="choose-layout" label=${t("readers.layout")}>
          <select id="choose-layout" value=${layout} disabled=${Boolean(file)} onChange=${(event) => {
            setLayout(event.target.value);
            setAlgorithm("");
          }}>
            <option value="">${t("readers.as_run")}</option>
            ${(cards?.layouts ?? []).map((one) => html`<option key=${one.name} value=${one.name}>${one.name} ${title(one, app.lang)}</option>`)}
          </select>
        <//>
        <${Field} id="choose-algorithm" label=${t("readers.algorithm")}>
          <select id="choose-algorithm" value=${algorithm} disabled=${Boolean(file) || !plan}
            onChange=${(event) => setAlgorithm(event.target.value)}>
            <option value="">${t("readers.as_run")}</option>
            ${(plan?.algorithms ?? []).map((one) => html`<option key=${one} value=${one}>${one}</option>`)}
          </select>
        <//>
      </div>
      <fieldset>
        <legend>${t("readers.image")}</legend>
        <${Field} id="choose-image" label=${t("readers.image_file")} ...${image}>
          <input type="file" ...${tied("choose-image", image)} onChange=${(event) => setFile(event.target.files[0] ?? null)} />
        <//>
      </fieldset>
      <div class="row">
        <button class="btn main" disabled=${!ready}>${t("readers.put_in")}</button>
        <button type="button" class="btn" onClick=${onNew}>${t("readers.new_persona")}</button>
      </div>
    </form>
  <//>`;
}
