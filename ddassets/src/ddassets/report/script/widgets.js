// Widgets

const selected = (query) => query.answers[JSON.stringify(query.variables.map((variable) => state.chosen[variable] ?? '*'))] || {series: [], missing: []};

function widgetFrame(widget) {
  return widget.span ? {from: state.to - widget.span, to: state.to} : {from: state.from, to: state.to};
}

function absent(missing, why = 'Nothing was submitted for this selection.') {
  if (!missing.length) return el('p', {class: 'absent'}, el('strong', {}, 'No points'), why);
  const names = [...new Set(missing)];
  return el('p', {class: 'absent'}, el('strong', {}, 'No data in this rehearsal'), names.length > 1 ? 'metrics ' : 'metric ',
    names.map((metric, i) => [i ? ', ' : '', el('code', {}, name(metric))]));
}

// Why none of these series has a point in a frame.
function unseen(series, frame) {
  const step = Math.max(0, ...series.map((one) => points(one, frame).step));
  return step > frame.to - frame.from ? `No bucket of ${duration(step)} begins in this frame: choose a longer one.` : 'Nothing was submitted for this selection in this frame.';
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
    const drawn = [];
    lines.forEach(({series, label, hex, request}, i) => {
      const [lower, upper] = [series.lower, series.upper].map((side) => (side.length ? points(series, frame, side) : null));
      const banded = lower || upper;
      if (banded) addBand(drawn, found[i], lower, upper);
      addSeries(drawn, label, found[i], hex, {display: request.display, stack: widget.requests.indexOf(request), dashed: request.dashed});
      if (banded) addOutside(drawn, found[i], lower, upper);
    });
    legend.replaceChildren(legendTable(lines, found));
    const steps = lines.map((line, i) => (line.series.levels.length > 1 && found[i].step > wantedBucket(frame) ? found[i].step : 0));
    const none = found.every((one) => !one.t.length);
    coarse.hidden = !none && !Math.max(...steps);
    coarse.textContent = none ? `No points. ${unseen(lines.map((line) => line.series), frame)}` : `Finer points of this time are not in the page: each one stands for ${duration(Math.max(...steps))}; the shading holds the extremes.`;
    // Last, for the rest leaves it its room.
    plot(target, drawn, frame, {levels: widget.markers, axis: widget.axis});
    target.setAttribute('aria-label', `${widget.title}: ${lines.length} series, ${clock(frame.from)} to ${clock(frame.to)}. The table below has the numbers.`);
  });
  return {drawn: 'chart', parts: [box, legend, coarse, ...remarks.map((text) => el('p', {class: 'remark'}, text))]};
}

function legendTable(lines, found) {
  return el('table', {class: 'legend'},
    el('thead', {}, el('tr', {}, ['', 'avg', 'min', 'max', 'last'].map((text) => el('th', {scope: 'col'}, text)))),
    el('tbody', {}, lines.map((line, i) => {
      const values = Array.from(found[i].v).filter((value) => !Number.isNaN(value));
      const cells = ['avg', 'min', 'max', 'last'].map((how) => el('td', {}, values.length ? short(AGGREGATES[how](values)) : '–'));
      return el('tr', {}, el('td', {}, el('span', {class: 'swatch', style: {background: line.hex}}), name(line.label)), cells);
    })));
}

const seriesOf = (request) => request.queries.flatMap((query) => selected(query).series);

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

const COMPARE = {__proto__: null, '>': (a, b) => a > b, '>=': (a, b) => a >= b, '<': (a, b) => a < b, '<=': (a, b) => a <= b, '=': (a, b) => a === b, '!=': (a, b) => a !== b};
const TONES = {__proto__: null, red: ['#c8323c', '#fff'], yellow: ['#e7b32c', '#231a00'], green: ['#2c8a53', '#fff'], blue: ['#3f68c9', '#fff'], gray: ['#6e7889', '#fff'],
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
    if (value === null) return [absent([], unseen(seriesOf(request), frame))];
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
    const entries = [...scalars(request, frame).values].filter(([, value]) => value !== null).sort((a, b) => (request.ascending ? a[1] - b[1] : b[1] - a[1])).slice(0, request.limit);
    if (!entries.length) return [absent([], unseen(seriesOf(request), frame))];
    const most = Math.max(...entries.map(([, value]) => Math.abs(value))) || 1;
    const hex = (PALETTES[request.palette] || PALETTES.dog_classic)[0];
    return [el('ol', {class: 'list'}, entries.map(([key, value]) => el('li', {class: 'bar', 'data-value': value},
      el('i', {style: {width: `${Math.abs(value) / most * 100}%`, background: conditional(request.formats, value).background || hex}}),
      el('span', {class: 'grow'}, name(key)), el('span', {class: 'number'}, scaled(value, widget).join(' ')))))];
  });
}

const spanAt = (group, instant) => group.states.find(([from, to]) => from <= instant && instant < to);

const worst = (states) => states.reduce((a, b) => (SEVERITY.indexOf(b) > SEVERITY.indexOf(a) ? b : a), 'OK');
const mutedAt = (group, instant) => group.muted.find(([from, to]) => from <= instant && instant < to);

function monitorSummary(widget) {
  if (!widget.monitors.length) return {drawn: 'empty', parts: [el('p', {class: 'absent'}, el('strong', {}, 'No monitor'), 'none of this rehearsal matches ', el('code', {}, widget.remark))]};
  return live(widget, 'list', (frame) => {
    const shown = widget.monitors.map((index) => {
      const monitor = state.rehearsal.monitors[index];
      const groups = monitor.groups.map((group) => ({span: spanAt(group, frame.to - 1), muted: mutedAt(group, frame.to - 1)}))
        .filter((one) => one.span).map((one) => ({...one, since: one.span[0], what: one.span[2]}));
      const what = groups.length ? worst(groups.map((one) => one.what)) : 'No Data';
      const since = Math.max(...groups.filter((one) => one.what === what).map((one) => one.since));
      return {monitor, index, groups, what, since};
    });
    const counts = SEVERITY.toReversed().map((what) => [what, shown.filter((one) => one.what === what).length]).filter(([, count]) => count);
    return [
      el('div', {class: 'counts'}, counts.map(([what, count]) => el('span', {class: 'state', 'data-state': what}, `${count} ${what}`))),
      el('ul', {class: 'list'}, shown.map(({monitor, index, groups, what, since}) => el('li', {},
        pill(what, groups.some((one) => one.muted)),
        el('span', {class: 'grow'}, el('a', {href: `#/monitors/${index}`}, name(monitor.name)),
          el('br'), el('small', {class: 'soft'}, monitor.priority ? `P${monitor.priority} · ` : '',
            `${groups.filter((one) => one.what !== 'OK').length} of ${groups.length} groups not OK`,
            Number.isFinite(since) ? ` · ${what} since ${clock(since)}` : '', groups.some((one) => one.muted) ? ' · muted' : ''))))),
      el('p', {class: 'remark'}, `At ${clock(frame.to)}.`),
    ];
  });
}

const TINTS = {__proto__: null, blue: '#4a73d9', green: '#2f9e6b', orange: '#e0872f', purple: '#8467cf', yellow: '#d9aa2b', pink: '#c4568f', gray: '#8a93a5', white: '#8a93a5', red: '#c8323c'};
const tint = (text) => TINTS[text.replace('vivid_', '')] || '';

const WIDGETS = {
  timeseries, query_value: queryValue, toplist: topList, monitors: monitorSummary,
  note: (widget) => (widget.prose.length ? {drawn: 'note', parts: [proseBlock(widget.prose)]} : {drawn: 'empty', parts: [el('p', {class: 'absent'}, 'An empty note')]}),
  placeholder: (widget) => ({drawn: 'placeholder', parts: [el('p', {class: 'absent'}, el('strong', {}, 'Not shown here'), widget.remark)]}),
};

function place(element, [x, y, width, height], half) {
  for (const [key, value] of Object.entries({'--x': x + 1, '--y': y + 1, '--w': width, '--h': height})) element.style.setProperty(key, value);
  if (half) element.classList.add('half');
  return element;
}

const inOrder = (widgets) => [...widgets].sort((a, b) => a.layout[1] - b.layout[1] || a.layout[0] - b.layout[0]);

// Notes that would push the first chart off the screen are folded.
const onlyNotes = (widget) => widget.kind === 'group' && widget.widgets.length > 0 && widget.widgets.every((one) => one.kind === 'note');

function widgetElement(widget, folded = false) {
  if (widget.kind === 'group') {
    const body = el('div', {class: 'grid'}, inOrder(widget.widgets).map((one) => widgetElement(one)));
    if (folded) {
      return place(el('details', {class: 'group', style: {'--tint': tint(widget.colour) || 'var(--soft)'}}, el('summary', {}, el('h2', {}, name(widget.title))), body), widget.layout);
    }
    return place(el('section', {class: 'group', style: {'--tint': tint(widget.colour) || 'var(--soft)'}}, el('h2', {}, name(widget.title)), body), widget.layout);
  }
  const {drawn, parts} = WIDGETS[widget.kind](widget);
  const hatched = drawn === 'placeholder' || drawn === 'empty';
  const box = el('section', {class: `widget${widget.kind === 'note' ? ' note' : ''}${hatched ? ' hatched' : ''}`, 'data-widget': widget.kind, 'data-drawn-as': drawn},
    widget.title && el('h3', {}, name(widget.title), widget.span && !hatched ? el('small', {}, `past ${duration(widget.span).replace(/^1 /, '')}`) : null), parts);
  if (widget.kind === 'note' && tint(widget.colour)) box.style.setProperty('--tint', tint(widget.colour));
  return place(box, widget.layout, widget.layout[2] <= 4 && widget.kind === 'query_value');
}
