// Draws each figure whose data-chart holds a picture, as chartpage.go writes it,
// and draws it again when its width changes. Colours come from the style sheet.
"use strict";
(() => {
  const colours = Array.from({length: 8}, (_, i) => `var(--series-${i + 1})`);
  const symbols = ["circle", "square", "triangle", "diamond", "cross", "star", "wye", "times"];
  const dashes = [null, "6 3", "2 2", "8 3 2 3", "12 4", "4 4", "1 3", "10 2 2 2 2 2"];
  const fontSize = 12;

  const group = (d, i) => d.gs ? d.gs[i] : -1;
  const colour = (g, alone = colours[0]) => g < 0 ? alone : colours[g];
  const clip = (text, n) => text.length > n ? text.slice(0, n - 1) + "…" : text;
  const plain = (n) => Math.abs(n) < 10000 ? String(+n.toPrecision(12)) : n.toLocaleString("en", {maximumFractionDigits: 6});

  // points are the points of d that have a place, each with what a tip says of it.
  function points(d) {
    const read = (axis, v) => axis.scale === "times" ? new Date(v) : v;
    return d.ys.map((y, i) => ({
      x: read(d.x, d.xs[i]), x2: d.x2s ? read(d.x, d.x2s[i]) : undefined, y: y === null ? null : read(d.y, y), g: group(d, i),
    })).filter((p) => p.y !== null);
  }

  function say(d, axis, value) {
    if (axis.scale === "times") return value.toISOString().slice(0, 16).replace("T", " ").replace(" 00:00", "");
    if (axis.scale === "categories") return d.names[value];
    return plain(value);
  }

  function tip(d) {
    return (p) => [
      `${d.x.label}: ${say(d, d.x, p.x)}${d.kind === "histogram" ? " to under " + plain(p.x2) : ""}`,
      ...(d.groups && p.g >= 0 ? [`${d.group}: ${d.groups[p.g]}`] : []),
      `${d.y.label}: ${say(d, d.y, p.y)}`,
    ].join("\n");
  }

  // scaleOf is the options of an axis that has numbers or times.
  const scaleOf = (axis) => axis.scale === "times" ? {type: "utc", label: axis.label} : {type: "linear", label: axis.label};

  // ticks writes the numbers along an axis; years do not get a comma.
  function ticks(axis, values) {
    if (axis.scale !== "numbers") return undefined;
    return values.every((v) => Math.abs(v) < 10000) ? (v) => plain(v) : undefined;
  }

  function marks(d, data) {
    const title = tip(d);
    const tipped = {title, tip: true};
    const many = d.groups && d.groups.length > 1;
    const fill = (p) => colour(p.g);
    switch (d.kind) {
      case "line": {
        const series = d.groups ? d.groups.map((_, i) => i) : [-1];
        const dots = data.length <= 120 * series.length || data.length === 1;
        return [
          ...series.map((g) => Plot.lineY(data.filter((p) => p.g === g), {x: "x", y: "y", stroke: colour(g), strokeWidth: 2, strokeDasharray: dashes[Math.max(g, 0)]})),
          ...(dots ? [Plot.dot(data, {x: "x", y: "y", fill, r: 2.5})] : []),
          Plot.tip(data, Plot.pointer({x: "x", y: "y", title})),
        ];
      }
      case "scatter":
        return [Plot.dot(data, {x: "x", y: "y", stroke: (p) => p.g < 0 && d.groups ? "var(--quiet)" : colour(p.g), symbol: (p) => symbols[Math.max(p.g, 0)], r: 3, ...tipped})];
      case "histogram":
        return [Plot.rectY(data, {x1: "x", x2: "x2", y: "y", fill, inset: 0.5, ...tipped}), Plot.ruleY([0])];
    }
    if (d.x.scale === "categories") {
      const bar = {x: "y", y: "x", fill, ...tipped};
      if (many && !d.stacked) {
        // Without the anchor the axis would stand below the last value that has bars.
        return [Plot.barX(data, {...bar, y: "g", fy: "x"}), Plot.ruleX([0]), Plot.axisX({facetAnchor: "bottom"})];
      }
      return [Plot.barX(data, {...bar, stroke: "var(--surface)", strokeWidth: many ? 1 : 0}), Plot.ruleX([0])];
    }
    if (many && !d.stacked) { // side by side within the span of time
      const part = (p, i) => new Date(+p.x + (p.x2 - p.x) * i / d.groups.length);
      return [Plot.rectY(data, {x1: (p) => part(p, p.g), x2: (p) => part(p, p.g + 1), y: "y", fill, ...tipped}), Plot.ruleY([0])];
    }
    return [Plot.rectY(data, {x1: "x", x2: "x2", y: "y", fill, insetLeft: 0.5, insetRight: 0.5, ...tipped}), Plot.ruleY([0])];
  }

  function draw(figure, d) {
    const data = points(d);
    const drawing = figure.querySelector(".drawing");
    const width = Math.max(260, Math.min(1100, drawing.clientWidth || 640));
    const legend = d.groups ? rows(d.groups, width) : [];
    const marginTop = 28;
    const options = {
      width, marginTop, marginLeft: 64, marginBottom: 48, ariaLabel: d.label,
      style: {fontSize: fontSize + "px", overflow: "visible"},
      symbol: {type: "identity"},
    };
    if (d.x.scale === "categories") {
      const most = Math.max(12, Math.floor(width * 0.4 / 7));
      const names = d.names.map((name) => clip(name, most));
      const dodged = d.groups && d.groups.length > 1 && !d.stacked;
      const bands = {domain: d.names.map((_, i) => i), tickFormat: (i) => names[i], label: d.x.label};
      options.marginLeft = 24 + 7 * Math.max(4, ...names.map((name) => name.length));
      options.height = marginTop + 48 + names.length * (dodged ? 10 * d.groups.length + 8 : 24);
      options.x = {labelOffset: 40, label: d.y.label, grid: true, zero: true, tickFormat: ticks(d.y, data.map((p) => p.y))};
      if (dodged) {
        options.marginRight = 20;
        options.fy = {...bands, axis: "left", padding: 0.15};
        options.y = {axis: null, domain: d.groups.map((_, i) => i), padding: 0};
      } else {
        options.y = {...bands, padding: 0.15};
      }
    } else {
      options.height = Math.round(Math.max(260, Math.min(460, width * 0.55)));
      options.x = {...scaleOf(d.x), labelOffset: 40, tickFormat: ticks(d.x, data.map((p) => p.x))};
      options.y = {...scaleOf(d.y), grid: true, tickFormat: ticks(d.y, data.map((p) => p.y))};
      if (d.kind === "bar" || d.kind === "histogram") options.y.zero = true;
    }
    const svg = Plot.plot({...options, marks: marks(d, data)});
    // The page's own style sheet has these rules: no other style may count there.
    for (const style of svg.querySelectorAll("style")) style.remove();
    svg.setAttribute("role", "img");
    // An image has one name, not one for each part, in words of the library.
    for (const part of svg.querySelectorAll("[aria-label], [aria-description]")) {
      part.removeAttribute("aria-label");
      part.removeAttribute("aria-description");
    }
    drawLegend(svg, d, legend, width, options.height);
    drawing.replaceChildren(svg);
  }

  // rows lays the names of the groups out in lines.
  function rows(names, width) {
    const lines = [[]];
    let x = 0;
    names.forEach((name, i) => {
      const text = clip(name, 30);
      const wide = 30 + text.length * 7.2;
      if (x > 0 && x + wide > width - 8) {
        lines.push([]);
        x = 0;
      }
      lines.at(-1).push({text, i, x});
      x += wide;
    });
    return lines;
  }

  // drawLegend puts the names of the groups above the drawing.
  function drawLegend(svg, d, lines, width, height) {
    const above = lines.length * 20;
    const legend = d3.select(svg).attr("viewBox", `0 ${-above} ${width} ${height + above}`).attr("height", height + above)
      .append("g").attr("aria-hidden", "true").attr("text-anchor", "start");
    lines.forEach((line, row) => {
      for (const {text, i, x} of line) {
        const item = legend.append("g").attr("transform", `translate(${x + 8},${row * 20 + 10 - above})`);
        if (d.kind === "line") {
          item.append("line").attr("x1", -4).attr("x2", 12).attr("stroke", colours[i]).attr("stroke-width", 2.5).attr("stroke-dasharray", dashes[i]);
        } else if (d.kind === "scatter") {
          item.append("path").attr("transform", "translate(4,0)").attr("fill", "none").attr("stroke", colours[i]).attr("stroke-width", 1.5)
            .attr("d", d3.symbol(symbol(symbols[i]), 60)());
        } else {
          item.append("rect").attr("x", -2).attr("y", -6).attr("width", 12).attr("height", 12).attr("fill", colours[i]);
        }
        item.append("text").attr("x", 16).attr("dy", "0.35em").attr("fill", "currentColor").text(text);
      }
    });
  }

  const symbol = (name) => d3["symbol" + name[0].toUpperCase() + name.slice(1)];

  // standalone is the drawing as a file of its own: with its colours and fonts in
  // it, on a ground.
  function standalone(svg) {
    const copy = svg.cloneNode(true);
    const style = getComputedStyle(svg);
    const value = (text) => text.replace(/var\((--[\w-]+)\)/g, (_, name) => style.getPropertyValue(name).trim());
    for (const element of [copy, ...copy.querySelectorAll("*")]) {
      for (const name of ["fill", "stroke", "color"]) {
        const text = element.getAttribute(name);
        if (text) element.setAttribute(name, value(text).replace(/currentColor/gi, style.color));
      }
    }
    const [width, height] = ["width", "height"].map((name) => svg.getAttribute(name));
    const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    for (const [name, text] of Object.entries({y: svg.viewBox.baseVal.y, width, height, fill: style.getPropertyValue("--surface").trim()})) ground.setAttribute(name, text);
    copy.prepend(ground);
    const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
    title.textContent = svg.getAttribute("aria-label");
    copy.prepend(title);
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    copy.setAttribute("font-family", "system-ui, sans-serif");
    copy.setAttribute("font-size", fontSize);
    copy.setAttribute("fill", style.color);
    copy.removeAttribute("class");
    copy.removeAttribute("style");
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + new XMLSerializer().serializeToString(copy);
  }

  function download(svg, name) {
    const address = URL.createObjectURL(new Blob([standalone(svg)], {type: "image/svg+xml"}));
    const link = document.createElement("a");
    link.href = address;
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  }

  for (const figure of document.querySelectorAll("figure[data-chart]")) {
    const d = JSON.parse(figure.dataset.chart);
    let width = 0;
    new ResizeObserver(() => {
      const now = figure.querySelector(".drawing").clientWidth;
      if (now === width) return;
      width = now;
      draw(figure, d);
    }).observe(figure.querySelector(".drawing"));
  }
  for (const button of document.querySelectorAll("button[data-download]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const svg = document.querySelector("figure[data-chart] svg");
      if (svg) download(svg, "chart.svg");
    });
  }
})();
