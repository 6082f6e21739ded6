// Buttons that copy what stands on the page.
export function wakeButtons() {
  for (const button of document.querySelectorAll("[data-copy]")) {
    const source = document.getElementById(button.dataset.copy);
    const told = document.getElementById("copied");
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(source.textContent);
        told.textContent = "copied";
      } catch {
        getSelection().selectAllChildren(source); // no clipboard without https: the keyboard has one
        told.textContent = "marked: copy it with the keyboard";
      }
    });
  }
}

wakeButtons();
