import { html } from "../vendor/preact.js";
import { t } from "../lib/i18n.js";

export default function View() {
  return html`<h1>${t("shell.verdicts")}</h1>`;
}
