// Points

function bytes(base64) {
  const text = atob(base64);
  const found = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) found[i] = text.charCodeAt(i);
  return found;
}

// The bytes of an element that holds them compressed.
async function unpacked(id) {
  const packed = document.getElementById(id);
  const stream = new Blob([bytes(packed.textContent)]).stream().pipeThrough(new DecompressionStream('gzip'));
  packed.remove();
  return new Response(stream).arrayBuffer();
}

let pool = null;

// The document: the length of its JSON in 4 bytes, the JSON, and the bytes of the columns.
function readDocument(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  pool = new Uint8Array(buffer, 4 + length);
  return JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
}

const columns = new Map();
const TYPES = {u1: [Uint8Array, null], i2: [Int16Array, -(2 ** 15)], i4: [Int32Array, -(2 ** 31)], f4: [Float32Array, null], f8: [Float64Array, null]};

// A column lies byte by byte: the first bytes of all its numbers, then the second ones.
function readColumn([type, offset, count, factor, divisor]) {
  const [Type, missing] = TYPES[type];
  const size = Type.BYTES_PER_ELEMENT;
  const raw = new Uint8Array(count * size);
  for (let part = 0; part < size; part += 1) for (let i = 0; i < count; i += 1) raw[i * size + part] = pool[offset + part * count + i];
  const found = new Type(raw.buffer);
  if (missing === null && factor === 1 && divisor === 1) return found;
  return Float64Array.from(found, (value) => (value === missing ? NaN : value * factor / divisor));
}

function column(index) {
  if (!columns.has(index)) columns.set(index, readColumn(page.pool[index]));
  return columns.get(index);
}

const times = new WeakMap();

function instants(level) {
  if (!times.has(level)) {
    const gaps = level.gaps === null ? null : column(level.gaps);
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
function levelFor(levels, frame) {
  const wanted = wantedBucket(frame);
  const reaching = levels.filter((level) => level.complete || level.start <= frame.from);
  return reaching.find((level) => level.step >= wanted) || reaching.at(-1) || levels.at(-1);
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
function points(series, frame, levels = series.levels) {
  const level = levelFor(levels, frame);
  if (!level) return {step: 0, t: [], v: [], low: null, high: null};
  const all = instants(level);
  const first = lowerBound(all, frame.from);
  const last = lowerBound(all, frame.to);
  const cut = (index) => (index === null ? null : column(index).subarray(first, last));
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
  const [size, letter] = (widget.axis.autoscale && SCALES.find(([least]) => Math.abs(value) >= least)) || [1, ''];
  return [number(value / size, widget.precision ?? (letter ? 1 : undefined)), letter];
}

const SCALES = [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k']];

// A number for a narrow column.
function short(value) {
  const [size, letter] = SCALES.find(([least]) => Math.abs(value) >= least && least > 1e3) || [1, ''];
  return letter ? `${number(value / size, 2)} ${letter}` : number(value);
}
