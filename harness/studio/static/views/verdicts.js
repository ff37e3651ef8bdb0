// Verdicts: runs begun, watched, cancelled, and looked at afterwards.

import { html, useEffect, useState } from "../vendor/preact.js";
import { t } from "../lib/i18n.js";
import { visible } from "../lib/text.js";
import { Report } from "./verdicts/report.js";
import { Start } from "./verdicts/start.js";
import { asked, Conclusion, Counts, isOpen, seconds, when } from "./verdicts/words.js";

const RUNS = "/api/verdicts/runs";
const LISTED = 200; // as harness/studio/verdicts/routes.py gives

function goTo(app, params) {
  app.go("verdicts", Object.fromEntries(Object.entries(params).filter(([, value]) => value !== "" && value !== undefined)));
}

export default function View({ app }) {
  const [jobs, setJobs] = useState({ revision: 0, runs: [] });
  const [history, setHistory] = useState(null);
  const [total, setTotal] = useState(0);
  useEffect(() => app.on("jobs", setJobs), []);
  const open = jobs.runs.map((one) => `${one.id} ${one.state}`).join();
  const load = () =>
    app.get(RUNS).then(
      (answer) => {
        setHistory(answer.runs);
        setTotal(answer.total);
      },
      (error) => app.toast(error.message || t("verdicts.no_history"), "error"),
    );
  useEffect(() => {
    load();
  }, [open]);
  const now = new Map(jobs.runs.map((one) => [one.id, one]));
  const runs = (history ?? []).map((one) => now.get(one.id) ?? one);
  const act = async (doing) => {
    try {
      await doing();
    } catch (error) {
      app.toast(error.message || t("verdicts.not_done"), "error");
    }
    load();
  };
  const cancel = (run) => act(() => app.post(`${RUNS}/${encodeURIComponent(run.id)}/cancel`));
  const remove = (run) => act(() => app.remove(`${RUNS}/${encodeURIComponent(run.id)}`));
  const chosen = app.params.run && runs.find((one) => one.id === app.params.run);
  if (chosen)
    return html`<div class="verdicts"><h1 class="hidden">${t("shell.verdicts")}</h1>
      ${isOpen(chosen) && html`<${Running} runs=${[chosen]} cancel=${cancel} go=${(params) => goTo(app, params)} />`}
      <${Report} key=${chosen.id} app=${app} run=${chosen} runs=${runs} onGo=${(params) => goTo(app, params)} /></div>`;
  return html`<div class="verdicts"><h1>${t("shell.verdicts")}</h1>
    ${app.params.run && history && html`<p class="banner warn" role="alert">${t("verdicts.no_such_run")}</p>`}
    <div class="verdicts-grid">
      <${Start} app=${app} onBegun=${load} />
      <div>
        <${Running} runs=${jobs.runs} cancel=${cancel} go=${(params) => goTo(app, params)} />
        <${History} runs=${history && runs.filter((one) => !isOpen(one) || !now.has(one.id))} total=${total} remove=${remove} go=${(params) => goTo(app, params)} />
      </div>
    </div></div>`;
}

function Running({ runs, cancel, go }) {
  return html`<section class="panel" aria-labelledby="verdicts-running"><h2 id="verdicts-running">${t("verdicts.running")}</h2>
    ${runs.length === 0 && html`<p class="empty">${t("verdicts.none_running")}</p>`}
    <ul class="running" aria-live="polite" aria-relevant="additions removals">${runs.map((run) => {
      const { done, total, bad, what } = run.progress;
      const said = total ? t("verdicts.progress", { done, total, bad }) : t("verdicts.beginning");
      return html`<li key=${run.id}>
        <div class="row"><strong>${t(`verdicts.kind_${run.request.kind}`)}</strong> <span>${asked(run)}</span><${Conclusion} run=${run} />
          <button class="btn quiet" onClick=${() => go({ run: run.id })}>${t("verdicts.watch")}</button>
          <button class="btn danger" disabled=${run.state === "ending"} onClick=${() => cancel(run)}>${t("verdicts.cancel")}</button></div>
        ${run.state !== "queued" && html`<progress aria-label=${said} value=${total ? done : undefined} max=${total || 1}></progress>
        <p class="dim" aria-live="off">${said} ${visible(what)}</p>`}
      </li>`;
    })}</ul></section>`;
}

function History({ runs, total, remove, go }) {
  return html`<section class="panel" aria-labelledby="verdicts-history"><h2 id="verdicts-history">${t("verdicts.history")}</h2>
    ${!runs && html`<p class="wait" role="status">${t("verdicts.loading")}</p>`}
    ${runs?.length === 0 && html`<p class="empty">${t("verdicts.no_runs")}</p>`}
    ${runs?.length > 0 && html`<div class="scroll"><table class="table"><thead><tr>
      <th scope="col">${t("verdicts.when")}</th><th scope="col">${t("verdicts.what")}</th><th scope="col">${t("verdicts.comes_to")}</th><th scope="col">${t("verdicts.counted")}</th><th scope="col"><span class="hidden">${t("verdicts.actions")}</span></th></tr></thead>
      <tbody>${runs.map(
        (run) => html`<tr key=${run.id}>
          <td>${when(run.asked)}<br /><span class="dim">${seconds(run)}</span></td>
          <td><button class="btn quiet link" onClick=${() => go({ run: run.id })}>${t(`verdicts.kind_${run.request.kind}`)}</button> <span class="dim">${asked(run)}</span></td>
          <td><${Conclusion} run=${run} />${run.why && html`<p class="bad">${visible(run.why)}</p>`}</td>
          <td><${Counts} of=${run.came?.counts} /></td>
          <td>${!isOpen(run) && html`<button class="btn quiet" aria-label=${t("verdicts.delete_which", { when: when(run.asked) })} onClick=${() => remove(run)}>${t("verdicts.delete")}</button>`}</td></tr>`,
      )}</tbody></table></div>`}
    ${total > LISTED && html`<p class="dim">${t("verdicts.more_runs", { total })}</p>`}
  </section>`;
}
