// Notes on what was done, with the way back, at the lower edge of the page.
const toasts = document.getElementById("toasts");
const TOAST_SECONDS = 20;

// Sends a form's data and says what came of it; answers whether it was done.
async function act(address, body) {
  body.set("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
  let answer;
  try {
    answer = await fetch(address, { method: "POST", body, headers: { "HX-Request": "true" } });
  } catch {
    return { isDone: false, text: sayFailed() };
  }
  const html = await answer.text();
  const toast = new DOMParser().parseFromString(html, "text/html").querySelector(".toast");
  // A page to log in, or of an error, is no answer to this.
  if (!toast) return { isDone: false, text: sayFailed() };
  const text = toast.querySelector("p").textContent;
  const undo = toast.querySelector("[data-undo]")?.dataset.undo ?? "";
  return { isDone: answer.ok, status: answer.status, text, undo, toast };
}

function say(result) {
  if (!result.toast) return;
  while (toasts.children.length > 1) toasts.firstElementChild.remove();
  const toast = document.importNode(result.toast, true);
  toasts.append(toast);
  let seconds = 0;
  const clock = setInterval(() => {
    // Nobody is hurried who is about to press it.
    if (toast.matches(":hover, :focus-within")) seconds = 0;
    if (++seconds < TOAST_SECONDS && toast.isConnected) return;
    clearInterval(clock);
    toast.remove();
  }, 1000);
}

function sayFailed() {
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.append(document.createElement("p"));
  toast.firstChild.textContent = toasts.dataset.failed;
  say({ toast });
  return toasts.dataset.failed;
}

toasts.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const toast = button.closest(".toast");
  const address = button.dataset.undo;
  toast.remove();
  if (!address) return;
  const result = await act(address, new FormData());
  say(result);
  const detail = { address, isDone: result.isDone };
  document.dispatchEvent(new CustomEvent("undone", { detail }));
});
