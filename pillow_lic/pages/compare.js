// Puts a slider before every row of pictures of one place: two of them over each other, the left one cut where the
// slider stands. Without this script the row is what there is.
"use strict";

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function chooser(word, shots, chosen, changed) {
  const options = shots.map((shot, index) => element("option", { value: index, textContent: shot.name }));
  const select = element("select", { onchange: changed }, ...options);
  select.value = chosen;
  return { select, label: element("label", {}, `${word} `, select) };
}

for (const row of document.querySelectorAll(".shots")) {
  const shots = [...row.querySelectorAll("figure")].map((figure) => ({
    name: figure.querySelector("b").textContent,
    image: figure.querySelector("img"),
  }));
  const [first, second] = row.dataset.compare.split(" ").map(Number);
  const [under, over] = [element("img", {}), element("img", {})];
  const names = { left: element("span", { className: "left" }), right: element("span", { className: "right" }) };
  const slider = element("input", { type: "range", min: 0, max: 100, step: 0.5, value: 50 });
  const stage = element("div", { className: "stage" }, under, over, names.left, names.right, slider);
  const left = chooser("Left", shots, first, show);
  const right = chooser("Right", shots, second, show);

  function show() {
    for (const [image, span, choice] of [[over, names.left, left], [under, names.right, right]]) {
      const shot = shots[choice.select.value];
      for (const name of ["src", "alt", "width", "height"]) image.setAttribute(name, shot.image.getAttribute(name));
      span.textContent = shot.name;
    }
    move();
  }

  function move() {
    stage.style.setProperty("--cut", `${slider.value}%`);
    slider.setAttribute("aria-label", `Border between ${names.left.textContent} and ${names.right.textContent}`);
    slider.setAttribute("aria-valuetext", `${names.left.textContent} covers ${Math.round(slider.value)} %`);
  }

  slider.oninput = move;
  show();
  row.before(element("div", { className: "choices" }, left.label, right.label), stage);
}
