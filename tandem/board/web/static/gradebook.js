// Marks are typed one after the other: Enter saves one and goes to the next row; so does Tab after something was typed.
// Without this script each mark is a form, which Enter sends.

const forms = [...document.querySelectorAll("form.mark")];
const result = document.getElementById("saved");
let saving = Promise.resolve(); // one mark at a time, so the last one that was typed is the one that stays

async function post(form, body, mark) {
  const answer = await fetch(form.action, { method: "POST", body }).catch(() => null);
  const isSaved = answer?.status === 204;
  if (form.mark.value === mark) form.mark.setAttribute("aria-invalid", !isSaved);
  const reason = answer ? `the board answered ${answer.status}` : "the board does not answer";
  const words = isSaved ? "saved" : `not saved, because ${reason}`;
  result.textContent = `${form.mark.getAttribute("aria-label")}: ${mark || "none"}, ${words}`;
  if (!isSaved) form.mark.dataset.sent = ""; // Enter tries again
}

function save(form) {
  const mark = form.mark.value;
  if (mark === form.mark.dataset.sent) return;
  form.mark.dataset.sent = mark;
  const body = new URLSearchParams(new FormData(form));
  body.set("stay", "yes");
  saving = saving.then(() => post(form, body, mark));
}

function goOn(form) {
  const next = forms[forms.indexOf(form) + 1]?.mark;
  next?.focus();
  next?.select();
  return next;
}

for (const form of forms) {
  form.mark.dataset.sent = form.mark.value;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save(form);
    goOn(form);
  });
  form.mark.addEventListener("change", () => save(form));
  form.mark.addEventListener("keydown", (event) => {
    const isTyped = form.mark.value !== form.mark.dataset.sent;
    if (event.key === "Tab" && !event.shiftKey && isTyped && goOn(form)) event.preventDefault();
  });
}
