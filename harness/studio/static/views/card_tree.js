// The tree of a card with its details, by keyboard as the WAI-ARIA pattern has it. Used wherever a card is looked at.

import { html, useLayoutEffect, useMemo, useRef, useState } from "../vendor/preact.js";
import { both, t } from "../lib/i18n.js";
import { dots } from "../lib/pairs.js";
import { visible } from "../lib/text.js";
import { Details, Grade } from "./card_details.js";
import { CARD, found, marksOf, nodesOf, valueOf } from "./card_nodes.js";

const TYPED = 700; // milliseconds within which letters are one word

/** Tree and details of one card. `changes`: marked; `query`: narrows the tree; `selected` and `onSelect` where somebody
 * else keeps what is chosen; `narrow`: details below, not beside; `comparing`: one of two cards. */
export function CardPanes({ card, changes = [], query = "", selected, onSelect, label, narrow = false, comparing = false }) {
  const nodes = useMemo(() => nodesOf(card), [card, both(card.title)]);
  const marks = useMemo(() => marksOf(nodes, changes), [nodes, changes]);
  const [own, setOwn] = useState(CARD);
  const id = selected ?? own;
  const chosen = nodes.byId.get(id) ?? nodes.root;
  return html`<div class=${narrow ? "card-panes narrow" : "card-panes"}>
    <${CardTree} nodes=${nodes} marks=${marks} query=${query} selected=${chosen.id} onSelect=${onSelect ?? setOwn} label=${label} comparing=${comparing} />
    <${Details} card=${card} node=${chosen} label=${label} comparing=${comparing} changes=${marks.at.get(chosen.id) ?? []} />
  </div>`;
}

function openAtFirst(nodes) {
  return new Set(nodes.list.filter((one) => one.kind === "card" || one.kind === "application").map((one) => one.id));
}

/** Nodes that are seen: those whose ancestors are all open; in a search what was found, and the way to it. */
function seenOf(nodes, open, hits) {
  if (hits) {
    const seen = new Set();
    for (const id of hits) for (let node = nodes.byId.get(id); node; node = node.parent) seen.add(node.id);
    return nodes.list.filter((node) => seen.has(node.id));
  }
  return nodes.list.filter((node) => {
    for (let above = node.parent; above; above = above.parent) if (!open.has(above.id)) return false;
    return true;
  });
}

function CardTree({ nodes, marks, query, selected, onSelect, label, comparing }) {
  const [open, setOpen] = useState(() => openAtFirst(nodes));
  const [at, setAt] = useState(selected);
  const typed = useRef({ text: "", when: 0 });
  const list = useRef(null);
  const moved = useRef(false);
  const hits = useMemo(() => found(nodes, query), [nodes, query]);
  const rows = useMemo(() => seenOf(nodes, open, hits), [nodes, open, hits]);
  const here = rows.some((row) => row.id === at) ? at : (rows[0]?.id ?? CARD);

  // Both at once: a key that came between would be undone by an effect of the choice before it.
  useLayoutEffect(() => {
    // What somebody else chose is brought into sight.
    const node = nodes.byId.get(selected);
    if (!node) return;
    const ways = new Set(open);
    for (let above = node.parent; above; above = above.parent) ways.add(above.id);
    if (ways.size !== open.size) setOpen(ways);
    setAt(selected);
  }, [selected]);
  useLayoutEffect(() => {
    const row = list.current?.querySelector('[tabindex="0"]');
    if (!row) return;
    if (moved.current) row.focus();
    if (moved.current || row.getAttribute("aria-selected") === "true") row.scrollIntoView({ block: "nearest" });
    moved.current = false;
  }, [here, rows]);

  const toggle = (node, opened) => {
    const next = new Set(open);
    if (opened) next.add(node.id);
    else next.delete(node.id);
    setOpen(next);
  };
  const choose = (id) => {
    moved.current = true;
    setAt(id);
    onSelect(id);
  };
  const step = (by) => {
    const place = rows.findIndex((row) => row.id === here);
    const next = rows[Math.min(Math.max(place + by, 0), rows.length - 1)];
    if (next) choose(next.id);
  };
  const onKeyDown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const node = nodes.byId.get(here);
    const isOpen = open.has(here) || hits !== null;
    const acts = {
      ArrowDown: () => step(1),
      ArrowUp: () => step(-1),
      PageDown: () => step(12),
      PageUp: () => step(-12),
      Home: () => step(-rows.length),
      End: () => step(rows.length),
      ArrowRight: () => {
        if (!node.children.length) return;
        if (isOpen) step(1);
        else toggle(node, true);
      },
      ArrowLeft: () => {
        if (node.children.length && isOpen && hits === null) toggle(node, false);
        else if (node.parent) choose(node.parent.id);
      },
      Enter: () => choose(here),
      " ": () => node.children.length && toggle(node, !open.has(here)),
      "*": () => setOpen(new Set([...open, ...(node.parent?.children ?? [node]).map((one) => one.id)])),
    };
    const act = acts[event.key] ?? (event.key.length === 1 ? () => jump(event.key, event.timeStamp) : null);
    if (!act) return;
    event.preventDefault();
    act();
  };
  /** To the next row that begins with what is typed; what begins no row begins a word of its own. */
  const jump = (letter, now) => {
    const before = now - typed.current.when < TYPED ? typed.current.text : "";
    for (const text of new Set([before + letter.toLowerCase(), letter.toLowerCase()])) {
      const place = rows.findIndex((row) => row.id === here);
      const after = [...rows.slice(place + (text.length > 1 ? 0 : 1)), ...rows.slice(0, place)];
      const next = after.find((row) => `${row.tag} ${both(row.name)}`.trim().toLowerCase().startsWith(text));
      typed.current = { text, when: now };
      if (next) return choose(next.id);
    }
  };

  if (!rows.length) return html`<p class="empty" role="status">${t("card.nothing_found")}</p>`;
  return html`<div class="tree card-tree" role="tree" aria-label=${label ?? t("card.tree")} ref=${list} onKeyDown=${onKeyDown}>
    ${rows.map(
      (node) => html`<${Row} key=${node.id} node=${node} open=${hits !== null || open.has(node.id)} here=${node.id === here}
        selected=${node.id === selected} marked=${marks.at.get(node.id)} below=${marks.below.get(node.id) ?? 0}
        toggle=${toggle} choose=${choose} fixed=${hits !== null} comparing=${comparing} />`,
    )}
  </div>`;
}

function Row({ node, open, here, selected, marked, below, toggle, choose, fixed, comparing }) {
  const inside = node.children.length > 0;
  const place = node.parent ? node.parent.children.indexOf(node) + 1 : 1;
  return html`<div role="treeitem" class=${`tree-row ${node.kind}${marked ? " changed" : ""}${absent(node) ? " absent" : ""}`}
    aria-level=${node.level} aria-posinset=${place} aria-setsize=${node.parent?.children.length ?? 1}
    aria-expanded=${inside ? String(open) : undefined} aria-selected=${String(selected)} tabindex=${here ? 0 : -1}
    data-id=${node.id} style=${{ paddingLeft: `${(node.level - 1) * 1.1}rem` }} onClick=${() => choose(node.id)}
    onDblClick=${() => inside && !fixed && toggle(node, !open)}>
    <span class=${`twist${inside ? (open ? " open" : " shut") : ""}`} aria-hidden="true"
      onClick=${(event) => {
        if (!inside || fixed) return;
        event.stopPropagation();
        toggle(node, !open);
      }}></span>
    ${node.tag && html`<code class="tag">${visible(node.tag)}</code>`}
    <span class="name">${visible(both(node.name))}</span>
    ${marked && html`<span class="badge warn mark">${t(`card.${comparing ? "side" : "kind"}_${kindOf(marked)}`)}</span>`}
    ${!marked && below > 0 && html`<span class="badge warn mark" title=${t("card.changes_within", { count: below })}>
      <span aria-hidden="true">● ${below}</span><span class="hidden">${t("card.changes_within", { count: below })}</span></span>`}
    <${Signs} node=${node} />
  </div>`;
}

function kindOf(changes) {
  const kinds = new Set(changes.map((one) => (one.marks.length || one.what === "records" ? "added" : one.kind)));
  return kinds.size === 1 ? [...kinds][0] : "changed";
}

function absent(node) {
  return node.kind === "item" && !node.data.present;
}

/** What a row says behind its name: its value, its tries, its life cycle, whether it may be read. */
function Signs({ node }) {
  const { kind, data } = node;
  if (kind === "item" || kind === "part") {
    if (absent(node)) return html`<span class="dim">${t("card.absent")}</span>`;
    if (data.masked) return html`<span class="dim masked">${t("card.masked")}</span>`;
    const value = valueOf(data);
    if (value === null) return null;
    return html`<span class="value">${value === "" ? html`<span class="dim">${t("card.blank")}</span>` : visible(value)}</span>
      ${data.basis && html`<${Grade} basis=${data.basis} />`}`;
  }
  if (kind === "file") {
    return html`<span class="dim structure">${t(`card.structure_${data.structure}`)}</span>
      <span class=${`lock ${data.read.now ? "good" : "dim"}`} title=${`${t("card.read")}: ${visible(both(data.read.words))}`}
        >${t(data.read.now ? "card.readable" : "card.unreadable")}</span>
      ${data.current && html`<span class="badge info">${t("card.current")}</span>`}
      ${data.certificate && html`<span class="badge">${both(data.certificate.words)}</span>`}
      <${Grade} basis=${data.basis} />`;
  }
  if (kind === "application") {
    return html`${data.current && html`<span class="badge info">${t("card.current")}</span>`}
      ${!data.life.normal && html`<span class="badge bad">${both(data.life.words)}</span>`}
      <${Grade} basis=${data.basis} />`;
  }
  if (kind === "key" || kind === "pin") {
    const won = kind === "key" ? data.held : data.verified;
    return html`<${Tries} tries=${data.tries} />
      ${won && html`<span class="badge good">${t(kind === "key" ? "card.right_held" : "card.verified")}</span>`}
      ${kind === "key" && !data.versions.length && html`<span class="dim">${t("card.not_loaded")}</span>`}
      <${Grade} basis=${data.basis} />`;
  }
  if (kind === "keys" || kind === "objects") return html`<span class="dim">${data.length}</span>`;
  if (kind === "account" && !data.in_use) return html`<span class="dim">${t("card.account_off")}</span>`;
  if (kind === "card" && !data.life.normal) return html`<span class="badge bad">${both(data.life.words)}</span>`;
  return null;
}

/** Tries left as dots, and in words for who does not see them. */
export function Tries({ tries }) {
  if (!tries) return null;
  const { left, limit } = tries;
  const words = left ? t("card.tries_left", { left, limit }) : t("card.locked");
  return html`<span class=${`dots ${left ? "" : "bad"}`} title=${words}>
    <span aria-hidden="true">${dots(left, limit)}</span>
    <span class="hidden">${words}</span></span>`;
}
