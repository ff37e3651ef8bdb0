// Texts of the page, in Chinese and English; which of the two is the user's choice, kept in the browser.

const KEPT = "sscard.language";
const listeners = new Set();
let texts = {};
let language = kept() ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");

function kept() {
  try {
    const value = localStorage.getItem(KEPT);
    return value === "zh" || value === "en" ? value : null;
  } catch {
    return null; // a page opened from a file may have no storage
  }
}

/** Takes the texts: {"part.key": {zh, en}}. */
export function use(table) {
  texts = table;
}

export async function load(url = "/texts.json") {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  use(await answer.json());
}

export function lang() {
  return language;
}

export function choose(value) {
  language = value;
  document.documentElement.lang = value === "zh" ? "zh-CN" : "en";
  try {
    localStorage.setItem(KEPT, value);
  } catch {
    /* chosen for now */
  }
  for (const one of listeners) one(value);
}

export function onLanguage(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The text of a key in the chosen language, with {name} replaced. */
export function t(key, values = {}) {
  const both = texts[key];
  if (!both) return key;
  return both[language].replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** Of what the server says in two languages: {zh, en}, or an object with NAME and NAME_en. */
export function both(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  return (language === "zh" ? value.zh || value.en : value.en || value.zh) || "";
}
