"use strict";
// What a chart shows at the pointer, or at the arrow keys. The page reads without it.
for (const svg of document.querySelectorAll("svg[data-points]")) {
  const { x, step, rows } = JSON.parse(svg.dataset.points);
  const figure = svg.closest("figure");
  const box = svg.viewBox.baseVal;
  let at = -1, tip, cursor;

  const hide = () => {
    tip?.remove();
    cursor?.remove();
    tip = cursor = undefined;
    at = -1;
  };

  const show = (index) => {
    if (index === at) return;
    hide();
    at = index;
    cursor = document.createElementNS(svg.namespaceURI, "path");
    cursor.setAttribute("class", "cursor");
    cursor.setAttribute("d", `M${x[at]} 10V${box.height - 24}`);
    svg.append(cursor);
    tip = document.createElement("div");
    tip.className = "tip";
    for (const text of [`step ${step[at]}`, ...rows.map(([name, values]) => `${name} ${values[at]}`)]) {
      tip.append(Object.assign(document.createElement("div"), { textContent: text }));
    }
    figure.append(tip);
    const drawn = svg.getBoundingClientRect();
    const frame = figure.getBoundingClientRect();
    const middle = drawn.left - frame.left + (x[at] / box.width) * drawn.width;
    const left = Math.max(0, Math.min(frame.width - tip.offsetWidth, middle - tip.offsetWidth / 2));
    tip.style.left = `${left}px`;
    tip.style.top = `${drawn.top - frame.top - tip.offsetHeight - 4}px`;
  };

  const nearest = (position) => {
    let best = 0;
    for (let i = 1; i < x.length; i++) {
      if (Math.abs(x[i] - position) < Math.abs(x[best] - position)) best = i;
    }
    return best;
  };

  const follow = (event) => {
    const drawn = svg.getBoundingClientRect();
    show(nearest(((event.clientX - drawn.left) / drawn.width) * box.width));
  };
  svg.addEventListener("pointermove", follow);
  svg.addEventListener("pointerdown", follow);
  svg.addEventListener("pointerleave", hide);
  svg.addEventListener("blur", hide);
  svg.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape") hide();
    if (!move) return;
    event.preventDefault();
    show(at < 0 ? x.length - 1 : Math.max(0, Math.min(x.length - 1, at + move)));
  });
}
