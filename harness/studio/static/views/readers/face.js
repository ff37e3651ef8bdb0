// The front of a card, drawn by us: a title, a chip, a portrait that is nobody's, and what the card says of its holder.

import { html } from "../../vendor/preact.js";
import { t } from "../../lib/i18n.js";
import { visible } from "../../lib/text.js";

const WIDTH = 342.4; // ID-1: 85.60 by 53.98 mm, four to the millimetre
const HEIGHT = 215.9;
const ROOM = 195; // for a name, beside its label
const LARGE = 17; // how high its letters are where there is room enough
const LONGEST = 34; // letters of a name; of a longer one the end is left out

/** What stands across a card that is not simply in use: [kind, text key], or nothing. */
function stamp(card, face) {
  if (card.life === "blocked") return ["bad", "readers.stamp_blocked"];
  if (card.life === "blank") return ["info", "readers.stamp_blank"];
  if (Object.values(card.blocked ?? {}).length) return ["warn", "readers.stamp_application"];
  if (face?.expired) return ["warn", "readers.stamp_expired"];
  if (card.activated === false) return ["info", "readers.stamp_inactive"];
  return null;
}

function Chip({ x, y }) {
  return html`<g class="chip" transform=${`translate(${x} ${y})`}>
    <rect width="50" height="40" rx="7" />
    <path d="M0 13h17v14H0M50 13H33v14h17M17 0v13M33 0v13M17 40V27M33 40V27M17 20h16" />
  </g>`;
}

function Waves({ x, y }) {
  return html`<g class="waves" transform=${`translate(${x} ${y})`}>
    <path d="M0 6a14 14 0 0 1 0 16M8 2a22 22 0 0 1 0 24M16 -2a30 30 0 0 1 0 32" />
  </g>`;
}

function Portrait({ x, y }) {
  return html`<g class="portrait" transform=${`translate(${x} ${y})`}>
    <rect width="70" height="88" rx="4" />
    <circle cx="35" cy="34" r="17" />
    <path d="M5 88c0-24 13-34 30-34s30 10 30 34z" />
  </g>`;
}

/** A name in letters small enough for its place. */
function Name({ value }) {
  const letters = [...value];
  const shown = letters.length > LONGEST ? [...letters.slice(0, LONGEST - 1), "…"] : letters;
  const width = shown.reduce((sum, one) => sum + (one < "\u2e80" ? 0.64 : 1), 0);
  return html`<tspan class="name" style=${{ fontSize: `${Math.min(LARGE, ROOM / width)}px` }}>${shown.join("")}</tspan>`;
}

function Lines({ face }) {
  const rows = face
    ? [
        ["readers.face_name", face.name],
        ["readers.face_number", face.number],
        ["readers.face_issued", face.issued],
        ["readers.face_until", face.until],
      ].filter(([, value]) => value)
    : [];
  return html`<g class="lines">
    ${rows.map(
      ([key, value], at) => html`<text key=${key} x="92" y=${112 + at * 22}
        ><tspan class="label">${t(key)}</tspan> ${key === "readers.face_name" ? html`<${Name} value=${visible(value)} />` : html`<tspan>${visible(value)}</tspan>`}</text>`,
    )}
  </g>`;
}

function described(card, face) {
  const parts = [t(card.card === "psam" ? "readers.face_psam" : "readers.face_title")];
  if (face?.name) parts.push(face.name);
  if (face?.number) parts.push(face.number);
  const stamped = stamp(card, face);
  if (stamped) parts.push(t(stamped[1]));
  return visible(parts.join(", "));
}

/** A card in its reader, or beside it where it was taken out. */
export function Face({ slot, face }) {
  const { card, inserted, interface: side } = slot;
  if (!card) {
    return html`<svg class="face none" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label=${t("readers.no_card")}>
      <rect class="outline" x="2" y="2" width=${WIDTH - 4} height=${HEIGHT - 4} rx="13" />
      <text x=${WIDTH / 2} y=${HEIGHT / 2} text-anchor="middle">${t("readers.no_card")}</text>
    </svg>`;
  }
  const psam = card.card === "psam";
  const stamped = stamp(card, face);
  const label = described(card, face) + (inserted ? "" : ` (${t("readers.out")})`);
  return html`<svg class=${`face ${inserted ? "in" : "out"} ${psam ? "psam" : ""}`} viewBox=${`0 0 ${WIDTH} ${HEIGHT}`}
    role="img" aria-label=${label}>
    <rect class="body" x="1" y="1" width=${WIDTH - 2} height=${HEIGHT - 2} rx="13" />
    <path class="field" d=${`M1 150C80 110 150 190 240 140S330 100 ${WIDTH - 1} 118V203a12 12 0 0 1-12 12H13a12 12 0 0 1-12-12z`} />
    <path class="thread" d="M1 60C90 24 150 96 250 52S320 30 342 40M1 72C90 36 150 108 250 64S320 42 342 52M1 84C90 48 150 120 250 76S320 54 342 64" />
    <text class="title" x="20" y="36">${t(psam ? "readers.face_psam" : "readers.face_title")}</text>
    <${Chip} x="20" y="52" />
    ${side === "contactless" && html`<${Waves} x="80" y="58" />`}
    ${!psam && card.life !== "blank" && html`<${Portrait} x="14" y="108" />`}
    ${!psam && html`<${Lines} face=${face} />`}
    ${stamped &&
    html`<g class=${`stamp ${stamped[0]}`} transform=${`translate(${WIDTH - 92} 82) rotate(-12)`}>
      <rect x="-66" y="-20" width="132" height="40" rx="6" /><text text-anchor="middle" y="6">${t(stamped[1])}</text>
    </g>`}
  </svg>`;
}
