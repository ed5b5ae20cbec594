"use strict";
// What all parts of the page use. Every text from a run goes into the page as text, never as HTML.
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);

function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

// plotly shows a few HTML tags in its texts, so these are taken apart
const escapeText = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/%\{/g, "% {");

function fillSelect(select, values, wanted) { // a value is a text, or [value, text]
  const pairs = values.map((one) => (Array.isArray(one) ? one : [one, one]));
  const names = pairs.map(([value]) => value);
  const old = select.value;
  select.replaceChildren(...pairs.map(([value, textContent]) => make("option", { value, textContent })));
  select.value = names.includes(old) ? old : names.includes(wanted) ? wanted : names[0] || "";
}

function shownValue(one) {
  if (one === null || one === undefined || one === "") return "–";
  return typeof one === "number" && !Number.isInteger(one) ? String(Number(one.toPrecision(4))) : String(one);
}
