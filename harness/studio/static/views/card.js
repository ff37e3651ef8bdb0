// The Card view: one card's tree, live or at a moment; what changed since; against another card; images dropped on it.

import { html, useRef, useState } from "../vendor/preact.js";
import { both, t } from "../lib/i18n.js";
import { visible } from "../lib/text.js";
import { Compared } from "./card_compare.js";
import { ChangeLine } from "./card_details.js";
import { useLooking } from "./card_looking.js";
import { CardPanes } from "./card_tree.js";

const dropped = []; // images of this visit: {of, name}; the server keeps the newest

function slotOf(of) {
  const found = /^slot:(\d+)(?:@(\d+))?$/.exec(of ?? "");
  return found ? { slot: Number(found[1]), number: found[2] === undefined ? null : Number(found[2]) } : null;
}

/** The slot's state as a text: another one means that the card is to be looked at again. */
function stateOf(app, of) {
  const at = slotOf(of);
  if (!at || at.number !== null) return "";
  return JSON.stringify(app.slots.find((one) => one.slot === at.slot) ?? null);
}

/** Which card it is: another one in the same slot is somebody else's. */
function identityOf(app, of) {
  const slot = app.slots.find((one) => one.slot === slotOf(of)?.slot);
  return `${of ?? ""} ${slot?.card?.atr ?? slot?.atr ?? ""}`;
}

/** What may be looked at: slots with a card, images that were dropped, and what is looked at by a link. */
function sourcesOf(app, ...named) {
  const found = app.slots.filter(hasCard).map((one) => ({ of: `slot:${one.slot}`, name: slotName(one) }));
  for (const one of dropped) found.push({ of: one.of, name: t("card.image_named", { name: visible(one.name) }) });
  for (const of of named) {
    const at = slotOf(of);
    if (!of || found.some((one) => one.of === of)) continue;
    found.push({ of, name: at?.number != null ? t("card.at_command", { slot: at.slot, number: at.number }) : of });
  }
  return found;
}

function hasCard(slot) {
  return slot.card !== undefined ? slot.card !== null : slot.inserted;
}

function slotName(slot) {
  const card = slot.card ?? slot;
  const who = [card.persona || card.image_file?.split("/").pop(), card.layout, card.algorithm].filter(Boolean).map(visible).join(" · ");
  return t("card.slot", { slot: slot.slot, card: who });
}

/** Asks for what is wanted: a card, or two and where they differ. Gives {of, card, changes, pair}. */
async function look(app, wanted) {
  const { of, against, since, show } = JSON.parse(wanted);
  const shown = show ? "&show=true" : "";
  const other = against ?? since;
  if (!other) return { ...(await app.get(`/api/card/tree?of=${encodeURIComponent(of)}${shown}`)), pair: null };
  const path = `/api/card/compare?left=${encodeURIComponent(other)}&right=${encodeURIComponent(of)}${shown}`;
  const found = await app.get(path);
  return { ...found.right, changes: against ? [] : found.changes, pair: against ? found : null };
}

export default function View({ app }) {
  const { params } = app;
  const [shownFor, setShownFor] = useState(""); // whose values were asked for: no other card's are shown by that
  const [query, setQuery] = useState("");
  const [selected, setSelected] = useState(params.at ?? "");
  const [over, setOver] = useState(false);
  const first = app.slots.find((one) => one.inserted) ?? app.slots.find(hasCard);
  const of = params.of ?? (params.slot ? `slot:${params.slot}${params.n ? `@${params.n}` : ""}` : first ? `slot:${first.slot}` : null);
  const { against, since } = params;
  const pair = `${identityOf(app, of)} ${identityOf(app, against)}`;
  const show = shownFor === pair;
  const wanted = of ? JSON.stringify({ of, against, since, show }) : "";
  const answer = useLooking(wanted, stateOf(app, of) + stateOf(app, against), (one) => look(app, one));
  const isOf = answer.wanted && JSON.parse(answer.wanted).of === of && answer.told?.of === of;
  const told = isOf ? answer.told : null;
  const problem = answer.wanted === wanted ? answer.problem : null;

  const to = (changed) => {
    const next = { of, against, since, ...changed };
    app.go("card", Object.fromEntries(Object.entries(next).filter(([, value]) => value)));
  };

  const drop = async (file) => {
    if (!file) return;
    try {
      const found = await app.post(`/api/card/files?name=${encodeURIComponent(file.name.slice(0, 200))}`, file);
      dropped.push({ of: found.of, name: found.name });
      to({ of: found.of, against: undefined, since: undefined });
    } catch (error) {
      app.toast(t("card.not_an_image", { why: error.message }), "error");
    }
  };
  const dropping = {
    onDragOver: (event) => {
      event.preventDefault();
      setOver(true);
    },
    onDragLeave: () => setOver(false),
    onDrop: (event) => {
      event.preventDefault();
      setOver(false);
      drop(event.dataTransfer.files[0]);
    },
  };

  if (!of) {
    return html`<section ...${dropping} class=${over ? "card-view over" : "card-view"}>
      <h1>${t("card.title")}</h1>
      <div class="panel empty"><p>${t("card.no_card")}</p>
        <div class="row"><button class="btn main" onClick=${() => app.go("readers")}>${t("card.to_readers")}</button>
        <${OpenImage} drop=${drop} /></div></div>
    </section>`;
  }
  const sources = sourcesOf(app, of, against, since);
  const at = slotOf(of);
  const live = at !== null && at.number === null;
  const card = told?.card ?? null;
  const compared = against && told?.pair ? told.pair : null;
  return html`<section ...${dropping} class=${over ? "card-view over" : "card-view"}>
    <h1>${t("card.title")}</h1>
    <div class="row card-tools">
      <label>${t("card.which")}
        <select value=${of} onChange=${(event) => to({ of: event.target.value, since: undefined })}>
          ${sources.map((one) => html`<option key=${one.of} value=${one.of} selected=${one.of === of}>${one.name}</option>`)}
        </select></label>
      ${at && html`<${Moment} at=${at} number=${told?.number} to=${to} />`}
      <label class="search">${t("card.search")}
        <input type="search" value=${query} placeholder=${t("card.search_hint")} onInput=${(event) => setQuery(event.target.value)} /></label>
      ${live && !against && html`<${Since} slot=${at.slot} since=${since} number=${told?.number} changes=${card ? told.changes : []} to=${to} />`}
      <${Against} sources=${sources} of=${of} against=${against} to=${to} />
      <${OpenImage} drop=${drop} />
      ${card?.masked && html`<button class="btn" onClick=${() => setShownFor(pair)}>${t("card.show_values")}</button>`}
      ${card && show && html`<button class="btn" aria-pressed="true" onClick=${() => setShownFor("")}>${t("card.hide_values")}</button>`}
    </div>
    ${problem && html`<p class="banner bad" role="alert">${t("card.problem")} ${visible(problem.message)}</p>`}
    ${!card && !problem && html`<p class="wait" role="status">${t("card.reading")}</p>`}
    ${card && (since || at?.number != null) && !against && html`<${News} since=${since} changes=${told.changes} onSelect=${setSelected} />`}
    ${compared && html`<${Compared} found=${compared} query=${query} names=${sources} selected=${selected} onSelect=${setSelected} />`}
    ${card && !against && html`<${CardPanes} key=${of} card=${card} changes=${told.changes} query=${query}
      selected=${selected} onSelect=${setSelected} />`}
  </section>`;
}

/** The card as it was after a command, and back to now. */
function Moment({ at, number, to }) {
  const go = (event) => {
    event.preventDefault();
    const wanted = new FormData(event.target).get("number");
    if (wanted !== "") to({ of: `slot:${at.slot}@${Number(wanted)}`, since: undefined });
  };
  return html`<form class="row" onSubmit=${go}>
    <label>${t("card.after_command")}
      <input key=${at.number ?? "now"} name="number" type="number" min="0" step="1" class="number" required
        defaultValue=${at.number ?? ""} placeholder=${at.number === null ? String(number ?? "") : ""} /></label>
    <button class="btn">${t("card.go_there")}</button>
    ${at.number !== null && html`<button type="button" class="btn" onClick=${() => to({ of: `slot:${at.slot}` })}>${t("card.to_now")}</button>`}
  </form>`;
}

/** Marks what changes from now on. */
function Since({ slot, since, number, changes, to }) {
  if (!since) {
    return html`<button class="btn" disabled=${number === undefined || number === null}
      onClick=${() => to({ since: `slot:${slot}@${number}` })}
      >${t("card.mark_changes")}</button>`;
  }
  return html`<span class="row"><span role="status">${t("card.changed_since", { count: changes.length, number: slotOf(since)?.number ?? "" })}</span>
    <button class="btn" onClick=${() => to({ since: undefined })}>${t("card.unmark")}</button></span>`;
}

/** What is otherwise, as a list that leads to the places. */
function News({ since, changes, onSelect }) {
  if (!changes.length) return html`<p class="dim" role="status">${t(since ? "card.nothing_changed" : "card.nothing_by_it")}</p>`;
  return html`<details class="panel news"><summary>${t(since ? "card.list_changes" : "card.by_it", { count: changes.length })}</summary>
    <ul class="plain">${changes.map((one) => html`<li key=${one.at + one.what}><button class="btn quiet" onClick=${() => onSelect(one.at)}
      >${visible(both(one.place))}</button> <${ChangeLine} change=${one} /></li>`)}</ul></details>`;
}

function Against({ sources, of, against, to }) {
  const others = sources.filter((one) => one.of !== of);
  if (against) return html`<button class="btn" onClick=${() => to({ against: undefined })}>${t("card.end_compare")}</button>`;
  return html`<label>${t("card.compare_with")}
    <select value="" disabled=${!others.length} title=${others.length ? undefined : t("card.nothing_to_compare")}
      onChange=${(event) => event.target.value && to({ against: event.target.value, since: undefined })}>
      <option value="">${t(others.length ? "card.choose" : "card.nothing_to_compare")}</option>
      ${others.map((one) => html`<option key=${one.of} value=${one.of}>${one.name}</option>`)}
    </select></label>`;
}

function OpenImage({ drop }) {
  const input = useRef(null);
  return html`<button class="btn" onClick=${() => input.current.click()}>${t("card.open_image")}</button>
    <input ref=${input} type="file" class="hidden" tabindex="-1" aria-label=${t("card.open_image")}
      onChange=${(event) => {
        drop(event.target.files[0]);
        event.target.value = "";
      }} />`;
}
