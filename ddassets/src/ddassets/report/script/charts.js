// Charts. They are drawn when they come into view, one per animation frame, so that a long page stays responsive.

let library = null;

function chartLibrary(source) {
  const script = document.createElement('script');
  script.textContent = source;
  document.head.append(script);
  return window.uPlot;
}

const clipped = (text) => (text.length > 60 ? `${text.slice(0, 59)}…` : text);
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
    box.chart?.destroy();
    drawings.delete(box);
    queue.delete(box);
  }
  const kept = tracks.filter(({track}) => !inside.contains(track));
  tracks.splice(0, tracks.length, ...kept);
}

// Draw lines into a box. A line has instants `t` and values `v` (null breaks it), a `role`, a colour, and a `display`:
// line, bars, area, or none where it only bounds a shading. `above` is the line that its shading reaches down to.
function plot(box, lines, frame, {axis = {}, levels = [], shades = [], moment = null} = {}) {
  const width = box.clientWidth;
  const height = Math.max(box.clientHeight, 140);
  const {instants: at, labels} = ticks(frame, Math.max(2, Math.floor((width - MARGIN.l) / 80)));
  const [ink, grid] = [colour('--soft'), colour('--grid')];
  // The label of a tick at the very end would be cut.
  const room = (frame.to - frame.from) * 6 / (width - MARGIN.l - MARGIN.r);
  const shownLabels = labels.map((text, i) => (frame.to - at[i] < room ? '' : text));
  const shown = lines.map(({t, v}) => [t, v]);
  const data = shown.length ? library.join(shown) : [[frame.from, frame.to]];
  const log = axis.scale === 'log';
  const options = {
    width, height, padding: [MARGIN.t, MARGIN.r, 0, 0], legend: {show: false},
    scales: {x: {time: false, range: [frame.from, frame.to]}, y: {range: valueRange(lines, axis, levels), distr: log ? 3 : 1}},
    axes: [
      {size: MARGIN.b, stroke: ink, font: FONT, gap: 4, lineGap: 1.15, grid: {stroke: grid, width: 1}, ticks: {show: false}, splits: () => at, values: () => shownLabels},
      {size: MARGIN.l, stroke: ink, font: FONT, gap: 4, grid: {stroke: grid, width: 1}, ticks: {show: false}, space: 32,
        values: (_, splits) => splits.map((value) => (value === null ? '' : short(value)))},
    ],
    series: [{}, ...lines.map((line) => seriesOptions(line))],
    bands: lines.flatMap((line, i) => (line.above === undefined ? [] : [{series: [i + 1, line.above + 1], fill: line.shade}])),
    cursor: {y: false, points: {show: false}, drag: {x: true, y: false, setScale: false}, bind: {dblclick: () => () => null},
      sync: {key: 'page', setSeries: false, scales: ['x', null]}},
    hooks: {
      drawClear: [(u) => { for (const [from, to] of shades) fillRect(u, from, to, null, null, fade(colour('--mute'), 0.12)); fillLevels(u, levels); }],
      draw: [(u) => { drawLevels(u, levels); if (moment !== null) drawMoment(u, moment); }],
      setSelect: [(u) => {
        const {left, width: across} = u.select;
        if (across > 3) setFrame(u.posToVal(left, 'x'), u.posToVal(left + across, 'x'));
      }],
      setCursor: [(u) => follow(u, box, lines, frame)],
    },
  };
  box.chart?.destroy();
  box.chart = new library(options, data, box);
  box.chart.over.addEventListener('dblclick', () => setFrame(state.rehearsal.start, state.rehearsal.end));
  Object.assign(box, {lines, ticks: at.map((instant, i) => [instant, labels[i]])});
  box.tip = el('div', {class: 'tip', hidden: true});
  box.append(box.tip);
  Object.assign(box.dataset, {drawn: 'chart', from: Math.round(frame.from), to: Math.round(frame.to)});
  if (!root.dataset.firstChart) root.dataset.firstChart = Math.round(performance.now());
}

const FONT = '11px system-ui, sans-serif';

function seriesOptions(line) {
  const hidden = line.display === 'none';
  return {
    stroke: hidden ? null : line.hex, width: line.width || 1.6, dash: line.dash, spanGaps: false,
    fill: line.display === 'bars' || (line.display === 'area' && line.above === undefined) ? line.shade : null, fillTo: 0,
    points: {show: line.display === 'line' && line.t.length <= 40, size: 5, fill: line.hex},
    ...(hidden ? {width: 0} : {}), ...(line.display === 'bars' ? {paths: barPaths(line)} : {}),
  };
}

// Bars begin where their buckets do, whatever other lines share the instants.
function barPaths({step, base}) {
  return (u, series, first, last) => {
    const path = new Path2D();
    for (let i = first; i <= last; i += 1) {
      const value = u.data[series][i];
      if (value === null || value === undefined) continue;
      const [x0, x1] = [0.04, 0.96].map((part) => u.valToPos(u.data[0][i] + part * step, 'x', true));
      const [y0, y1] = [base.get(u.data[0][i]) ?? 0, value].map((one) => u.valToPos(one, 'y', true));
      path.rect(x0, Math.min(y0, y1), Math.max(1, x1 - x0), Math.max(1, Math.abs(y1 - y0)));
    }
    return {stroke: null, fill: path, clip: null, flags: 1};
  };
}

// From the least to the greatest value and limit, with zero unless the axis says otherwise.
function valueRange(lines, axis, levels) {
  let [low, high] = [Infinity, -Infinity];
  const include = (value) => {
    if (value === null || value === undefined || !Number.isFinite(value)) return;
    low = Math.min(low, value);
    high = Math.max(high, value);
  };
  for (const {v} of lines) for (const value of v) include(value);
  for (const level of levels) [level.low, level.high].forEach(include);
  if (axis.scale === 'log') return library.rangeLog(axis.min > 0 ? axis.min : Math.max(low, 1e-9), axis.max > 0 ? axis.max : Math.max(high, 1e-8), 10, true);
  if (low > high) [low, high] = [0, 1];
  if (axis.include_zero !== false) [low, high] = [Math.min(0, low), Math.max(0, high)];
  const pad = (high - low || Math.abs(high) || 1) * 0.06;
  const range = [axis.min ?? (low === 0 && axis.include_zero !== false ? 0 : low - pad), axis.max ?? (high === 0 && low < 0 ? 0 : high + pad)];
  return range[0] < range[1] ? range : [range[0] - 1, range[0] + 1];
}

const pixels = () => library.pxRatio || devicePixelRatio;

// A rectangle between two instants and two values; null reaches to the edge.
function fillRect(u, from, to, low, high, fill) {
  const {left, top, width, height} = u.bbox;
  const [x0, x1] = [from, to].map((one, i) => (one === null ? left + i * width : Math.min(left + width, Math.max(left, u.valToPos(one, 'x', true)))));
  const [y0, y1] = [high, low].map((one, i) => (one === null ? top + i * height : Math.min(top + height, Math.max(top, u.valToPos(one, 'y', true)))));
  u.ctx.fillStyle = fill;
  u.ctx.fillRect(x0, y0, x1 - x0, y1 - y0);
}

const isRange = ({low, high}) => low !== null && high !== null && low !== high;
const MARKER = {__proto__: null, error: '--alert', warning: '--warn', ok: '--ok', info: '--accent', unknown: '--unknown'};
const toneOf = (level) => colour(MARKER[level.severity] || '--accent');

function fillLevels(u, levels) {
  for (const level of levels.filter(isRange)) fillRect(u, null, null, level.low, level.high, fade(toneOf(level), 0.1));
}

function drawLevels(u, levels) {
  const {ctx, bbox: {left, top, width, height}} = u;
  const scale = pixels();
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top - 4 * scale, width, height + 8 * scale);
  ctx.clip();
  ctx.font = `${10.5 * scale}px system-ui, sans-serif`;
  ctx.textBaseline = 'bottom';
  ctx.textAlign = 'left';
  const placed = [];
  for (const level of levels) {
    const tone = toneOf(level);
    const y = u.valToPos(level.high ?? level.low, 'y', true);
    if (!isRange(level)) {
      ctx.strokeStyle = tone;
      ctx.lineWidth = 1.3 * scale;
      ctx.setLineDash(level.dashed ? [6 * scale, 4 * scale] : []);
      ctx.beginPath();
      ctx.moveTo(left, y);
      ctx.lineTo(left + width, y);
      ctx.stroke();
    }
    if (!level.label) continue;
    const text = clipped(level.label);
    ctx.fillStyle = fade(colour('--sheet'), 0.7);
    // Labels of near levels stand beside each other.
    const across = ctx.measureText(text).width + 4 * scale;
    const x = placed.reduce((at, one) => (Math.abs(one.y - y) < 14 * scale ? Math.max(at, one.end + 4 * scale) : at), left + 4 * scale);
    placed.push({y, end: x + across});
    ctx.fillRect(x, y - 15 * scale, across, 14 * scale);
    ctx.fillStyle = tone;
    ctx.fillText(text, x + 2 * scale, y - 2 * scale);
  }
  ctx.restore();
}

function drawMoment(u, moment) {
  const {ctx, bbox: {top, height}} = u;
  const x = u.valToPos(moment, 'x', true);
  ctx.save();
  ctx.strokeStyle = colour('--alert');
  ctx.lineWidth = 2 * pixels();
  ctx.beginPath();
  ctx.moveTo(x, top);
  ctx.lineTo(x, top + height);
  ctx.stroke();
  ctx.restore();
}

// The cursor: a line in every chart and lane at one instant, and the values in the chart under the pointer.
const TIP_ROWS = 12;

function follow(u, box, lines, frame) {
  const inside = u.cursor.left >= 0 && u.over.matches(':hover');
  if (!inside) {
    box.tip.hidden = true;
    if (!document.querySelector('.u-over:hover')) delete root.dataset.cursor;
    return;
  }
  const instant = u.posToVal(u.cursor.left, 'x');
  root.dataset.cursor = Math.round(instant);
  root.style.setProperty('--at', `${(instant - frame.from) / (frame.to - frame.from) * 100}%`);
  const found = lines.filter((line) => line.role === 'value').map((line) => ({line, at: nearest(line.own.t, instant)}))
    .filter(({line, at}) => at !== null && Math.abs(line.own.t[at] - instant) <= Math.max(line.step, INTERPOLATED, (frame.to - frame.from) / 100) && !Number.isNaN(line.own.v[at]));
  if (!found.length) {
    box.tip.hidden = true;
    return;
  }
  found.sort((a, b) => b.line.own.v[b.at] - a.line.own.v[a.at]);
  box.tip.replaceChildren(el('strong', {}, clock(found[0].line.own.t[found[0].at], true)),
    ...found.slice(0, TIP_ROWS).map(({line, at}) => el('div', {}, el('span', {class: 'swatch', style: {background: line.hex}}), name(clipped(line.label)), ' ', el('b', {}, number(line.own.v[at])))),
    found.length > TIP_ROWS ? el('div', {class: 'soft'}, `and ${found.length - TIP_ROWS} more`) : '');
  box.tip.hidden = false;
  const left = u.over.offsetLeft + u.cursor.left;
  box.tip.style.left = `${left > box.clientWidth / 2 ? Math.max(0, left - box.tip.offsetWidth - 12) : left + 12}px`;
  box.tip.style.top = `${MARGIN.t}px`;
}

// The index of the instant that is nearest, in ascending instants.
function nearest(sorted, instant) {
  if (!sorted.length) return null;
  const at = lowerBound(sorted, instant);
  return at && (at === sorted.length || instant - sorted[at - 1] < sorted[at] - instant) ? at - 1 : at;
}

// The columns of points, with a null where none came for longer than Datadog joins two points.
function broken(found, ...sides) {
  const far = Math.max(INTERPOLATED, found.step * 1.5);
  const t = [];
  const filled = sides.map(() => []);
  for (let i = 0; i < found.t.length; i += 1) {
    if (i && found.t[i] - found.t[i - 1] > far) {
      t.push(found.t[i - 1] + 1);
      for (const column_ of filled) column_.push(null);
    }
    t.push(found.t[i]);
    sides.forEach((side, k) => filled[k].push(side && !Number.isNaN(side[i]) ? side[i] : null));
  }
  return [t, ...filled];
}

function fade(hex, alpha) {
  const value = parseInt(hex.slice(1, 7), 16);
  return `rgba(${value >> 16},${(value >> 8) & 255},${value & 255},${alpha})`;
}

// One series as lines to draw, appended to those of the chart: the value, and the extremes behind it.
function addSeries(lines, label, found, hex, {display = 'line', stack = null, dashed = false} = {}) {
  const common = {label, hex, step: found.step, own: found, display};
  if (display !== 'line') return addStacked(lines, {...common, role: 'value'}, stack);
  const [t, v, low, high] = broken(found, found.v, found.low, found.high);
  if (found.low) {
    lines.push({...common, role: 'low', display: 'none', t, v: low}, {...common, role: 'high', display: 'none', t, v: high, above: lines.length, shade: fade(hex, 0.17)});
  }
  lines.push({...common, role: 'value', t, v, dash: dashed ? [3, 3] : undefined});
}

// Stacked on the lines of the same stack, those below zero apart.
function addStacked(lines, line, stack) {
  const {own} = line;
  const below = lines.findLastIndex((one) => one.stack === stack && one.display === line.display);
  const sums = below < 0 ? {up: new Map(), down: new Map()} : {up: new Map(lines[below].sums.up), down: new Map(lines[below].sums.down)};
  const base = new Map();
  const tops = Array.from(own.v, (value, i) => {
    if (Number.isNaN(value)) return null;
    const side = value < 0 ? sums.down : sums.up;
    base.set(own.t[i], side.get(own.t[i]) || 0);
    side.set(own.t[i], (side.get(own.t[i]) || 0) + value);
    return side.get(own.t[i]);
  });
  const [t, v] = line.display === 'area' ? broken(own, tops) : [Array.from(own.t), tops];
  lines.push({...line, t, v, stack, sums, base, width: line.display === 'bars' ? 0 : 1.6, shade: line.display === 'bars' ? line.hex : fade(line.hex, 0.35),
    ...(line.display === 'area' && below >= 0 ? {above: below} : {})});
}

// The band of anomalies() behind a series, grey, and the series red where it is outside, as Datadog draws them.
function addBand(lines, found, lower, upper) {
  const grey = {hex: '#8a93a5', label: 'band', step: found.step, own: found, role: 'band'};
  if (lower && upper) {
    const most = new Map(Array.from(upper.t, (instant, i) => [instant, upper.v[i]]));
    const [t, low, high] = broken(lower, lower.v, Array.from(lower.t, (instant) => most.get(instant) ?? NaN));
    lines.push({...grey, display: 'none', t, v: low}, {...grey, display: 'none', t, v: high, above: lines.length, shade: fade('#8a93a5', 0.3)});
  } else {
    const side = lower || upper;
    const [t, v] = broken(side, side.v);
    lines.push({...grey, display: 'line', t, v, width: 1.3, dash: [6, 4]});
  }
}

function addOutside(lines, found, lower, upper) {
  const [least, most] = [lower, upper].map((side) => new Map(side ? Array.from(side.t, (instant, i) => [instant, side.v[i]]) : []));
  const outside = Array.from(found.t, (instant, i) => found.v[i] < least.get(instant) || found.v[i] > most.get(instant));
  const [t, v] = broken(found, Array.from(found.v, (value, i) => (outside[i] || outside[i + 1] || outside[i - 1] ? value : NaN)));
  lines.push({role: 'outside', label: 'outside', hex: colour('--alert-fill'), step: found.step, own: found, display: 'line', t, v, width: 2.6});
}
