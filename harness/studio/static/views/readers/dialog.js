// A dialog as the browser has it: modal, closed by Esc, its heading its name.

import { html, useEffect, useRef } from "../../vendor/preact.js";
import { t } from "../../lib/i18n.js";

let count = 0;

export function Dialog({ title, onClose, children, wide = false }) {
  const element = useRef(null);
  const id = useRef(`dialog-${++count}`);
  useEffect(() => {
    element.current.showModal();
  }, []);
  return html`<dialog ref=${element} class=${wide ? "wide" : ""} aria-labelledby=${id.current} onClose=${onClose}>
    <header class="dialog-head">
      <h2 id=${id.current}>${title}</h2>
      <button type="button" class="btn quiet" aria-label=${t("shell.close")} onClick=${() => element.current.close()}>×</button>
    </header>
    ${children}
  </dialog>`;
}

/** A field with its label, its help and what is wrong with it, tied together for those who do not see them. */
export function Field({ id, label, help, wrong, children }) {
  return html`<div class="field">
    <label for=${id}>${label}</label>
    ${children}
    ${help && html`<span class="help" id=${`${id}-help`}>${help}</span>`}
    ${wrong && html`<span class="wrong" id=${`${id}-wrong`}>${wrong}</span>`}
  </div>`;
}

/** Attributes of the input in a field. */
export function tied(id, { help, wrong }) {
  const about = [wrong && `${id}-wrong`, help && `${id}-help`].filter(Boolean).join(" ");
  return { id, "aria-invalid": wrong ? "true" : undefined, "aria-describedby": about || undefined };
}
