// The shell: tabs, language, theme, what the server says of itself, and one view at a time.

import { html, render, useEffect, useErrorBoundary, useState } from "./vendor/preact.js";
import * as api from "./lib/api.js";
import { choose, lang, load, onLanguage, t } from "./lib/i18n.js";
import { visible } from "./lib/text.js";

const VIEWS = ["readers", "session", "card", "verdicts", "office"];
const THEMES = ["auto", "light", "dark"];
const THEME = "sscard.theme";
const SHOWN_FOR = 8000; // milliseconds that a note stands

let stream;

function place() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  return { view: VIEWS.includes(path) ? path : VIEWS[0], params: Object.fromEntries(new URLSearchParams(query ?? "")) };
}

function go(view, params = {}) {
  const query = new URLSearchParams(params).toString();
  location.hash = `#/${view}${query ? `?${query}` : ""}`;
}

function keptTheme() {
  try {
    const value = localStorage.getItem(THEME);
    return THEMES.includes(value) ? value : "auto";
  } catch {
    return "auto";
  }
}

function setTheme(value) {
  document.documentElement.dataset.theme = value;
  try {
    localStorage.setItem(THEME, value);
  } catch {
    /* chosen for now */
  }
}

function useStream(kind, first) {
  const [value, setValue] = useState(first);
  useEffect(() => stream.on(kind, setValue), [kind]);
  return value;
}

function useNotes() {
  const [notes, setNotes] = useState([]);
  const toast = (text, kind = "info") => {
    const note = { id: Math.random(), text, kind };
    setNotes((before) => [...before.slice(-4), note]);
    if (kind !== "error") setTimeout(() => setNotes((before) => before.filter((one) => one !== note)), SHOWN_FOR);
  };
  const drop = (note) => setNotes((before) => before.filter((one) => one !== note));
  return [notes, toast, drop];
}

function Shell() {
  const [at, setAt] = useState(place());
  const [language, setLanguage] = useState(lang());
  const [theme, chooseTheme] = useState(keptTheme());
  const [notes, toast, drop] = useNotes();
  const slots = useStream("slots", []);
  const run = useStream("run", { state: "here" });
  const link = useStream("link", "here");
  useEffect(() => {
    const moved = () => setAt(place());
    addEventListener("hashchange", moved);
    const silent = onLanguage(setLanguage);
    return () => {
      removeEventListener("hashchange", moved);
      silent();
    };
  }, []);
  useEffect(() => setTheme(theme), [theme]);
  useEffect(() => {
    document.title = `${t(`shell.${at.view}`)} · sscard`;
  }, [at.view, language]);
  const app = { ...api, on: stream.on, slots, run, toast, lang: language, go, params: at.params };
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  return html`
    <a class="skip" href="#main" onClick=${(event) => {
      event.preventDefault();
      document.getElementById("main").focus();
    }}>${t("shell.skip")}</a>
    <header class="bar">
      <span class="brand"><img src="/static/icon.svg" alt="" width="28" height="28" />${t("shell.brand")}</span>
      <nav aria-label=${t("shell.parts")}>
        ${VIEWS.map(
          (name) => html`<a key=${name} href=${`#/${name}`} aria-current=${at.view === name ? "page" : undefined}
            >${t(`shell.${name}`)}</a>`,
        )}
      </nav>
      <span class="tools">
        <button class="btn quiet" lang=${language === "zh" ? "en" : "zh-CN"}
          onClick=${() => choose(language === "zh" ? "en" : "zh")}>${t("shell.other_language")}</button>
        <button class="btn quiet" aria-label=${t("shell.theme_is", { theme: t(`shell.theme_${theme}`) })}
          onClick=${() => chooseTheme(next)}>${t(`shell.theme_${theme}`)}</button>
      </span>
    </header>
    ${link === api.GONE && html`<p class="banner bad" role="alert">${t("shell.server_gone")}</p>`}
    ${link !== api.GONE && run.state === "gone" &&
    html`<p class="banner bad" role="alert">${t("shell.run_gone")} ${visible(run.why ?? "")}</p>`}
    ${link !== api.GONE && run.state === "none" &&
    html`<p class="banner" role="status">${t("shell.no_reader")} ${visible(run.why ?? "")}</p>`}
    <main id="main" tabindex="-1"><${Part} key=${at.view} name=${at.view} app=${app} /></main>
    <div class="notes" role="log" aria-live="polite" aria-label=${t("shell.notes")}>
      ${notes.map(
        (note) => html`<p key=${note.id} class=${`note ${note.kind}`} role=${note.kind === "error" ? "alert" : undefined}>
          ${visible(note.text)}
          <button class="btn quiet" aria-label=${t("shell.close")} onClick=${() => drop(note)}>×</button>
        </p>`,
      )}
    </div>`;
}

/** One view, loaded when it is first asked for. A fault in it is said in its place; the other views live on. */
function Part({ name, app }) {
  const [View, setView] = useState(null);
  const [failed, setFailed] = useState(null);
  const [error] = useErrorBoundary();
  useEffect(() => {
    import(`./views/${name}.js`).then((loaded) => setView(() => loaded.default), setFailed);
  }, [name]);
  const wrong = error ?? failed;
  if (wrong) {
    console.error(wrong);
    return html`<p class="banner bad" role="alert">${t("shell.view_failed")} ${visible(wrong.message)}</p>`;
  }
  return View ? html`<${View} app=${app} />` : html`<p class="wait" role="status">${t("shell.loading")}</p>`;
}

setTheme(keptTheme());
await load();
choose(lang());
stream = api.stream();
render(html`<${Shell} />`, document.getElementById("app"));
