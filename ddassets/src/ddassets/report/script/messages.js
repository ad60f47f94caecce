// Messages

const MARKS = {OK: '✓', Warn: '!', Alert: '‼', 'No Data': '?', Unknown: 'U', Downtime: 'z'};

function kindOf(message) {
  return message.monitor === null ? 'Downtime' : message.state;
}

function delivery(message) {
  const names = message.downtimes.map((index, i) => [i ? ' and ' : '', el('strong', {}, name(state.rehearsal.downtimes[index].name))]);
  if (message.muted) return el('p', {class: 'verdict'}, 'Not sent: muted by the downtime ', names.flat(), '.');
  if (!message.recipients.length) return el('p', {class: 'verdict'}, 'Notifies nobody: the message names no recipient, and no notification rule adds one. Datadog only keeps the event.');
  return null;
}

// The notification as it arrives: the message, and what Datadog adds to it

const FORMS = [['email', 'E-mail'], ['slack', 'Slack'], ['webhook', 'Webhook']];
const SECOND = 1000;

// The sentence about the condition is Markdown of `**` alone, and an arithmetic query stands in backticks.
function conditionLine(text) {
  if (text.startsWith('`')) return el('p', {}, el('code', {}, text.slice(1, -1)));
  const parts = text.replace('*****', '**\u2217**').split('**');
  return el('p', {}, parts.map((part, i) => (i % 2 ? el('strong', {}, name(part)) : part)));
}

function lastTriggered(message) {
  if (message.triggered === null || message.arrival.hidden.includes('footer')) return null;
  const moment = new Date(message.triggered * SECOND);
  const [day, date, month, year] = moment.toUTCString().split(/,? /);
  return el('p', {}, `The monitor was last triggered at ${day} ${month} ${date} ${year} ${moment.toISOString().slice(11, 19)} UTC.`);
}

function footerLinks(message) {
  const {links} = message.arrival;
  if (!links.length) return null;
  // They lead nowhere: the monitor's and the event's numbers are Datadog's.
  return el('p', {class: 'soft'}, links.map(([label, address], i) => [i ? ' · ' : '', el('span', {
    class: 'link', title: address ? address.replace('{from}', `${message.instant - 900}000`).replace('{to}', `${message.instant + 300}000`) : 'the form of this address is not documented',
  }, name(label))]));
}

const graphNote = (message) => (message.arrival.hidden.includes('snapshot') ? null : el('p', {class: 'soft'}, /^(metric|query) alert$/.test(state.rehearsal.monitors[message.monitor].type) ? '[graph of the metric]' : '[graph]'));
const samplesNote = (message) => (message.arrival.samples ? el('p', {class: 'soft'}, '[up to 10 samples of the events: not shown]') : null);
const recipientList = (message) => message.recipients.map((one, i) => [i ? ', ' : '', name(one)]);

function emailForm(message, text) {
  return [el('dl', {class: 'facts'}, el('dt', {}, 'Subject'), el('dd', {}, name(message.title)), el('dt', {}, 'To'), el('dd', {}, recipientList(message))),
    text, graphNote(message), message.arrival.condition && conditionLine(message.arrival.condition), samplesNote(message), lastTriggered(message), footerLinks(message)];
}

function slackForm(message, text) {
  const {hidden, tags, condition} = message.arrival;
  return [el('p', {}, el('strong', {class: 'link'}, name(message.title))), text, condition && conditionLine(condition), samplesNote(message), graphNote(message),
    el('dl', {class: 'facts'}, el('dt', {}, 'Tags'), el('dd', {}, name(tags.join(', '))),
      hidden.includes('handles') ? null : [el('dt', {}, 'Notified'), el('dd', {}, recipientList(message))]),
    el('p', {class: 'soft'}, '[Mute this monitor]'),
    el('p', {class: 'soft'}, 'The parts are documented, their layout is not. A channel may hide each of them.')];
}

function webhookForm(message) {
  const instant = `${message.instant}000`;
  const rows = [...message.arrival.webhook, ['$DATE', instant], ['$LAST_UPDATED', instant], ['$TEXT_ONLY_MSG', 'the text of the message'],
    ['$EVENT_MSG', 'the body of the e-mail in Markdown, between lines of %%%']];
  rows.sort(([one], [other]) => (one < other ? -1 : 1));
  return el('dl', {class: 'facts variables'}, rows.map(([key, value]) => [el('dt', {}, el('code', {}, key)),
    el('dd', {}, value === null ? el('span', {class: 'soft'}, 'known to Datadog alone') : name(value))]));
}

function arrivalView(message, text) {
  const box = el('section', {class: 'arrival', 'aria-label': 'As it arrives'});
  const show = (form) => {
    state.form = form;
    const parts = {email: emailForm, slack: slackForm, webhook: webhookForm}[form](message, text());
    box.replaceChildren(el('p', {class: 'no-print'}, segments('As it arrives', FORMS, form, (next) => { show(next); box.querySelector('[aria-pressed=true]').focus(); })),
      ...[parts].flat(Infinity).filter(Boolean));
  };
  show(state.form);
  return box;
}

function messageView(message, heading) {
  const monitor = message.monitor === null ? null : state.rehearsal.monitors[message.monitor];
  const facts = [['When', clock(message.instant, true)]];
  if (monitor) facts.push(['Monitor', el('a', {href: `#/monitors/${message.monitor}`}, name(monitor.name))]);
  if (monitor && message.group !== null && monitor.groups[message.group].name !== '*') facts.push(['Group', name(monitor.groups[message.group].name)]);
  if (message.previous) facts.push(['State', `${message.previous === message.state ? '' : `${message.previous} → `}${message.state}${message.reason ? ` (${message.reason})` : ''}`]);
  if (message.value) facts.push(['Value', `${message.value}${isUncertain(message) ? ', within the sketch’s error of 0.79 % of a threshold' : ''}`]);
  if (isApproximate(message)) facts.push(['Approximate', doubtOf(message) || 'sure: all parameter sets have this message']);
  if (message.host) facts.push(['Host', [name(message.host), message.ip ? ` (${message.ip})` : ' (no IP address in the rehearsal)']]);
  facts.push([message.muted ? 'Would go to' : 'To', message.recipients.length ? message.recipients.map((one, i) => [i ? ', ' : '', name(one)]) : 'nobody']);
  return el('article', {class: 'message'},
    el('div', {}, el('span', {class: message.muted ? 'state muted' : 'state', 'data-state': kindOf(message)}, monitor ? message.state : `Downtime ${message.state}`)),
    el('h2', {id: heading, dir: 'auto'}, message.title),
    delivery(message),
    el('dl', {class: 'facts'}, facts.map(([term, detail]) => [el('dt', {}, term), el('dd', {}, detail)])),
    sensitive(message),
    message.arrival ? arrivalView(message, () => messageText(message)) : messageText(message),
    templateView(monitor),
    monitor && el('p', {class: 'no-print'}, el('a', {href: momentAddress(state.rehearsal, {...message, index: null})}, 'Show this moment in the chart')));
}

// Which other choices of an assumption would change this message.
function sensitive(message) {
  const found = changesOf(message);
  if (!found.length) return null;
  const WHAT = {goes: 'it would not come', moves: 'it would come at another time', 'is muted': 'it would be muted', 'is sent': 'it would be sent', changes: 'its text or recipients would change'};
  return el('div', {class: 'verdict sensitive'}, 'An assumption would change this message:', el('ul', {}, found.slice(0, 8).map((change) => el('li', {},
    el('a', {href: address('/basis', {scenario: state.rehearsal, from: state.from, to: state.to})}, change.assumption), ` as “${change.choice}”: `,
    change.what === 'moves' ? `it would come at ${clock(change.to, true)}` : WHAT[change.what]))), found.length > 8 ? `and ${found.length - 8} more` : null);
}

// Why a message of an approximated monitor is doubtful; nothing if it is sure.
function doubtOf(message) {
  if (message.monitor === null || message.group === null) return '';
  return state.rehearsal.monitors[message.monitor].groups[message.group].doubts.find(([instant]) => instant === message.instant)?.[1] || '';
}

const isApproximate = (message) => message.monitor !== null && state.rehearsal.monitors[message.monitor].approximation.length > 0;

const isUncertain = (message) => message.monitor !== null && message.group !== null && state.rehearsal.monitors[message.monitor].groups[message.group].uncertain.includes(message.instant);

function changesOf(message) {
  if (message.monitor === null) return [];
  return state.rehearsal.byMoment.get(`${message.monitor} ${message.group} ${message.instant}`) || [];
}

// The template beside its rendering.
function templateView(monitor) {
  if (!monitor || !monitor.message) return null;
  return el('details', {class: 'template'}, el('summary', {}, 'The template of this message'), el('pre', {dir: 'auto'}, monitor.message));
}

function messageText(message) {
  return message.prose ? proseBlock(message.prose) : el('p', {class: 'soft'}, 'The text is left out: the page holds those of 2,000 messages, of those sent first.');
}

const reader = document.getElementById('reader');
reader.addEventListener('click', (event) => { if (event.target === reader) reader.close(); });
reader.addEventListener('close', () => {
  if (reader.dataset.leaving) return;
  state.open = null;
  keepAddress();
});

function read(messages) {
  state.open = messages.length === 1 ? messages[0] : null;
  keepAddress();
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
  }, el('span', {class: 'time'}, time(message.instant)), el('span', {class: 'what'}, changesOf(message).length ? el('span', {class: 'assumed', title: 'an assumption would change this message'}, '≈', el('span', {class: 'hidden-text'}, ' an assumption would change this message ')) : null, doubtOf(message) ? el('span', {class: 'assumed', title: doubtOf(message)}, '?', el('span', {class: 'hidden-text'}, ' doubtful ')) : null, pill(kindOf(message), message.muted)),
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
    state.open = null;
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
    keepAddress();
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
      wrap('state', select('State', [['', 'all'], ...PAGED.filter((what) => what !== 'Unknown' || messages.some((message) => message.state === what)).map((what) => [what, what === 'OK' ? 'OK (recovered)' : what])], filters.state, change('state'))),
      wrap('recipient', select('Recipient', [['', 'all'], ['-', 'nobody'], ...recipients.map((one) => [one, one])], filters.recipient, change('recipient'))),
      wrap('monitor', select('Monitor', [['', 'all'], ...monitors.map((monitor, i) => [String(i), monitor.name])], filters.monitor, change('monitor'))),
      el('span', {class: 'soft', role: 'status'}, `${sent.toLocaleString('en')} sent, ${(matching.length - sent).toLocaleString('en')} muted`)),
    matching.length ? el('div', {class: 'inbox'}, list, pane) : el('p', {class: 'absent'}, el('strong', {}, 'No message'), messages.length ? 'none passes these filters' : 'nothing would have been sent')];
}
