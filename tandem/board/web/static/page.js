// Buttons that copy text of the page.
export function enableCopyButtons() {
  for (const button of document.querySelectorAll("[data-copy]")) {
    const source = document.getElementById(button.dataset.copy);
    const result = document.getElementById("copied");
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(source.textContent);
        result.textContent = "copied";
      } catch {
        getSelection().selectAllChildren(source); // without https scripts cannot use the clipboard
        result.textContent = "selected: copy it with the keyboard";
      }
    });
  }
}

enableCopyButtons();
