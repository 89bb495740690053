// Everything on the page is made here, as text nodes and attributes: nothing a caller, a camera or
// a file says is ever read as HTML.

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

export function empty(text, hint = "") {
  return el("div", { class: "empty" }, el("p", {}, text), hint ? el("p", { class: "dim" }, hint) : null);
}

export function select(label, options, value, onchange) {
  const box = el(
    "select",
    { "aria-label": label, onchange: (event) => onchange(event.target.value) },
    options.map(([key, text]) => el("option", { value: key, selected: key === value }, text)),
  );
  return box;
}
