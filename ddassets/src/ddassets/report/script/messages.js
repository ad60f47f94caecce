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
