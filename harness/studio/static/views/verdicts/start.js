// The forms by which a run is begun: everything that there is to choose, by its name.

import { html, useEffect, useState } from "../../vendor/preact.js";
import { t } from "../../lib/i18n.js";
import { visible } from "../../lib/text.js";
import { titleOf } from "./words.js";

const KINDS = ["vectors", "scenarios", "prove", "sweep", "session"];
const LINES = ["prints", "prints_not"];
const NUMBERS = ["limit", "minutes", "seed", "timeout"];

function Field({ name, label, help, wrong, children }) {
  return html`<div class="field">
    <label for=${`verdicts-${name}`}>${label}</label>
    ${children}
    ${help && html`<span class="help" id=${`verdicts-${name}-help`}>${help}</span>`}
    ${wrong && html`<span class="wrong" role="alert" id=${`verdicts-${name}-wrong`}>${visible(wrong)}</span>`}
  </div>`;
}

function of(name, wrong) {
  return {
    id: `verdicts-${name}`,
    name,
    "aria-invalid": wrong ? "true" : undefined,
    "aria-describedby": wrong ? `verdicts-${name}-wrong` : undefined,
  };
}

function Many({ name, label, help, choices, value, set, wrong }) {
  return html`<${Field} name=${name} label=${label} help=${help ?? t("verdicts.several")} wrong=${wrong}>
    <select multiple size=${Math.min(6, Math.max(2, choices.length))} ...${of(name, wrong)}
      onChange=${(event) => set([...event.target.selectedOptions].map((one) => one.value))}>
      ${choices.map(
        ([id, words]) => html`<option key=${id} value=${id} selected=${value.includes(id)}>${visible(words)}</option>`,
      )}
    </select>
  <//>`;
}

function One({ name, label, help, choices, value, set, wrong }) {
  return html`<${Field} name=${name} label=${label} help=${help} wrong=${wrong}>
    <select ...${of(name, wrong)} value=${value} onChange=${(event) => set(event.target.value)}>
      ${choices.map(([id, words]) => html`<option key=${id} value=${id}>${visible(words)}</option>`)}
    </select>
  <//>`;
}

function Text({ name, label, help, value, set, wrong, type = "text", lines = false, ...more }) {
  const shared = { ...of(name, wrong), value, onInput: (event) => set(event.target.value), spellcheck: false, ...more };
  return html`<${Field} name=${name} label=${label} help=${help} wrong=${wrong}>
    ${lines ? html`<textarea rows="2" ...${shared}></textarea>` : html`<input type=${type} ...${shared} />`}
  <//>`;
}

function Tick({ name, label, value, set, wrong }) {
  return html`<div class="field">
    <label for=${`verdicts-${name}`}>
      <input type="checkbox" ...${of(name, wrong)} checked=${value} onChange=${(event) => set(event.target.checked)} />
      ${label}
    </label>
    ${wrong && html`<span class="wrong" role="alert" id=${`verdicts-${name}-wrong`}>${visible(wrong)}</span>`}
  </div>`;
}

/** What is sent: the fields of a kind that say something. */
export function request(kind, said) {
  const told = { kind };
  for (const [name, value] of Object.entries(said)) {
    if (value === "" || value === false || value === null || (Array.isArray(value) && !value.length)) continue;
    if (NUMBERS.includes(name)) told[name] = Number(value);
    else if (LINES.includes(name)) told[name] = value.split("\n").map((one) => one.trim()).filter(Boolean);
    else if (name === "only" && typeof value === "string") told[name] = value.split(/[\s,，]+/).filter(Boolean);
    else if (name === "slot") told[name] = Number(value);
    else told[name] = value;
  }
  return told;
}

export function Start({ app, onBegun }) {
  const [offers, setOffers] = useState(null);
  const [kind, setKind] = useState(KINDS.includes(app.params.kind) ? app.params.kind : KINDS[0]);
  const [said, setSaid] = useState({});
  const [wrong, setWrong] = useState({});
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState("");
  useEffect(() => {
    app.get("/api/verdicts/offers").then(setOffers, (error) => setFailed(error.message || t("verdicts.no_offers")));
  }, []);
  if (failed) return html`<p class="banner bad" role="alert">${visible(failed)}</p>`;
  if (!offers) return html`<p class="wait" role="status">${t("verdicts.loading")}</p>`;
  const mine = said[kind] ?? {};
  const bound = (name, empty = "") => ({
    name,
    value: mine[name] ?? empty,
    set: (value) => {
      setSaid({ ...said, [kind]: { ...mine, [name]: value } });
      setWrong({ ...wrong, [name]: undefined });
    },
    wrong: wrong[name],
  });
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setWrong({});
    try {
      onBegun(await app.post("/api/verdicts/runs", request(kind, mine)));
    } catch (error) {
      setWrong({ [error.more?.field ?? "form"]: error.message || t("verdicts.not_begun") });
    } finally {
      setBusy(false);
    }
  };
  return html`<form class="panel" onSubmit=${submit} aria-labelledby="verdicts-new">
    <h2 id="verdicts-new">${t("verdicts.new")}</h2>
    <fieldset class="kinds"><legend class="hidden">${t("verdicts.kind")}</legend>
      ${KINDS.map(
        (one) => html`<label key=${one}><input type="radio" name="kind" value=${one} checked=${kind === one}
          onChange=${() => { setKind(one); setWrong({}); }} />${t(`verdicts.kind_${one}`)}</label>`,
      )}
    </fieldset>
    <p class="help">${t(`verdicts.about_${kind}`)}</p>
    <${FIELDS[kind]} app=${app} offers=${offers} bound=${bound} mine=${mine} />
    ${wrong.form && html`<p class="wrong" role="alert">${visible(wrong.form)}</p>`}
    <button class="btn main" disabled=${busy || ((kind === "prove" || kind === "sweep") && !offers.programs.length)}>${t("verdicts.begin")}</button>
    <span class="dim" role="status"> ${busy ? t("verdicts.checking") : ""}</span>
  </form>`;
}

function Vectors({ app, offers, bound, mine }) {
  const slots = (app.slots ?? []).filter((one) => one.inserted);
  const onSlot = (mine.slot ?? "") !== "";
  const layout = offers.vectors.layouts.find((one) => one.name === mine.layout);
  const here = [["", t("verdicts.here")]];
  return html`
    <${One} label=${t("verdicts.target")} ...${bound("slot")}
      choices=${[...here, ...slots.map((one) => [String(one.slot), t("verdicts.slot_is", { slot: one.slot, layout: one.layout ?? "", algorithm: one.algorithm ?? "" })])]} />
    ${onSlot
      ? html`
        <${One} label=${t("verdicts.persona")} help=${t("verdicts.persona_help")} ...${bound("persona")}
          choices=${[["", t("verdicts.persona_unknown")], ...offers.vectors.personas.map((one) => [one, one])]} />
        <${Tick} label=${t("verdicts.destructive")} ...${bound("allow_destructive", false)} />`
      : html`
        <${Many} label=${t("verdicts.profiles")} ...${bound("profiles", [])}
          choices=${(layout?.profiles ?? offers.vectors.profiles).map((one) => [one, one])} />
        <${One} label=${t("verdicts.layout")} ...${bound("layout")}
          choices=${[["", t("verdicts.layout_usual")], ...offers.vectors.layouts.map((one) => [one.name, one.name])]} />`}
    <${Many} label=${t("verdicts.items")} ...${bound("items", [])}
      choices=${offers.vectors.items.map((one) => [one.id, `${one.id} ${titleOf(one) === one.id ? "" : titleOf(one)}`])} />
    <${Text} label=${t("verdicts.only")} help=${t("verdicts.only_help")} ...${bound("only")} />
    <${Text} label=${t("verdicts.product")} ...${bound("product")} maxlength="200" />`;
}

function Scenarios({ offers, bound }) {
  return html`
    <${Many} label=${t("verdicts.scenarios")} ...${bound("only", [])}
      choices=${offers.scenarios.scenarios.map((one) => [one.id, `${one.id} ${titleOf(one)}`])} />
    <${Many} label=${t("verdicts.profiles")} ...${bound("profiles", [])}
      choices=${offers.scenarios.profiles.map((one) => [one, one])} />`;
}

function Program({ offers, bound }) {
  if (!offers.programs.length)
    return html`<p class="banner warn">${t("verdicts.no_program")} <code>--program NAME='COMMAND …'</code></p>`;
  return html`<${One} label=${t("verdicts.program")} help=${t("verdicts.program_help")} ...${bound("program")}
    choices=${[["", t("verdicts.choose")], ...offers.programs.map((one) => [one, one])]} />`;
}

function situations(offers) {
  return offers.situations.map((one) => [one.name, `${one.name} ${titleOf(one)}`]);
}

function Prove({ offers, bound }) {
  return html`
    <${Program} offers=${offers} bound=${bound} />
    <${Many} label=${t("verdicts.situations")} ...${bound("situations", [])} choices=${situations(offers)} />
    <${Tick} label=${t("verdicts.driver")} ...${bound("driver", false)} />
    <${Text} label=${t("verdicts.timeout")} ...${bound("timeout")} type="number" min="0.1" step="any" />
    <${Text} label=${t("verdicts.seed")} ...${bound("seed")} type="number" min="0" />
    <${Text} label=${t("verdicts.product")} ...${bound("product")} maxlength="200" />`;
}

function Sweep({ offers, bound }) {
  return html`
    <${Program} offers=${offers} bound=${bound} />
    <${One} label=${t("verdicts.situation")} ...${bound("situation")}
      choices=${[["", t("verdicts.first_situation")], ...situations(offers)]} />
    <${Tick} label=${t("verdicts.driver")} ...${bound("driver", false)} />
    <${Text} label=${t("verdicts.limit")} help=${t("verdicts.limit_help")} ...${bound("limit")} type="number" min="1" />
    <${Text} label=${t("verdicts.minutes")} ...${bound("minutes")} type="number" min="0" step="any" />
    <${Text} label=${t("verdicts.seed")} ...${bound("seed")} type="number" min="0" />
    <${Text} label=${t("verdicts.prints")} help=${t("verdicts.prints_help")} ...${bound("prints")} lines />
    <${Text} label=${t("verdicts.prints_not")} ...${bound("prints_not")} lines />
    <${Text} label=${t("verdicts.product")} ...${bound("product")} maxlength="200" />`;
}

function Session({ app, bound }) {
  const [sessions, setSessions] = useState([]);
  useEffect(() => {
    app.get("/api/session/list").then(setSessions, (error) => app.toast(error.message, "error"));
  }, []);
  return html`
    <${One} label=${t("verdicts.which_session")} ...${bound("session", "live")}
      choices=${sessions.map((one) => [one.id, one.id === "live" ? t("verdicts.live_session") : one.name])} />
    <${Text} label=${t("verdicts.product")} ...${bound("product")} maxlength="200" />`;
}

const FIELDS = { vectors: Vectors, scenarios: Scenarios, prove: Prove, sweep: Sweep, session: Session };
