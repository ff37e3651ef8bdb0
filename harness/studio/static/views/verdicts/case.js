// One case: its steps beside what went over, and what a proving or a sweep noted of its run.

import { html, useRef, useState } from "../../vendor/preact.js";
import { lang, t } from "../../lib/i18n.js";
import { spaced, visible } from "../../lib/text.js";
import { titleOf, Verdict, wordsOf } from "./words.js";

const OF_STEP = new Map([[true, ["✓", "good"]], [false, ["✗", "bad"]], [null, ["–", "dim"]]]);

/** Steps that the report tells; of a report that tells none, those that the exchanges belong to. */
function stepsOf(found) {
  if (found.steps?.length) return found.steps;
  const numbers = [...new Set(found.trace.map((one) => one.step).filter(Boolean))];
  return numbers.map((one) => ({
    n: Number(one), words_en: "", words_zh: "", ok: null, why: "", exchange: found.trace.findIndex((line) => line.step === one),
  }));
}

function Change({ of }) {
  const name = lang() === "zh" ? of.what_zh : of.what;
  return html`<li>${visible(name || of.path)}: <code>${visible(of.before || "–")}</code> → <code>${visible(of.after || "–")}</code></li>`;
}

function Step({ step, chosen, onChoose }) {
  const [sign, colour] = OF_STEP.get(step.ok ?? null);
  const changes = [...(step.register ?? []), ...(step.cards ?? [])];
  const there = step.exchange !== null && step.exchange >= 0;
  return html`<li class=${chosen ? "chosen" : ""}>
    <button class="btn quiet step" disabled=${!there} aria-pressed=${chosen} onClick=${() => onChoose(step)}
      title=${there ? t("verdicts.to_exchange") : undefined}>
      <span class=${colour} role="img" aria-label=${t(`verdicts.step_${step.ok ?? "open"}`)}>${sign}</span> ${step.n}. ${wordsOf(step)}</button>
    ${step.why && html`<p class=${step.ok === false ? "bad" : "dim"}>${visible(step.why)}</p>`}
    ${step.clock && html`<p class="dim">${visible(step.clock.before)} → ${visible(step.clock.after)}</p>`}
    ${changes.length > 0 && html`<ul class="changes">${changes.map((one, at) => html`<${Change} key=${at} of=${one} />`)}</ul>`}
  </li>`;
}

function Exchange({ of, at, chosen }) {
  return html`<li id=${`exchange-${at}`} class=${chosen ? "chosen" : ""} tabindex="-1">
    ${of.step && html`<span class="badge">${t("verdicts.step_number", { number: of.step })}</span>`}
    <div><span class="dim" role="img" aria-label=${t("verdicts.command")}>→</span> <code>${of.command === "reset" ? t("verdicts.reset") : spaced(visible(of.command))}</code> ${visible(of.words)}</div>
    <div><span class="dim" role="img" aria-label=${t("verdicts.answer")}>←</span> <code>${spaced(visible(of.answer))}</code> ${visible(of.meaning)}</div>
  </li>`;
}

function OfSweep({ cell }) {
  if (!cell) return null;
  return html`<dl class="pairs">
    <dt>${t("verdicts.outcome")}</dt><dd>${visible(cell.outcome)}</dd>
    <dt>${t("verdicts.ended_how")}</dt><dd>${visible(cell.ended)}</dd>
    <dt>${t("verdicts.again")}</dt><dd><code>${visible(cell.again)}</code></dd>
  </dl>`;
}

function OfProving({ run }) {
  if (!run) return null;
  return html`<dl class="pairs">
    <dt>${t("verdicts.ended_how")}</dt><dd>${visible(run.ending)}${run.exit === null ? "" : ` (${run.exit})`}, ${t("verdicts.commands", { count: run.commands })}</dd>
    <dt>${t("verdicts.changed")}</dt><dd>${run.changes.map((one) => visible(`${one.name}: ${one.what}`)).join("; ") || "–"}</dd>
    <dt>${t("verdicts.again")}</dt><dd><code>${visible(run.again)}</code></dd>
  </dl>
  <ul class="checks">${run.checks.map(
    (one) => html`<li key=${one.check}><${Verdict} of=${one.verdict} /> <code>${visible(one.check)}</code> ${visible(one.reason)}</li>`,
  )}</ul>`;
}

export function Case({ found, onClose }) {
  const [chosen, setChosen] = useState(null);
  const list = useRef(null);
  const steps = stepsOf(found);
  const choose = (step) => {
    setChosen(step);
    const place = list.current?.querySelector(`#exchange-${step.exchange}`);
    place?.scrollIntoView({ block: "nearest" });
    place?.focus({ preventScroll: true });
  };
  return html`<section class="panel case" aria-labelledby="verdicts-case" tabindex="-1">
    <div class="row"><h2 id="verdicts-case"><code>${visible(found.id)}</code> <span class="dim">${visible(found.profile)}</span></h2>
      <${Verdict} of=${found.verdict} /><button class="btn quiet" onClick=${onClose}>${t("verdicts.close_case")}</button></div>
    <p>${titleOf(found)}</p>
    <p class="dim">${visible(found.standard)} · ${visible(found.source)}</p>
    ${found.reason && html`<p class=${found.verdict === "failed" ? "bad" : ""}>${visible(found.reason)}</p>`}
    <${OfSweep} cell=${found.cell} /><${OfProving} run=${found.run} />
    ${(steps.length > 0 || found.trace.length > 0) && html`<div class=${steps.length ? "split" : ""}>
      ${steps.length > 0 && html`<div><h3>${t("verdicts.steps")}</h3>
        <ol class="steps">${steps.map((one) => html`<${Step} key=${one.n} step=${one} chosen=${chosen?.n === one.n} onChoose=${choose} />`)}</ol></div>`}
      <div><h3>${t("verdicts.exchanges")}</h3>
        ${found.trace.length ? html`<ol class="exchanges" ref=${list}>${found.trace.map(
          (one, at) => html`<${Exchange} key=${at} at=${at} of=${one} chosen=${chosen !== null && (String(chosen.n) === one.step || chosen.exchange === at)} />`,
        )}</ol>` : html`<p class="dim">${t("verdicts.no_exchanges")}</p>`}</div>
    </div>`}
  </section>`;
}
