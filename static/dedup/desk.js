// The keyboard of the review desk. Without it everything works by pointing.
(() => {
  "use strict";
  const form = document.querySelector("[data-desk]");
  if (!form) return;
  const members = [...form.querySelectorAll(".desk-choice")];
  const go = form.querySelector("[data-desk-go]");
  const summary = form.querySelector("[data-desk-summary]");
  const gain = summary ? summary.textContent : "";

  const help = document.querySelector("[data-desk-help]");

  const chosen = (member, value) =>
    member.querySelector(`input[value="${value}"]`);

  const counted = () => {
    if (!go) return;
    const kept = members.filter((member) => chosen(member, "keep").checked).length;
    const discarded = members.length - kept;
    go.disabled = !kept;
    const said = summary.dataset.chosen
      .replace("KEPT", kept)
      .replace("DISCARDED", discarded);
    summary.textContent = kept ? said : summary.dataset.none;
    if (kept === 1) summary.textContent += ` · ${gain}`;
  };

  // What moves depends on who stays: the site says it, for the choices as they stand.
  let asked;
  const moving = async () => {
    const shown = document.getElementById("desk-moves");
    if (!shown || !form.dataset.moves) return;
    if (asked) asked.abort();
    asked = new AbortController();
    const said = new FormData(form);
    said.delete("csrfmiddlewaretoken");
    try {
      const answer = await fetch(`${form.dataset.moves}?${new URLSearchParams(said)}`, {
        signal: asked.signal,
      });
      if (answer.ok) shown.outerHTML = await answer.text();
    } catch (error) {
      if (error.name !== "AbortError") shown.replaceChildren();
    }
  };

  const toggle = (member) => {
    const keep = chosen(member, "keep");
    const other = keep.checked ? chosen(member, "discard") : keep;
    other.checked = true;
    counted();
    moving();
    member.closest(".desk-member").scrollIntoView({ block: "nearest" });
  };

  const keys = {
    Enter: () => go && !go.disabled && form.requestSubmit(go),
    d: () => {
      const dismiss = form.querySelector("[name=dismiss]");
      if (dismiss) form.requestSubmit(dismiss);
    },
    s: () => {
      const similar = form.querySelector("[name=similar]");
      if (similar) form.requestSubmit(similar);
    },
    "?": () => {
      if (help) help.open ? help.close() : help.showModal();
    },
    u: () => {
      const undo = document.querySelector("[data-desk-undo]");
      if (undo) undo.requestSubmit();
    },
    ArrowRight: () => form.dataset.next && location.assign(form.dataset.next),
    ArrowLeft: () => form.dataset.previous && location.assign(form.dataset.previous),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const target = event.target;
    if (help && help.open && event.key !== "?") return;
    // Whatever has the focus answers its own keys.
    if (event.key === "Enter" && target.closest("a, button, summary")) return;
    if (/^[1-9]$/.test(event.key)) {
      const member = members[Number(event.key) - 1];
      if (member) toggle(member);
      return;
    }
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (keys[key]) {
      event.preventDefault();
      keys[key]();
    }
  });

  form.addEventListener("change", () => {
    counted();
    moving();
  });
  // One press, one decision.
  form.addEventListener("submit", () => {
    if (form.dataset.sent) return;
    form.dataset.sent = "yes";
  });
  counted();
})();
