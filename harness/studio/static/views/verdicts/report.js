// What came of one run: what it comes to, its map, its cases, and another run beside it.

import { html, useEffect, useRef, useState } from "../../vendor/preact.js";
import { lang, t } from "../../lib/i18n.js";
import { visible } from "../../lib/text.js";
import { Case } from "./case.js";
import { Heat } from "./heat.js";
import { asked, Conclusion, Counts, isOpen, titleOf, Verdict, VERDICTS, when } from "./words.js";

const PAGE = 50;
const PAUSE = 250; // milliseconds after a key before what was typed is looked for
const RUNS = "/api/verdicts/runs";

function path(name, params) {
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== "" && value !== undefined));
  return `${RUNS}/${encodeURIComponent(name)}/${query.size ? `cases?${query}` : "cases"}`;
}

function because(run) {
  return (run.came?.because ?? []).map((one) => visible(lang() === "zh" ? one.zh : one.en));
}

export function Report({ app, run, runs, onGo }) {
  const [whole, setWhole] = useState(null);
  const [found, setFound] = useState(null);
  const { row = "", column = "", verdict = "", text = "" } = app.params;
  const number = app.params.case;
  const place = useRef(null);
  useEffect(() => {
    setWhole(null);
    app.get(`${RUNS}/${encodeURIComponent(run.id)}`).then(setWhole, (error) => app.toast(error.message, "error"));
  }, [run.id, run.state]);
  useEffect(() => {
    if (number === undefined) return setFound(null);
    app.get(`${RUNS}/${encodeURIComponent(run.id)}/cases/${Number(number)}`).then(
      (one) => {
        setFound(one);
        requestAnimationFrame(() => {
          const panel = place.current?.querySelector(".case");
          panel?.scrollIntoView({ block: "start" });
          panel?.focus({ preventScroll: true });
        });
      },
      (error) => app.toast(error.message, "error"),
    );
  }, [run.id, run.state, number]);
  const params = useRef(app.params);
  params.current = app.params; // also for what goes somewhere a moment later
  const go = (more) => onGo({ ...params.current, run: run.id, ...more });
  const open = (down, across, cell) => {
    if (cell.case === undefined || cell.case === null) return;
    const judged = Object.values(cell.counts ?? {}).reduce((sum, count) => sum + count, 0);
    if (judged > 1) go({ row: down.id, column: across.id, verdict: "", text: "", case: undefined });
    else go({ case: cell.case });
  };
  return html`<section aria-labelledby="verdicts-run" class="report" ref=${place}>
    <div class="panel">
      <div class="row"><button class="btn quiet" onClick=${() => onGo({})}>← ${t("verdicts.back")}</button>
        <h2 id="verdicts-run">${t(`verdicts.kind_${run.request.kind}`)} · ${asked(run)}</h2><${Conclusion} run=${run} /></div>
      ${because(run).map((one, at) => html`<p key=${at} class=${at ? "dim" : ""}>${one}</p>`)}
      ${run.why && html`<p class="bad">${visible(run.why)}</p>`}
      <p><${Counts} of=${run.came?.counts} /></p>
      ${whole && html`<${About} whole=${whole} run=${run} />`}
    </div>
    ${!whole && html`<p class="wait" role="status">${t("verdicts.loading")}</p>`}
    ${whole && !whole.report && !isOpen(run) && html`<p class="banner warn">${t("verdicts.no_report")}</p>`}
    ${whole?.heat && html`<div class="panel"><h3>${t("verdicts.map")}</h3>
      <${Heat} heat=${whole.heat} label=${t(`verdicts.map_${run.request.kind}`)} onOpen=${open} /></div>`}
    ${found && html`<${Case} found=${found} onClose=${() => go({ case: undefined })} />`}
    ${whole?.report && html`<${Cases} app=${app} run=${run} wanted=${{ row, column, verdict, text }} go=${go} />`}
    ${whole?.report && html`<${Beside} app=${app} run=${run} runs=${runs} />`}
  </section>`;
}

function About({ whole, run }) {
  const told = whole.report;
  return html`<details><summary>${t("verdicts.about")}</summary>
    <dl class="pairs">
      ${told && html`<dt>${t("verdicts.target")}</dt><dd>${visible(told.target)}</dd>
        <dt>${t("verdicts.product")}</dt><dd>${visible(told.product) || "–"}</dd>
        <dt>${t("verdicts.made_by")}</dt><dd>${visible(told.program)}</dd>
        <dt>${t("verdicts.session")}</dt><dd><code>${visible(told.session?.sha256)}</code></dd>`}
      <dt>${t("verdicts.times")}</dt><dd>${when(run.began)} – ${when(run.ended)}</dd>
      <dt>${t("verdicts.exit_code")}</dt><dd>${run.exit_code ?? "–"}</dd>
    </dl>
    ${told?.not_judged?.length > 0 && html`<h4>${t("verdicts.not_judged")}</h4><ul>${told.not_judged.map(
      (one) => html`<li key=${one.cause}>${one.count} × ${visible(lang() === "zh" ? one.cause_zh : one.cause)}: ${visible(lang() === "zh" ? one.remedy_zh : one.remedy)}</li>`,
    )}</ul>`}
    ${whole.output && html`<h4>${t("verdicts.output")}</h4><pre class="output" tabindex="0">${visible(whole.output)}</pre>`}
  </details>
  ${whole.files.length > 0 && html`<p class="row">${t("verdicts.files")} ${whole.files.map(
    (name) => html`<a key=${name} href=${`${RUNS}/${encodeURIComponent(run.id)}/files/${name}`} target=${name.endsWith(".html") ? "_blank" : undefined} rel="noreferrer">${name}</a>`,
  )}</p>`}`;
}

function Cases({ app, run, wanted, go }) {
  const [list, setList] = useState(null);
  const [offset, setOffset] = useState(0);
  const [typed, setTyped] = useState(wanted.text);
  const asks = useRef(0);
  const key = JSON.stringify(wanted);
  useEffect(() => setOffset(0), [key]);
  useEffect(() => {
    const mine = ++asks.current;
    const judged = wanted.verdict === "" && wanted.row === "";
    app.get(path(run.id, { ...wanted, judged, offset, limit: PAGE })).then(
      (answer) => mine === asks.current && setList(answer),
      (error) => app.toast(error.message, "error"),
    );
  }, [run.id, run.state, key, offset]);
  const sent = useRef(wanted.text);
  useEffect(() => {
    if (typed === sent.current) return undefined;
    const later = setTimeout(() => {
      sent.current = typed;
      go({ text: typed });
    }, PAUSE);
    return () => clearTimeout(later);
  }, [typed]);
  useEffect(() => {
    if (wanted.text === sent.current) return; // a cell of the map was chosen, or the browser went back
    sent.current = wanted.text;
    setTyped(wanted.text);
  }, [wanted.text]);
  const narrowed = wanted.row || wanted.column;
  return html`<div class="panel"><h3>${t("verdicts.cases")}</h3>
    <div class="row filters">
      <label>${t("verdicts.filter_verdict")} <select value=${wanted.verdict} onChange=${(event) => go({ verdict: event.target.value, case: undefined })}>
        <option value="">${t("verdicts.all_judged")}</option>
        ${VERDICTS.map((one) => html`<option key=${one} value=${one}>${t(`verdicts.is_${one.replaceAll(" ", "_")}`)}</option>`)}
      </select></label>
      <label>${t("verdicts.filter_text")} <input type="search" value=${typed} onInput=${(event) => setTyped(event.target.value)} maxlength="200" /></label>
      ${narrowed && html`<span class="badge info">${visible([wanted.row, wanted.column].filter(Boolean).join(" × "))}</span>
        <button class="btn quiet" onClick=${() => go({ row: "", column: "" })}>${t("verdicts.whole_map")}</button>`}
      <span class="dim" role="status">${list ? t("verdicts.found", { count: list.total }) : ""}</span>
    </div>
    <div class="scroll"><table class="table"><thead><tr>
      <th scope="col">${t("verdicts.verdict")}</th><th scope="col">${t("verdicts.case")}</th><th scope="col">${t("verdicts.on")}</th><th scope="col">${t("verdicts.why")}</th></tr></thead>
      <tbody>${(list?.cases ?? []).map(
        (one) => html`<tr key=${one.n}><td><${Verdict} of=${one.verdict} />${one.known ? html` <span class="badge">${t("verdicts.known")}</span>` : ""}</td>
          <td><button class="btn quiet link" onClick=${() => go({ case: one.n })}><code>${visible(one.id)}</code></button><br /><span class="dim">${titleOf(one)}</span></td>
          <td>${visible(one.profile)}</td><td>${visible(one.reason)}</td></tr>`,
      )}</tbody></table></div>
    ${list && list.total > PAGE && html`<div class="row">
      <button class="btn" disabled=${offset === 0} onClick=${() => setOffset(Math.max(0, offset - PAGE))}>${t("verdicts.before")}</button>
      <span>${offset + 1}–${Math.min(offset + PAGE, list.total)} / ${list.total}</span>
      <button class="btn" disabled=${offset + PAGE >= list.total} onClick=${() => setOffset(offset + PAGE)}>${t("verdicts.after")}</button></div>`}
  </div>`;
}

const WORSE = ["new failure", "worse", "no longer judged", "gone"];

/** Another run of the same kind beside this one: what became worse since, and what was mended. */
function Beside({ app, run, runs }) {
  const [other, setOther] = useState("");
  const [found, setFound] = useState(null);
  const others = runs.filter((one) => one.id !== run.id && !isOpen(one) && one.request.kind === run.request.kind);
  useEffect(() => {
    setFound(null);
    if (!other) return;
    app.get(`${RUNS}/${encodeURIComponent(run.id)}/since/${encodeURIComponent(other)}`).then(setFound, (error) => app.toast(error.message, "error"));
  }, [run.id, other]);
  if (!others.length) return null;
  const differing = found ? Object.entries(found.made) : [];
  return html`<div class="panel"><h3>${t("verdicts.beside")}</h3>
    <label>${t("verdicts.earlier")} <select value=${other} onChange=${(event) => setOther(event.target.value)}>
      <option value="">${t("verdicts.choose")}</option>
      ${others.map((one) => html`<option key=${one.id} value=${one.id}>${when(one.asked)} · ${asked(one)}</option>`)}
    </select></label>
    ${found && html`<p role="status">${Object.entries(found.counts).filter(([, count]) => count).map(
      ([kind, count]) => html`<span key=${kind} class=${WORSE.includes(kind) ? "bad" : "good"}>${count} ${t(`verdicts.diff_${kind.replaceAll(" ", "_")}`)}</span> `,
    )}${t("verdicts.same", { count: found.same })}</p>
    ${differing.length > 0 && html`<details><summary>${t("verdicts.made_otherwise")}</summary><dl class="pairs">${differing.map(
      ([name, [one, two]]) => html`<dt key=${name}>${visible(name)}</dt><dd>${visible(one) || "–"} → ${visible(two) || "–"}</dd>`,
    )}</dl></details>`}
    <ul class="differences">${found.cases.slice(0, 200).map(
      (one, at) => html`<li key=${at}><span class=${`badge ${WORSE.includes(one.kind) ? "bad" : "good"}`}>${t(`verdicts.diff_${one.kind.replaceAll(" ", "_")}`)}</span>
        <code>${visible(one.id)}</code> <span class="dim">${visible(one.profile)}</span> ${visible(one.reason)}</li>`,
    )}</ul>`}
  </div>`;
}
