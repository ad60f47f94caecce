// Monitors: the signal, and under it lanes that share its axis.

const tracks = [];

function share(frame, instant) {
  // As the chart above puts it.
  const [at, from, to] = [instant, frame.from, frame.to].map((one) => one + offset(evenly() ? state.from : one));
  return Math.min(1, Math.max(0, (at - from) / (to - from)));
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
  const within = (what) => group.states.reduce((sum, [from, to, one]) => sum + (one === what ? Math.max(0, Math.min(to, frame.to) - Math.max(from, frame.from)) : 0), 0);
  const spent = SEVERITY.toReversed().map((what) => [what, within(what)]).filter(([, seconds]) => seconds);
  track.setAttribute('role', 'img');
  track.setAttribute('aria-label', spent.length ? spent.map(([what, seconds]) => `${what} for ${duration(seconds)}`).join(', ') : 'no state yet');
  track.replaceChildren(...runs.map(({what, start, end}) => el('i', {'data-state': what, title: what,
    style: {left: `${start / width * 100}%`, width: `${(end - start) / width * 100}%`}})));
}

const mutedIn = (group, frame) => group.muted.filter(([from, to]) => to > frame.from && from < frame.to);

function layMuted(track, frame, group) {
  track.replaceChildren(...mutedIn(group, frame).map(([from, to, downtime]) => el('i', {
    class: 'shade', title: `${state.rehearsal.downtimes[downtime].name}: ${clock(from)} to ${clock(to)}`,
    style: {left: `${share(frame, from) * 100}%`, width: `${(share(frame, to) - share(frame, from)) * 100}%`}})));
}

// Marks nearer than this, in pixels, are one mark with their number.
const MARK = 22;

function layMarks(track, frame, messages) {
  const width = track.clientWidth;
  const clusters = [];
  for (const message of messages) {
    if (message.instant < frame.from || message.instant > frame.to) continue;
    const x = share(frame, message.instant) * width;
    if (clusters.length && x - clusters.at(-1).x < MARK) clusters.at(-1).messages.push(message);
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
    // One shape of many pieces, which must not overlap: a year of nights would be a thousand shapes.
    const at = (instant) => axisText(Math.min(frame.to, Math.max(frame.from, instant))).replace(' ', '_');
    const pieces = [];
    for (const [from, to] of mutedIn(group, frame)) {
      if (pieces.length && from <= pieces.at(-1)[1]) pieces.at(-1)[1] = Math.max(pieces.at(-1)[1], to);
      else pieces.push([from, to]);
    }
    const path = pieces.map(([from, to]) => `M${at(from)},0V1H${at(to)}V0Z`).join('');
    if (path) shapes.push({type: 'path', yref: 'paper', path, fillcolor: colour('--mute'), opacity: 0.12, line: {width: 0}, layer: 'below'});
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
    el('p', {class: 'soft'}, `${sent.toLocaleString('en')} sent, ${(messages.length - sent).toLocaleString('en')} muted`, monitor.priority ? ` · P${monitor.priority}` : '',
      monitor.tags.length ? monitor.tags.map((tag, i) => [i ? ', ' : ' · ', name(tag)]) : null), list, more);
}
