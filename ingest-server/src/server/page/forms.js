// Forms whose fields have the names of the API's fields, so that what the server refuses is shown where it was typed.

import { data, h } from "./dom.js";

let ids = 0;

/** A labelled field. `input` is given the id and gets the description. */
export function field(name, label, input, hint) {
  const id = `field-${(ids += 1)}`;
  input.id = id;
  input.name = name;
  const notes = [`${id}-error`];
  if (hint) notes.unshift(`${id}-hint`);
  input.setAttribute("aria-describedby", notes.join(" "));
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    input,
    h("p", { class: "field-error", id: `${id}-error`, role: "alert", hidden: true }),
    hint && h("p", { class: "hint", id: `${id}-hint` }, hint),
  );
}

export function text(attributes = {}) {
  return h("input", { type: "text", autocomplete: "off", spellcheck: "false", ...attributes });
}

export function select(options, attributes = {}) {
  return h(
    "select",
    attributes,
    options.map(([value, label]) => h("option", { value }, label)),
  );
}

/** One of several, as radio buttons in a row. */
export function choice(name, legend, options, onchange) {
  return h(
    "fieldset",
    { class: "choice" },
    h("legend", {}, legend),
    options.map(([value, title, hint], index) =>
      h(
        "label",
        {},
        h("input", { type: "radio", name, value, checked: index === 0, onchange }),
        h("span", {}, h("b", {}, title), hint && h("small", {}, hint)),
      ),
    ),
  );
}

/** Takes away what was wrong before. */
export function clearErrors(form) {
  for (const node of form.querySelectorAll(".field-error")) {
    node.hidden = true;
    node.replaceChildren();
  }
  for (const node of form.querySelectorAll("[aria-invalid]")) node.removeAttribute("aria-invalid");
  const summary = form.querySelector(".form-error");
  summary.hidden = true;
  summary.replaceChildren();
}

/** Shows what the server refused: at the fields, or above the buttons if it is about none of them. */
export function showErrors(form, problem) {
  const rest = [];
  const details = Array.isArray(problem.details) ? problem.details : [];
  let first = null;
  for (const { field: name, message } of details) {
    const input = name ? form.querySelector(`[name="${CSS.escape(name)}"]`) : null;
    const node = input && input.type !== "radio" ? document.getElementById(`${input.id}-error`) : null;
    if (node === null || input.closest("[hidden]")) {
      rest.push(name ? `${name} ${message}` : message);
      continue;
    }
    input.setAttribute("aria-invalid", "true");
    node.replaceChildren(data(sentence(message)));
    node.hidden = false;
    first ??= input;
  }
  if (details.length === 0) rest.push(problem.message);
  if (rest.length > 0) {
    const summary = form.querySelector(".form-error");
    summary.replaceChildren(...rest.map((line) => h("p", {}, data(sentence(line)))));
    summary.hidden = false;
  }
  first?.focus();
}

function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Where errors that are about no field are shown. */
export function summary() {
  return h("div", { class: "form-error problem", role: "alert", hidden: true });
}

/** A whole number that was typed, `null` if none was. */
export function whole(input) {
  const typed = input.value.trim();
  if (typed === "") return null;
  if (/^\d{1,9}$/.test(typed)) return Number(typed);
  throw { details: [{ field: input.name, message: "is not a whole number" }] };
}
