// The session, live or recorded, served or in a file of its own: filter, time line, rows, one row in full, findings.

import { html, useEffect, useMemo, useRef, useState } from "../../vendor/preact.js";
import { lang, t } from "../../lib/i18n.js";
import { FilterBar, SearchBar } from "./bar.js";
import { Detail } from "./detail.js";
import { EVERYTHING, isEverything } from "./filters.js";
import { Findings } from "./findings.js";
import { RowList } from "./list.js";
import { AsTold } from "./stood.js";
import { Timeline } from "./timeline.js";
import { useRows } from "./window.js";

const NONE = [];

/**
 * `source`: RemoteRows or LocalRows. `summary`: what is known of the whole. `isLive`: rows still come. `extra(row)`: what
 * is shown under a row instead of what the trace tells. `tools`: more for the bar; `marked`, `onMark`: rows set aside.
 */
export function SessionPage({ source, summary, isLive = false, extra, tools, marked = NONE, onMark, wanted, onError, onFilter }) {
  const [filter, setFilter] = useState(EVERYTHING);
  const [row, setRow] = useState(null);
  const [follow, setFollow] = useState(isLive);
  const [until, setUntil] = useState(null);
  const [target, setTarget] = useState(null);
  const [told, setTold] = useState("");
  const asked = useRef(0);
  const fail = onError ?? ((error) => setTold(error.message));
  const revision = `${summary.total} ${summary.findings}`;
  const [view, see] = useRows(source, filter, revision, until, fail);

  const pick = async (position) => {
    const number = ++asked.current;
    const got = view.rows[position - view.start] ?? (await source.window(filter, position, 1).catch(fail))?.rows?.[0];
    if (!got || number !== asked.current) return;
    setRow(got);
    setTarget({ position });
  };
  const jump = (position) => {
    setFollow(false);
    return pick(position);
  };
  const goTo = async (n) => {
    let position = await source.position(filter, n);
    const there = (await source.window(filter, position, 1)).rows[0];
    if (there?.n !== n) {
      setFilter(EVERYTHING); // the filter leaves it out
      position = await source.position(EVERYTHING, n);
      const found = (await source.window(EVERYTHING, position, 1)).rows[0];
      if (found?.n !== n) return setTold(t("session.row_gone"));
      setRow(found);
      setFollow(false);
      return setTarget({ position });
    }
    return jump(position);
  };
  useEffect(() => {
    if (wanted) goTo(wanted).catch(fail);
  }, [wanted]);
  const search = async (text, back) => {
    const now = target?.position ?? (back ? view.total : view.first - 1);
    const found = await source.search(filter, text, back ? now - 1 : now + 1, back).catch(fail);
    if (!found) return setTold(t("session.not_found"));
    setTold(t("session.found_at", { line: found.n }));
    return jump(found.position);
  };
  const choose = (next) => {
    setFilter(next);
    setTarget(null);
    setTold("");
  };
  useEffect(() => onFilter?.(filter), [filter]);
  // A row that the monitor found something on since it was chosen is shown with it.
  const fresh = row && (view.rows.find((one) => one.n === row.n) ?? row);
  const doing = useRef({});
  doing.current = { jump, choose, goTo: (n) => goTo(n).catch(fail) };
  const language = lang();
  const at = until === null ? revision : until;
  // Scrolling draws the rows anew, and nothing else: these stay as they are until they have something else to show.
  const filters = useMemo(() => html`
    <${FilterBar} filter=${filter} setFilter=${(next) => doing.current.choose(next)} summary=${summary} />`,
  [filter, summary.slots?.length, summary.instructions?.length, language]);
  const line = useMemo(() => html`
    <${Timeline} source=${source} filter=${filter} revision=${at} total=${summary.total} selected=${row?.n}
      onPick=${(position) => doing.current.jump(position)} />`,
  [source, filter, at, row?.n, language]);
  const findings = useMemo(() => html`
    <${Findings} source=${source} count=${summary.findings} judged=${summary.judged} onPick=${(n) => doing.current.goTo(n)} />`,
  [source, summary.findings, summary.judged > 0, language]);
  const detail = useMemo(() => html`
    <${Detail} row=${fresh} marked=${marked} onMark=${onMark}>
      ${fresh && (extra ? extra(fresh) : html`<${AsTold} row=${fresh} />`)}
    <//>`, [fresh?.n, fresh?.findings?.length, marked, extra, language]);
  const missed = until === null ? 0 : summary.total - until;
  return html`
    <div class="session">
      <div class="panel bars">
        ${filters}
        <div class="row">
          <${SearchBar} onSearch=${search} told=${told} />
          ${isLive && html`
            <button class="btn" aria-pressed=${follow ? "true" : "false"} onClick=${() => setFollow(!follow)}>${t("session.follow")}</button>
            <button class="btn" aria-pressed=${until === null ? "false" : "true"} onClick=${() => {
              setUntil(until === null ? summary.total : null);
              if (until === null) setFollow(false);
            }}>${until === null ? t("session.pause") : t("session.resume", { count: missed })}</button>`}
          ${tools}
        </div>
      </div>
      ${line}
      <div class="session-main">
        <section class="panel list">
          <p class="row counts">
            <span role="status">${isEverything(filter)
              ? t("session.count", { total: view.total - view.first })
              : t("session.count_of", { total: view.total - view.first, all: summary.total })}</span>
            ${summary.gone > 0 && html`<span class="badge warn">${t("session.gone", { count: summary.gone })}</span>`}
          </p>
          ${view.total === 0 && html`<p class="empty">${t(isEverything(filter) ? (isLive ? "session.empty_live" : "session.empty") : "session.empty_filter")}</p>`}
          <${RowList} view=${view} see=${see} selected=${row?.n} marked=${marked} target=${target} follow=${follow && until === null}
            setFollow=${setFollow} onPick=${pick} />
        </section>
        ${detail}
      </div>
      ${findings}
      ${(summary.unbegun ?? NONE).map((one) => html`<p class="banner warn">${t("session.unbegun", one)}</p>`)}
      ${(summary.cuts ?? NONE).map((line) => html`<p class="banner bad" role="alert">${t("session.cut", { line })}</p>`)}
      ${summary.torn > 0 && html`<p class="banner warn">${t("session.torn", { line: summary.torn })}</p>`}
    </div>`;
}
