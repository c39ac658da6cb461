/* Interactive charts: loads the chart library when a chart comes near, binds controls, and says in words what is drawn.
   Every number comes from the page; nothing is computed here. A new chart needs no change in this file. */
(function () {
  "use strict";
  const LIBRARY = new URL("vega-bundle.js", document.currentScript.src).href;
  const NEAR = "800px";
  let library;

  function load() {
    library = library || new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = LIBRARY;
      script.onload = done;
      script.onerror = () => failed(new Error("the chart library could not be loaded"));
      document.head.append(script);
    });
    return library;
  }

  const memory = {
    key: (name) => "dln-chart:" + name,
    read(name) {
      try { return JSON.parse(localStorage.getItem(this.key(name))); } catch { return null; }
    },
    write(name, value) {
      try {
        if (value) localStorage.setItem(this.key(name), JSON.stringify(value));
        else localStorage.removeItem(this.key(name));
      } catch { /* a browser that refuses storage forgets, and works */ }
    },
  };

  class Chart {
    constructor(box) {
      this.box = box;
      this.name = box.dataset.dlnExplorer;
      this.data = JSON.parse(box.querySelector("script[data-dln-chart]").textContent);
      this.inputs = this.data.controls.map((control) => document.getElementById(control.id));
      this.form = box.querySelector("form");
      this.said = box.querySelector(".dln-said");
      this.preset = box.querySelector(".dln-preset");
      this.place();
      this.restore();
      this.form.addEventListener("input", (event) => { if (event.target !== this.preset) this.moved(); });
      this.form.addEventListener("submit", (event) => event.preventDefault());
      this.form.addEventListener("reset", (event) => { event.preventDefault(); this.reset(); });
      if (this.preset) this.preset.addEventListener("change", () => this.choose());
      this.form.hidden = false;
    }

    /* The drawn chart stands where the picture was, above legend, controls and sentence. */
    place() {
      const figure = this.box.closest("figure");
      this.picture = figure.querySelector("img");
      this.canvas = document.createElement("div");
      this.canvas.className = "dln-canvas";
      this.canvas.setAttribute("role", "img");
      this.canvas.setAttribute("aria-label", this.picture.alt);
      this.box.before(this.canvas);
      this.canvas.hidden = true;
    }

    get positions() { return this.inputs.map((input) => Number(input.value)); }

    /* Vega listens to the same event, so setting a control from here moves the chart too. */
    put(settings) {
      for (const [index, position] of settings) {
        this.inputs[index].value = String(position);
        this.inputs[index].dispatchEvent(new Event("input", { bubbles: true }));
      }
    }

    restore() {
      const kept = memory.read(this.name);
      const fits = Array.isArray(kept) && kept.length === this.inputs.length &&
        kept.every((at, i) => Number.isInteger(at) && at >= 0 && at < this.data.controls[i].texts.length);
      this.data.controls.forEach((control, i) => { this.inputs[i].value = String(fits ? kept[i] : control.start); });
      this.tell();
    }

    reset() {
      if (this.preset) this.preset.value = "";
      this.put(this.data.controls.map((control, i) => [i, control.start]));
      memory.write(this.name, null);
    }

    choose() {
      const preset = this.data.presets[this.preset.value];
      if (preset) this.put(Object.entries(preset));
    }

    moved() {
      memory.write(this.name, this.positions);
      this.tell();
    }

    row(part) {
      return part.controls.reduce((row, index) => row * this.data.controls[index].texts.length + this.positions[index], 0);
    }

    sentence() {
      return this.data.parts.map((part) => {
        const table = this.data.tables[part.table];
        if (!table.say.length) return "";
        const [template, ...numbers] = table.say[this.row(part)];
        return table.templates[template].replace(/\{\}/g, () => numbers.shift());
      }).filter(Boolean).join(" ");
    }

    tell() {
      this.data.controls.forEach((control, i) => {
        const text = control.texts[this.inputs[i].value];
        if (this.inputs[i].type !== "range") return;
        this.inputs[i].setAttribute("aria-valuetext", text);
        this.inputs[i].parentElement.querySelector(".dln-value").textContent = text;
      });
      const text = this.sentence();
      if (this.said.textContent !== text) this.said.textContent = text;
    }

    datasets() {
      return Object.fromEntries(this.data.tables.map((table, index) => ["t" + index, table.rows.map((row, i) => {
        const whole = { i, ...table.common };
        table.columns.forEach((name, column) => { whole[name] = row[column]; });
        return whole;
      })]));
    }

    /* Panels side by side where there is room, below one another where there is not; letters keep their size. */
    sized(excess) {
      const spec = structuredClone(this.data.spec);
      const room = this.canvas.parentElement.clientWidth;
      const columns = spec.concat.length > 1 && room >= 600 ? 2 : 1;
      const width = Math.max(180, Math.floor((room - (columns - 1) * 24 - excess) / columns) - 74);
      spec.columns = columns;
      spec.concat.forEach((panel, i) => {
        const square = this.data.panels[i].square;
        panel.width = square ? Math.min(width, 400) : width;
        if (square) panel.height = panel.width;
        else if (columns === 1 && spec.concat.length > 1) panel.height = Math.min(panel.height, 165); // a thumb's way to the controls
      });
      spec.params.forEach((parameter) => {
        const index = this.data.controls.findIndex((control) => parameter.bind && parameter.bind.element === "#" + control.id);
        if (index >= 0) parameter.value = this.positions[index];
      });
      return { ...spec, datasets: this.datasets() };
    }

    async embed(excess) {
      // A series that has no point at some settings is no fault; the library would warn of its empty extent: errors only.
      const options = { mode: "vega-lite", actions: false, renderer: "svg", tooltip: false, logLevel: 1 };
      return (await window.vegaEmbed(this.canvas, this.sized(excess), options)).view;
    }

    async draw() {
      await load();
      const room = this.canvas.parentElement.clientWidth;
      if (!room || room === this.room) return;
      this.room = room;
      if (this.view) this.view.finalize();
      this.canvas.hidden = false;
      this.view = await this.embed(0);
      const excess = this.canvas.querySelector("svg").getAttribute("width") - room;
      if (excess > 0) {
        this.view.finalize();
        this.view = await this.embed(Math.ceil(excess)); // long numbers at an axis: narrower panels, letters of the same size
      }
      this.box.querySelector(".dln-legend").hidden = false;
      this.picture.classList.add("dln-still");
      this.canvas.dlnView = this.view;
      this.data.panels.forEach((panel, i) => { if (panel.pick.length) this.follow(panel.pick, i); });
      this.canvas.dataset.ready = "";
    }

    /* A click into a plane moves the two sliders to it. */
    follow(pick, index) {
      const svg = this.canvas.querySelector("svg");
      svg.addEventListener("click", (event) => {
        const group = this.view.scenegraph().root.items[0].items.find((mark) => mark.name === "concat_" + index + "_group").items[0];
        const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
        const [left, top] = this.view.origin();
        const place = [at.x - left - group.x, at.y - top - group.y];
        if (place[0] < 0 || place[1] < 0 || place[0] > group.width || place[1] > group.height) return;
        this.put(pick.map((control, axis) => {
          const value = this.view.scale("concat_" + index + "_" + "xy"[axis]).invert(place[axis]);
          const values = this.data.values[control];
          const far = values.map((one) => Math.abs(one - value));
          return [control, far.indexOf(Math.min(...far))];
        }));
      });
      this.canvas.classList.add("dln-pick");
    }
  }

  function start() {
    const charts = [...document.querySelectorAll(".dln-explorer")].map((box) => new Chart(box));
    if (!charts.length) return;
    const near = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        near.unobserve(entry.target);
        charts.find((chart) => chart.canvas.parentElement === entry.target).draw().catch((error) => {
          entry.target.querySelector(".dln-said").textContent = "This chart stays a picture: " + error.message + ".";
        });
      }
    }, { rootMargin: NEAR });
    charts.forEach((chart) => near.observe(chart.canvas.parentElement));
    let waiting;
    window.addEventListener("resize", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => charts.forEach((chart) => { if (chart.view) chart.draw(); }), 200);
    });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
