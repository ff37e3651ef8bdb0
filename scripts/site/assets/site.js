// What Material leaves out for who uses no mouse: a name for the search, and tables that scroll by the keyboard.
"use strict";
document.querySelector(".md-search")?.setAttribute("aria-label", document.querySelector(".md-search__input").placeholder);
const scrolled = () => {
  for (const table of document.querySelectorAll(".md-typeset table:not([class])")) {
    if (table.scrollWidth > table.clientWidth) table.tabIndex = 0;
    else table.removeAttribute("tabindex");
  }
};
addEventListener("load", scrolled);
addEventListener("resize", scrolled);
