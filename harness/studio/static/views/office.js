// The office: who signs in by token sees what their role may, and asks the service as any client does.

import { html, useEffect, useMemo, useState } from "../vendor/preact.js";
import { lang, t } from "../lib/i18n.js";
import { visible } from "../lib/text.js";
import { Ask, Pending } from "./office/ask.js";
import { client, keep, kept, moment } from "./office/client.js";
import { List, OneCard, OnePerson } from "./office/lists.js";
import { Overview, useChange } from "./office/overview.js";
import { useAsked, Wrong } from "./office/parts.js";
import { Trail } from "./office/trail.js";

const PLACES = ["overview", "people", "cards", "applications", "losses", "pending", "ask", "trail"];
const LISTS = ["people", "cards", "applications", "losses"];
const ADMINISTRATOR = "administrator";
const BANK = "bank";
const SENT = /^[\x21-\x7e]+$/;

export default function View({ app }) {
  const here = useAsked(() => app.get("/api/office/here"), "here");
  if (here.error) return html`<p class="banner bad" role="alert">${visible(here.error.message)}</p>`;
  if (!here.value) return html`<p class="wait" role="status">${t("office.waiting")}</p>`;
  return html`<div class="office"><h1>${t("shell.office")}</h1>
    ${here.value.here ? html`<${SignedIn} app=${app} here=${here.value} />` : html`<${Without} />`}
  </div>`;
}

/** How the page gets an office: what to type, and nothing that was made up behind one's back. */
function Without() {
  return html`<section class="panel">
    <h2>${t("office.none_here")}</h2>
    <p>${t("office.how_to_begin")}</p>
    <pre>sscard office init${"\n"}sscard office issue --made-up 3${"\n"}sscard office token officer${"\n"}sscard studio --office office.db</pre>
    <p class="help">${t("office.or_with_a_run")} <code>sscard run --web --office office.db</code></p>
  </section>`;
}

function SignedIn({ app, here }) {
  const [token, setToken] = useState(kept());
  const [lost, setLost] = useState(null);
  const [me, setMe] = useState(null);
  const leave = (error) => {
    keep(null);
    setToken(null);
    setMe(null);
    setLost(error ?? null);
  };
  const office = useMemo(() => client(app, here.path, token, leave), [token]);
  useEffect(() => {
    if (token) office.get("/me").then(setMe, (error) => error.kind !== "token" && leave(error));
  }, [token]);
  const enter = (given) => {
    if (!SENT.test(given)) return setLost({ kind: "token", message: "" }); // no header can hold it
    keep(given);
    setLost(null);
    return setToken(given);
  };
  if (!token) return html`<${SignIn} here=${here} enter=${enter} lost=${lost} office=${office} />`;
  if (!me) return html`<p class="wait" role="status">${t("office.waiting")}</p>`;
  return html`<${Desk} app=${app} office=${office} me=${me} leave=${leave} />`;
}

function SignIn({ here, enter, lost, office }) {
  const [given, setGiven] = useState("");
  const send = (event) => {
    event.preventDefault();
    if (given.trim()) enter(given.trim());
  };
  return html`<form class="panel signin" onSubmit=${send}>
    <h2>${t("office.sign_in")}</h2>
    <p>${t("office.register_is", { register: visible(here.register) })}</p>
    ${lost && html`<${Wrong} office=${office} error=${lost} />`}
    <div class="field"><label for="token">${t("office.token")}</label>
      <input id="token" type="password" autocomplete="off" spellcheck="false" value=${given} onInput=${(event) => setGiven(event.target.value)} /></div>
    <p class="help">${t("office.token_from")} <code>sscard office --register ${visible(here.register)} token officer</code></p>
    <button class="btn main" disabled=${!given.trim()}>${t("office.enter")}</button>
  </form>`;
}

/** Whether this clerk's role may look at a place; a bank's clerk sees its operations alone. */
function mayLook(me, place) {
  if (place === "ask") return true;
  return place === "trail" ? me.role === ADMINISTRATOR : me.role !== BANK;
}

function Desk({ app, office, me, leave }) {
  const services = useAsked(() => office.get("/services"), "services");
  const [change, setChange] = useState(null);
  useChange(app, setChange);
  const at = app.params.at ?? (me.role === BANK ? "ask" : "overview");
  const names = Object.fromEntries((services.value ?? []).map((one) => [one.operation, lang() === "zh" ? one.zh : one.en]));
  const trail = (about) => mayLook(me, "trail") ? html`<${Trail} app=${app} office=${office} params=${{}} about=${about} names=${names} />`
    : html`<p class="dim">${t("office.trail_is_for")}</p>`;
  const shared = { app, office, me, change, params: app.params };
  const part = () => {
    if (!mayLook(me, at)) return html`<p class="banner warn" role="note">${t(at === "trail" ? "office.trail_is_for" : "office.not_for_banks")}</p>`;
    if (LISTS.includes(at)) return html`<${List} key=${at} ...${shared} what=${at} />`;
    if (at === "person") return html`<${OnePerson} ...${shared} number=${app.params.number} trail=${trail} />`;
    if (at === "card") return html`<${OneCard} ...${shared} number=${app.params.number} trail=${trail} />`;
    if (at === "pending") return html`<${Pending} ...${shared} />`;
    if (at === "ask") return html`<${Ask} ...${shared} services=${services.value ?? []} />`;
    if (at === "trail") return html`<${Trail} ...${shared} names=${names} />`;
    return html`<${Overview} ...${shared} />`;
  };
  return html`
    <p class="row spread">
      <span><strong>${visible(me.clerk)}</strong> ${lang() === "zh" ? me.role_zh : me.role_en} <span class="dim">${visible(me.outlet)} · ${t("office.token_until", { at: moment(me.until) })}</span></span>
      <button class="btn" onClick=${() => leave()}>${t("office.leave")}</button>
    </p>
    <nav class="row places" aria-label=${t("office.places")}>
      ${PLACES.map((one) => html`<span key=${one}><${Place} app=${app} one=${one} at=${at} open=${mayLook(me, one)} /></span>`)}
    </nav>
    ${part()}`;
}

function Place({ app, one, at, open }) {
  const here = at === one ? "page" : undefined;
  return html`<a class=${`btn quiet ${open ? "" : "closed"}`} href=${`#/office?at=${one}`} aria-current=${here}
    onClick=${(event) => { event.preventDefault(); app.go("office", { at: one }); }}>${t(`office.at_${one}`)}${!open && html` <span class="badge">${t("office.not_allowed")}</span>`}</a>`;
}
