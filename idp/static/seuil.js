// Improves pages that work without it: focus on what is wrong, count down, show a password, send once.
"use strict";

document.querySelector("[data-focus]")?.focus();

for (const line of document.querySelectorAll("[data-countdown]")) {
  const place = line.querySelector("span");
  const button = document.getElementById("resend");
  button.disabled = true;
  const end = Date.now() + Number(line.dataset.countdown) * 1000;
  const words = place.textContent.replace(/\d+.*/, "");
  const tick = () => {
    const left = Math.ceil((end - Date.now()) / 1000);
    if (left <= 0) {
      line.textContent = line.dataset.after;
      button.disabled = false;
      clearInterval(timer);
    } else {
      place.textContent = `${words}${left} s`;
    }
  };
  const timer = setInterval(tick, 1000);
}

for (const input of document.querySelectorAll('input[type="password"]')) {
  const button = document.createElement("button");
  const label = document.querySelector(`label[for="${input.id}"]`).textContent;
  const name = (words) => {
    button.textContent = words;
    button.setAttribute("aria-label", `${words} : ${label}`);
  };
  button.type = "button";
  button.className = "quiet";
  button.setAttribute("aria-controls", input.id);
  name(input.dataset.show);
  button.addEventListener("click", () => {
    const shown = input.type === "password";
    input.type = shown ? "text" : "password";
    name(shown ? input.dataset.hide : input.dataset.show);
  });
  input.after(button);
  input.form.addEventListener("submit", () => { input.type = "password"; });
}

for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    setTimeout(() => { delete form.dataset.sent; }, 5000);
  });
}

document.querySelector("form[data-submit]")?.requestSubmit();
