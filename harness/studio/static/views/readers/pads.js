// PIN pads of driver services: what the cardholder enters, here. Nobody sees or keeps what is typed.

import { html, useEffect, useState } from "../../vendor/preact.js";
import { t } from "../../lib/i18n.js";

const LOOK = 1000; // milliseconds between two looks at who waits
const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0"];
const LONGEST = 12;

function Pad({ app, pad }) {
  const [digits, setDigits] = useState("");
  const enter = async (entry) => {
    setDigits("");
    try {
      await app.post("/api/readers/pads/enter", { pad: pad.pad, entry });
    } catch (error) {
      app.toast(error.message || t("shell.server_gone"), "error");
    }
  };
  const type = (one) => setDigits((before) => (before + one).slice(0, LONGEST));
  const id = `pad-${pad.pad}`;
  return html`<section class="panel pad" aria-labelledby=${id}>
    <h3 id=${id}>${t("readers.pad", { pid: pad.pid })}</h3>
    <p role="status"><span class=${`badge ${pad.waiting ? "warn" : ""}`}>${pad.waiting ? t("readers.pad_waits", { count: pad.waiting }) : t("readers.pad_idle")}</span>
      ${pad.queued > 0 && html` <span class="badge info">${t("readers.pad_queued", { count: pad.queued })}</span>`}</p>
    <form onSubmit=${(event) => {
      event.preventDefault();
      enter(digits);
    }}>
      <label>${t("readers.pin")} <input type="password" autocomplete="off" inputmode="numeric" maxlength=${LONGEST} value=${digits}
        onInput=${(event) => setDigits(event.target.value.replace(/\D/g, ""))} /></label>
      <div class="keypad">
        ${DIGITS.map((one) => html`<button key=${one} type="button" class="btn" onClick=${() => type(one)}>${one}</button>`)}
        <button type="button" class="btn" onClick=${() => setDigits((before) => before.slice(0, -1))} aria-label=${t("readers.pad_back")}>⌫</button>
      </div>
      <div class="row">
        <button class="btn main" disabled=${!digits}>${t("readers.pad_enter")}</button>
        <button type="button" class="btn danger" onClick=${() => enter("cancel")}>${t("readers.pad_cancel")}</button>
        <button type="button" class="btn" onClick=${() => enter("timeout")}>${t("readers.pad_timeout")}</button>
      </div>
    </form>
  </section>`;
}

export function Pads({ app }) {
  const [pads, setPads] = useState([]);
  useEffect(() => {
    let timer;
    let over = false;
    const look = async () => {
      try {
        const answer = await app.get("/api/readers/pads");
        if (!over) setPads(answer.pads);
      } catch {
        /* the shell says that the server is gone */
      }
      if (!over) timer = setTimeout(look, LOOK);
    };
    look();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, []);
  return html`<section aria-labelledby="pads">
    <h2 id="pads">${t("readers.pads")}</h2>
    ${pads.length
      ? html`<div class="grid">${pads.map((one) => html`<${Pad} key=${one.pad} app=${app} pad=${one} />`)}</div>`
      : html`<p class="dim">${t("readers.no_pads")} <code>sscard driver serve --pad-wait 60</code></p>`}
  </section>`;
}
