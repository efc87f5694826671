// A star is given and taken without leaving the page.
document.addEventListener("click", (event) => {
  const star = event.target.closest("button.star");
  if (!star) return;
  event.preventDefault();
  const values = { [star.name]: star.value };
  htmx.ajax("POST", star.formAction, { source: star, target: star, swap: "outerHTML", values });
});
