// A card as the nodes of a tree: what stands where, what can be searched, what changed.

import { both, t } from "../lib/i18n.js";

/** The card itself has no place of its own in changes. */
export const CARD = "";

/** Where a change is shown whose own place is not in the tree: its nearest ancestor there is. */
function nearest(at, byId) {
  let id = at;
  while (id && !byId.has(id)) id = id.slice(0, Math.max(id.lastIndexOf("/"), id.lastIndexOf("."), id.lastIndexOf("#"), 0));
  return id;
}

/** All nodes of a card in order, and by id. Each: id, kind, level, parent, children, tag, name {zh, en}, value, data. */
export function nodesOf(card) {
  const list = [];
  const byId = new Map();
  function add(parent, id, kind, fields) {
    const node = { id, kind, parent, level: parent ? parent.level + 1 : 1, children: [], tag: "", value: null, ...fields };
    list.push(node);
    byId.set(id, node);
    parent?.children.push(node);
    return node;
  }
  const root = add(null, CARD, "card", { name: card.title, data: card });
  application(card.root, root);

  function application(app, parent) {
    const node = add(parent, app.id, "application", { tag: app.id, name: app.name, data: app });
    for (const file of app.files) fileOf(file, node);
    if (app.pin) add(node, app.pin.id, "pin", { name: { zh: t("card.pin"), en: t("card.pin") }, data: app.pin });
    if (app.keys.length) {
      const keys = add(node, `${app.id}/key`, "keys", { name: named("card.keys"), data: app.keys });
      for (const key of app.keys) add(keys, key.id, "key", { tag: key.name, name: key.title, data: key });
    }
    if (app.purse) {
      const purse = add(node, app.purse.id, "account", { name: named("card.account"), data: app.purse });
      for (const part of app.purse.parts) partOf(part, purse);
    }
    if (app.data.length) {
      const group = add(node, `${app.id}/data`, "objects", { name: named("card.objects"), data: app.data });
      for (const part of app.data) partOf(part, group, part.id.split("/").pop());
    }
    for (const child of app.children) application(child, node);
  }

  function fileOf(file, parent) {
    const node = add(parent, file.id, "file", { tag: file.id.split("/").pop(), name: file.name, data: file });
    for (const item of file.items) itemOf(item, node);
    for (const record of file.records) {
      const at = add(node, record.id, "record", { tag: `#${record.number}`, name: named("card.record"), data: record });
      for (const field of record.fields) itemOf(field, at);
    }
  }

  function itemOf(item, parent) {
    const node = add(parent, item.id, "item", { tag: item.tag, name: item.name, value: item, data: item });
    for (const element of item.elements) itemOf(element, node);
  }

  function partOf(part, parent, tag = "") {
    add(parent, part.id, "part", { tag, name: part.name, value: part, data: part });
  }

  return { list, byId, root };
}

function named(key) {
  const text = t(key);
  return { zh: text, en: text };
}

/** By node id: the changes at it, and how many are at it or below it. */
export function marksOf(nodes, changes) {
  const at = new Map();
  const below = new Map();
  const note = (id, change) => {
    const place = nearest(id, nodes.byId);
    at.set(place, [...(at.get(place) ?? []), change]);
    for (let node = nodes.byId.get(place); node; node = node.parent) below.set(node.id, (below.get(node.id) ?? 0) + 1);
  };
  for (const change of changes) {
    note(change.at, change);
    for (const mark of change.marks) note(mark, { ...change, marks: [] });
  }
  return { at, below };
}

/** The value of an item or part for one line: what it says, and what that means. Null where it is masked. */
export function valueOf(value) {
  if (!value || value.value === null) return null;
  const meaning = value.meaning ? both(value.meaning) : "";
  return meaning && meaning !== value.value ? `${value.value} ${meaning}`.trim() : value.value;
}

/** Ids of the nodes that a search finds; null without a search. Names in both languages, tags, ids, values, hex. */
export function found(nodes, query) {
  const words = query.trim().toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return null;
  const ids = new Set();
  for (const node of nodes.list) {
    const text = searchable(node);
    if (words.every((word) => text.includes(word))) ids.add(node.id);
  }
  return ids;
}

function searchable(node) {
  const data = node.data;
  const parts = [node.id, node.tag, node.name?.zh, node.name?.en];
  if (node.value) parts.push(node.value.value, node.value.meaning?.zh, node.value.meaning?.en, node.value.hex);
  if (node.kind === "application") parts.push(data.dfname, data.label, data.fid);
  if (node.kind === "file") parts.push(data.fid);
  return parts.filter(Boolean).join("\n").toLowerCase();
}
