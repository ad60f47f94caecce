// The pages, the bar above them, and the beginning.

const refreshers = [];

function dashboardPage(index) {
  const dashboard = state.rehearsal.dashboards[index];
  const order = inOrder(dashboard.widgets);
  const leading = order.findIndex((widget) => !onlyNotes(widget));
  const grid = el('div', {class: 'grid', 'data-dashboard': index}, order.map((widget, i) => widgetElement(widget, i < leading)));
  // On a narrow screen the first chart comes first.
  const first = grid.querySelector('[data-drawn-as=chart]');
  for (let part = first; part && part !== grid; part = part.parentElement) part.classList.add('leads');
  return [el('h1', {}, name(dashboard.title)), dashboard.description && el('p', {class: 'lead'}, name(dashboard.description)),
    dashboard.widgets.length ? grid
      : el('p', {class: 'absent'}, el('strong', {}, 'No widget'), 'the file of this dashboard holds none')];
}

// Checks alone have the state Unknown, on their own and as members.
const isEverUnknown = (monitor) => monitor.groups.some((group) => [group, ...group.members].some((one) => one.states.some(([, , what]) => what === 'Unknown')));

function monitorsPage() {
  const {monitors} = state.rehearsal;
  return [el('h1', {}, 'Monitors'),
    el('p', {class: 'lead'}, 'The value that each monitor compared with its thresholds, minute by minute, and what came of it; of a composite, the states of its members. Choose a mark in the lane “inbox” to read the message.'),
    el('div', {class: 'key'}, SEVERITY.filter((what) => what !== 'Unknown' || monitors.some(isEverUnknown)).map((what) => el('span', {'data-state': what}, el('i'), what)), el('span', {}, el('i', {class: 'shade'}), 'downtime'),
      el('span', {}, el('i', {class: 'hollow'}), 'muted message')),
    monitors.length ? monitors.map(monitorCard) : el('p', {class: 'absent'}, el('strong', {}, 'No monitor was rehearsed'))];
}

function table(headings, rows) {
  return el('table', {class: 'plain'}, el('thead', {}, el('tr', {}, headings.map((text) => el('th', {scope: 'col'}, text)))),
    el('tbody', {}, rows.map((row) => el('tr', {}, row.map((cell) => el('td', {}, cell))))));
}

const VERDICTS = 300;

function outcome() {
  const {verdicts} = state.rehearsal;
  const failed = failuresOf(state.rehearsal).length;
  if (!verdicts.length) return 'It expects nothing: whatever happens is shown and nothing is judged.';
  return failed ? `${failed} of ${counted(verdicts.length, 'expectation')} failed.` : `${verdicts.length === 1 ? 'The one expectation' : `All ${verdicts.length} expectations`} held.`;
}

// A page of several rehearsals says which of the others reached what this one did not.
function unreached(monitor, what) {
  const others = page.rehearsals.filter((one) => one !== state.rehearsal
    && one.monitors.some((same) => same.name === monitor.name && same.coverage.some(([item, yes]) => yes && item === what)));
  return others.length ? ['not reached, but in ', name(others.map((one) => one.name).join(', '))] : el('strong', {}, 'never reached');
}

function otherChoices({effects}) {
  if (!effects.length) return el('span', {class: 'soft'}, 'not tried');
  const matter = effects.filter(([, , matters]) => matters);
  const untried = effects.filter(([, effect, matters]) => !matters && effect === 'was not tried').length;
  if (!matter.length) return el('span', {class: 'soft'}, untried ? `${untried} not tried` : 'changes nothing');
  return [matter.slice(0, 6).map(([choice, effect]) => el('div', {}, el('strong', {}, `“${choice}”`), ': ', name(effect))), untried ? el('div', {class: 'soft'}, `${untried} not tried`) : null];
}

function basisPage() {
  const {verdicts, warnings, assumptions, monitors, downtimes, messages, start, end, zone, description} = state.rehearsal;
  return [el('h1', {}, 'Assumptions and coverage'),
    el('p', {class: 'lead'}, `${clock(start)} to ${clock(end)} (${zone}), ${duration(end - start)}. `, name(description)),
    el('section', {class: verdicts.every(({holds}) => holds) ? 'card' : 'card failures'}, el('h2', {}, 'Expectations'),
      el('p', {class: 'soft'}, outcome()),
      // Those that failed first: of a long list they are what is looked for.
      el('ul', {class: 'held'}, verdicts.toSorted((a, b) => a.holds - b.holds).slice(0, VERDICTS).map((verdict) => (verdict.holds ? el('li', {}, name(verdict.text)) : failureItem(state.rehearsal, verdict)))),
      verdicts.length > VERDICTS ? el('p', {class: 'soft'}, `and ${verdicts.length - VERDICTS} more`) : null),
    warnings.length ? el('section', {class: 'card'}, el('h2', {}, 'Warnings'), el('ul', {}, warnings.map((text) => el('li', {}, name(text))))) : null,
    el('section', {class: 'card'}, el('h2', {}, 'Assumptions'),
      el('p', {class: 'soft'}, 'Datadog’s public documents leave these questions open. The rehearsal relied on the answer given here.'),
      assumptions.length ? table(['', 'Question', 'Answer', 'Another answer'], assumptions.map((one) => [one.id, one.question, one.choice, otherChoices(one)])) : el('p', {}, 'None was needed.')),
    monitors.map((monitor) => {
      const reached = monitor.coverage.filter(([, yes]) => yes).length;
      return el('section', {class: 'card'}, el('h2', {}, 'Coverage: ', name(monitor.name)),
        el('p', {class: 'soft'}, `${reached} of ${monitor.coverage.length} reached`),
        table(['State, or branch of the message', 'In this rehearsal'], monitor.coverage.map(([what, yes]) => [name(what), yes ? '✓ reached' : unreached(monitor, what)])));
    }),
    downtimes.length ? el('section', {class: 'card'}, el('h2', {}, 'Downtimes'), downtimes.map((downtime, i) => [
      el('h3', {class: 'group-name'}, name(downtime.name)),
      el('p', {class: 'soft'}, 'scope ', el('code', {}, name(downtime.scope)), `, ${counted(downtime.windows.length, 'window')}, ${counted(messages.filter((one) => one.muted && one.downtimes.includes(i)).length, 'message')} muted`),
      downtime.windows.length ? table(['From', 'To', 'Length'], downtime.windows.slice(0, 14).map(([from, to]) => [clock(from), clock(to), duration(to - from)])) : null,
      downtime.windows.length > 14 ? el('p', {class: 'soft'}, `and ${downtime.windows.length - 14} more`) : null])) : null,
    el('section', {class: 'card'}, el('h2', {}, 'How to read the charts'),
      el('p', {}, 'Graphs show one point per bucket, with the bucket that Datadog documents for the length of the frame: 20 seconds up to an hour, 1 minute up to 4 hours, 5 minutes up to a day, 10 minutes up to two, 1 hour up to a week, then 4 hours. A query with a rollup of its own keeps it.'),
      el('p', {}, 'The shading behind a line reaches from the least to the greatest of the finest points inside each bucket: no extreme is lost in a long frame. Numbers and tables are computed from the points of the graph, as Datadog does, so an average over hours is an average of hourly points.'))];
}

const PAGES = {start: startPage, dashboards: dashboardPage, monitors: monitorsPage, inbox: inboxPage, basis: basisPage};
const dashboardIndex = (text) => Math.max(0, Math.min(Number.parseInt(text, 10) || 0, state.rehearsal.dashboards.length - 1));

function route() {
  const {kind, index} = readAddress();
  if (!state.rehearsal || !Object.hasOwn(PAGES, kind)) return {kind: 'start', index: 0};
  if (kind !== 'dashboards') return {kind, index: Number.parseInt(index, 10) || 0, named: index !== undefined};
  return state.rehearsal.dashboards.length ? {kind, index: dashboardIndex(index)} : {kind: 'monitors', index: 0};
}

function navigation(current) {
  if (!state.rehearsal) return;
  const {dashboards, messages} = state.rehearsal;
  const links = [['#/', 'Start', current.kind === 'start'], ...dashboards.map((dashboard, i) => [`#/dashboards/${i}`, dashboard.title, current.kind === 'dashboards' && current.index === i]),
    ['#/monitors', 'Monitors', current.kind === 'monitors'], ['#/inbox', `Inbox (${messages.length.toLocaleString('en')})`, current.kind === 'inbox'],
    ['#/basis', 'Assumptions and coverage', current.kind === 'basis']];
  const bar = document.getElementById('pages');
  bar.replaceChildren(...links.map(([href, text, here]) => el('a', {href, title: text.length > 40 ? text : null, 'aria-current': here ? 'page' : null}, name(text))));
  bar.querySelector('[aria-current]')?.scrollIntoView({block: 'nearest', inline: 'center'});
}

function toolbar(current) {
  const bar = document.getElementById('toolbar');
  if (current.kind === 'inbox' || current.kind === 'basis' || (current.kind === 'start' && !(state.rehearsal && firstFailure(state.rehearsal)))) return bar.replaceChildren();
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
    el('div', {class: 'when number'}, `${clock(state.from)} – ${clock(state.to)}`, el('small', {}, `${zone} · one point per ${duration(wantedBucket(state)).replace(/^1 /, '')}${wantedBucket(state) > BUCKETS[0][1] ? ', shaded from lowest to highest' : ''}`)));
  if (focused) [...bar.querySelectorAll('[data-choice]')].find((one) => one.dataset.choice === focused)?.focus();
  return bar;
}

// A frame has whole seconds, at least a minute, and never leaves the rehearsal.
function limitFrame(from, to) {
  const {start, end} = state.rehearsal;
  const span = Math.min(end - start, Math.max(60, Math.round(to - from)));
  state.to = Math.min(end, Math.max(start + span, Math.round(to)));
  state.from = state.to - span;
}

function setFrame(from, to) {
  limitFrame(from, to);
  keepAddress();
  toolbar(route());
  for (const refresh of refreshers) refresh();
  for (const box of drawings.keys()) stale(box);
  if (!queue.size) drawWhenIdle();
  layTracks();
}

function render() {
  const current = route();
  // Each dashboard has a selection of its own.
  state.chosen = (current.kind === 'dashboards' && state.selections[current.index]) || {};
  if (reader.open) {
    reader.dataset.leaving = 'yes';
    reader.close();
    delete reader.dataset.leaving;
  }
  forgetCharts(document.getElementById('main'));
  refreshers.length = 0;
  navigation(current);
  toolbar(current);
  const content = PAGES[current.kind](current.index);
  document.getElementById('main').replaceChildren(...content.flat(2).filter(Boolean));
  layTracks();
  drawWhenIdle();
  keepAddress();
  document.title = `${document.getElementById('main').querySelector('h1').textContent} · rehearsal of ${page.integration}`;
  if (current.kind === 'monitors' && current.named && current.index) document.getElementById(`monitor-${current.index}`)?.scrollIntoView();
}

// Arrive at an address, on opening, from a link, or with the Back button.
function arrive() {
  applyAddress();
  const message = state.open;
  render();
  if (message && (route().kind !== 'inbox' || matchMedia('(max-width: 760px)').matches)) read([message]);
}

// Show a scenario: the frame is around its first failure, else the whole.
function begin(rehearsal) {
  choose(rehearsal);
  const failure = firstFailure(rehearsal);
  if (failure) {
    const {from, to} = around(failure);
    limitFrame(from, to);
  }
}

function choose(rehearsal) {
  Object.assign(state, {rehearsal, from: rehearsal.start, to: rehearsal.end, filters: {}, open: null,
    selections: rehearsal.dashboards.map(({variables}) => Object.fromEntries(variables.map((variable) => [variable.name, variable.default])))});
  const failed = verdictOf(rehearsal) === 'failed';
  const control = document.querySelector('#rehearsals select');
  if (control) control.value = page.rehearsals.indexOf(rehearsal);
  const chip = document.getElementById('outcome');
  chip.dataset.held = rehearsal.verdicts.length ? !failed : 'none';
  chip.textContent = !rehearsal.verdicts.length ? 'Nothing expected' : failed ? '✗ Expectations failed' : '✓ Expectations held';
}

function setTheme(theme) {
  root.dataset.theme = theme;
  document.getElementById('theme').textContent = theme === 'dark' ? 'Light' : 'Dark';
  for (const box of drawings.keys()) stale(box);
  if (!queue.size) drawWhenIdle();
}

// The messages as objects, in order of time.
function readMessages({kinds, messages}) {
  const [distances, codes, values] = [messages.instants, messages.kinds, messages.values].map(column);
  const texts = new Map(messages.texts.map(([index, text, triggered]) => [index, {text, triggered}]));
  let instant = 0;
  return Array.from({length: messages.count}, (_, index) => {
    instant += distances[index];
    const kept = texts.get(index);
    const value = Number.isNaN(values[index]) ? '' : String(Number(values[index].toPrecision(6)));
    return {...kinds[codes[index]], index, instant, value, prose: kept ? kept.text : null, triggered: kept ? kept.triggered : null};
  });
}

const STATES = ['OK', 'Warn', 'Alert', 'No Data', 'Unknown'];

// `[from, to, state]`, without the stretches in which the group is absent.
function readStates({start: first, end, lengths, codes}) {
  const [each, what] = [column(lengths), column(codes)];
  const found = [];
  for (let i = 0, from = first; i < what.length; i += 1) {
    const to = i < each.length ? from + each[i] : end;
    if (STATES[what[i]]) found.push([from, to, STATES[what[i]]]);
    from = to;
  }
  return found;
}

// A value for each stretch, by the instant at which it begins.
function valuesByStart({start: first, lengths}, values) {
  const each = column(lengths);
  const found = new Map();
  for (let i = 0, at = first; i < values.length; at += each[i], i += 1) found.set(at, values[i]);
  return found;
}

async function start() {
  const charts = unpacked('charts');
  page = readDocument(await unpacked('data'));
  for (const rehearsal of page.rehearsals) {
    rehearsal.messages = readMessages(rehearsal);
    for (const monitor of rehearsal.monitors) for (const group of monitor.groups) {
      group.values = group.members.map((member) => (member.values === null ? null : valuesByStart(group.states, column(member.values))));
      group.states = readStates(group.states);
      for (const member of group.members) member.states = readStates(member.states);
    }
    rehearsal.verdicts = rehearsal.verdicts.map(([text, holds, monitor, group, instant]) => ({text, holds, monitor, group, instant}));
    rehearsal.byMoment = Map.groupBy(
      rehearsal.changes.map(([assumption, choice, what, monitor, group, instant, to]) => ({assumption, choice, what, monitor, group, instant, to})),
      (change) => `${change.monitor} ${change.group} ${change.instant}`);
  }
  const dark = matchMedia('(prefers-color-scheme: dark)');
  setTheme(dark.matches ? 'dark' : 'light');
  dark.addEventListener('change', () => setTheme(dark.matches ? 'dark' : 'light'));
  document.getElementById('theme').addEventListener('click', () => setTheme(root.dataset.theme === 'dark' ? 'light' : 'dark'));
  document.getElementById('brand').append(name(page.integration));
  const names = page.rehearsals.map((rehearsal) => `${VERDICT_MARKS[verdictOf(rehearsal)]} ${rehearsal.name}`);
  document.getElementById('rehearsals').append(names.length > 1
    ? select('Scenario', names.map((text, i) => [i, text]), 0, (value) => { begin(page.rehearsals[value]); render(); })
    : names.length ? el('span', {}, 'Scenario: ', name(names[0])) : '');
  document.getElementById('footer').append(el('p', {}, `A rehearsal made offline by ddassets ${page.version}. This is not Datadog: signal, states and messages were computed on one machine, nothing was sent to anyone, and Datadog’s own result may differ where its documents are silent (see “Assumptions and coverage”).`));
  addEventListener('hashchange', () => { arrive(); scrollTo(0, 0); document.getElementById('main').focus({preventScroll: true}); });
  let before = null;
  const relay = () => { for (const box of drawings.keys()) drawNow(box); layTracks(); };
  addEventListener('beforeprint', () => { before = root.dataset.theme; setTheme('light'); root.classList.add('printed'); for (const one of document.querySelectorAll('details.group')) one.open = true; relay(); });
  addEventListener('afterprint', () => { root.classList.remove('printed'); setTheme(before); layTracks(); });
  if (page.rehearsals.length) begin(firstRehearsal());
  else document.getElementById('outcome').remove();
  arrive();
  library = chartLibrary(new TextDecoder().decode(await charts));
  drawVisible();
}

start().catch((error) => {
  document.getElementById('main').append(el('p', {class: 'absent'}, el('strong', {}, 'This browser cannot show the page'), String(error)));
  throw error;
});
