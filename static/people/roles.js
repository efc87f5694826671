// A role chosen is a role given; without this script the button beside it does that.
for (const select of document.querySelectorAll("form[data-role] select")) {
  select.form.querySelector("button").hidden = true;
  select.addEventListener("change", () => select.form.requestSubmit());
}
