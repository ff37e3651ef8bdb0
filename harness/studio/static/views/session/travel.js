// Time travel: the card as it was after a command, a branch of it into a free slot, two moments compared.

import { html, useEffect, useState } from "../../vendor/preact.js";
import { t } from "../../lib/i18n.js";
import { visible } from "../../lib/text.js";
import { CardPanes } from "../card_tree.js";
import { AsTold } from "./stood.js";

export function TimeTravel({ app, row, marked, source }) {
  const [card, setCard] = useState(null);
  const [to, setTo] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => setCard(null), [row.n]);
  const wrong = (error) => app.toast(error.message || t("session.server_gone"), "error");
  const doing = async (what) => {
    setBusy(true);
    try {
      await what();
    } catch (error) {
      wrong(error);
    } finally {
      setBusy(false);
    }
  };
  const free = app.slots.filter((one) => !(one.inserted ?? one.card));
  const look = () => doing(async () => setCard(await app.get(`/api/card/moment?slot=${row.slot}&n=${row.moment}`)));
  const target = free.some((one) => String(one.slot) === to) ? to : String(free[0]?.slot ?? "");
  const branch = () => doing(async () => {
    const expects = free.find((one) => String(one.slot) === target)?.changes;
    await app.post("/api/session/branch", { slot: row.slot, n: row.moment, to: Number(target), expects: expects ?? null });
    app.toast(t("session.branched", { from: row.slot, line: row.line, to: target }));
  });
  const compare = () => doing(async () => {
    const [one, other] = await Promise.all(marked.map((n) => app.get(`/api/session/row?session=${source.id}&n=${n}`)));
    const [before, after] = one.n < other.n ? [one, other] : [other, one];
    app.go("card", { of: `slot:${after.slot}@${after.moment}`, against: `slot:${before.slot}@${before.moment}` });
  });
  if (row.moment === undefined || row.kind === "call") return html`<${AsTold} row=${row} />`;
  return html`
    <h3>${t("session.travel")}</h3>
    <div class="row">
      <button class="btn main" disabled=${busy} onClick=${look}>${t("session.as_it_was")}</button>
      <button class="btn" disabled=${busy || marked.length < 2} title=${t("session.compare_help")} onClick=${compare}>${t("session.compare")}</button>
      ${free.length > 0 && html`
        <button class="btn" disabled=${busy} onClick=${branch}>${t("session.branch")}</button>
        <label>${t("session.branch_to")}
          <select value=${target} onChange=${(event) => setTo(event.currentTarget.value)}>
            ${free.map((one) => html`<option key=${one.slot} value=${one.slot}>${one.slot} ${visible(one.name ?? "")}</option>`)}
          </select></label>`}
    </div>
    ${free.length === 0 && html`<p class="help">${t("session.no_free_slot")}</p>`}
    ${marked.length === 1 && html`<p class="help">${t("session.compare_help")}</p>`}
    ${card
      ? html`<p role="status">${t("session.moment", { line: row.line, slot: row.slot })}</p>
          <${CardPanes} card=${card.card} changes=${card.changes} narrow=${true} label=${t("session.moment", { line: row.line, slot: row.slot })} />`
      : html`<${AsTold} row=${row} />`}`;
}
