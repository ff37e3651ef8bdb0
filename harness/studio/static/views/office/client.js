// The office's own service, asked as any client asks it: with a clerk's token, which stays in this tab.

import { lang } from "../../lib/i18n.js";
import { visible } from "../../lib/text.js";

const KEPT = "sscard.office";
const NOBODY = 401;

export function kept() {
  try {
    return sessionStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

export function keep(token) {
  try {
    if (token === null) sessionStorage.removeItem(KEPT);
    else sessionStorage.setItem(KEPT, token);
  } catch {
    /* for this view alone, then */
  }
}

/** Asks below `path`; `lost` is called with the error once the token is good no more. */
export function client(app, path, token, lost) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const watched = async (asked) => {
    try {
      return await asked;
    } catch (error) {
      if (error.status === NOBODY) lost(error);
      throw error;
    }
  };
  return {
    get: (where) => watched(app.get(path + where, headers)),
    post: (where, body) => watched(app.post(path + where, body, headers)),
  };
}

/** A query string of what is set. */
export function query(values) {
  const set = Object.entries(values).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return set.length ? `?${new URLSearchParams(set)}` : "";
}

/** A word of the office's vocabulary: the row has NAME, and NAME_zh beside it. */
export function word(row, name) {
  return visible(lang() === "zh" ? row[`${name}_zh`] || row[name] : String(row[name] ?? "").replaceAll("-", " "));
}

/** The two halves of a row that has zh and en. */
export function spoken(row) {
  return visible(lang() === "zh" ? row.zh : row.en);
}

/** A moment of the office's, to the minute; a day as it is. */
export function moment(text) {
  return text ? visible(text.slice(0, 16).replace("T", " ")) : "";
}
