// Charts. They are drawn when they come into view, one per animation frame, so that a long page stays responsive.

let library = null;

function chartLibrary(source) {
  const script = document.createElement('script');
  script.textContent = source;
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

const changed = (box, drawing) => box.clientWidth !== drawing.width || box.clientHeight !== drawing.height;
let resizing = 0;
const sized = new ResizeObserver((entries) => {
  for (const {target} of entries) if (drawings.has(target) && changed(target, drawings.get(target))) stale(target);
  if (!queue.size) drawWhenIdle();
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
  // One that cannot be drawn does not keep the rest from it.
  try {
    if (box.isConnected) drawNow(box);
  } finally {
    if (queue.size) requestAnimationFrame(drawNext);
    else drawWhenIdle();
  }
}

// What is out of sight is drawn too, so that it is there when it is scrolled to or printed.
function drawWhenIdle() {
  // A busy machine may have no idle moment, and not every browser tells of them.
  const later = window.requestIdleCallback ? (act) => requestIdleCallback(act, {timeout: 500}) : (act) => setTimeout(act, 200);
  later(() => {
    const next = [...drawings.keys()].find((box) => drawings.get(box).stale);
    if (next && library) enqueue(next);
  });
}

function drawNow(box) {
  const drawing = drawings.get(box);
  if (!library || !drawing) return;
  drawing.stale = false;
  // What is drawn with it may take room from it: then it is drawn again.
  const size = {width: box.clientWidth, height: box.clientHeight};
  drawing.draw(box);
  Object.assign(drawing, size);
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
  drawings.set(box, {draw, stale: true, near: false, width: 0, height: 0});
  seen.observe(box);
  sized.observe(box);
  return box;
}

// Let go of the charts inside an element.
function forgetCharts(inside) {
  for (const box of [...drawings.keys()].filter((one) => inside.contains(one))) {
    seen.unobserve(box);
    sized.unobserve(box);
    if (box.dataset.drawn) library.purge(box);
    drawings.delete(box);
    queue.delete(box);
  }
  const kept = tracks.filter(({track}) => !inside.contains(track));
  tracks.splice(0, tracks.length, ...kept);
}

function plot(box, traces, frame, {axis = {}, shapes = [], annotations = [], stacked = false} = {}) {
  const ink = colour('--soft');
  const layout = {
    width: box.clientWidth, height: Math.max(box.clientHeight, 140), margin: MARGIN, showlegend: false,
    paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)', barmode: stacked ? 'relative' : 'overlay', bargap: 0.08,
    font: {family: 'system-ui, sans-serif', size: 11, color: ink}, hovermode: 'x unified', dragmode: 'zoom',
    hoverlabel: {bgcolor: colour('--sheet'), bordercolor: colour('--line'), font: {color: colour('--ink'), size: 12}},
    xaxis: {type: 'date', range: [axisText(frame.from), axisText(frame.to)], gridcolor: colour('--grid'), linecolor: colour('--line'),
      nticks: Math.max(3, Math.floor(box.clientWidth / 95)), hoverformat: '%a %-d %b %H:%M:%S', zeroline: false, ...ticks(frame, Math.max(3, Math.floor(box.clientWidth / 95)))},
    yaxis: {gridcolor: colour('--grid'), zeroline: false, fixedrange: true, nticks: 6, exponentformat: 'SI', rangemode: 'tozero',
      ...(axis.scale === 'log' ? {type: 'log', rangemode: 'normal'} : {})},
    shapes, annotations,
  };
  const [least, most] = [axis.min, axis.max].map((bound) => (axis.scale !== 'log' ? bound ?? null : bound > 0 ? Math.log10(bound) : null));
  if (least !== null || most !== null) {
    layout.yaxis.range = [least, most];
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
  const when = [];
  found.t.forEach((instant, i) => {
    if (i && instant - found.t[i - 1] > far) [x, y, low, high, when].forEach((list, k) => list.push(k ? null : axisText(found.t[i - 1] + 1)));
    x.push(axisText(instant));
    when.push(clock(instant, true));
    y.push(Number.isNaN(found.v[i]) ? null : found.v[i]);
    low.push(found.low ? found.low[i] : null);
    high.push(found.high ? found.high[i] : null);
  });
  return {x, y, low, high, when};
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

// A line between the edges of a band, which is grey, and red where it is outside, as Datadog draws them.
function bandTraces(found, lower, upper, line) {
  const [least, most] = [lower, upper].map((side) => new Map(side ? Array.from(side.t, (instant, i) => [instant, side.v[i]]) : []));
  const outside = Array.from(found.t, (instant, i) => found.v[i] < least.get(instant) || found.v[i] > most.get(instant));
  const red = broken({...found, v: found.v.map((value, i) => (outside[i] || outside[i + 1] || outside[i - 1] ? value : NaN)), low: null});
  const grey = {type: 'scatter', hoverinfo: 'skip', meta: 'band'};
  const band = [];
  if (lower && upper) {
    const {x, low, high} = broken({...lower, low: lower.v, high: Array.from(lower.t, (instant) => most.get(instant) ?? null)});
    band.push({...grey, ...outline(x, low.map((value, i) => (high[i] === null ? null : value)), high), mode: 'none', fill: 'toself', fillcolor: fade('#8a93a5', 0.3)});
  } else {
    const {x, y} = broken(lower || upper);
    band.push({...grey, x, y, mode: 'lines', line: {color: '#8a93a5', width: 1.3, dash: 'dash'}});
  }
  return [...band, ...line,
    {x: red.x, y: red.y, type: 'scatter', mode: outside.some(Boolean) ? 'lines' : 'none', hoverinfo: 'skip', line: {color: colour('--alert-fill'), width: 2.6}, meta: 'outside'}];
}

function lineTraces(label, found, hex, {display = 'line', stack = '', dashed = false} = {}) {
  const {x, y, low, high, when} = broken(found);
  const hovertemplate = changing() ? '%{customdata}: %{y:.6~g}' : '%{y:.6~g}';
  const base = {x, y, customdata: when, name: clipped(label), hovertemplate};
  if (display === 'bars') {
    const centre = Array.from(found.t, (instant) => axisText(instant + found.step / 2));
    const text = Array.from(found.t, (instant) => clock(instant, true));
    return [{...base, type: 'bar', x: centre, y: Array.from(found.v), width: found.step * 920, marker: {color: hex}, customdata: text}];
  }
  const few = found.t.length <= 40;
  const trace = {...base, type: 'scatter', mode: few ? 'lines+markers' : 'lines', marker: {size: 5, color: hex},
    line: {color: hex, width: 1.6, dash: dashed ? 'dot' : 'solid'}, connectgaps: false};
  if (display === 'area') return [{...trace, stackgroup: stack, fillcolor: fade(hex, 0.35)}];
  if (!found.low) return [trace];
  return [{...outline(x, low, high), type: 'scatter', mode: 'none', hoverinfo: 'skip', fill: 'toself', fillcolor: fade(hex, 0.17)}, trace];
}

const MARKER = {__proto__: null, error: '--alert', warning: '--warn', ok: '--ok', info: '--accent'};

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
