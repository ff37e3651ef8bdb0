// What the monitor found, each a way to its row.

import { html, useEffect, useState } from "../../vendor/preact.js";
import { t } from "../../lib/i18n.js";
import { Finding } from "./detail.js";

const SHOWN = 200;

export function Findings({ source, count, judged, onPick }) {
  const [found, setFound] = useState([]);
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    if (isOpen) source.findings().then(setFound, () => setFound([]));
  }, [source, count, isOpen]);
  const shown = found.slice(-SHOWN);
  return html`
    <details class="panel findings" open=${isOpen} onToggle=${(event) => setOpen(event.currentTarget.open)}>
      <summary><b>${t("session.findings")}</b> <span class=${`badge ${count ? "warn" : judged ? "good" : ""}`}>${count}</span>
        <span class="hidden" role="status">${t("session.findings_count", { count })}</span>
        ${!judged && html` <span class="dim">${t("session.not_judged")}</span>`}</summary>
      ${found.length > SHOWN && html`<p class="help">${t("session.newest_findings", { count: SHOWN })}</p>`}
      <ol class="plain">
        ${shown.map((one) => html`<li><button class="btn quiet" onClick=${() => onPick(one.n)}>${t("session.line", { line: one.line })}</button>
          <${Finding} one=${one} /></li>`)}
      </ol>
    </details>`;
}
