// The way in: an API key, for which the server gives a session.

import { post } from "./api.js";
import { busy, h } from "./dom.js";
import { clearErrors, field, showErrors, summary } from "./forms.js";

/** The view of somebody who is not logged in. */
export function loginView(onLoggedIn) {
  const key = h("input", { type: "password", autocomplete: "current-password", required: true, spellcheck: "false" });
  const enter = h("button", { class: "primary" }, "Log in");
  const form = h(
    "form",
    { class: "login", onsubmit: submit, novalidate: true },
    h("img", { src: "/ui/weir.svg", alt: "", width: 44, height: 44 }),
    h("h1", { tabindex: "-1" }, "weir"),
    field("key", "API key", key, "The first start of the server printed one: wk_…"),
    summary(),
    enter,
  );

  async function submit(event) {
    event.preventDefault();
    clearErrors(form);
    if (key.value.trim() === "") return showErrors(form, refusal("is missing"));
    await busy(enter, async () => {
      try {
        await post("/ui/login", { key: key.value });
        await onLoggedIn();
      } catch (problem) {
        showErrors(form, problem.status === 401 ? refusal("is not known, or has ended") : problem);
      }
    });
    return undefined;
  }

  const refusal = (message) => ({ details: [{ field: "key", message: `this key ${message}` }] });
  return { title: "Log in", node: form, focus: key };
}
