// The session as a page of its own: everything is in the file, nothing is asked of anybody.

import { html, render, useEffect, useState } from "../../vendor/preact.js";
import { choose, lang, onLanguage, t, use } from "../../lib/i18n.js";
import { visible } from "../../lib/text.js";
import { EVERYTHING } from "./filters.js";
import { SessionPage } from "./page.js";
import { printed } from "./printed.js";
import { LocalRows } from "./rows.js";

let meant = EVERYTHING; // what is printed
const THEMES = ["auto", "light", "dark"];

function Page({ source, about }) {
  const [language, setLanguage] = useState(lang());
  const [theme, setTheme] = useState("auto");
  useEffect(() => onLanguage(setLanguage), []);
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  return html`
    <header class="bar">
      <span class="brand">sscard</span>
      <span>${visible(about.name)}</span>
      <span class="tools">
        <button class="btn quiet" lang=${language === "zh" ? "en" : "zh-CN"} onClick=${() => choose(language === "zh" ? "en" : "zh")}>${t("shell.other_language")}</button>
        <button class="btn quiet" aria-label=${t("shell.theme_is", { theme: t(`shell.theme_${theme}`) })} onClick=${() => setTheme(next)}>${t(`shell.theme_${theme}`)}</button>
      </span>
    </header>
    <main id="main" tabindex="-1">
      <h1>${t("session.of", { name: visible(about.name) })}</h1>
      <p class="help">${t("session.made_by", { version: about.version })}</p>
      <${SessionPage} source=${source} summary=${about} onFilter=${(one) => {
        meant = one;
      }} />
    </main>`;
}

const data = JSON.parse(document.getElementById("session").textContent);
use(data.texts);
choose(lang());
const source = new LocalRows(data);
render(html`<${Page} source=${source} about=${data.about} />`, document.getElementById("app"));
printed(document.getElementById("printed"), () => source.all(meant));
globalThis.sscardSession = source; // for whoever looks into the file with a console
