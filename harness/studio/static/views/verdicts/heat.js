// A map of verdicts: a table whose cells are buttons. Arrow keys go from cell to cell; Tab comes to it once.

import { html, useRef, useState } from "../../vendor/preact.js";
import { lang, t } from "../../lib/i18n.js";
import { visible } from "../../lib/text.js";
import { SIGNS, titleOf, verdictWords } from "./words.js";

const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** In words: what a cell says, for ears and for the pointer. */
function told(row, column, cell) {
  const words = cell.outcome
    ? lang() === "zh" ? cell.outcome_zh : cell.outcome
    : cell.verdict
      ? Object.entries(cell.counts).map(([name, count]) => `${count} ${verdictWords(name)}`).join(", ")
      : t("verdicts.not_played");
  return visible(`${nameOf(row)} × ${nameOf(column)}: ${words}`);
}

function nameOf(one) {
  const title = titleOf(one);
  return title && title !== one.id ? `${one.id} ${title}` : one.id;
}

function Cell({ cell, label, focused, onFocus, onOpen }) {
  const [sign, colour] = cell.sign ? [cell.sign, (SIGNS[cell.verdict] ?? ["", "none"])[1]] : SIGNS[cell.verdict];
  const judged = cell.counts ? Object.entries(cell.counts).reduce((sum, [name, count]) => sum + (name === "not applicable" ? 0 : count), 0) : 0;
  return html`<button class=${`cell ${colour}`} title=${label} tabindex=${focused ? 0 : -1}
    aria-disabled=${cell.case === undefined || cell.case === null ? "true" : undefined} onFocus=${onFocus} onClick=${onOpen}>
    <span aria-hidden="true">${sign}${judged > 1 ? html` <small>${judged}</small>` : ""}</span><span class="hidden">${label}</span></button>`;
}

/** ``onOpen(row, column, cell)`` is called with a cell that was chosen. */
export function Heat({ heat, label, onOpen }) {
  const [at, setAt] = useState([0, 0]);
  const table = useRef(null);
  const { rows, columns, cells } = heat;
  const onKey = (event) => {
    const move = MOVES[event.key];
    const ends = { Home: -columns.length, End: columns.length }[event.key];
    if (!move && ends === undefined) return;
    event.preventDefault();
    const [down, across] = move ?? [0, ends];
    const place = [...table.current.querySelectorAll("td")].find((one) => one.contains(document.activeElement));
    let [row, column] = place ? [Number(place.dataset.row), Number(place.dataset.column)] : at;
    const steps = move ? Math.max(rows.length, columns.length) : 1;
    for (let step = 0; step < steps; step++) {
      row += down;
      column = move ? column + across : across < 0 ? 0 : columns.length - 1;
      if (row < 0 || row >= rows.length || column < 0 || column >= columns.length) return;
      const found = table.current.querySelector(`td[data-row="${row}"][data-column="${column}"] button`);
      if (found) return found.focus();
    }
  };
  const first = rows.findIndex((one, row) => cells[row].some(Boolean));
  const there = cells[at[0]]?.[at[1]] ? at : [first, first < 0 ? 0 : cells[first].findIndex(Boolean)];
  return html`<div class="scroll heat-scroll" role="region" aria-label=${label} tabindex="0">
    <table class="heat" ref=${table} onKeyDown=${onKey}>
      <caption class="hidden">${label}. ${t("verdicts.heat_keys")}</caption>
      <thead><tr><td></td>${columns.map(
        (column) => html`<th key=${column.id} scope="col" title=${nameOf(column)}><span>${visible(column.id)}</span></th>`,
      )}</tr></thead>
      <tbody>${rows.map(
        (row, down) => html`<tr key=${row.id}>
          <th scope="row" title=${nameOf(row)}><span>${visible(row.id)}</span>${
            titleOf(row) && titleOf(row) !== row.id ? html` <span class="dim">${titleOf(row)}</span>` : ""}</th>
          ${columns.map((column, across) => {
            const cell = cells[down][across];
            return html`<td key=${column.id} data-row=${down} data-column=${across}>${cell &&
              html`<${Cell} cell=${cell} label=${told(row, column, cell)} focused=${there[0] === down && there[1] === across}
                onFocus=${() => setAt([down, across])} onOpen=${() => onOpen(row, column, cell)} />`}</td>`;
          })}
        </tr>`,
      )}</tbody>
    </table>
  </div>
  ${heat.legend &&
  html`<p class="dim legend">${heat.legend.map(
    (one) => html`<span key=${one.sign}><code>${one.sign}</code> ${lang() === "zh" ? one.outcome_zh : one.outcome}</span> `,
  )}<span><code>_</code> ${t("verdicts.not_played")}</span></p>`}`;
}
