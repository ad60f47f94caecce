'use strict';
// The page of a rehearsal. Everything shown comes from the JSON in #data and is put in as text, never as markup.

const page = JSON.parse(document.getElementById('data').textContent);
const root = document.documentElement;
const state = {rehearsal: page.rehearsals[0], from: 0, to: 0, chosen: {}, filters: {}, open: null};

const FRAMES = [['Whole', 0], ['1 w', 604800], ['1 d', 86400], ['4 h', 14400], ['1 h', 3600], ['5 min', 300]];
// The bucket that Datadog's graphs use by default for a frame of up to so many seconds.
const BUCKETS = [[3600, 20], [14400, 60], [86400, 300], [172800, 600], [604800, 3600], [Infinity, 14400]];
const INTERPOLATED = 300;
const SEVERITY = ['OK', 'No Data', 'Warn', 'Alert'];
const MARGIN = {l: 52, r: 14, t: 8, b: 34};
const PALETTES = {
  dog_classic: ['#4a73d9', '#e0872f', '#2f9e83', '#b4508f', '#8467cf', '#c65a45', '#3f9db5', '#98912f'],
  cool: ['#3574c4', '#36a6a0', '#7383dc', '#70b7d4', '#5a9367'],
  warm: ['#d9622f', '#e6a13a', '#c23b55', '#b5792a', '#e37d80'],
  purple: ['#7f5cc4', '#a884dc', '#5f4aa8', '#c077c9'],
  grey: ['#6e7889', '#9aa3b3', '#4c5566'],
};

// Elements

function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'style') for (const [key, setting] of Object.entries(value)) element.style.setProperty(key, setting);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const PROSE = new Set(['p', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'ul', 'ol', 'li', 'strong', 'em', 's', 'code', 'pre', 'a',
  'blockquote', 'hr', 'br', 'table', 'thead', 'tbody', 'tr', 'th', 'td']);

function prose(nodes) {
  return nodes.map((node) => {
    if (typeof node === 'string') return node;
    const [tag, attributes, children] = node;
    if (!PROSE.has(tag)) return el('span', {}, prose(children));
    const kept = {};
    if (tag === 'ol' && attributes.start) kept.start = attributes.start;
    if (tag === 'a' && /^(https?:|mailto:)/i.test(attributes.href || '')) Object.assign(kept, {href: attributes.href, rel: 'noreferrer'});
    return el(tag, kept, prose(children));
  });
}

const proseBlock = (nodes) => el('div', {class: 'prose', dir: 'auto'}, prose(nodes));
// A name that came from outside, kept from turning the text around it.
const name = (text) => el('bdi', {}, text);
const pill = (what, muted) => el('span', {class: muted ? 'state muted' : 'state', 'data-state': what}, what);
const button = (label, onclick, attributes) => el('button', {type: 'button', class: 'quiet', onclick, ...attributes}, label);

function select(label, options, value, change) {
  const control = el('select', {onchange: () => change(control.value)}, options.map(([key, text]) => el('option', {value: key}, text)));
  control.value = value;
  return el('label', {class: 'field'}, el('span', {}, label), control);
}

function segments(label, options, value, choose) {
  return el('span', {class: 'segments', role: 'group', 'aria-label': label}, options.map(([key, text, title]) =>
    el('button', {type: 'button', title, 'aria-pressed': String(key === value), 'data-choice': text, onclick: () => choose(key)}, text)));
}

// Time. A chart knows no time zones, so it is given the wall clock of the rehearsal's zone as if it were UTC.

function offset(instant) {
  let east = 0;
  for (const [from, seconds] of state.rehearsal.offsets) {
    if (from > instant) break;
    east = seconds;
  }
  return east;
}

const wall = (instant) => (instant + offset(instant)) * 1000;
const wallText = (instant) => new Date(wall(instant)).toISOString().slice(0, 19).replace('T', ' ');

function instantOf(text) {
  const local = Date.parse(`${String(text).replace(' ', 'T').slice(0, 23)}Z`) / 1000;
  return local - offset(local - offset(local));
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function clock(instant, seconds) {
  const date = new Date(wall(instant));
  const time = date.toISOString().slice(11, seconds ? 19 : 16);
  return `${DAYS[date.getUTCDay()]} ${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}, ${time}`;
}

function duration(seconds) {
  for (const [size, unit] of [[604800, 'week'], [86400, 'day'], [3600, 'hour'], [60, 'minute']]) {
    if (seconds >= size) {
      const count = Math.round(seconds / size * 10) / 10;
      return `${count} ${unit}${count === 1 ? '' : 's'}`;
    }
  }
  return `${Math.round(seconds)} seconds`;
}

// Points

function bytes(base64) {
  const text = atob(base64);
  const found = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) found[i] = text.charCodeAt(i);
  return found;
}

const columns = new Map();

function column(index, Kind) {
  if (!columns.has(index)) {
    columns.set(index, new Kind(bytes(page.pool[index]).buffer));
  }
  return columns.get(index);
}

const times = new WeakMap();

function instants(level) {
  if (!times.has(level)) {
    const gaps = level.gaps === null ? null : column(level.gaps, Uint8Array);
    const found = new Float64Array(level.count);
    for (let i = 0, at = level.start; i < level.count; i += 1) {
      if (i) at += (gaps ? gaps[i] : 1) * level.step;
      found[i] = at;
    }
    times.set(level, found);
  }
  return times.get(level);
}

const wantedBucket = (frame) => BUCKETS.find(([span]) => frame.to - frame.from <= span)[1];

// The finest level that is not finer than the frame asks for and reaches back to its beginning; else the next one that does.
function levelFor(series, frame) {
  const wanted = wantedBucket(frame);
  const reaching = series.levels.filter((level) => level.complete || level.start <= frame.from);
  return reaching.find((level) => level.step >= wanted) || reaching.at(-1) || series.levels.at(-1);
}

function lowerBound(sorted, value) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

// The points whose buckets begin inside the frame.
function points(series, frame) {
  const level = levelFor(series, frame);
  if (!level) return {step: 0, t: [], v: [], low: null, high: null};
  const all = instants(level);
  const first = lowerBound(all, frame.from);
  const last = lowerBound(all, frame.to);
  const cut = (index) => (index === null ? null : column(index, Float32Array).subarray(first, last));
  return {step: level.step, t: all.subarray(first, last), v: cut(level.values), low: cut(level.low), high: cut(level.high)};
}

const AGGREGATES = {
  avg: (values) => AGGREGATES.sum(values) / values.length,
  sum: (values) => values.reduce((total, value) => total + value, 0),
  min: (values) => values.reduce((least, value) => Math.min(least, value)),
  max: (values) => values.reduce((most, value) => Math.max(most, value)),
  last: (values) => values.at(-1),
  count: (values) => values.length,
};

function scalar(series, aggregator, frame) {
  const values = Array.from(points(series, frame).v).filter((value) => !Number.isNaN(value));
  return values.length ? AGGREGATES[aggregator](values) : null;
}

// A formula over scalars: groups that carry the same name belong together, a lone ungrouped one goes with every group.
function compute(tree, scalars) {
  const [kind, ...rest] = tree;
  if (kind === 'number') return new Map([['*', rest[0]]]);
  if (kind === 'query') return scalars[rest[0]];
  const sides = rest.slice(1).map((side) => compute(side, scalars));
  if (rest[0] === 'count_not_null' || rest[0] === 'count_nonzero') {
    const counted = [...sides[0].values()].filter((value) => value !== null && (rest[0] === 'count_not_null' || value !== 0));
    return new Map([['*', counted.length]]);
  }
  const act = OPERATIONS[rest[0]];
  const keys = new Set(sides.flatMap((side) => (side.size === 1 && side.has('*') ? [] : [...side.keys()])));
  if (!keys.size) keys.add('*');
  return new Map([...keys].map((key) => {
    const values = sides.map((side) => (side.has(key) ? side.get(key) : side.has('*') ? side.get('*') : null));
    if (rest[0] !== 'default_zero' && values.some((value) => value === null)) return [key, null];
    const result = act(...values);
    return [key, Number.isFinite(result) ? result : null];
  }));
}

const OPERATIONS = {
  '+': (a, b) => a + b, '-': (a, b) => a - b, '*': (a, b) => a * b, '/': (a, b) => a / b,
  negative: (a) => -a, abs: (a) => Math.abs(a), default_zero: (a) => (a === null ? 0 : a),
  clamp_min: (a, b) => Math.max(a, b), clamp_max: (a, b) => Math.min(a, b),
};

function number(value, precision) {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  const size = Math.abs(value);
  const digits = precision ?? (Number.isInteger(value) ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 4);
  return value.toLocaleString('en', {minimumFractionDigits: precision ?? 0, maximumFractionDigits: digits});
}

function scaled(value, widget) {
  if (value === null) return ['–', ''];
  if (widget.axis.autoscale) {
    for (const [size, letter] of [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']]) {
      if (Math.abs(value) >= size) return [number(value / size, widget.precision ?? 1), letter];
    }
  }
  return [number(value, widget.precision ?? undefined), ''];
}

// Charts. They are drawn when they come into view, one per animation frame, so that a long page stays responsive.

let library = null;

async function chartLibrary() {
  const packed = bytes(document.getElementById('charts').textContent);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  const script = document.createElement('script');
  script.textContent = await new Response(stream).text();
  document.head.append(script);
  return window.Plotly;
}

// The chart library reads a few tags in its texts; names and labels are to stand as they are.
const plain = (text) => String(text).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
const clipped = (text) => plain(text.length > 60 ? `${text.slice(0, 59)}…` : text);
const colour = (variable) => getComputedStyle(root).getPropertyValue(variable).trim();

const drawings = new Map();
const queue = new Set();
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const drawing = drawings.get(entry.target);
    if (drawing) {
      drawing.near = entry.isIntersecting;
      if (drawing.near && drawing.stale) enqueue(entry.target);
    }
  }
}, {rootMargin: '300px'});

let resizing = 0;
const sized = new ResizeObserver((entries) => {
  for (const {target} of entries) if (drawings.has(target) && target.clientWidth !== drawings.get(target).width) stale(target);
  cancelAnimationFrame(resizing);
  resizing = requestAnimationFrame(layTracks);
});

function enqueue(box) {
  if (!queue.size) requestAnimationFrame(drawNext);
  queue.add(box);
}

function drawNext() {
  const [box] = queue;
  if (!box) return;
  queue.delete(box);
  if (box.isConnected) drawNow(box);
  if (queue.size) requestAnimationFrame(drawNext);
  else drawWhenIdle();
}

// What is out of sight is drawn too, so that it is there when it is scrolled to or printed.
function drawWhenIdle() {
  const later = window.requestIdleCallback || ((act) => setTimeout(act, 200));
  later(() => {
    const next = [...drawings.keys()].find((box) => drawings.get(box).stale);
    if (next && library) enqueue(next);
  });
}

function drawNow(box) {
  const drawing = drawings.get(box);
  if (!library || !drawing) return;
  drawing.stale = false;
  drawing.width = box.clientWidth;
  drawing.draw(box);
}

function stale(box) {
  const drawing = drawings.get(box);
  drawing.stale = true;
  if (drawing.near) enqueue(box);
}

function drawVisible() {
  for (const [box, drawing] of drawings) if (drawing.near) enqueue(box);
  if (!queue.size) drawWhenIdle();
}

function chart(draw, attributes) {
  const box = el('div', {class: 'chart', role: 'img', ...attributes});
  drawings.set(box, {draw, stale: true, near: false, width: 0});
  seen.observe(box);
  sized.observe(box);
  return box;
}

function forgetCharts() {
  for (const box of drawings.keys()) {
    seen.unobserve(box);
    sized.unobserve(box);
    if (box.dataset.drawn) library.purge(box);
  }
  drawings.clear();
  queue.clear();
  tracks.length = 0;
}

function plot(box, traces, frame, {axis = {}, shapes = [], annotations = [], stacked = false} = {}) {
  const ink = colour('--soft');
  const layout = {
    width: box.clientWidth, height: Math.max(box.clientHeight, 140), margin: MARGIN, showlegend: false,
    paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)', barmode: stacked ? 'relative' : 'overlay', bargap: 0.08,
    font: {family: 'system-ui, sans-serif', size: 11, color: ink}, hovermode: 'x unified', dragmode: 'zoom',
    hoverlabel: {bgcolor: colour('--sheet'), bordercolor: colour('--line'), font: {color: colour('--ink'), size: 12}},
    xaxis: {type: 'date', range: [wallText(frame.from), wallText(frame.to)], gridcolor: colour('--grid'), linecolor: colour('--line'),
      nticks: Math.max(3, Math.floor(box.clientWidth / 95)), hoverformat: '%a %-d %b %H:%M:%S', zeroline: false},
    yaxis: {gridcolor: colour('--grid'), zeroline: false, fixedrange: true, nticks: 6, tickformat: '~s', rangemode: 'tozero',
      ...(axis.scale === 'log' ? {type: 'log', rangemode: 'normal'} : {})},
    shapes, annotations,
  };
  if (Number.isFinite(axis.min) || Number.isFinite(axis.max)) {
    layout.yaxis.range = [axis.min ?? null, axis.max ?? null];
    layout.yaxis.rangemode = 'normal';
  } else if (axis.include_zero === false) layout.yaxis.rangemode = 'normal';
  library.react(box, traces, layout, {displayModeBar: false, doubleClick: false, showTips: false});
  if (!box.dataset.drawn) {
    box.on('plotly_relayout', (change) => {
      if ('xaxis.range[0]' in change) setFrame(instantOf(change['xaxis.range[0]']), instantOf(change['xaxis.range[1]']));
    });
    box.on('plotly_doubleclick', () => setFrame(state.rehearsal.start, state.rehearsal.end));
  }
  box.dataset.drawn = 'chart';
  box.dataset.from = Math.round(frame.from);
  box.dataset.to = Math.round(frame.to);
  if (!root.dataset.firstChart) root.dataset.firstChart = Math.round(performance.now());
}

// Breaks a line where no point came for longer than Datadog joins two points.
function broken(found) {
  const far = Math.max(INTERPOLATED, found.step * 1.5);
  const x = [];
  const y = [];
  const low = [];
  const high = [];
  found.t.forEach((instant, i) => {
    if (i && instant - found.t[i - 1] > far) [x, y, low, high].forEach((list, k) => list.push(k ? null : wallText(found.t[i - 1] + 1)));
    x.push(wallText(instant));
    y.push(Number.isNaN(found.v[i]) ? null : found.v[i]);
    low.push(found.low ? found.low[i] : null);
    high.push(found.high ? found.high[i] : null);
  });
  return {x, y, low, high};
}

// The shape between two edges, one closed piece for each unbroken stretch.
function outline(x, low, high) {
  const shape = {x: [], y: []};
  let begin = 0;
  for (let i = 0; i <= x.length; i += 1) {
    if (i < x.length && low[i] !== null) continue;
    for (let k = begin; k < i; k += 1) shape.x.push(x[k]), shape.y.push(high[k]);
    for (let k = i - 1; k >= begin; k -= 1) shape.x.push(x[k]), shape.y.push(low[k]);
    shape.x.push(null);
    shape.y.push(null);
    begin = i + 1;
  }
  return shape;
}

function fade(hex, alpha) {
  const value = parseInt(hex.slice(1), 16);
  return `rgba(${value >> 16},${(value >> 8) & 255},${value & 255},${alpha})`;
}

function lineTraces(label, found, hex, {display = 'line', stack = '', dashed = false} = {}) {
  const {x, y, low, high} = broken(found);
  const hovertemplate = '%{y:.6~g}';
  const base = {x, y, name: clipped(label), hovertemplate};
  if (display === 'bars') {
    const centre = Array.from(found.t, (instant) => wallText(instant + found.step / 2));
    const text = Array.from(found.t, (instant) => plain(clock(instant)));
    return [{...base, type: 'bar', x: centre, y: Array.from(found.v), width: found.step * 920, marker: {color: hex}, customdata: text}];
  }
  const few = found.t.length <= 40;
  const trace = {...base, type: 'scatter', mode: few ? 'lines+markers' : 'lines', marker: {size: 5, color: hex},
    line: {color: hex, width: 1.6, dash: dashed ? 'dot' : 'solid'}, connectgaps: false};
  if (display === 'area') return [{...trace, stackgroup: stack, fillcolor: fade(hex, 0.35)}];
  if (!found.low) return [trace];
  return [{...outline(x, low, high), type: 'scatter', mode: 'none', hoverinfo: 'skip', fill: 'toself', fillcolor: fade(hex, 0.17)}, trace];
}

const MARKER = {error: '--alert', warning: '--warn', ok: '--ok', info: '--accent'};

function markerShapes(markers) {
  const shapes = [];
  const annotations = [];
  for (const marker of markers) {
    const tone = colour(MARKER[marker.severity] || '--accent');
    const across = {xref: 'paper', x0: 0, x1: 1};
    if (marker.low !== null && marker.high !== null && marker.low !== marker.high) {
      shapes.push({type: 'rect', ...across, y0: marker.low, y1: marker.high, fillcolor: tone, opacity: 0.1, line: {width: 0}, layer: 'below'});
    } else {
      const y = marker.low ?? marker.high;
      shapes.push({type: 'line', ...across, y0: y, y1: y, line: {color: tone, width: 1.3, dash: marker.dashed ? 'dash' : 'solid'}});
    }
    if (marker.label) {
      annotations.push({xref: 'paper', x: 0.004, xanchor: 'left', y: marker.high ?? marker.low, yanchor: 'bottom', yshift: -1,
        text: clipped(marker.label), showarrow: false, font: {color: tone, size: 10.5}, bgcolor: fade(colour('--sheet'), 0.7), borderpad: 1});
    }
  }
  return {shapes, annotations};
}

// Widgets

const selected = (query) => query.answers[JSON.stringify(query.variables.map((variable) => state.chosen[variable] ?? '*'))] || {series: [], missing: []};

function widgetFrame(widget) {
  return widget.span ? {from: state.to - widget.span, to: state.to} : {from: state.from, to: state.to};
}

function absent(missing) {
  if (!missing.length) return el('p', {class: 'absent'}, el('strong', {}, 'No points'), 'nothing was submitted for this selection in this frame');
  const names = [...new Set(missing)];
  return el('p', {class: 'absent'}, el('strong', {}, 'No data in this rehearsal'), names.length > 1 ? 'metrics ' : 'metric ',
    names.map((metric, i) => [i ? ', ' : '', el('code', {}, name(metric))]));
}

function timeseries(widget) {
  const lines = [];
  const missing = [];
  for (const request of widget.requests) {
    const palette = PALETTES[request.palette] || PALETTES.dog_classic;
    let used = 0;
    for (const query of request.queries) {
      const answer = selected(query);
      missing.push(...answer.missing);
      for (const series of answer.series) {
        const label = series.name === '*' ? query.name : answer.series.length > 1 || series.name.includes(':') ? `${query.name} · ${series.name}` : query.name;
        lines.push({request, series, label, hex: palette[used % palette.length]});
        used += 1;
      }
    }
  }
  const remarks = widget.requests.map((request) => request.remark).filter(Boolean);
  if (missing.length && lines.length) remarks.push(`No data in this rehearsal: ${[...new Set(missing)].join(', ')}`);
  if (!lines.length) return {drawn: 'empty', parts: [absent(missing)]};

  const legend = el('div', {class: 'legend-box', tabindex: lines.length > 5 ? '0' : null});
  const coarse = el('p', {class: 'remark', hidden: true});
  const box = chart((target) => {
    const frame = widgetFrame(widget);
    const found = lines.map((line) => points(line.series, frame));
    const traces = lines.flatMap((line, i) => lineTraces(line.label, found[i], line.hex,
      {display: line.request.display, stack: `stack${widget.requests.indexOf(line.request)}`, dashed: line.request.dashed}));
    plot(target, traces, frame, {...markerShapes(widget.markers), axis: widget.axis, stacked: true});
    legend.replaceChildren(legendTable(lines, found));
    const steps = lines.map((line, i) => (line.series.levels.length > 1 && found[i].step > wantedBucket(frame) ? found[i].step : 0));
    coarse.hidden = !Math.max(...steps);
    coarse.textContent = `Finer points of this time are not in the page: each one stands for ${duration(Math.max(...steps))}; the shading holds the extremes.`;
    target.setAttribute('aria-label', `${widget.title}: ${lines.length} series, ${clock(frame.from)} to ${clock(frame.to)}. The table below has the numbers.`);
  });
  return {drawn: 'chart', parts: [box, legend, coarse, ...remarks.map((text) => el('p', {class: 'remark'}, text))]};
}

function legendTable(lines, found) {
  return el('table', {class: 'legend'},
    el('thead', {}, el('tr', {}, ['', 'avg', 'min', 'max', 'last'].map((text) => el('th', {scope: 'col'}, text)))),
    el('tbody', {}, lines.map((line, i) => {
      const values = Array.from(found[i].v).filter((value) => !Number.isNaN(value));
      const cells = ['avg', 'min', 'max', 'last'].map((how) => el('td', {}, values.length ? number(AGGREGATES[how](values)) : '–'));
      return el('tr', {}, el('td', {}, el('span', {class: 'swatch', style: {background: line.hex}}), name(line.label)), cells);
    })));
}

function scalars(request, frame) {
  const missing = [];
  const found = {};
  for (const query of request.queries) {
    const answer = selected(query);
    missing.push(...answer.missing);
    found[query.name] = new Map(answer.series.map((series) => [series.name, scalar(series, query.aggregator, frame)]));
  }
  const present = Object.values(found).some((map) => map.size);
  return {missing, values: present ? compute(request.formula, found) : new Map()};
}

function live(widget, drawn, fill) {
  const body = el('div', {style: {flex: '1', display: 'flex', 'flex-direction': 'column', 'min-width': '0'}});
  refreshers.push(() => body.replaceChildren(...fill(widgetFrame(widget))));
  body.replaceChildren(...fill(widgetFrame(widget)));
  return {drawn, parts: [body]};
}

const COMPARE = {'>': (a, b) => a > b, '>=': (a, b) => a >= b, '<': (a, b) => a < b, '<=': (a, b) => a <= b, '=': (a, b) => a === b, '!=': (a, b) => a !== b};
const TONES = {red: ['#c8323c', '#fff'], yellow: ['#e7b32c', '#231a00'], green: ['#2c8a53', '#fff'], blue: ['#3f68c9', '#fff'], gray: ['#6e7889', '#fff'],
  grey: ['#6e7889', '#fff'], white: ['#ffffff', '#1d2330'], black: ['#1d2330', '#fff'], orange: ['#dd7a24', '#231a00']};

function conditional(formats, value) {
  const format = value === null ? null : formats.find((one) => COMPARE[one.comparator] && COMPARE[one.comparator](value, one.value));
  const [front, back] = String(format ? format.palette : '').split('_on_');
  if (!back || !TONES[back]) return {};
  if (back === 'white') return {color: TONES[front] ? TONES[front][0] : 'inherit'};
  return {background: TONES[back][0], color: front === 'white' || front === 'black' ? TONES[back][1] : (TONES[front] || ['inherit'])[0]};
}

function queryValue(widget) {
  const request = widget.requests[0];
  const answered = request.queries.some((query) => selected(query).series.length);
  if (!answered) return {drawn: 'empty', parts: [absent(request.queries.flatMap((query) => selected(query).missing))]};
  return live(widget, 'number', (frame) => {
    const {values} = scalars(request, frame);
    const value = [...values.values()][0] ?? null;
    if (value === null) return [absent([])];
    const [text, letter] = scaled(value, widget);
    return [el('div', {class: 'figure', style: conditional(request.formats, value), 'data-value': value},
      el('b', {}, text, letter || widget.unit ? el('small', {}, ` ${letter}${widget.unit}`) : null))];
  });
}

function topList(widget) {
  const request = widget.requests[0];
  const answered = request.queries.some((query) => selected(query).series.length);
  if (!answered) return {drawn: 'empty', parts: [absent(request.queries.flatMap((query) => selected(query).missing))]};
  return live(widget, 'list', (frame) => {
    const entries = [...scalars(request, frame).values].filter(([, value]) => value !== null).sort((a, b) => b[1] - a[1]).slice(0, 10);
    if (!entries.length) return [absent([])];
    const most = Math.max(...entries.map(([, value]) => Math.abs(value))) || 1;
    const hex = (PALETTES[request.palette] || PALETTES.dog_classic)[0];
    return [el('ol', {class: 'list'}, entries.map(([key, value]) => el('li', {class: 'bar', 'data-value': value},
      el('i', {style: {width: `${Math.abs(value) / most * 100}%`, background: conditional(request.formats, value).background || hex}}),
      el('span', {class: 'grow'}, name(key)), el('span', {class: 'number'}, scaled(value, widget).join(' ')))))];
  });
}

function stateAt(group, instant) {
  return group.states.find(([from, to]) => from <= instant && instant < to)?.[2];
}

const worst = (states) => states.reduce((a, b) => (SEVERITY.indexOf(b) > SEVERITY.indexOf(a) ? b : a), 'OK');
const mutedAt = (group, instant) => group.muted.find(([from, to]) => from <= instant && instant < to);

function monitorSummary(widget) {
  if (!widget.monitors.length) return {drawn: 'empty', parts: [el('p', {class: 'absent'}, el('strong', {}, 'No monitor'), 'none of this rehearsal matches ', el('code', {}, widget.remark))]};
  return live(widget, 'list', (frame) => {
    const shown = widget.monitors.map((index) => {
      const monitor = state.rehearsal.monitors[index];
      const groups = monitor.groups.map((group) => ({what: stateAt(group, frame.to - 1), muted: mutedAt(group, frame.to - 1)})).filter((one) => one.what);
      return {monitor, index, groups, what: groups.length ? worst(groups.map((one) => one.what)) : 'No Data'};
    });
    const counts = SEVERITY.toReversed().map((what) => [what, shown.filter((one) => one.what === what).length]).filter(([, count]) => count);
    return [
      el('div', {class: 'counts'}, counts.map(([what, count]) => el('span', {class: 'state', 'data-state': what}, `${count} ${what}`))),
      el('ul', {class: 'list'}, shown.map(({monitor, index, groups, what}) => el('li', {},
        pill(what, groups.some((one) => one.muted)),
        el('span', {class: 'grow'}, el('a', {href: `#/monitors/${index}`}, name(monitor.name)),
          el('br'), el('small', {class: 'soft'}, monitor.priority ? `P${monitor.priority} · ` : '',
            `${groups.filter((one) => one.what !== 'OK').length} of ${groups.length} groups not OK`,
            groups.some((one) => one.muted) ? ' · muted' : ''))))),
      el('p', {class: 'remark'}, `At ${clock(frame.to)}.`),
    ];
  });
}

const TINTS = {blue: '#4a73d9', green: '#2f9e6b', orange: '#e0872f', purple: '#8467cf', yellow: '#d9aa2b', pink: '#c4568f', gray: '#8a93a5', white: '#8a93a5', red: '#c8323c'};
const tint = (text) => TINTS[text.replace('vivid_', '')] || '';

const WIDGETS = {
  timeseries, query_value: queryValue, toplist: topList, monitors: monitorSummary,
  note: (widget) => ({drawn: 'note', parts: [proseBlock(widget.prose)]}),
  placeholder: (widget) => ({drawn: 'placeholder', parts: [el('p', {class: 'absent'}, el('strong', {}, 'Not shown here'), widget.remark)]}),
};

function place(element, [x, y, width, height], half) {
  for (const [key, value] of Object.entries({'--x': x + 1, '--y': y + 1, '--w': width, '--h': height})) element.style.setProperty(key, value);
  if (half) element.classList.add('half');
  return element;
}

const inOrder = (widgets) => [...widgets].sort((a, b) => a.layout[1] - b.layout[1] || a.layout[0] - b.layout[0]);

function widgetElement(widget) {
  if (widget.kind === 'group') {
    const body = el('div', {class: 'grid'}, inOrder(widget.widgets).map(widgetElement));
    return place(el('section', {class: 'group', style: {'--tint': tint(widget.colour) || 'var(--soft)'}}, el('h2', {}, name(widget.title)), body), widget.layout);
  }
  const {drawn, parts} = WIDGETS[widget.kind](widget);
  const hatched = drawn === 'placeholder' || drawn === 'empty';
  const box = el('section', {class: `widget${widget.kind === 'note' ? ' note' : ''}${hatched ? ' hatched' : ''}`, 'data-widget': widget.kind, 'data-drawn-as': drawn},
    widget.title && el('h3', {}, name(widget.title), widget.span && !hatched ? el('small', {}, `past ${duration(widget.span).replace(/^1 /, '')}`) : null), parts);
  if (widget.kind === 'note' && tint(widget.colour)) box.style.setProperty('--tint', tint(widget.colour));
  return place(box, widget.layout, widget.layout[2] <= 4 && widget.kind === 'query_value');
}

// Messages

const MARKS = {OK: '✓', Warn: '!', Alert: '‼', 'No Data': '?', Downtime: 'z'};

function kindOf(message) {
  return message.monitor === null ? 'Downtime' : message.state;
}

function delivery(message) {
  const names = message.downtimes.map((index, i) => [i ? ' and ' : '', el('strong', {}, name(state.rehearsal.downtimes[index].name))]);
  if (message.muted) return el('p', {class: 'verdict'}, 'Not sent: muted by the downtime ', names.flat(), '.');
  if (!message.recipients.length) return el('p', {class: 'verdict'}, 'Nobody is told: the message names no recipient. Datadog would only keep the event.');
  return null;
}

function messageView(message, heading) {
  const monitor = message.monitor === null ? null : state.rehearsal.monitors[message.monitor];
  const facts = [['When', clock(message.instant, true)]];
  if (monitor) facts.push(['Monitor', el('a', {href: `#/monitors/${message.monitor}`}, name(monitor.name))]);
  if (monitor && message.group !== null && monitor.groups[message.group].name !== '*') facts.push(['Group', name(monitor.groups[message.group].name)]);
  if (message.previous) facts.push(['State', `${message.previous === message.state ? '' : `${message.previous} → `}${message.state}${message.reason ? ` (${message.reason})` : ''}`]);
  if (message.value) facts.push(['Value', message.value]);
  if (message.host) facts.push(['Host', [name(message.host), message.ip ? ` (${message.ip})` : ' (no IP address in the rehearsal)']]);
  facts.push([message.muted ? 'Would go to' : 'To', message.recipients.length ? message.recipients.map((one, i) => [i ? ', ' : '', name(one)]) : 'nobody']);
  return el('article', {class: 'message'},
    el('div', {}, el('span', {class: message.muted ? 'state muted' : 'state', 'data-state': kindOf(message)}, monitor ? message.state : `Downtime ${message.state}`)),
    el('h2', {id: heading, dir: 'auto'}, message.title),
    delivery(message),
    el('dl', {class: 'facts'}, facts.map(([term, detail]) => [el('dt', {}, term), el('dd', {}, detail)])),
    proseBlock(message.prose),
    monitor && el('p', {class: 'no-print'}, button('Show this hour in the charts', () => {
      reader.close();
      setFrame(message.instant - 2700, message.instant + 900);
      location.hash = `#/monitors/${message.monitor}`;
    })));
}

const reader = document.getElementById('reader');
reader.addEventListener('click', (event) => { if (event.target === reader) reader.close(); });

function read(messages) {
  const close = button('Close', () => reader.close(), {class: 'quiet close', autofocus: true});
  if (messages.length === 1) reader.replaceChildren(close, messageView(messages[0], 'reader-title'));
  else {
    reader.replaceChildren(close, el('h2', {id: 'reader-title'}, `${messages.length} messages, ${clock(messages[0].instant)} to ${clock(messages.at(-1).instant)}`),
      rowList(messages.slice(0, 200), null, (message) => read([message])));
  }
  if (!reader.open) reader.showModal();
}

function rowList(messages, current, choose) {
  return el('ul', {class: 'rows'}, messages.map((message) => el('li', {}, el('button', {
    type: 'button', class: message.muted ? 'row is-muted' : 'row', 'aria-current': message === current ? 'true' : null, onclick: () => choose(message),
  }, el('span', {class: 'title'}, name(message.title)), el('span', {class: 'time'}, clock(message.instant)),
  el('span', {class: 'who'}, message.muted ? 'muted, would go to ' : 'to ', message.recipients.length ? name(message.recipients.join(', ')) : 'nobody'),
  el('span', {}, pill(kindOf(message), message.muted))))));
}

// Monitors: the signal, and under it lanes that share its axis.

const tracks = [];

function share(frame, instant) {
  return Math.min(1, Math.max(0, (instant - frame.from) / (frame.to - frame.from)));
}

function layTracks() {
  for (const lay of tracks) lay({from: state.from, to: state.to});
}

function lane(label, kind, lay) {
  const track = el('div', {class: `track ${kind}`});
  tracks.push((frame) => lay(track, frame));
  return el('div', {class: 'lane'}, el('span', {}, label), track);
}

// One colour per pixel at most: the worst state of a pixel wins, so that a short Alert shows in a long frame.
function layStates(track, frame, group) {
  const width = Math.max(1, Math.floor(track.clientWidth));
  const cells = new Array(width).fill(null);
  group.states.forEach(([from, to, what]) => {
    if (to <= frame.from || from >= frame.to) return;
    const first = Math.floor(share(frame, from) * width);
    const last = Math.max(first + 1, Math.floor(share(frame, to) * width));
    for (let cell = first; cell < Math.min(last, width); cell += 1) cells[cell] = cells[cell] === null ? what : worst([cells[cell], what]);
  });
  const runs = [];
  cells.forEach((what, cell) => {
    if (what !== null && runs.length && runs.at(-1).what === what && runs.at(-1).end === cell) runs.at(-1).end += 1;
    else if (what !== null) runs.push({what, start: cell, end: cell + 1});
  });
  track.replaceChildren(...runs.map(({what, start, end}) => el('i', {'data-state': what, title: what,
    style: {left: `${start / width * 100}%`, width: `${(end - start) / width * 100}%`}})));
}

function layMuted(track, frame, group) {
  track.replaceChildren(...group.muted.filter(([from, to]) => to > frame.from && from < frame.to).map(([from, to, downtime]) => el('i', {
    class: 'shade', title: `${state.rehearsal.downtimes[downtime].name}: ${clock(from)} to ${clock(to)}`,
    style: {left: `${share(frame, from) * 100}%`, width: `${(share(frame, to) - share(frame, from)) * 100}%`}})));
}

function layMarks(track, frame, messages) {
  const width = track.clientWidth;
  const clusters = [];
  for (const message of messages) {
    if (message.instant < frame.from || message.instant > frame.to) continue;
    const x = share(frame, message.instant) * width;
    if (clusters.length && x - clusters.at(-1).x < 16) clusters.at(-1).messages.push(message);
    else clusters.push({x, messages: [message]});
  }
  track.replaceChildren(...clusters.map(({x, messages: close}) => {
    const sent = close.filter((message) => !message.muted);
    const what = worst((sent.length ? sent : close).map((message) => message.state));
    const label = close.length === 1
      ? `${what}${close[0].muted ? ', muted' : ''}, ${clock(close[0].instant)}: ${close[0].title}`
      : `${close.length} messages, ${sent.length} sent, ${clock(close[0].instant)} to ${clock(close.at(-1).instant)}`;
    return el('button', {type: 'button', class: sent.length ? 'mark' : 'mark muted', 'data-state': what, title: label, 'aria-label': label,
      style: {left: `${x / width * 100}%`}, onclick: () => read(close)}, close.length > 1 ? (close.length > 99 ? '99' : String(close.length)) : MARKS[what]);
  }));
}

function monitorGroup(monitor, group, messages) {
  const draw = (box) => {
    const frame = {from: state.from, to: state.to};
    const found = points(group.signal, frame);
    const {shapes, annotations} = markerShapes(Object.entries(monitor.thresholds).map(([key, value]) => ({
      low: value, high: value, severity: key.startsWith('critical') ? 'error' : 'warning', dashed: key.endsWith('recovery'),
      label: `${{critical: 'alert', warning: 'warning'}[key] || key.replace('_', ' ')} ${key.endsWith('recovery') ? '' : `${monitor.comparator} `}${number(value)}`})));
    for (const [from, to] of group.muted) {
      if (to > frame.from && from < frame.to) {
        shapes.push({type: 'rect', yref: 'paper', y0: 0, y1: 1, x0: wallText(Math.max(from, frame.from)), x1: wallText(Math.min(to, frame.to)),
          fillcolor: colour('--mute'), opacity: 0.1, line: {width: 0}, layer: 'below'});
      }
    }
    plot(box, lineTraces('value', found, PALETTES.dog_classic[0]), frame, {shapes, annotations});
    const values = Array.from(found.v);
    box.setAttribute('aria-label', `${monitor.name}, ${group.name}: ${values.length ? `${number(AGGREGATES.min(values))} to ${number(AGGREGATES.max(values))}` : 'no value'}, ${clock(frame.from)} to ${clock(frame.to)}`);
  };
  return el('div', {class: 'monitor-group'},
    group.name !== '*' && el('h3', {class: 'group-name'}, name(group.name)),
    group.signal ? chart(draw, {class: 'chart track-chart'}) : el('p', {class: 'absent'}, el('strong', {}, 'No value'), 'this group never had a value'),
    lane('state', 'band', (track, frame) => layStates(track, frame, group)),
    lane('muted', 'band', (track, frame) => layMuted(track, frame, group)),
    lane('inbox', 'marks', (track, frame) => layMarks(track, frame, messages)));
}

const GROUPS_AT_ONCE = 8;

function monitorCard(monitor, index) {
  const messages = state.rehearsal.messages.filter((message) => message.monitor === index);
  const byGroup = monitor.groups.map((group, i) => ({group, messages: messages.filter((message) => message.group === i)}));
  const order = byGroup.length > GROUPS_AT_ONCE ? [...byGroup].sort((a, b) => b.messages.length - a.messages.length) : byGroup;
  const list = el('div');
  let shown = 0;
  const more = button('', () => show(), {class: 'quiet more'});
  function show() {
    list.append(...order.slice(shown, shown + GROUPS_AT_ONCE).map((one) => monitorGroup(monitor, one.group, one.messages)));
    shown = Math.min(order.length, shown + GROUPS_AT_ONCE);
    more.hidden = shown >= order.length;
    more.textContent = `Show more groups (${order.length - shown} left, those with most messages first)`;
    requestAnimationFrame(layTracks);
  }
  show();
  const sent = messages.filter((message) => !message.muted).length;
  return el('section', {class: 'card', id: `monitor-${index}`}, el('h2', {}, name(monitor.name)),
    el('p', {}, el('code', {}, name(monitor.query))),
    el('p', {class: 'soft'}, `${sent} sent, ${messages.length - sent} muted`, monitor.priority ? ` · P${monitor.priority}` : '',
      monitor.tags.length ? [' · ', name(monitor.tags.join(', '))] : null), list, more);
}

// Pages

const refreshers = [];

function dashboardPage(index) {
  const dashboard = state.rehearsal.dashboards[index];
  return [el('h1', {}, name(dashboard.title)), dashboard.description && el('p', {class: 'lead'}, name(dashboard.description)),
    el('div', {class: 'grid', 'data-dashboard': index}, inOrder(dashboard.widgets).map(widgetElement))];
}

function monitorsPage() {
  const {monitors} = state.rehearsal;
  return [el('h1', {}, 'Monitors'),
    el('p', {class: 'lead'}, 'The value that each monitor compared with its thresholds, minute by minute, and what came of it. Choose a mark in the lane “inbox” to read the message.'),
    el('div', {class: 'key'}, SEVERITY.map((what) => el('span', {'data-state': what}, el('i'), what)), el('span', {}, el('i', {class: 'shade'}), 'downtime'),
      el('span', {}, el('i', {class: 'hollow'}), 'muted message')),
    monitors.length ? monitors.map(monitorCard) : el('p', {class: 'absent'}, el('strong', {}, 'No monitor was rehearsed'))];
}

const AT_ONCE = 200;

function inboxPage() {
  const {messages, monitors} = state.rehearsal;
  const filters = {state: '', recipient: '', monitor: '', delivery: '', ...state.filters};
  const recipients = [...new Set(messages.flatMap((message) => message.recipients))].sort();
  const matching = messages.filter((message) => (!filters.state || kindOf(message) === filters.state)
    && (!filters.recipient || (filters.recipient === '-' ? !message.recipients.length : message.recipients.includes(filters.recipient)))
    && (filters.monitor === '' || String(message.monitor) === filters.monitor)
    && (!filters.delivery || (filters.delivery === 'muted') === message.muted));
  const change = (key) => (value) => {
    state.filters = {...filters, [key]: value};
    const focused = document.activeElement && document.activeElement.closest('[data-filter]');
    render();
    if (focused) document.querySelector(`[data-filter="${focused.dataset.filter}"] select, [data-filter="${focused.dataset.filter}"] [aria-pressed="true"]`)?.focus();
  };
  const wrap = (key, control) => { control.dataset.filter = key; return control; };
  let current = matching.includes(state.open) ? state.open : matching[0];
  const pane = el('div', {class: 'pane', 'aria-live': 'polite', tabindex: '-1'});
  const list = el('div');
  let limit = AT_ONCE;
  const narrow = () => matchMedia('(max-width: 760px)').matches;
  function open(message) {
    current = message;
    state.open = message;
    if (narrow()) return read([message]);
    fill();
    list.querySelector('[aria-current]')?.focus();
    return null;
  }
  function fill() {
    const rest = matching.length - limit;
    list.replaceChildren(rowList(matching.slice(0, limit), narrow() ? null : current, open),
      ...(rest > 0 ? [button(`Show more (${rest} left)`, () => { limit += AT_ONCE; fill(); }, {class: 'quiet more'})] : []));
    if (current) pane.replaceChildren(messageView(current));
  }
  fill();
  pane.hidden = narrow();
  const sent = matching.filter((message) => !message.muted).length;
  return [el('h1', {}, 'Inbox'),
    el('p', {class: 'lead'}, 'Every message of the whole rehearsal, as its recipients would read it. Nothing left this machine.'),
    el('div', {class: 'filters', role: 'group', 'aria-label': 'Filters'},
      wrap('delivery', segments('Delivery', [['', 'All'], ['sent', 'Sent'], ['muted', 'Muted']], filters.delivery, change('delivery'))),
      wrap('state', select('State', [['', 'all'], ...['Alert', 'Warn', 'No Data', 'OK', 'Downtime'].map((what) => [what, what === 'OK' ? 'OK (recovered)' : what])], filters.state, change('state'))),
      wrap('recipient', select('Recipient', [['', 'all'], ['-', 'nobody'], ...recipients.map((one) => [one, one])], filters.recipient, change('recipient'))),
      wrap('monitor', select('Monitor', [['', 'all'], ...monitors.map((monitor, i) => [String(i), monitor.name])], filters.monitor, change('monitor'))),
      el('span', {class: 'soft', role: 'status'}, `${sent} sent, ${matching.length - sent} muted`)),
    matching.length ? el('div', {class: 'inbox'}, list, pane) : el('p', {class: 'absent'}, el('strong', {}, 'No message'), messages.length ? 'none passes these filters' : 'nothing would have been sent')];
}

function table(headings, rows) {
  return el('table', {class: 'plain'}, el('thead', {}, el('tr', {}, headings.map((text) => el('th', {scope: 'col'}, text)))),
    el('tbody', {}, rows.map((row) => el('tr', {}, row.map((cell) => el('td', {}, cell))))));
}

function basisPage() {
  const {failures, assumptions, monitors, downtimes, messages, start, end, zone, description} = state.rehearsal;
  return [el('h1', {}, 'What this rests on'),
    el('p', {class: 'lead'}, `${clock(start)} to ${clock(end)} (${zone}), ${duration(end - start)}. `, name(description)),
    el('section', {class: failures.length ? 'card failures' : 'card'}, el('h2', {}, 'Expectations'),
      failures.length ? el('ul', {}, failures.map((text) => el('li', {}, name(text)))) : el('p', {}, 'Every expectation of the rehearsal held.')),
    el('section', {class: 'card'}, el('h2', {}, 'Assumptions'),
      el('p', {class: 'soft'}, 'Datadog’s public documents leave these questions open. The rehearsal relied on the answer given here.'),
      assumptions.length ? table(['', 'Question', 'Answer'], assumptions.map((one) => [one.id, one.question, one.choice])) : el('p', {}, 'None was needed.')),
    monitors.map((monitor) => {
      const reached = monitor.coverage.filter(([, yes]) => yes).length;
      return el('section', {class: 'card'}, el('h2', {}, 'Coverage: ', name(monitor.name)),
        el('p', {class: 'soft'}, `${reached} of ${monitor.coverage.length} reached`),
        table(['', ''], monitor.coverage.map(([what, yes]) => [name(what), yes ? '✓ reached' : el('strong', {}, 'never reached')])));
    }),
    downtimes.length ? el('section', {class: 'card'}, el('h2', {}, 'Downtimes'), downtimes.map((downtime, i) => [
      el('h3', {class: 'group-name'}, name(downtime.name)),
      el('p', {class: 'soft'}, 'scope ', el('code', {}, name(downtime.scope)), `, ${downtime.windows.length} windows, ${messages.filter((one) => one.muted && one.downtimes.includes(i)).length} messages muted`),
      downtime.windows.length ? table(['From', 'To', 'Length'], downtime.windows.slice(0, 14).map(([from, to]) => [clock(from), clock(to), duration(to - from)])) : null,
      downtime.windows.length > 14 ? el('p', {class: 'soft'}, `and ${downtime.windows.length - 14} more`) : null])) : null,
    el('section', {class: 'card'}, el('h2', {}, 'How to read the charts'),
      el('p', {}, 'Graphs show one point per bucket, with the bucket that Datadog documents for the length of the frame: 20 seconds up to an hour, 1 minute up to 4 hours, 5 minutes up to a day, 10 minutes up to two, 1 hour up to a week, then 4 hours. A query with a rollup of its own keeps it.'),
      el('p', {}, 'The shading behind a line reaches from the least to the greatest of the finest points inside each bucket: no extreme is lost in a long frame. Numbers and tables are computed from the points of the graph, as Datadog does, so an average over hours is an average of hourly points.'))];
}

const PAGES = {dashboards: dashboardPage, monitors: monitorsPage, inbox: inboxPage, basis: basisPage};

function route() {
  const [, kind, index] = location.hash.split('/');
  if (!Object.hasOwn(PAGES, kind || '')) return {kind: state.rehearsal.dashboards.length ? 'dashboards' : 'monitors', index: 0};
  const at = Number.parseInt(index, 10) || 0;
  return {kind, index: kind === 'dashboards' ? Math.min(at, state.rehearsal.dashboards.length - 1) : at, named: index !== undefined};
}

function navigation(current) {
  const {dashboards, messages} = state.rehearsal;
  const links = [...dashboards.map((dashboard, i) => [`#/dashboards/${i}`, dashboard.title, current.kind === 'dashboards' && current.index === i]),
    ['#/monitors', 'Monitors', current.kind === 'monitors'], ['#/inbox', `Inbox (${messages.length})`, current.kind === 'inbox'],
    ['#/basis', 'Assumptions and coverage', current.kind === 'basis']];
  document.getElementById('pages').replaceChildren(...links.map(([href, text, here]) => el('a', {href, 'aria-current': here ? 'page' : null}, name(text))));
}

function toolbar(current) {
  const bar = document.getElementById('toolbar');
  if (current.kind === 'inbox' || current.kind === 'basis') return bar.replaceChildren();
  const {start, end, zone, dashboards} = state.rehearsal;
  const span = state.to - state.from;
  const whole = state.from <= start && state.to >= end;
  const chosen = whole ? 0 : (FRAMES.find(([, seconds]) => seconds === Math.round(span)) || [])[1];
  const frames = FRAMES.filter(([, seconds]) => seconds < end - start).map(([text, seconds]) => [seconds, text, seconds ? `the ${text} before the end of the frame` : 'the whole rehearsal']);
  const focused = document.activeElement?.dataset?.choice;
  const move = (factor) => setFrame(state.from + span * factor, state.to + span * factor);
  const zoom = (factor) => { const middle = (state.from + state.to) / 2; setFrame(middle - span * factor / 2, middle + span * factor / 2); };
  const variables = current.kind === 'dashboards' ? dashboards[current.index].variables : [];
  bar.replaceChildren(
    ...variables.map((variable) => select(`$${variable.name}`, variable.values.map((value) => [value, value]), state.chosen[variable.name] ?? variable.default, (value) => {
      state.chosen[variable.name] = value;
      render();
      [...document.querySelectorAll('.toolbar .field')].find((field) => field.firstChild.textContent === `$${variable.name}`)?.querySelector('select').focus();
    })),
    segments('Time frame', frames, chosen, (seconds) => (seconds ? setFrame(state.to - seconds, state.to) : setFrame(start, end))),
    el('span', {class: 'moves'},
      button('‹', () => move(-1), {'aria-label': 'Earlier', title: 'Earlier', 'data-choice': 'earlier', disabled: state.from <= start}),
      button('›', () => move(1), {'aria-label': 'Later', title: 'Later', 'data-choice': 'later', disabled: state.to >= end}),
      button('+', () => zoom(0.5), {'aria-label': 'Zoom in', title: 'Zoom in; or drag across a chart', 'data-choice': 'in', disabled: span <= 60}),
      button('−', () => zoom(2), {'aria-label': 'Zoom out', title: 'Zoom out; double click on a chart shows the whole', 'data-choice': 'out', disabled: whole})),
    el('div', {class: 'when number'}, `${clock(state.from)} – ${clock(state.to)}`, el('small', {}, `${zone} · one point per ${duration(wantedBucket(state)).replace(/^1 /, '')}`)));
  if (focused) [...bar.querySelectorAll('[data-choice]')].find((one) => one.dataset.choice === focused)?.focus();
  return bar;
}

// A frame has whole seconds, at least a minute, and never leaves the rehearsal.
function setFrame(from, to) {
  const {start, end} = state.rehearsal;
  const span = Math.min(end - start, Math.max(60, Math.round(to - from)));
  state.to = Math.min(end, Math.max(start + span, Math.round(to)));
  state.from = state.to - span;
  toolbar(route());
  for (const refresh of refreshers) refresh();
  for (const box of drawings.keys()) stale(box);
  if (!queue.size) drawWhenIdle();
  layTracks();
}

function render() {
  const current = route();
  forgetCharts();
  refreshers.length = 0;
  navigation(current);
  toolbar(current);
  const content = PAGES[current.kind](current.index);
  document.getElementById('main').replaceChildren(...content.flat(2).filter(Boolean));
  layTracks();
  drawWhenIdle();
  document.title = `${document.getElementById('main').querySelector('h1').textContent} · rehearsal of ${page.integration}`;
  if (current.kind === 'monitors' && current.named) document.getElementById(`monitor-${current.index}`)?.scrollIntoView();
}

function begin(rehearsal) {
  Object.assign(state, {rehearsal, from: rehearsal.start, to: rehearsal.end, chosen: {}, filters: {}, open: null});
  for (const dashboard of rehearsal.dashboards) for (const variable of dashboard.variables) state.chosen[variable.name] ??= variable.default;
  render();
}

function setTheme(theme) {
  root.dataset.theme = theme;
  for (const box of drawings.keys()) stale(box);
}

function start() {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  setTheme(dark.matches ? 'dark' : 'light');
  dark.addEventListener('change', () => setTheme(dark.matches ? 'dark' : 'light'));
  document.getElementById('theme').addEventListener('click', () => setTheme(root.dataset.theme === 'dark' ? 'light' : 'dark'));
  document.getElementById('brand').append(name(page.integration));
  const chooser = document.getElementById('rehearsals');
  chooser.hidden = page.rehearsals.length < 2;
  chooser.querySelector('select').append(...page.rehearsals.map((rehearsal, i) => el('option', {value: i}, rehearsal.name)));
  chooser.querySelector('select').addEventListener('change', (event) => begin(page.rehearsals[event.target.value]));
  document.getElementById('footer').append(el('p', {}, `A rehearsal made offline by ddassets ${page.version}. This is not Datadog: signal, states and messages were computed on one machine, nothing was sent to anyone, and Datadog’s own result may differ where its documents are silent (see “Assumptions and coverage”).`));
  addEventListener('hashchange', () => { render(); scrollTo(0, 0); document.getElementById('main').focus({preventScroll: true}); });
  let before = null;
  addEventListener('beforeprint', () => { before = root.dataset.theme; setTheme('light'); for (const box of drawings.keys()) drawNow(box); });
  addEventListener('afterprint', () => setTheme(before));
  const loading = chartLibrary();
  begin(page.rehearsals[0]);
  loading.then((loaded) => {
    library = loaded;
    drawVisible();
  });
}

start();
