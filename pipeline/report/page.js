// What makes a page of awesome answer: contents that follow, charts that are asked, tables that are sorted, dark colours.
// Whatever comes from data is set as text, never as markup. Without this file the page is whole, and only stands still.
"use strict";
(() => {
  const DAY = 86400;
  const root = document.documentElement;
  const colour = name => getComputedStyle(root).getPropertyValue(name).trim();
  const plots = []; // charts that are drawn anew, each with what it is drawn from
  const others = []; // what else is told that names were hidden or shown
  const hidden = new Set();
  let days = null; // what is shown of the charts by day: [first, last] in days since 1970, or null for all

  function make(tag, attributes, ...children) {
    const one = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (typeof value === "function") one.addEventListener(name, value);
      else one.setAttribute(name, value);
    }
    one.append(...children);
    return one;
  }

  // ---------------------------------------------------------------- contents, links, colours

  function contents() {
    const heads = [...document.querySelectorAll("section > h2[id]")];
    const list = make("ol", {});
    const links = heads.map(head => {
      const link = make("a", { href: "#" + head.id }, head.textContent);
      list.append(make("li", {}, link));
      return link;
    });
    document.body.prepend(make("nav", { class: "toc", "aria-label": "Contents" }, list, theme()));
    document.body.classList.add("indexed");
    if (!heads.length) return;
    const follow = () => {
      const bar = matchMedia("(min-width: 1380px)").matches ? 0 : 60;
      let at = heads.findLastIndex(head => head.getBoundingClientRect().top < bar + innerHeight / 4);
      if (innerHeight + scrollY >= root.scrollHeight - 4) at = heads.length - 1;
      links.forEach((link, place) => {
        if (place !== Math.max(at, 0)) link.removeAttribute("aria-current");
        else if (!link.hasAttribute("aria-current")) {
          link.setAttribute("aria-current", "true");
          list.scrollTo({ left: link.offsetLeft - list.clientWidth / 3 });
        }
      });
    };
    let waiting = false;
    addEventListener("scroll", () => {
      if (!waiting) requestAnimationFrame(() => { waiting = false; follow(); });
      waiting = true;
    }, { passive: true });
    follow();
  }

  function anchors() {
    const places = [
      ...document.querySelectorAll("section > h2[id]"),
      ...document.querySelectorAll("figure.chart[id] > h3"),
    ];
    for (const head of places) {
      const name = head.textContent;
      head.append(make("a", { class: "anchor", href: "#" + (head.id || head.parentNode.id), "aria-label": "Link to: " + name }, "#"));
    }
    const open = () => {
      let asked = null;
      try { asked = document.getElementById(decodeURIComponent(location.hash.slice(1))); } catch { /* no address of ours */ }
      for (let one = asked; one; one = one.parentElement) if (one.tagName === "DETAILS") one.open = true;
      if (asked) asked.scrollIntoView();
    };
    addEventListener("hashchange", open);
    if (location.hash) open();
  }

  function theme() {
    const kept = { get: () => { try { return localStorage.getItem("awesome-theme"); } catch { return null; } },
                   set: value => { try { localStorage.setItem("awesome-theme", value); } catch { /* no storage */ } } };
    const names = { auto: "Colours: system", light: "Colours: light", dark: "Colours: dark" };
    const order = Object.keys(names);
    let now = order.includes(kept.get()) ? kept.get() : "auto";
    const button = make("button", { type: "button", click: () => {
      now = order[(order.indexOf(now) + 1) % order.length];
      kept.set(now);
      show();
    } });
    function show() {
      if (now === "auto") root.removeAttribute("data-theme"); else root.dataset.theme = now;
      button.textContent = names[now];
      redraw();
    }
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    show();
    return button;
  }

  const redraw = () => plots.forEach(one => one.chart.redraw(false, true));

  // ---------------------------------------------------------------- charts

  const date = day => new Date(day * DAY * 1000).toISOString().slice(0, 10);
  const day = text => Math.round(Date.parse(text + "T00:00:00Z") / 1000 / DAY);

  function written(value, plot) {
    if (value == null) return "n/a";
    const text = plot.percent ? (100 * value).toFixed(plot.decimals) + "%"
      : plot.log ? String(Number(value.toPrecision(4))) : value.toFixed(plot.decimals);
    return text.replace(/^-(?=[0.]*%?$)/, "").replace("-", "\u2212");
  }

  // On a logarithmic axis 1, 2 and 5 times a power of ten have a label.
  function tens(value) {
    const first = value / 10 ** Math.floor(Math.log10(value) + 1e-9);
    return [1, 2, 5].some(one => Math.abs(first - one) < 1e-6) ? String(Number(value.toPrecision(3))) : "";
  }

  function place(plot, at) {
    const x = plot.x[at];
    return plot.kind === "day" ? date(x) : plot.kind === "name" ? x : String(x);
  }

  function figure(holder) {
    const source = holder.querySelector('script[type="application/json"]');
    const svg = holder.querySelector("svg");
    if (!source || !svg) return;
    const content = JSON.parse(source.textContent);
    const title = holder.querySelector("h3").textContent;
    const tip = make("div", { class: "tip", hidden: "" });
    const said = make("p", { class: "unseen", role: "status" });
    const answers = make("div", {
      class: "answers", tabindex: "0", role: "group", "aria-roledescription": "chart",
      "aria-label": title + ": the arrow keys read its values out",
      // What the drawing says to those who cannot see it stands in it, also where it is not shown itself.
      "aria-describedby": svg.querySelector("desc").id,
    });
    svg.before(answers);
    const asked = content.plots.length ? drawn(content.plots, answers, svg, tip)
      : content.rows ? listed(content.rows, answers, svg, tip) : kept(content, answers, svg, tip);
    answers.append(tip, said);
    let at = -1;
    answers.addEventListener("keydown", event => {
      const steps = { ArrowRight: 1, ArrowLeft: -1, PageUp: 20, PageDown: -20 };
      if (event.target !== answers) return;
      if (event.key === "Escape") { tip.hidden = true; if (content.plots.length) choose(null); return; }
      const [first, last] = asked.ends();
      if (last < first) return;
      if (event.key in steps) at = at < 0 ? (steps[event.key] > 0 ? first : last) : at + steps[event.key];
      else if (event.key === "Home") at = first;
      else if (event.key === "End") at = last;
      else return;
      event.preventDefault();
      at = Math.min(Math.max(at, first), last);
      said.textContent = asked.tell(at);
    });
    answers.addEventListener("blur", () => { tip.hidden = true; at = -1; });
  }

  function put(tip, holder, x, y) {
    tip.hidden = false;
    const room = holder.clientWidth, wide = tip.offsetWidth;
    const left = Math.max(0, Math.min(x + 14 + wide > room ? x - wide - 14 : x + 14, room - wide));
    tip.style.left = holder.scrollLeft + left + "px";
    tip.style.top = Math.max(0, y - tip.offsetHeight - 10) + "px";
  }

  // A drawing, whose nearest mark answers: [x, y, what it says] in its own units, as they are now.
  function marked(marks, answers, svg, tip) {
    const where = mark => {
      const point = new DOMPoint(mark[0], mark[1]).matrixTransform(svg.getScreenCTM());
      const box = answers.getBoundingClientRect();
      return [point.x - box.left, point.y - box.top];
    };
    const show = mark => { tip.textContent = mark[2]; put(tip, answers, ...where(mark)); };
    const ask = event => {
      const box = answers.getBoundingClientRect();
      let best = null, least = 30;
      for (const mark of marks()) {
        const [x, y] = where(mark);
        const far = Math.hypot(x - event.clientX + box.left, y - event.clientY + box.top);
        if (far < least) [best, least] = [mark, far];
      }
      if (best) show(best); else tip.hidden = true;
    };
    for (const kind of ["pointermove", "pointerdown"]) svg.addEventListener(kind, ask);
    svg.addEventListener("pointerleave", () => { tip.hidden = true; });
    const tell = at => {
      const mark = marks()[at], room = answers.clientWidth, [x] = where(mark);
      if (x < 0 || x > room) answers.scrollLeft += x - room / 2;
      show(mark);
      return mark[2];
    };
    return { ends: () => [0, marks().length - 1], tell };
  }

  // A drawing that stays, and whose parts can be hidden.
  function kept({ marks, parts }, answers, svg, tip) {
    answers.append(svg);
    if (parts.length > 1) {
      answers.append(keys([{ series: parts }]));
      others.push(() => {
        for (const { name, element } of parts) document.getElementById(element).classList.toggle("hidden", hidden.has(name));
      });
    }
    return marked(() => marks.filter(mark => !hidden.has(mark[3])), answers, svg, tip);
  }

  // ---------------------------------------------------------------- figures with intervals, one below the other

  const drawing = (tag, attributes, ...children) => {
    const one = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes || {})) one.setAttribute(name, value);
    one.append(...children);
    return one;
  };
  const measure = document.createElement("canvas").getContext("2d");

  // Words in lines of so many pixels; a name that is longer is broken where it must be.
  function lines(text, room, bold) {
    measure.font = (bold ? "600 " : "") + "12px system-ui, sans-serif";
    const fits = part => measure.measureText(part).width <= room;
    const found = [];
    for (const paragraph of text.split("\n")) {
      let line = "";
      for (let word of paragraph.split(" ")) {
        if (line && fits(line + " " + word)) { line += " " + word; continue; }
        if (line) found.push(line);
        while (!fits(word)) {
          let end = word.length - 1;
          while (end > 1 && !fits(word.slice(0, end))) end--;
          found.push(word.slice(0, end));
          word = word.slice(end);
        }
        line = word;
      }
      found.push(line);
    }
    return found;
  }

  const widest = (found, bold) => {
    measure.font = (bold ? "600 " : "") + "12px system-ui, sans-serif";
    return Math.max(0, ...found.map(line => measure.measureText(line).width));
  };

  // Round numbers within limits, of 1, 2 or 5 times a power of ten, at most so many.
  function round(low, high, most) {
    const power = 10 ** Math.floor(Math.log10((high - low) / most));
    const within = step => {
      const found = [];
      for (let at = Math.ceil(low / step - 1e-9); at * step <= high + 1e-9 * step; at++) found.push(at * step);
      return found;
    };
    // One alone would not say how far apart anything is.
    return [10, 5, 2, 1, 0.5].map(part => within(part * power)).find((found, at, all) =>
      found.length > 1 && (at === 4 || all[at + 1].length > most)) || within(power);
  }

  function listed(spec, answers, svg, tip) {
    const picture = drawing("svg", { "aria-hidden": "true", class: "rows" });
    const box = make("div", { class: "plots" }, picture);
    answers.append(box, svg);
    const series = spec.rows.flatMap(row => row.estimates).filter((one, at, all) => all.findIndex(other => other.name === one.name) === at);
    let marks = [];
    const draw = () => {
      const width = Math.max(box.clientWidth || 320, 200), bold = spec.rows.some(row => row.colour !== "--chart-ink");
      const rows = spec.rows.map(row => ({ ...row, estimates: row.estimates.filter(one => !hidden.has(one.name)) })).filter(row => row.estimates.length);
      const labels = rows.map(row => lines(row.label, width * 0.42, bold));
      const left = Math.ceil(widest(labels.flat(), bold)) + 12, right = width - 10;
      const all = spec.rules.map(([at]) => at).concat(rows.flatMap(row =>
        row.estimates.flatMap(one => [one.value, one.low, one.high]).concat(row.expected))).filter(one => one != null);
      const ends = [Math.min(...all), Math.max(...all)], middle = (ends[0] + ends[1]) / 2;
      const half = Math.max((ends[1] - ends[0]) * 0.58, 0.01);
      const x = value => left + (value - middle + half) / (2 * half) * (right - left);
      const heights = rows.map((row, at) => Math.max(labels[at].length * 15 + 10, row.estimates.length * 16 + 10, 30));
      // Names of lines that would lie on each other have a line of text each.
      const taken = [];
      const above = spec.rules.filter(rule => rule[1]).map(([at, name, dashed]) => {
        const wide = widest([name]), half = wide / 2;
        const start = x(at) - half < left ? x(at) : x(at) + half > right || dashed ? x(at) - wide : x(at) - half;
        const level = taken.filter(other => start < other[1] + 6 && other[0] < start + wide + 6).length;
        taken.push([start, start + wide]);
        return { name, dashed, start, level };
      });
      const top = above.length ? 20 + 14 * Math.max(...above.map(one => one.level)) : 6, foot = heights.reduce((sum, one) => sum + one, top);
      const below = lines(spec.label, width - 8, false);
      const height = foot + 26 + 15 * below.length;
      const parts = [];
      const line = (x1, y1, x2, y2, name, wide, more) =>
        parts.push(drawing("line", { x1, y1, x2, y2, style: `stroke: var(${name}); stroke-width: ${wide}`, ...more }));
      const words = (text, x0, y0, anchor, name, more) =>
        parts.push(drawing("text", { x: x0, y: y0, "text-anchor": anchor, style: `fill: var(${name})`, ...more }, text));
      const ticks = round(middle - half, middle + half, Math.max(2, Math.floor((right - left) / 62)));
      const write = numbers(ticks);
      for (const tick of ticks) {
        line(x(tick), top, x(tick), foot, "--chart-grid", 1);
        words(write(tick), x(tick), foot + 17, "middle", "--chart-muted");
      }
      line(left, foot, right, foot, "--chart-muted", 1);
      below.forEach((text, at) => words(text, right, foot + 34 + 15 * at, "end", "--chart-ink"));
      for (const [at, , dashed] of spec.rules) {
        line(x(at), top, x(at), foot, dashed ? "--chart-muted" : "--chart-ink", 1.2, dashed ? { "stroke-dasharray": "4 2" } : {});
      }
      for (const { name, dashed, start, level } of above) words(name, start, top - 7 - 14 * level, "start", dashed ? "--chart-muted" : "--chart-ink");
      let y = top;
      marks = [];
      rows.forEach((row, at) => {
        const centre = y + heights[at] / 2;
        labels[at].forEach((text, place) =>
          words(text, left - 10, centre + 4 + 15 * (place - (labels[at].length - 1) / 2), "end", row.colour, bold ? { "font-weight": 600 } : {}));
        if (row.expected != null) line(x(row.expected), y + 2, x(row.expected), centre + 2, "--chart-ink", 2, { "stroke-dasharray": "3 2" });
        if (row.note) words(row.note, x(spec.rules[0][0]) + 6, centre + 4, "start", "--chart-muted");
        row.estimates.forEach((one, place) => {
          if (one.value == null) return;
          const level = centre + 16 * (place - (row.estimates.length - 1) / 2);
          if (one.low != null && one.high != null) line(x(one.low), level, x(one.high), level, one.colour, 2.4);
          parts.push(drawing("path", { d: shape(one.marker, x(one.value), level, row.estimates.length > 1 ? 4.2 : 5.2),
            style: `stroke: var(${one.colour}); stroke-width: 1.6; fill: var(${row.filled ? one.colour : "--chart-paper"})` }));
          marks.push([x(one.value), level, one.text]);
        });
        y += heights[at];
      });
      picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
      picture.setAttribute("width", width);
      picture.setAttribute("height", height);
      picture.replaceChildren(...parts);
      return width;
    };
    let width = draw();
    new ResizeObserver(() => { if (box.clientWidth && Math.abs(box.clientWidth - width) > 1) width = draw(); }).observe(box);
    if (series.length > 1) {
      answers.append(keys([{ series }]));
      others.push(draw);
    }
    return marked(() => marks, answers, picture, tip);
  }

  // How a marker looks, as the data of a path; the names are those of the drawings.
  function shape(marker, x, y, r) {
    const corners = {
      s: [[-1, -1], [1, -1], [1, 1], [-1, 1]], D: [[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]],
      "^": [[0, -1.2], [1.15, 0.9], [-1.15, 0.9]], v: [[0, 1.2], [1.15, -0.9], [-1.15, -0.9]],
      P: [[-0.4, -1.2], [0.4, -1.2], [0.4, -0.4], [1.2, -0.4], [1.2, 0.4], [0.4, 0.4], [0.4, 1.2], [-0.4, 1.2], [-0.4, 0.4], [-1.2, 0.4], [-1.2, -0.4], [-0.4, -0.4]],
      X: [[-0.6, -1.1], [0, -0.5], [0.6, -1.1], [1.1, -0.6], [0.5, 0], [1.1, 0.6], [0.6, 1.1], [0, 0.5], [-0.6, 1.1], [-1.1, 0.6], [-0.5, 0], [-1.1, -0.6]],
      h: [[0, -1.15], [1, -0.6], [1, 0.6], [0, 1.15], [-1, 0.6], [-1, -0.6]],
    }[marker];
    return corners ? "M" + corners.map(([across, down]) => `${x + across * r} ${y + down * r}`).join("L") + "Z"
      : `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
  }

  // How the numbers of an axis are written: with as many digits as tell them apart.
  function numbers(ticks, percent) {
    const known = ticks.filter(one => one != null);
    const step = known.length > 1 ? Math.abs(known[1] - known[0]) * (percent ? 100 : 1) : 1;
    let digits = 0;
    while (digits < 6 && Math.abs(step * 10 ** digits - Math.round(step * 10 ** digits)) > 1e-6 * 10 ** digits * step) digits++;
    return value => ((percent ? 100 * value : value).toFixed(digits) + (percent ? "%" : ""))
      .replace(/^-(?=[0.]*%?$)/, "").replace("-", "\u2212");
  }

  // ---------------------------------------------------------------- lines and points over days, names or numbers

  function drawn(specs, answers, svg, tip) {
    const box = make("div", { class: "plots" });
    answers.append(box, svg);
    const group = specs.map(spec => plotted(spec, box));
    const byDay = specs[0].kind === "day";
    if (byDay) answers.prepend(dates(specs[0]));
    const show = (at, from) => {
      tip.replaceChildren(make("b", {}, place(specs[0], at)));
      const text = [place(specs[0], at)];
      group.forEach(({ spec }) => spec.series.forEach(one => {
        if (hidden.has(one.name) || one.values[at] == null) return;
        const what = specs.length > 1 && spec.label ? one.name + ", " + spec.label : one.name;
        const ends = one.low.length && one.low[at] != null
          ? written(one.low[at], spec) + " to " + written(one.high[at], spec) : "";
        const value = make("span", {}, written(one.values[at], spec));
        if (ends) value.append(make("small", {}, " " + ends));
        tip.append(make("div", {}, make("span", {}, what), value));
        text.push(what + " " + written(one.values[at], spec) + (ends ? ", " + ends : ""));
      }));
      const { chart } = from || group[0];
      const over = chart.over.getBoundingClientRect(), outer = answers.getBoundingClientRect();
      const x = over.left - outer.left + chart.valToPos(chart.data[0][at], "x");
      put(tip, answers, x, over.top - outer.top + 50);
      return text.join("; ");
    };
    for (const one of group) {
      const ask = event => {
        const left = event.clientX - one.chart.over.getBoundingClientRect().left;
        show(one.chart.posToIdx(left), one);
        for (const other of group) if (other !== one) other.chart.setCursor({ left, top: 10 }, false);
      };
      // A finger does not move before it has asked.
      for (const kind of ["pointermove", "pointerdown"]) one.chart.over.addEventListener(kind, ask);
      one.chart.over.addEventListener("pointerleave", () => {
        tip.hidden = true;
        for (const other of group) other.chart.setCursor({ left: -10, top: -10 }, false);
      });
    }
    answers.append(keys(specs));
    return {
      ends: () => {
        const { chart } = group[0];
        const { min, max } = chart.scales.x;
        const inside = chart.data[0].map((x, at) => [x, at]).filter(([x]) => x >= min && x <= max);
        return inside.length ? [inside[0][1], inside[inside.length - 1][1]] : [0, 0];
      },
      tell: at => {
        for (const { chart } of group) chart.setCursor({ left: chart.valToPos(chart.data[0][at], "x"), top: 10 }, false);
        return show(at);
      },
    };
  }

  // The legend: a button a line; a name is chosen in all charts of the page at once.
  function keys(specs) {
    const box = make("div", { class: "keys", role: "group", "aria-label": "Lines to show" });
    const seen = new Set();
    for (const one of specs.flatMap(spec => spec.series)) {
      if (seen.has(one.name)) continue;
      seen.add(one.name);
      const swatch = drawing("svg", { "aria-hidden": "true" });
      if (one.points) swatch.append(drawing("path", { d: shape(one.marker, 13, 5, 3.8), style: `fill: var(${one.colour})` }));
      else {
        if (one.low.length) swatch.append(drawing("rect", { width: 26, height: 10, style: `fill: var(${one.colour}); opacity: 0.25` }));
        const style = `stroke: var(${one.colour}); stroke-width: ${one.width + 0.4}; stroke-dasharray: ${one.dash.join(" ") || "none"}`;
        swatch.append(drawing("line", { x1: 0, x2: 26, y1: 5, y2: 5, style }));
      }
      const button = make("button", { type: "button", "aria-pressed": "true", click: () => toggle(one.name) }, swatch, one.name);
      button.dataset.name = one.name;
      box.append(button);
    }
    // Between many points the name of a line would be read by nobody.
    for (const { rules } of specs.filter(spec => spec.kind === "name")) {
      rules.forEach(([, name], at) => {
        if (!name) return;
        const line = { x1: 0, x2: 26, y1: 5, y2: 5, style: `stroke: var(${at ? "--chart-muted" : "--chart-ink"}); stroke-width: 1.4; stroke-dasharray: ${at ? "4 2" : "none"}` };
        box.append(make("span", {}, drawing("svg", { "aria-hidden": "true" }, drawing("line", line)), name));
      });
    }
    return box;
  }

  function toggle(name) {
    const show = hidden.delete(name) || !hidden.add(name);
    for (const { chart, spec } of plots) {
      spec.series.forEach((one, at) => { if (one.name === name) chart.setSeries(at + 1, { show }); });
    }
    for (const change of others) change();
    for (const button of document.querySelectorAll(".keys button")) {
      if (button.dataset.name === name) button.setAttribute("aria-pressed", String(show));
    }
  }

  function dates(spec) {
    const [first, last] = [spec.x[0], spec.x[spec.x.length - 1]];
    const field = (label, which) => make("label", {}, label + " ", make("input", {
      type: "date", class: which, min: date(first), max: date(last), value: date(which === "from" ? first : last),
      change: event => {
        const box = event.target.closest(".days");
        const ends = [box.querySelector(".from").value, box.querySelector(".to").value].map(text => text && day(text));
        choose(ends[0] && ends[1] && ends[0] < ends[1] ? ends : null);
      },
    }));
    const box = make("div", { class: "days" }, field("from", "from"), field("to", "to"),
      make("button", { type: "button", click: () => choose(null) }, "all days"));
    box.dataset.ends = [first, last];
    return box;
  }

  // Shows some days, or all, in every chart by day.
  function choose(ends) {
    days = ends;
    for (const { chart, spec } of plots) {
      if (spec.kind === "day") {
        const [from, to] = span(spec);
        chart.setScale("x", { min: from * DAY, max: to * DAY });
      }
    }
    for (const box of document.querySelectorAll(".days")) {
      const [first, last] = (days || box.dataset.ends.split(",")).map(Number);
      box.querySelector(".from").value = date(first);
      box.querySelector(".to").value = date(last);
    }
  }

  function span(spec) {
    const ends = [spec.x[0], spec.x[spec.x.length - 1]];
    const chosen = days ? [Math.max(days[0], ends[0]), Math.min(days[1], ends[1])] : ends;
    return chosen[0] < chosen[1] ? chosen : ends;
  }

  function plotted(spec, box) {
    const xs = spec.kind === "day" ? spec.x.map(one => one * DAY) : spec.kind === "name" ? spec.x.map((_, at) => at) : spec.x;
    const shown = u => spec.series.filter((_, at) => u.series[at + 1].show);
    const range = u => {
      const [from, to] = u.series[0].idxs || [0, xs.length - 1];
      const all = spec.rules.map(([height]) => height);
      for (const one of shown(u)) {
        for (const part of [one.values, one.low, one.high]) {
          for (let at = from; at <= to && at < part.length; at++) if (part[at] != null && (!spec.log || part[at] > 0)) all.push(part[at]);
        }
      }
      let low = Infinity, high = -Infinity;
      for (const one of all) { low = Math.min(low, one); high = Math.max(high, one); }
      if (!(low <= high)) return spec.log ? [0.5, 2] : [0, 1];
      if (spec.log) return [low * 0.9, high * 1.1];
      const room = (high - low || Math.abs(high) || 0.01) * 0.06;
      return [low - room, high + room];
    };
    const axis = { stroke: () => colour("--chart-muted"), font: "12px system-ui, sans-serif",
                   grid: { stroke: () => colour("--chart-grid"), width: 1 }, ticks: { stroke: () => colour("--chart-grid"), size: 5 } };
    const below = { ...axis, size: spec.xLabel ? 32 : 30, label: spec.xLabel || null, labelSize: 18, labelGap: 0, labelFont: axis.font, space: 60 };
    const inside = u => u.bbox.width / devicePixelRatio;
    if (spec.kind === "day") {
      let letters = 10;
      below.splits = (u, _axis, low, high) => {
        const found = calendar(Math.ceil(low / DAY), Math.floor(high / DAY), inside(u));
        letters = found.letters;
        return found.days.map(one => one * DAY);
      };
      // A label at the right end would be cut off.
      below.values = (u, splits) => splits.map(one => u.valToPos(one, "x") + 3.5 * letters > inside(u) + 12 ? "" : date(one / DAY).slice(0, letters));
    }
    if (spec.kind === "number") below.values = (u, splits) => {
      const write = numbers(splits);
      return splits.map(one => one == null ? "" : write(one));
    };
    if (spec.kind === "name") {
      below.splits = u => {
        const widest = Math.max(...spec.x.map(one => String(one).length)) * 7 + 14;
        const every = Math.ceil(xs.length * widest / Math.max(inside(u), 1));
        return xs.filter((_, at) => at % every === 0);
      };
      below.values = (u, splits) => splits.map(one => spec.x[one] ?? "");
    }
    const beside = { ...axis, size: 54, label: spec.label || null, labelSize: 20, labelGap: 2, labelFont: axis.font };
    beside.values = (u, splits) => {
      const write = numbers(splits, spec.percent);
      return splits.map(one => one == null ? "" : spec.log ? tens(one) : write(one));
    };
    const series = [{}, ...spec.series.map(one => ({
      label: one.name, stroke: () => colour(one.colour), width: one.width, dash: one.dash.length ? one.dash : undefined,
      // What is not known is a gap; a value between two gaps is a dot.
      spanGaps: false, points: { show: false, size: 5, fill: () => colour(one.colour), filter: () => one.points || spec.kind === "name" ? null : alone(one.values) },
      ...(one.points ? { paths: () => null } : {}),
    }))];
    const x = { time: spec.kind === "day" };
    if (spec.kind === "name") x.range = () => [-0.5, xs.length - 0.5];
    else if (spec.kind !== "day") x.range = (u, low, high) => low == null ? [0, 1] : low < high ? [low, high] : [low - 1, high + 1];
    const width = () => Math.max(box.clientWidth || 320, 200);
    const chart = new uPlot({
      width: width(), height: spec.height + 30, series, legend: { show: false }, padding: [10, 12, 0, 0],
      tzDate: stamp => uPlot.tzDate(new Date(stamp * 1000), "Etc/UTC"),
      scales: { x, y: { range, ...(spec.log ? { distr: 3 } : {}) } },
      axes: [below, beside],
      cursor: { drag: { x: spec.kind === "day", y: false, setScale: false }, y: false, points: { show: !spec.series.some(one => one.points), size: 7 },
                bind: { dblclick: () => () => { choose(null); return null; } } },
      hooks: {
        drawAxes: [u => { rules(u, spec); bands(u, spec); }],
        draw: [u => points(u, spec)],
        setSelect: [u => {
          if (u.select.width < 8) return;
          choose([u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x")].map(one => Math.round(one / DAY)));
          u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
        }],
      },
    }, [xs, ...spec.series.map(one => one.values)], box);
    chart.root.setAttribute("aria-hidden", "true");
    const one = { chart, spec, width };
    plots.push(one);
    new ResizeObserver(() => {
      if (box.clientWidth && Math.abs(chart.width - width()) > 1) chart.setSize({ width: width(), height: spec.height + 30 });
    }).observe(box);
    return one;
  }

  // The values that have none beside them, by place.
  const alone = values => values.map((_, at) => at).filter(at =>
    values[at] != null && values[at - 1] == null && values[at + 1] == null);

  // Places of ticks where a calendar has them: beginnings of years, of months, Mondays or days, with the letters of a date.
  function calendar(first, last, room) {
    const start = new Date(first * DAY * 1000), end = new Date(last * DAY * 1000);
    const month = one => one.getUTCFullYear() * 12 + one.getUTCMonth();
    for (const step of [1, 2, 3, 6, 12, 24, 60, 120, 240, 600]) {
      const letters = step >= 12 ? 4 : 7, found = [];
      for (let at = month(start); at <= month(end); at++) {
        const one = Date.UTC(Math.floor(at / 12), at % 12) / 1000 / DAY;
        if (at % step === 0 && one >= first && one <= last) found.push(one);
      }
      if (found.length * (7 * letters + 16) > room) continue;
      if (found.length > 1) return { days: found, letters };
      break;
    }
    const most = Math.max(1, Math.floor(room / 86));
    const every = [];
    for (let one = first; one <= last; one++) every.push(one);
    for (const weeks of [1, 2, 3]) {
      const found = every.filter(one => (one - 4) % (7 * weeks) === 0); // 1970-01-05 was a Monday
      if (found.length > 1 && found.length <= most) return { days: found, letters: 10 };
    }
    const workdays = every.filter(one => (one + 3) % 7 < 5), known = workdays.length ? workdays : every;
    return { days: known.filter((_, at) => at % Math.ceil(known.length / most) === 0), letters: 10 };
  }

  function rules(u, spec) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.textBaseline = "alphabetic";
    ctx.lineWidth = devicePixelRatio;
    ctx.fillStyle = colour("--chart-muted");
    ctx.textAlign = "left";
    ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    spec.rules.forEach(([height, name], at) => {
      // Beside names the first says that there is no skill, the others what can be had.
      const other = spec.kind === "name" && at > 0;
      ctx.strokeStyle = colour(other ? "--chart-muted" : "--chart-ink");
      ctx.setLineDash(other ? [4 * devicePixelRatio, 2 * devicePixelRatio] : []);
      const y = u.valToPos(height, "y", true);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      if (spec.kind !== "name") ctx.fillText(name, bbox.left + 4 * devicePixelRatio, y - 4 * devicePixelRatio);
    });
    ctx.restore();
  }

  function bands(u, spec) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.globalAlpha = 0.18;
    spec.series.forEach((one, at) => {
      if (one.points || !one.low.length || !u.series[at + 1].show) return;
      ctx.fillStyle = colour(one.colour);
      const spot = (x, y) => [u.valToPos(x, "x", true), u.valToPos(y, "y", true)];
      const known = i => one.low[i] != null && one.high[i] != null;
      const xs = u.data[0];
      for (let from = 0; from < xs.length; from++) {
        if (!known(from)) continue;
        let to = from;
        // Names have a band each, as wide as their place; of days and numbers it goes on until one is not known.
        while (spec.kind !== "name" && to + 1 < xs.length && known(to + 1)) to++;
        ctx.beginPath();
        if (to === from) {
          const [left, high] = spot(spec.kind === "name" ? xs[from] - 0.45 : xs[from], one.high[from]);
          const [right, low] = spot(spec.kind === "name" ? xs[from] + 0.45 : xs[from], one.low[from]);
          const least = 5 * devicePixelRatio;
          ctx.rect(right - left < least ? (left + right - least) / 2 : left, high, Math.max(right - left, least), low - high);
        } else {
          for (let i = from; i <= to; i++) ctx.lineTo(...spot(xs[i], one.high[i]));
          for (let i = to; i >= from; i--) ctx.lineTo(...spot(xs[i], one.low[i]));
        }
        ctx.fill();
        from = to;
      }
    });
    ctx.restore();
  }

  function points(u, spec) {
    const { ctx } = u;
    const single = spec.series.map((one, at) => [one, at]).filter(([one]) => one.points);
    single.forEach(([one, at], rank) => {
      if (!u.series[at + 1].show) return;
      const step = u.data[0].length > 1 ? u.data[0][1] - u.data[0][0] : 1;
      const aside = (rank - (single.length - 1) / 2) * 0.7 * step / single.length;
      ctx.save();
      ctx.strokeStyle = colour(one.colour);
      ctx.lineWidth = 1.8 * devicePixelRatio;
      u.data[0].forEach((x, i) => {
        if (one.values[i] == null) return;
        const left = u.valToPos(x + aside, "x", true);
        if (one.low[i] != null && one.high[i] != null) {
          ctx.beginPath();
          ctx.moveTo(left, u.valToPos(one.low[i], "y", true));
          ctx.lineTo(left, u.valToPos(one.high[i], "y", true));
          ctx.stroke();
        }
        const figure = new Path2D(shape(one.marker, left, u.valToPos(one.values[i], "y", true), 3.6 * devicePixelRatio));
        const none = spec.rules.length ? spec.rules[0][0] : NaN;
        const held = one.low[i] != null && one.high[i] != null && one.low[i] <= none && none <= one.high[i];
        ctx.fillStyle = colour(held ? "--chart-paper" : one.colour);
        ctx.fill(figure);
        ctx.stroke(figure);
      });
      ctx.restore();
    });
  }

  // ---------------------------------------------------------------- tables

  // What a cell is sorted by: its first number, else its words.
  function key(cell) {
    const first = [...cell.childNodes].find(one => one.textContent.trim() && one.nodeName !== "SMALL") || cell;
    const text = first.textContent.trim();
    if (/^\d{4}-\d{2}-\d{2}/.test(text)) return text;
    const number = Number(text.replace(/[,%+]/g, "").replace("\u2212", "-").split(/\s/)[0]);
    return text !== "" && Number.isFinite(number) ? number : /^(n\/a|\u2013|none|)$/.test(text) ? null : text.toLowerCase();
  }

  function sortable(table) {
    const heads = [...table.querySelectorAll("thead tr:last-child > th")];
    // Rows that tell something together stay in their order.
    if (table.dataset.order === "told" || !table.tHead || table.tHead.rows.length !== 1 || table.rows.length < 3) return;
    const before = [...table.tBodies].map(body => [...body.rows]);
    const sort = (column, next) => {
      heads.forEach(one => one.removeAttribute("aria-sort"));
      if (next !== "none") heads[column].setAttribute("aria-sort", next);
      [...table.tBodies].forEach((body, place) => {
        const rows = [...before[place]];
        const sign = next === "ascending" ? 1 : -1;
        if (next !== "none") rows.sort((one, other) => {
          const [a, b] = [one, other].map(row => row.cells[column] ? key(row.cells[column]) : null);
          if (a == null || b == null) return (a == null) - (b == null); // what is not known stands last
          if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
          return sign * (typeof a === "number" ? a - b : a < b ? -1 : a > b ? 1 : 0);
        });
        body.append(...rows);
      });
    };
    if (table.rows.length > 12) filterable(table);
    if (table.classList.contains("results")) cards(table, heads, sort);
    heads.forEach((head, column) => {
      const turn = { none: "descending", descending: "ascending", ascending: "none" };
      const button = make("button", { type: "button", click: () => sort(column, turn[head.getAttribute("aria-sort") || "none"]) });
      button.append(...head.childNodes);
      head.append(button);
    });
  }

  // Where rows are cards there are no heads to sort by.
  function cards(table, heads, sort) {
    const choice = make("select", { change: () => {
      const [column, next] = choice.value.split(" ");
      sort(Number(column), next);
    } }, make("option", { value: "0 none" }, "as it stands"));
    heads.forEach((head, column) => {
      const name = head.innerText.replace(/\s+/g, " ").trim();
      choice.append(make("option", { value: column + " descending" }, name + " ▼"), make("option", { value: column + " ascending" }, name + " ▲"));
    });
    (table.closest(".scroll") || table).before(make("label", { class: "cards" }, "sort by ", choice));
  }

  function filterable(table) {
    const field = make("input", { type: "search", class: "filter", placeholder: "only rows with …", "aria-label": "Only rows with these words", input: () => {
      const asked = field.value.trim().toLowerCase();
      for (const body of table.tBodies) for (const row of body.rows) row.hidden = !row.textContent.toLowerCase().includes(asked);
    } });
    (table.closest(".scroll") || table).before(field);
  }

  contents();
  document.querySelectorAll("figure.chart").forEach(figure);
  document.querySelectorAll("table").forEach(sortable);
  anchors();
})();
