// The session view: the run's own session as it goes on, and recordings that are opened beside it.

import { html, useEffect, useMemo, useRef, useState } from "../vendor/preact.js";
import { t } from "../lib/i18n.js";
import { visible } from "../lib/text.js";
import { SessionPage } from "./session/page.js";
import { RemoteRows } from "./session/rows.js";
import { TimeTravel } from "./session/travel.js";

const LIVE = "live";
const LARGEST = 256 * 1024 * 1024; // bytes of a recording, as harness/studio/session/sessions.py

export default function View({ app }) {
  const [sessions, setSessions] = useState(null);
  const [id, setId] = useState(app.params.session ?? LIVE);
  const [failed, setFailed] = useState("");
  const [marked, setMarked] = useState([]);
  const [opening, setOpening] = useState("");
  const [dropping, setDropping] = useState(false);
  const picker = useRef(null);
  const wrong = (error) => app.toast(error.message || t("session.server_gone"), "error");

  const list = () => app.get("/api/session/list").then((told) => {
    setSessions(told);
    setFailed("");
  }, (error) => setFailed(error.message || t("session.server_gone")));
  // Anew when the server is there again: it may be another, which has no recordings open.
  useEffect(() => app.on("link", (state) => {
    if (state === "here") list();
  }), []);
  useEffect(() => {
    list();
  }, []);
  useEffect(() => app.on("rows", (told) =>
    setSessions((before) => before?.map((one) => (one.id === LIVE ? { ...one, ...told } : one)))), []);
  const source = useMemo(() => new RemoteRows(app.get, id), [id]);
  useEffect(() => setMarked([]), [id]);
  const summary = sessions?.find((one) => one.id === id);

  const open = async (file) => {
    if (!file || opening) return;
    if (file.size > LARGEST) return app.toast(t("session.too_large", { name: file.name, most: LARGEST >> 20 }), "error");
    setOpening(file.name);
    try {
      const told = await app.post(`/api/session/open?name=${encodeURIComponent(file.name.slice(0, 200))}`, await zipped(file));
      await list();
      setId(told.id);
    } catch (error) {
      wrong(error);
    } finally {
      setOpening("");
    }
  };
  const close = async () => {
    setId(LIVE);
    await app.post(`/api/session/close?session=${id}`).catch(wrong);
    await list();
  };
  const over = (event) => {
    if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
    event.preventDefault();
    setDropping(true);
  };
  const dropped = (event) => {
    event.preventDefault();
    setDropping(false);
    open(event.dataTransfer.files[0]);
  };
  // Two rows are set aside at most; a third takes the place of the first.
  const mark = (n) => setMarked((before) => (before.includes(n) ? before.filter((one) => one !== n) : [...before, n].slice(-2)));
  const query = `session=${encodeURIComponent(id)}`;
  const tools = html`
    <label>${t("session.session")}
      <select value=${id} onChange=${(event) => setId(event.currentTarget.value)}>
        ${(sessions ?? []).map((one) => html`<option key=${one.id} value=${one.id}>${one.id === LIVE ? t("session.live") : visible(one.name)}</option>`)}
      </select></label>
    <input type="file" class="hidden" tabindex="-1" aria-label=${t("session.open")} ref=${picker} onChange=${(event) => {
      open(event.currentTarget.files[0]);
      event.currentTarget.value = "";
    }} />
    <button class="btn" onClick=${() => picker.current.click()}>${t("session.open")}</button>
    ${id !== LIVE && html`<button class="btn" onClick=${close}>${t("session.close")}</button>`}
    <a class="btn" href=${`/api/session/trace?${query}`} download>${t("session.as_trace")}</a>
    <a class="btn" href=${`/api/session/html?${query}`} download>${t("session.as_page")}</a>`;
  const extra = id === LIVE
    ? (row) => html`<${TimeTravel} app=${app} row=${row} marked=${marked} source=${source} />`
    : undefined;
  return html`
    <div class=${dropping ? "drop-zone dropping" : "drop-zone"} onDragOver=${over} onDragLeave=${() => setDropping(false)} onDrop=${dropped}>
      <h1>${t("shell.session")}</h1>
      <p class="help">${t("session.drop_here")}</p>
      ${failed && html`<p class="banner bad" role="alert">${visible(failed)}</p>`}
      ${opening && html`<p class="banner" role="status">${t("session.opening", { name: visible(opening) })}</p>`}
      ${sessions && !summary && html`<p class="banner warn" role="alert">${t("session.is_closed")}</p>`}
      ${summary && html`<${SessionPage} key=${id} source=${source} summary=${summary} isLive=${id === LIVE} extra=${extra} tools=${tools}
        marked=${marked} onMark=${mark} wanted=${Number(app.params.n) || null} onError=${wrong} />`}
    </div>`;
}

/** A recording takes a tenth of its room so; a browser that cannot sends it as it is. */
async function zipped(file) {
  if (typeof CompressionStream === "undefined") return file;
  return new Response(file.stream().pipeThrough(new CompressionStream("gzip"))).blob();
}
