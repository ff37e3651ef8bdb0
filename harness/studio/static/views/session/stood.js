// What a trace alone tells of the card at a row: a recording has no image of it.

import { html } from "../../vendor/preact.js";
import { t } from "../../lib/i18n.js";
import { visible } from "../../lib/text.js";

export function AsTold({ row }) {
  const stood = row.stood ?? {};
  const pairs = (list, name) => (list ?? []).length > 0 && html`<dt>${name}</dt>
    <dd>${list.map(([one, value]) => html`<span class="badge">${visible(one)} ${visible(value)}</span> `)}</dd>`;
  return html`
    <h3>${t("session.as_told")}</h3>
    <dl class="pairs">
      <dt>${t("session.power")}</dt><dd>${t(stood.powered ? "session.powered" : "session.unpowered")}</dd>
      <dt>${t("session.layout")}</dt><dd>${visible(stood.layout || t("session.untold"))}</dd>
      <dt>${t("session.selected")}</dt><dd><code>${visible(stood.file || stood.directory || t("session.untold"))}</code></dd>
      ${stood.complete && html`<dt>${t("session.rights")}</dt>
        <dd>${(stood.rights ?? []).length ? stood.rights.map((one) => html`<span class="badge good">${visible(one)}</span> `) : t("session.none")}</dd>`}
      ${pairs(stood.counters, t("session.tries"))}
      ${pairs(stood.state, t("session.state"))}
      ${(stood.written ?? []).length > 0 && html`<dt>${t("session.written")}</dt>
        <dd>${stood.written.map((one) => html`<code>${visible(one)}</code> `)}</dd>`}
    </dl>
    <p class="help">${t(stood.complete ? "session.cannot_tell" : "session.cannot_tell_rights")}</p>`;
}
