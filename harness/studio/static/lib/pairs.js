// What a card or a command is told in: a name with its value, and tries that are left as dots.

import { html } from "../vendor/preact.js";

const FULL = "\u25cf"; // ●
const SPENT = "\u25cb"; // ○
const MOST_DOTS = 15;

/** A row of a list of names and values. */
export function Pair({ name, children }) {
  return html`<dt>${name}</dt><dd>${children}</dd>`;
}

/** Tries left of a limit, a dot each. */
export function dots(left, limit) {
  return FULL.repeat(Math.min(left, MOST_DOTS)) + SPENT.repeat(Math.max(0, Math.min(limit, MOST_DOTS) - left));
}
