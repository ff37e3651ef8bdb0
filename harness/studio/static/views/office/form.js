// A form made of a request's schema. What is wrong is said beside its field, while one types.

import { html, useEffect, useState } from "../../vendor/preact.js";
import { lang, t } from "../../lib/i18n.js";
import { visible } from "../../lib/text.js";
import { anyWrong, at, fields, filled, first, put, way, wrong } from "./schema.js";

const PAUSE = 400; // milliseconds without a key, after which the service is asked whether the form is good
const MANY = 12; // choices that are shown beside each other

const named = (spec) => visible(lang() === "zh" ? spec["x-zh"] : spec["x-en"]);
const hinted = (spec) => visible(lang() === "zh" ? spec["x-hint-zh"] : spec["x-hint-en"]);
const said = (one) => visible(lang() === "zh" ? one.zh : one.en);

/** `form`: {schema, value, change, touched, touch, problems, banks, holder}. */
export function Form({ form }) {
  return html`<div class="fields"><${Fields} form=${form} schema=${form.schema} path=${[]} /></div>`;
}

/** Where something is wrong, as the form calls it, and what. */
export function Problem({ form, one }) {
  const steps = way(form.schema, form.schema.$defs ?? {}, one.at).map((step) => (typeof step === "string" ? step : named(step)));
  return html`<strong>${steps.join(" › ")}</strong> ${text(one)}`;
}

function text(one) {
  return one.kind === "missing" ? t("office.must_be_filled") : visible(one.text);
}

const FIRST = ["application", "holder"];
const LAST = ["shown", "agent", "card", "channel"]; // what every request has, after what is its own

function place(name) {
  return FIRST.includes(name) ? -1 : LAST.indexOf(name) + 1;
}

function Fields({ form, schema, path }) {
  const found = fields(schema, form.schema.$defs ?? {});
  if (!path.length) found.sort((one, other) => place(one.name) - place(other.name));
  return found.map(
    (field) => html`<${Field} key=${field.name} form=${form} field=${field} path=${[...path, field.name]} />`,
  );
}

function problem(form, field, path) {
  const place = path.join(".");
  if (!form.touched.has(place) && !form.touched.has("*")) return "";
  const own = wrong(field, at(form.value, path));
  if (own) return t(...own);
  const found = form.problems.find((one) => one.at.join(".") === place);
  return found ? text(found) : "";
}

function Field({ form, field, path }) {
  const { kind, spec } = field;
  if (kind === "group") return html`<${Group} form=${form} field=${field} path=${path} />`;
  if (kind === "list") return html`<${Listed} form=${form} field=${field} path=${path} />`;
  if (kind === "many") return html`<${Many} form=${form} field=${field} path=${path} />`;
  const id = `f-${path.join("-")}`;
  const bad = problem(form, field, path);
  const hint = hinted(spec);
  const about = [hint && `${id}-hint`, bad && `${id}-bad`].filter(Boolean).join(" ") || undefined;
  const input = html`<${Input} form=${form} field=${field} path=${path} id=${id} about=${about} bad=${bad} />`;
  return html`<div class="field">
    ${kind === "flag" ? html`<label for=${id}>${input} ${named(spec)}</label>`
      : html`<label for=${id}>${named(spec)}${field.needed && html` <span class="wrong" title=${t("office.needed")}>*</span>`}</label>${input}`}
    ${hint && html`<span class="help" id=${`${id}-hint`}>${hint}</span>`}
    ${bad && html`<span class="wrong" id=${`${id}-bad`}>${bad}</span>`}
  </div>`;
}

function Input({ form, field, path, id, about, bad }) {
  const { kind, spec, needed, name } = field;
  const value = at(form.value, path);
  const set = (next) => form.change(path, next);
  const common = {
    id, "aria-describedby": about, "aria-invalid": bad ? "true" : undefined, "aria-required": needed ? "true" : undefined,
    onBlur: () => form.touch(path),
  };
  const typed = (event) => set(event.target.value);
  const words = name === "bank" ? form.banks : spec["x-words"];
  if (kind === "flag") {
    return html`<input ...${common} type="checkbox" checked=${!!value} onChange=${(event) => set(event.target.checked)} />`;
  }
  if (kind === "number") {
    return html`<input ...${common} type="number" value=${value ?? ""} min=${spec.minimum}
      onInput=${(event) => set(event.target.value === "" ? undefined : Number(event.target.value))} />`;
  }
  if (kind === "secret") return html`<input ...${common} type="password" autocomplete="new-password" inputmode="numeric" value=${value ?? ""} onInput=${typed} />`;
  if (kind === "date") return html`<input ...${common} type="date" value=${value ?? ""} onInput=${typed} />`;
  if (kind === "file") return html`<${Photo} common=${common} value=${value} set=${set} />`;
  if (words?.length && name !== "region" && name !== "to") {
    return html`<select ...${common} value=${value ?? ""} onChange=${(event) => { form.touch(path); typed(event); }}>
      <option value="">${needed ? t("office.choose") : t("office.none")}</option>
      ${words.map((one) => html`<option key=${one.value} value=${one.value}>${said(one)}</option>`)}
    </select>`;
  }
  return html`<input ...${common} type="text" autocomplete="off" list=${words ? `${id}-list` : undefined} value=${value ?? ""} onInput=${typed} />
    ${words && html`<datalist id=${`${id}-list`}>${words.map((one) => html`<option key=${one.value} value=${one.value}>${visible(one.zh)}</option>`)}</datalist>`}`;
}

/** A file, as the request takes it: base64. */
function Photo({ common, value, set }) {
  const read = async (event) => {
    const file = event.target.files[0];
    if (!file) return set(undefined);
    const bytes = new Uint8Array(await file.arrayBuffer());
    set(btoa(Array.from(bytes, (one) => String.fromCharCode(one)).join("")));
  };
  return html`<span class="row"><input ...${common} type="file" accept="image/jpeg" onChange=${read} />
    ${value && html`<span class="help">${t("office.characters", { count: value.length })}</span>
      <button type="button" class="btn quiet" onClick=${() => set(undefined)}>${t("office.take_away")}</button>`}</span>`;
}

function Group({ form, field, path }) {
  const { spec, needed } = field;
  const there = at(form.value, path) !== undefined;
  const bad = form.problems.find((one) => one.at.join(".") === path.join("."));
  const shown = bad && (form.touched.has("*") || [...form.touched].some((one) => one.startsWith(path.join("."))));
  return html`<fieldset>
    <legend>${needed ? html`${named(spec)} <span class="wrong" title=${t("office.needed")}>*</span>`
      : html`<label><input type="checkbox" checked=${there}
          onChange=${(event) => form.change(path, event.target.checked ? first(spec, form.schema.$defs ?? {}) : undefined)} /> ${named(spec)}</label>`}</legend>
    ${hinted(spec) && html`<p class="help">${hinted(spec)}</p>`}
    ${shown && html`<p class="wrong">${text(bad)}</p>`}
    ${(needed || there) && html`<div class="fields"><${Fields} form=${form} schema=${spec} path=${path} /></div>`}
  </fieldset>`;
}

function Listed({ form, field, path }) {
  const { spec, items } = field;
  const value = at(form.value, path) ?? [];
  const bad = problem(form, field, path);
  const add = (one) => form.change(path, [...value, one]);
  const own = field.name === "shown" && path.length === 1 ? form.holder(form.value) : null;
  return html`<fieldset>
    <legend>${named(spec)}</legend>
    ${bad && html`<p class="wrong">${bad}</p>`}
    ${value.map((_, n) => html`<div key=${n} class="row listed">
      <div class="fields"><${Fields} form=${form} schema=${items} path=${[...path, n]} /></div>
      <${ListedProblem} form=${form} path=${[...path, n]} />
      <button type="button" class="btn danger" onClick=${() => form.change([...path, n], undefined)}>${t("office.take_away")}</button>
    </div>`)}
    <p class="row">
      <button type="button" class="btn" onClick=${() => add(first(items, form.schema.$defs ?? {}))}>${t("office.add")}</button>
      ${own && html`<button type="button" class="btn" onClick=${() => add({ ...own })}>${t("office.add_own")}</button>`}
    </p>
  </fieldset>`;
}

function ListedProblem({ form, path }) {
  const found = form.problems.find((one) => one.at.join(".") === path.join("."));
  return found ? html`<p class="wrong">${text(found)}</p>` : null;
}

function Many({ form, field, path }) {
  const { spec } = field;
  const value = at(form.value, path);
  const chosen = Array.isArray(value) ? value : Object.keys(value ?? {});
  const bad = problem(form, field, path);
  const words = spec["x-words"] ?? [];
  const turn = (one, on) => {
    form.touch(path);
    form.change(path, on ? [...chosen, one] : chosen.filter((other) => other !== one));
  };
  return html`<fieldset>
    <legend>${named(spec)}${field.needed && html` <span class="wrong" title=${t("office.needed")}>*</span>`}</legend>
    ${bad && html`<p class="wrong">${bad}</p>`}
    <div class="row">${words.slice(0, MANY).map(
      (one) => html`<label key=${one.value}><input type="checkbox" checked=${chosen.includes(one.value)}
        onChange=${(event) => turn(one.value, event.target.checked)} /> ${said(one)}</label>`,
    )}</div>
  </fieldset>`;
}

/** The form of one request: its schema, what is written, and what the service says is wrong with it so far. */
export function useForm(office, name, banks, request) {
  const [state, setState] = useState({ problems: [], touched: new Set() });
  useEffect(() => {
    let wanted = true;
    setState({ problems: [], touched: new Set() });
    if (name) {
      office.get(`/forms/${name}`).then(
        (schema) => wanted && setState({ schema, value: first(schema, schema.$defs ?? {}), problems: [], touched: new Set() }),
        (error) => wanted && setState({ error, problems: [], touched: new Set() }),
      );
    }
    return () => {
      wanted = false;
    };
  }, [name]);
  const body = state.schema ? JSON.stringify(request(state.value)) : null;
  useEffect(() => {
    if (body === null) return undefined;
    let wanted = true;
    const soon = setTimeout(() => {
      office.post(`/forms/${name}/check`, JSON.parse(body)).then(
        ({ problems }) => wanted && setState((before) => ({ ...before, problems })),
        () => undefined, // said when it is sent
      );
    }, PAUSE);
    return () => {
      wanted = false;
      clearTimeout(soon);
    };
  }, [body, name]);
  return {
    ...state,
    banks: banks.map((one) => ({ value: one.bank, zh: `${one.name} ${one.bank}`, en: `${one.name_en} ${one.bank}` })),
    body,
    bad: () => anyWrong(state.schema, state.schema.$defs ?? {}, state.value),
    holder: (value) => value.person?.document ?? value.request?.person?.document ?? value.holder ?? null,
    change: (path, what) => setState((before) => ({ ...before, value: put(before.value, path, what) })),
    touch: (path) => setState((before) => ({ ...before, touched: new Set([...before.touched, path.join(".")]) })),
    touchAll: () => setState((before) => ({ ...before, touched: new Set([...before.touched, "*"]) })),
    fill: (value) => setState((before) => ({ ...before, value: filled(before.schema, before.schema.$defs ?? {}, value) })),
  };
}
