// All that is known of one place of a card: values, raw bytes, rights, grades with their sources, what changed.

import { html } from "../vendor/preact.js";
import { both, t } from "../lib/i18n.js";
import { Pair } from "../lib/pairs.js";
import { spaced, visible } from "../lib/text.js";
import { valueOf } from "./card_nodes.js";

/** A grade, its meaning behind it for who points at it or listens. */
export function Grade({ basis }) {
  return html`<span class=${`badge grade grade-${basis.grade}`} title=${t(`card.grade_${basis.grade}`)}
    ><span class="hidden">${t("card.grade")} </span>${basis.grade}</span>`;
}

export function Details({ card, node, changes, label, comparing }) {
  const Part = { card: OfCard, application: OfApplication, file: OfFile, record: OfRecord, item: OfItem, part: OfItem,
    key: OfKey, keys: OfKeys, objects: OfKeys, pin: OfPin, account: OfAccount }[node.kind]; // prettier-ignore
  return html`<section class="panel card-details" aria-label=${label ? `${t("card.details")}: ${label}` : t("card.details")} tabindex="0">
    <p class="dim way">${node.id ? visible(node.id.replaceAll("/", " / ")) : t("card.whole")}</p>
    <h2>${node.tag && html`<code>${visible(node.tag)}</code> `}${visible(both(node.name))}</h2>
    ${changes.length > 0 && html`<div class="banner warn changed-here"><strong>${t(comparing ? "card.differs_here" : "card.changed_here")}</strong>
      <ul>${changes.map((one) => html`<li><${ChangeLine} change=${one} /></li>`)}</ul></div>`}
    <${Part} card=${card} node=${node} data=${node.data} />
    ${node.data.basis && html`<${Sources} card=${card} basis=${node.data.basis} title=${t("card.grade")} />`}
  </section>`;
}

/** What changed, in one line: what, before, after. */
export function ChangeLine({ change }) {
  const told = change.before || change.after;
  return html`${both(change.words)}
    ${change.what === "there" || !told
      ? html` <strong>${t(`card.kind_${change.kind}`)}</strong>`
      : html`: <span class="before">${change.before ? visible(both(change.before)) : t("card.nothing")}</span>${" → "}
          <strong>${change.after ? visible(both(change.after)) : t("card.nothing")}</strong>`}`;
}

function Hex({ name, hex }) {
  if (!hex) return null;
  return html`<${Pair} name=${name}><code class="hex">${spaced(hex)}</code></${Pair}>`;
}

function OfCard({ data }) {
  const rights = Object.entries(data.standing.rights);
  return html`<dl class="pairs">
    <${Pair} name=${t("card.layout")}>${visible(data.layout)}, ${t("card.version")} ${visible(data.version)}, ${data.algorithm}</${Pair}>
    <${Pair} name=${t("card.interface")}>${t(`card.interface_${data.interface}`)}</${Pair}>
    <${Hex} name="ATR" hex=${data.atr} />
    <${Pair} name=${t("card.life")}>${both(data.life.words)}${data.activation ? ` · ${both(data.activation.words)}` : ""}</${Pair}>
    <${Pair} name=${t("card.selected")}>${visible([data.standing.application, data.standing.file].filter(Boolean).join(" · "))}${data.standing.record
      ? ` · ${t("card.record")} ${data.standing.record}`
      : ""}</${Pair}>
    ${data.standing.challenge && html`<${Pair} name=${t("card.challenge")}>${t("card.challenge_given")}</${Pair}>`}
    ${data.standing.transaction && html`<${Pair} name=${t("card.transaction")}>${t("card.transaction_begun")}</${Pair}>`}
    <${Pair} name=${t("card.rights")}>${rights.length
      ? html`<ul class="plain">${rights.map(([name, words]) => html`<li><code>${visible(name)}</code> ${visible(both(words))}</li>`)}</ul>`
      : t("card.none")}</${Pair}>
  </dl>
  ${data.masked && html`<p class="help">${t("card.masked_why")}</p>`}`;
}

function OfApplication({ data }) {
  return html`<dl class="pairs">
    <${Pair} name=${t("card.file_id")}><code>${data.fid}</code></${Pair}>
    ${data.dfname && html`<${Pair} name=${t("card.dfname")}><code class="hex">${spaced(data.dfname)}</code></${Pair}>`}
    ${data.label && html`<${Pair} name=${t("card.label")}>${visible(data.label)}</${Pair}>`}
    <${Pair} name=${t("card.life")}>${both(data.life.words)}</${Pair}>
    <${Hex} name=${t("card.fci")} hex=${data.fci} />
  </dl>`;
}

function Right({ name, access }) {
  return html`<${Pair} name=${name}>
    <strong>${visible(both(access.words))}</strong>
    ${access.messaging && html` <span class="badge">${t(`card.messaging_${access.messaging}`)}</span>`}
    <br /><span class=${access.now ? "good" : "dim"}>${access.now
      ? t("card.now_yes")
      : html`${t("card.now_no")} <code>${visible(access.refusal)}</code>`}</span>
  </${Pair}>`;
}

function OfFile({ card, data }) {
  return html`<dl class="pairs">
    <${Pair} name=${t("card.file_id")}><code>${data.fid}</code> · SFI <code>${data.sfi.toString(16).toUpperCase().padStart(2, "0")}</code></${Pair}>
    <${Pair} name=${t("card.structure")}>${t(`card.structure_${data.structure}`)}${data.capacity
      ? ` · ${t("card.records_of", { count: data.records.length, most: data.capacity })}`
      : ` · ${t("card.bytes_of", { used: data.used, size: data.size })}`}</${Pair}>
    ${data.usage && html`<${Pair} name=${t("card.usage")}>${both(data.usage)}</${Pair}>`}
    <${Right} name=${t("card.read")} access=${data.read} />
    <${Right} name=${t("card.update")} access=${data.update} />
    ${data.certificate && html`<${Pair} name=${t("card.certificate")}>${both(data.certificate.words)} ${visible(data.certificate.span)}</${Pair}>`}
    <${Hex} name=${t("card.content")} hex=${trimmed(data)} />
  </dl>
  ${data.secret && html`<p class="help">${t("card.secret_why")}</p>`}
  <${Sources} card=${card} basis=${data.access} title=${t("card.grade_of_access")} />`;
}

/** Without what fills the file up. */
function trimmed(file) {
  return file.hex && !file.masked ? file.hex.slice(0, Math.max(2 * file.used, 2)) : file.hex;
}

function OfRecord({ data }) {
  return html`<div class="scroll"><table class="table"><tbody>
    ${data.fields.map((field) => html`<tr><th scope="row">${visible(both(field.name))}</th><td><${Value} of=${field} /></td></tr>`)}
  </tbody></table></div>`;
}

function Value({ of }) {
  if (of.masked) return html`<span class="dim">${t("card.masked")}</span>`;
  const value = valueOf(of);
  if (value === null) return null;
  return value === "" ? html`<span class="dim">${t("card.blank")}</span>` : html`<span class="value">${visible(value)}</span>`;
}

function OfItem({ data }) {
  if (data.present === false) return html`<p class="help">${t("card.absent_why")}</p>`;
  return html`<dl class="pairs">
    ${data.elements?.length ? null : html`<${Pair} name=${t("card.value")}><${Value} of=${data} /></${Pair}>`}
    ${data.codes && html`<${Pair} name=${t("card.codes")}>${visible(data.codes.id)} ${visible(both(data.codes.name))}</${Pair}>`}
    ${data.format && html`<${Pair} name=${t("card.format")}><code>${data.format}</code> · ${t("card.bytes", { count: data.length })}</${Pair}>`}
    ${data.usage && html`<${Pair} name=${t("card.usage")}>${both(data.usage)}</${Pair}>`}
    <${Hex} name=${t("card.raw")} hex=${data.hex} />
  </dl>
  ${data.elements?.length > 0 && html`<div class="scroll"><table class="table"><tbody>
    ${data.elements.map((one) => html`<tr><td><code>${one.tag}</code></td><th scope="row">${visible(both(one.name))}</th><td><${Value} of=${one} /></td></tr>`)}
  </tbody></table></div>`}`;
}

function triesOf(tries) {
  if (!tries) return t("card.unlimited");
  return tries.left ? t("card.tries_left", tries) : t("card.locked");
}

function OfKey({ data }) {
  return html`<dl class="pairs">
    <${Pair} name=${t("card.key_id")}><code>${data.reference}</code></${Pair}>
    <${Pair} name=${t("card.key_use")}>${both(data.use)}</${Pair}>
    <${Pair} name=${t("card.tries")}>${triesOf(data.tries)}</${Pair}>
    <${Pair} name=${t("card.versions")}>${data.versions.length ? data.versions.join(", ") : t("card.not_loaded")}</${Pair}>
    <${Pair} name=${t("card.levels")}>${data.levels}</${Pair}>
    ${data.psam && html`<${Pair} name=${t("card.in_psam")}><code>${visible(data.psam)}</code></${Pair}>`}
    ${data.hsm && html`<${Pair} name=${t("card.in_hsm")}><code>${visible(data.hsm)}</code></${Pair}>`}
    <${Pair} name=${t("card.right")}>${t(data.held ? "card.right_held" : "card.right_not_held")}</${Pair}>
  </dl><p class="help">${t("card.key_why")}</p>`;
}

function OfKeys({ node }) {
  return html`<ul class="plain">${node.children.map((one) => html`<li key=${one.id}><code>${visible(one.tag)}</code> ${visible(both(one.name))}</li>`)}</ul>`;
}

function OfPin({ data }) {
  return html`<dl class="pairs">
    <${Pair} name=${t("card.tries")}>${triesOf(data.tries)}</${Pair}>
    <${Pair} name=${t("card.pin_state")}>${t(data.set ? (data.initial ? "card.pin_initial" : "card.pin_own") : "card.pin_none")}</${Pair}>
    <${Pair} name=${t("card.pin_digits")}>${data.digits[0]}–${data.digits[1]}</${Pair}>
    ${data.unblock_key && html`<${Pair} name=${t("card.unblock_key")}><code>${visible(data.unblock_key)}</code> · ${triesOf(data.unblockings)}</${Pair}>`}
    <${Pair} name=${t("card.right")}>${t(data.verified ? "card.verified" : "card.not_verified")}</${Pair}>
  </dl><p class="help">${t("card.key_why")}</p>`;
}

function OfAccount({ data }) {
  return html`${!data.in_use && html`<p class="help">${t("card.account_off")}</p>`}
  <div class="scroll"><table class="table"><tbody>
    ${data.parts.map((one) => html`<tr><th scope="row">${both(one.name)}</th><td><${Value} of=${one} /></td></tr>`)}
  </tbody></table></div>
  <dl class="pairs">
    <${Right} name=${t("card.load")} access=${data.load} />
    <${Right} name=${t("card.purchase")} access=${data.purchase} />
    <${Right} name=${t("card.balance")} access=${data.balance} />
  </dl>`;
}

function Sources({ card, basis, title }) {
  return html`<div class="sources"><h3>${title}: <${Grade} basis=${basis} /> <span class="dim">${t(`card.grade_${basis.grade}`)}</span></h3>
    ${basis.sources.length > 0 && html`<ul>
      ${basis.sources.map((one) => {
        const source = card.sources[one];
        const words = visible(source ? both(source.words) : one);
        const title = visible(both(source?.title));
        return html`<li key=${one}><strong>${words}</strong>${words.startsWith(title) ? "" : html` <span class="dim">${title}</span>`}</li>`;
      })}
    </ul>`}</div>`;
}
