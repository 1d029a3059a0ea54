// Lets a button of .lift show one series of all charts, and the dashed one that was published, before the others; again: all.
// Series without a button are the ground that all are seen against.
"use strict";

const buttons = [...document.querySelectorAll("[data-lift]")];

function belongs(series, name) {
  return series.dataset.series === name || series.dataset.series === `${name} (published)`;
}

function lift(name) {
  for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.lift === name));
  for (const chart of document.querySelectorAll(".charts")) chart.classList.toggle("lifting", name !== null);
  for (const series of document.querySelectorAll("[data-series]")) {
    series.classList.toggle("lifted", name !== null && belongs(series, name));
    series.classList.toggle("ground", !buttons.some((button) => belongs(series, button.dataset.lift)));
  }
}

for (const button of buttons) {
  button.onclick = () => lift(button.getAttribute("aria-pressed") === "true" ? null : button.dataset.lift);
}
