// Monitors: the signal, and under it lanes that share its axis.

const tracks = [];

const share = ({from, to}, instant) => Math.min(1, Math.max(0, (instant - from) / (to - from)));

function layTracks() {
  for (const {track, lay} of tracks) lay(track, {from: state.from, to: state.to});
}

function lane(label, kind, lay) {
  const track = el('div', {class: `track ${kind}`});
  tracks.push({track, lay});
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

function layDoubtful(track, frame, group) {
  const found = group.doubtful.filter(([from, to]) => to > frame.from && from < frame.to);
  const seconds = found.reduce((sum, [from, to]) => sum + Math.min(to, frame.to) - Math.max(from, frame.from), 0);
  track.setAttribute('role', 'img');
  track.setAttribute('aria-label', seconds ? `doubtful for ${duration(seconds)}` : 'sure');
  track.replaceChildren(...found.map(([from, to, words]) => el('i', {
    class: 'shade', title: `doubtful, ${words}: ${clock(from)} to ${clock(to)}`,
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
    // A ring about every cluster would say nothing.
    const assumed = close.length === 1 && changesOf(close[0]).length > 0;
    return el('button', {type: 'button', class: `${sent.length ? 'mark' : 'mark muted'}${assumed ? ' assumed' : ''}`, 'data-state': what, title: label + (assumed ? ' (an assumption would change this)' : ''), 'aria-label': label + (assumed ? ' (an assumption would change this)' : ''),
      style: {left: `${x / width * 100}%`}, onclick: () => read(close)}, close.length > 1 ? (close.length > 99 ? '99' : String(close.length)) : MARKS[what]);
  }));
}

// The axis of lanes that have no chart above them, with the moment that is looked for.
function layAxis(track, frame, moment) {
  const {instants, labels} = ticks(frame, Math.max(2, Math.floor(track.clientWidth / 80)));
  const at = (instant) => ({left: `${share(frame, instant) * 100}%`});
  track.replaceChildren(...instants.map((instant, i) => el('span', {style: at(instant)}, labels[i])),
    moment !== null && moment >= frame.from && moment <= frame.to ? el('b', {style: at(moment), title: clock(moment)}, '▼') : '');
}

// Of a group of a composite: the states of its members over time, and what they were when its own changed.
const CHANGES = 12;

function layChanges(box, frame, monitor, group) {
  const found = group.states.filter(([from]) => from >= frame.from && from < frame.to);
  const held = (member, instant) => spanAt(member, instant)?.[2];
  const cell = (member, i, instant) => {
    const what = held(member, instant);
    const value = group.values[i]?.get(instant);
    return [what ? pill(what) : el('span', {class: 'soft'}, 'absent'), Number.isFinite(value) ? [' ', el('span', {title: `{{${monitor.members[i].letter}.value}}`}, number(value))] : ''];
  };
  box.replaceChildren(...(found.length ? [el('div', {class: 'scroll'}, table(['When', 'State', ...monitor.members.map(({letter}) => letter)],
    found.slice(0, CHANGES).map(([from, , what]) => [frame.to - frame.from > DAY ? clock(from) : time(from), pill(what), ...group.members.map((member, i) => cell(member, i, from))]))),
  found.length > CHANGES ? el('p', {class: 'soft'}, `and ${found.length - CHANGES} more in this frame`) : ''] : [el('p', {class: 'soft'}, 'Its state does not change in this frame.')]));
}

function memberLanes(monitor, group, moment) {
  const changes = el('div', {class: 'changes'});
  tracks.push({track: changes, lay: (box, frame) => layChanges(box, frame, monitor, group)});
  return {
    lanes: [lane('', 'axis', (track, frame) => layAxis(track, frame, moment)),
      group.members.map((member, i) => {
        const {letter, name: text} = monitor.members[i];
        const found = lane(letter, 'band', (track, frame) => layStates(track, frame, member));
        found.title = `${letter} is ${text}${member.group === '*' ? '' : `, ${member.group}`}`;
        return found;
      })],
    changes,
  };
}

function monitorGroup(monitor, group, messages, moment = null) {
  const composite = group.members.length ? memberLanes(monitor, group, moment) : null;
  const draw = (box) => {
    const frame = {from: state.from, to: state.to};
    const found = points(group.signal, frame);
    const levels = Object.entries(monitor.thresholds).map(([key, value]) => ({
      low: value, high: value, severity: {ok: 'ok', unknown: 'unknown'}[key] || (key.startsWith('critical') ? 'error' : 'warning'), dashed: key.endsWith('recovery'),
      label: `${{critical: 'alert', warning: 'warning'}[key] || key.replace('_', ' ')} ${key.endsWith('recovery') ? '' : `${monitor.comparator} `}${number(value)}`}));
    const shades = [];
    for (const [from, to] of mutedIn(group, frame)) {
      if (shades.length && from <= shades.at(-1)[1]) shades.at(-1)[1] = Math.max(shades.at(-1)[1], to);
      else shades.push([from, to]);
    }
    const lines = [];
    addSeries(lines, 'value', found, PALETTES.dog_classic[0]);
    plot(box, lines, frame, {levels, shades, moment});
    const values = Array.from(found.v);
    box.setAttribute('aria-label', `${monitor.name}, ${group.name}: ${values.length ? `${number(AGGREGATES.min(values))} to ${number(AGGREGATES.max(values))}` : 'no value'}, ${clock(frame.from)} to ${clock(frame.to)}`);
  };
  return el('div', {class: 'monitor-group'},
    group.name !== '*' && el('h3', {class: 'group-name'}, name(group.name)),
    composite ? composite.lanes : monitor.members.length ? el('p', {class: 'absent'}, el('strong', {}, 'Several groups in one'), 'notify_by combines groups of this composite, so the states of their members are not shown')
      : group.signal ? chart(draw, {class: 'chart track-chart'}) : el('p', {class: 'absent'}, el('strong', {}, 'No value'), 'this group never had a value'),
    lane('state', 'band', (track, frame) => layStates(track, frame, group)),
    monitor.approximation.length ? lane('doubtful', 'band', (track, frame) => layDoubtful(track, frame, group)) : null,
    lane('muted', 'band', (track, frame) => layMuted(track, frame, group)),
    lane('inbox', 'marks', (track, frame) => layMarks(track, frame, messages)),
    composite && composite.changes,
    group.uncertain.length ? uncertainNote(group) : null);
}

// The evaluations that a stored sketch might decide otherwise.
const UNCERTAIN = 5;

function uncertainNote({uncertain}) {
  const note = el('p', {class: 'remark'});
  tracks.push({track: note, lay: (box, frame) => {
    const found = uncertain.filter((instant) => instant >= frame.from && instant < frame.to);
    const what = found.length === 1 ? '1 evaluation in this frame is' : `${found.length || 'No'} evaluations in this frame are`;
    box.textContent = `${what} decided within the sketch’s error of 0.79 %${found.length ? ': ' : ''}${found.slice(0, UNCERTAIN).map((instant) => clock(instant)).join('; ')}${found.length > UNCERTAIN ? '; …' : ''}`;
  }});
  return note;
}

const GROUPS_AT_ONCE = 8;
const ORDERS = [['alert', 'time in Alert'], ['messages', 'messages'], ['name', 'name']];

const secondsIn = (group, what) => group.states.reduce((sum, [from, to, one]) => sum + (one === what ? to - from : 0), 0);
const SORTS = {
  __proto__: null,
  alert: (a, b) => b.seconds - a.seconds || b.messages.length - a.messages.length,
  messages: (a, b) => b.messages.length - a.messages.length,
  name: (a, b) => (a.group.name < b.group.name ? -1 : 1),
};

// The groups of a monitor, some at a time. Many can be searched and sorted.
function groupList(monitor, messages) {
  const byGroup = monitor.groups.map((group) => ({group, messages: [], seconds: secondsIn(group, 'Alert')}));
  for (const message of messages) byGroup[message.group].messages.push(message);
  const many = byGroup.length > GROUPS_AT_ONCE;
  const list = el('div');
  const more = button('', () => show(), {class: 'quiet more'});
  const tally = el('span', {class: 'soft', role: 'status'});
  let found = [];
  let shown = 0;
  function show() {
    list.append(...found.slice(shown, shown + GROUPS_AT_ONCE).map((one) => monitorGroup(monitor, one.group, one.messages)));
    shown = Math.min(found.length, shown + GROUPS_AT_ONCE);
    more.hidden = shown >= found.length;
    more.textContent = `Show more groups (${found.length - shown} left)`;
    requestAnimationFrame(layTracks);
  }
  function fill() {
    forgetCharts(list);
    const text = (state.filters.group || '').toLowerCase();
    found = byGroup.filter((one) => one.group.name.toLowerCase().includes(text));
    if (!found.length) found = monitor.groups.length === 1 ? byGroup : [];
    if (many) found.sort(SORTS[state.filters.order] || SORTS.alert);
    tally.textContent = `${found.length.toLocaleString('en')} of ${counted(byGroup.length, 'group')}, ${byGroup.filter((one) => one.seconds).length.toLocaleString('en')} were in Alert`;
    list.replaceChildren();
    shown = 0;
    show();
  }
  const change = (key) => (value) => { state.filters = {...state.filters, [key]: value}; keepAddress(); fill(); };
  fill();
  const searched = many || (byGroup.length > 1 && state.filters.group);
  return [searched ? el('div', {class: 'filters', role: 'group', 'aria-label': 'Groups'}, searchField('Group', state.filters.group || '', change('group')),
    many ? select('Sort by', ORDERS, state.filters.order in SORTS ? state.filters.order : 'alert', change('order')) : null, tally) : null, list, more];
}

function optionsView(monitor) {
  return el('details', {class: 'template'}, el('summary', {}, 'Options and message template'),
    el('div', {class: 'beside'}, el('dl', {class: 'facts'}, monitor.options.map(([key, value]) => [el('dt', {}, name(key)), el('dd', {}, el('code', {}, name(value)))])),
      monitor.message ? el('pre', {dir: 'auto'}, monitor.message) : el('p', {class: 'soft'}, 'It has no message.')));
}

// What the letters of a composite stand for.
function membersView(monitor) {
  if (!monitor.members.length) return null;
  return el('dl', {class: 'facts members'}, monitor.members.map((member) => [el('dt', {}, member.letter), el('dd', {},
    member.monitor === null ? name(member.name) : el('a', {href: `#/monitors/${member.monitor}`}, name(member.name)))]),
  el('dt', {}, 'state'), el('dd', {}, el('code', {}, name(monitor.expression))));
}

// How sure an approximated monitor is, and what only other parameters would send.
function approximationView(monitor) {
  const [summary, ...others] = monitor.approximation;
  if (!summary) return null;
  return el('div', {class: 'verdict sensitive'}, summary, others.length ? el('ul', {}, others.map((text) => el('li', {}, name(text)))) : null);
}

function monitorCard(monitor, index) {
  const messages = state.rehearsal.messages.filter((message) => message.monitor === index);
  const sent = messages.filter((message) => !message.muted).length;
  return el('section', {class: 'card', id: `monitor-${index}`}, el('h2', {}, name(monitor.name)),
    el('p', {}, el('code', {}, name(monitor.query))), monitor.legend ? el('p', {class: 'soft'}, name(monitor.legend)) : null, approximationView(monitor), membersView(monitor),
    el('p', {class: 'soft'}, `${sent.toLocaleString('en')} sent, ${(messages.length - sent).toLocaleString('en')} muted`, monitor.priority ? ` · P${monitor.priority}` : '',
      monitor.tags.length ? monitor.tags.map((tag, i) => [i ? ', ' : ' · ', name(tag)]) : null), optionsView(monitor), groupList(monitor, messages));
}
