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
    message.prose ? proseBlock(message.prose) : el('p', {class: 'soft'}, 'The text is left out: the page holds those of 5,000 messages, of those sent first.'),
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

// Rows under a heading for each day. The arrow keys go from row to row.
function rowList(messages, current, choose) {
  const days = Map.groupBy(messages, (message) => day(message.instant));
  const step = (event) => {
    const by = {ArrowDown: 1, ArrowUp: -1}[event.key];
    const rows = [...list.querySelectorAll('.row')];
    const next = by && rows[rows.indexOf(document.activeElement) + by];
    if (!next) return;
    event.preventDefault();
    next.focus();
  };
  const list = el('div', {class: 'rows', onkeydown: step}, [...days].map(([text, some]) => [el('h3', {class: 'day'}, text), el('ul', {}, some.map((message) => el('li', {}, el('button', {
    type: 'button', class: message.muted ? 'row is-muted' : 'row', 'aria-current': message === current ? 'true' : null, onclick: () => choose(message),
  }, el('span', {class: 'time'}, time(message.instant)), el('span', {class: 'what'}, pill(kindOf(message), message.muted)),
  el('span', {class: 'title'}, name(message.title)),
  el('span', {class: 'who'}, message.muted ? 'muted, would go to ' : 'to ', message.recipients.length ? message.recipients.map((one, i) => [i ? ', ' : '', name(one)]) : 'nobody')))))]));
  return list;
}

// The inbox

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
      el('span', {class: 'soft', role: 'status'}, `${sent.toLocaleString('en')} sent, ${(matching.length - sent).toLocaleString('en')} muted`)),
    matching.length ? el('div', {class: 'inbox'}, list, pane) : el('p', {class: 'absent'}, el('strong', {}, 'No message'), messages.length ? 'none passes these filters' : 'nothing would have been sent')];
}
