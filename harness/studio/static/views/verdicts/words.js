// What verdicts, states and kinds of runs are called and look like, for all of this part.

import { html } from "../../vendor/preact.js";
import { lang, t } from "../../lib/i18n.js";
import { visible } from "../../lib/text.js";

/** By verdict: its sign and its colour. The colour never says anything that the sign does not. */
export const SIGNS = {
  passed: ["✓", "good"],
  warning: ["!", "warn"],
  failed: ["✗", "bad"],
  undefined: ["?", "warn"],
  "requirement missing": ["○", "warn"],
  "not applicable": ["–", "none"],
};
export const VERDICTS = Object.keys(SIGNS);
const CONCLUSIONS = { conforms: "good", "does not conform": "bad", "not judged": "warn" };
const OPEN = ["queued", "running", "ending"];

export function isOpen(run) {
  return OPEN.includes(run.state);
}

export function verdictWords(verdict) {
  return t(`verdicts.is_${verdict.replaceAll(" ", "_")}`);
}

export function titleOf(one) {
  return visible((lang() === "zh" ? one.title_zh || one.title : one.title || one.title_zh) ?? "");
}

export function wordsOf(step) {
  return visible((lang() === "zh" ? step.words_zh || step.words_en : step.words_en || step.words_zh) ?? "");
}

export function when(text) {
  if (!text) return "";
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? visible(text) : date.toLocaleString(lang() === "zh" ? "zh-CN" : "en-GB");
}

export function seconds(run) {
  if (!run.began || !run.ended) return "";
  return t("verdicts.seconds", { count: Math.max(0, Math.round((new Date(run.ended) - new Date(run.began)) / 1000)) });
}

export function Verdict({ of }) {
  const [sign, colour] = SIGNS[of] ?? ["?", "warn"];
  return html`<span class=${`badge ${colour}`}>${sign} ${verdictWords(of)}</span>`;
}

/** What a run comes to, or how far it is. */
export function Conclusion({ run }) {
  if (isOpen(run)) return html`<span class="badge info">${t(`verdicts.state_${run.state}`)}</span>`;
  const said = run.came?.conclusion ?? "not judged";
  const ended = run.state === "ended" ? "" : html` <span class="badge warn">${t(`verdicts.state_${run.state}`)}</span>`;
  return html`<strong class=${`badge ${CONCLUSIONS[said] ?? "warn"}`}>${t(`verdicts.comes_${said.replaceAll(" ", "_")}`)}</strong>${ended}`;
}

/** How many had which verdict, in few words. */
export function Counts({ of }) {
  const there = VERDICTS.filter((one) => of?.[one]);
  return html`${there.map((one, at) => html`${at ? ", " : ""}<span key=${one} class=${SIGNS[one][1]}>${of[one]} ${verdictWords(one)}</span>`)}`;
}

/** What was asked for, in one line. */
export function asked(run) {
  const request = run.request;
  if (request.kind === "session") return request.session ? visible(request.session) : t("verdicts.live_session");
  const parts = [
    request.program,
    request.situation,
    request.slot === undefined || request.slot === null ? "" : t("verdicts.in_slot", { slot: request.slot }),
    request.layout,
    ...["profiles", "items", "only", "situations"].map((name) => shortened(request[name])),
    request.limit ? t("verdicts.limited", { count: request.limit }) : "",
  ].filter(Boolean);
  return parts.length ? visible(parts.join(" · ")) : t("verdicts.everything");
}

function shortened(names) {
  if (!names?.length) return "";
  return names.length > 3 ? `${names.slice(0, 3).join(", ")} … (${names.length})` : names.join(", ");
}
