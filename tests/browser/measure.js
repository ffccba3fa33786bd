// Runs in the page. Defines what the browser cases ask; the last line is added by the caller.
const controls = () => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")]
  .filter((e) => e.checkVisibility());

const named = (e) => `<${e.localName}${e.id ? "#" + e.id : ""}${e.className ? "." + e.className : ""}> ${[...(e.textContent || e.value || "").trim()].slice(0, 30).join("")}`;

// "rgb(1, 2, 3)" or "rgba(1, 2, 3, 0.5)" as [r, g, b, a].
const parse = (text) => { const n = text.match(/[\d.]+/g).map(Number); return [n[0], n[1], n[2], n[3] ?? 1]; };
const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);

// What is behind the content of an element: its background and those of its ancestors, on the canvas.
const behind = (e) => {
  const layers = [];
  for (let at = e; at; at = at.parentElement) {
    const colour = parse(getComputedStyle(at).backgroundColor);
    layers.push(colour);
    if (colour[3] === 1) break;
  }
  const canvas = matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18, 1] : [255, 255, 255, 1];
  return layers.reverse().reduce((under, top) => over(top, under), canvas);
};

const luminance = (c) => {
  const [r, g, b] = c.slice(0, 3).map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (a, b) => { const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };

const unfold = () => document.querySelectorAll("details").forEach((d) => { d.removeAttribute("name"); d.open = true; });

// Nothing wider than the window (WCAG 1.4.10).
const width = () => {
  const root = document.documentElement;
  if (root.scrollWidth <= root.clientWidth) return [];
  const wide = [...document.body.querySelectorAll("*")].filter((e) => e.getBoundingClientRect().right > root.clientWidth + 1);
  return [`${root.scrollWidth} px wide in a window of ${root.clientWidth}: ${wide.slice(0, 3).map(named).join("; ")}`];
};

// No column of single letters: text taller than six lines is at least eight letters wide.
const squashed = () => [...document.body.querySelectorAll("*")].filter((e) => e.checkVisibility() && !e.closest(".unseen")
  && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())).flatMap((e) => {
  const box = e.getBoundingClientRect();
  const size = parseFloat(getComputedStyle(e).fontSize);
  return box.height > 9 * size && box.width < 4 * size ? [`squashed to ${box.width.toFixed(0)} px: ${named(e)}`] : [];
});

// Text 4.5:1 (WCAG 1.4.3), edges of text fields and buttons 3:1 (WCAG 1.4.11).
const colours = () => {
  const found = new Set();
  const check = (e, front, back, least, what) => {
    const ratio = contrast(over(parse(front), back), back);
    if (ratio < least) found.add(`${what} ${ratio.toFixed(2)}:1 < ${least}:1 in ${named(e)}`);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !e.checkVisibility() || e.closest(".unseen")) continue;
    check(e, getComputedStyle(e).color, behind(e), 4.5, "text");
  }
  for (const e of controls()) {
    if (e.matches("input:not([type=checkbox], [type=radio])")) check(e, getComputedStyle(e).color, behind(e), 4.5, "typed text");
    if (e.matches("input:not([type=checkbox], [type=radio]), button")) check(e, getComputedStyle(e).borderTopColor, behind(e.parentElement), 3, "edge");
  }
  return [...found];
};

// At least 24 px either way (WCAG 2.5.8); a tick box counts together with its label.
const targets = () => controls().flatMap((e) => {
  const parts = [e, ...(e.matches("[type=checkbox], [type=radio]") ? e.labels : [])].map((p) => p.getBoundingClientRect());
  const [w, h] = [Math.max(...parts.map((p) => p.width)), Math.max(...parts.map((p) => p.height))];
  return w >= 24 && h >= 24 ? [] : [`target of ${w.toFixed(1)} × ${h.toFixed(1)} px: ${named(e)}`];
});

// The focused control: an outline of 2 px and more that stands out 3:1 from what is around it (WCAG 2.4.7, 2.4.13).
const focused = (e) => {
  const style = getComputedStyle(e);
  const ratio = contrast(parse(style.outlineColor), behind(e.parentElement));
  const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && ratio >= 3;
  return seen ? [] : [`focus not seen (${style.outline}, ${ratio.toFixed(2)}:1): ${named(e)}`];
};

// Marks every Tab stop (a radio group is one), takes away a focus that the page set itself, and notes from then on in
// `walked` which stop the focus reaches and what is wrong with how that looks.
const stops = () => {
  document.activeElement?.blur();
  const groups = new Map();
  const all = controls().filter((e) => {
    // What cannot be changed is no stop (HTML, the disabled attribute); it is read out all the same.
    if (e.disabled) return false;
    if (e.type !== "radio") return true;
    const group = groups.get(e.name);
    if (!group || e.checked) groups.set(e.name, e);
    return false;
  });
  const marked = [...all, ...groups.values()];
  marked.forEach((e, i) => { e.dataset.stop = i; });
  window.walked = {};
  // A focus that the page sets itself, perhaps late, is none of the walk's.
  let tabbed = false;
  document.addEventListener("keydown", (e) => { tabbed = e.key === "Tab"; }, true);
  document.addEventListener("focusin", ({ target: e }) => {
    if (tabbed && e.dataset.stop) window.walked[e.dataset.stop] ??= focused(e);
    tabbed = false;
  });
  const drawn = marked.filter((e) => getComputedStyle(e).outlineStyle !== "none");
  return { names: marked.map(named), complaints: drawn.map((e) => `outlined without focus: ${named(e)}`) };
};
