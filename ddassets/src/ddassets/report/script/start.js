// The start: what each scenario says, failures first, and who would be paged.

const FAILURES = 10;
const failuresOf = (rehearsal) => rehearsal.verdicts.filter((verdict) => !verdict.holds);
const verdictOf = (rehearsal) => (!rehearsal.verdicts.length ? 'none' : failuresOf(rehearsal).length ? 'failed' : 'held');
const VERDICT_MARKS = {failed: '✗', held: '✓', none: '–'};
const byVerdict = (rehearsals) => ['failed', 'none', 'held'].flatMap((verdict) => rehearsals.filter((one) => verdictOf(one) === verdict));
const firstRehearsal = () => page.rehearsals.find((one) => verdictOf(one) === 'failed') || page.rehearsals[0];
const firstFailure = (rehearsal) => failuresOf(rehearsal).find((verdict) => verdict.instant !== null);
// Enough of a signal before a moment to see how it came, in seconds.
const BEFORE = 5400;
const AFTER = 1800;

const around = ({instant}) => ({from: instant - BEFORE, to: instant + AFTER});

// Where a moment of a monitor's group is shown.
function momentAddress(rehearsal, {monitor, group, instant, index = null}) {
  const several = group !== null && rehearsal.monitors[monitor].groups.length > 1;
  return address(`/monitors/${monitor}`, {scenario: rehearsal, ...around({instant}), group: several ? rehearsal.monitors[monitor].groups[group].name : null, message: index});
}

function failureItem(rehearsal, verdict) {
  return el('li', {class: 'broken'}, name(verdict.text), verdict.instant === null ? null
    : [' ', el('a', {href: momentAddress(rehearsal, verdict)}, 'Show in the chart')]);
}

function verdictSentence(rehearsal) {
  const {verdicts} = rehearsal;
  const failed = failuresOf(rehearsal).length;
  if (!verdicts.length) return 'nothing expected';
  return failed ? `${failed} of ${counted(verdicts.length, 'expectation')} failed` : `${counted(verdicts.length, 'expectation')} held`;
}

const verdictPill = (rehearsal) => el('span', {class: 'state', 'data-verdict': verdictOf(rehearsal)}, `${VERDICT_MARKS[verdictOf(rehearsal)]} ${verdictSentence(rehearsal)}`);

// For each recipient how many messages of each state were sent, and when the first and the last.
function recipients(messages) {
  const found = new Map();
  for (const message of messages) {
    if (message.muted) continue;
    for (const handle of message.recipients.length ? message.recipients : ['']) {
      if (!found.has(handle)) found.set(handle, {handle, counts: {}, first: message, last: message});
      const one = found.get(handle);
      one.counts[kindOf(message)] = (one.counts[kindOf(message)] || 0) + 1;
      one.last = message;
    }
  }
  return [...found.values()].sort((a, b) => (b.counts.Alert || 0) - (a.counts.Alert || 0) || (a.handle < b.handle ? -1 : 1));
}

const PAGED = ['Alert', 'Warn', 'No Data', 'Unknown', 'OK', 'Downtime'];
const RECIPIENTS = 12;

function messageLink(rehearsal, message) {
  const href = message.monitor === null ? address('/inbox', {scenario: rehearsal, message: message.index}) : momentAddress(rehearsal, message);
  const date = new Date((message.instant + offsetOf(rehearsal, message.instant)) * 1000);
  return el('a', {href}, `${DAYS[date.getUTCDay()]} ${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}, ${date.toISOString().slice(11, 16)}`);
}

function pagedTable(rehearsal) {
  const found = recipients(rehearsal.messages);
  const muted = rehearsal.messages.filter((message) => message.muted).length;
  const note = el('p', {class: 'soft'}, muted ? `${counted(muted, 'message')} muted by downtimes.` : null,
    found.length > RECIPIENTS ? ` ${found.length - RECIPIENTS} more recipients are in the inbox.` : null);
  if (!found.length) return [el('p', {}, 'Nobody was notified.'), note];
  const used = PAGED.filter((what) => found.some((one) => one.counts[what]));
  const headings = ['Notified', ...used.map((what) => (what === 'OK' ? 'Recovered' : what)), 'First', 'Last'];
  return [el('div', {class: 'scroll'}, table(headings, found.slice(0, RECIPIENTS).map((one) => [
    el('a', {href: address('/inbox', {scenario: rehearsal, recipient: one.handle || '-', delivery: 'sent'})}, one.handle ? name(one.handle) : 'nobody: no recipient'),
    ...used.map((what) => (one.counts[what] ? one.counts[what].toLocaleString('en') : '–')),
    messageLink(rehearsal, one.first), messageLink(rehearsal, one.last)]))), note];
}

// How much the result depends on questions that the documentation leaves open.
function sensitivity(rehearsal) {
  const matter = rehearsal.assumptions.filter((one) => one.effects.some(([, , matters]) => matters));
  if (!matter.length) return null;
  return el('p', {class: 'soft'}, `${matter.length} of ${counted(rehearsal.assumptions.length, 'assumption')} would change this: `,
    el('a', {href: address('/basis', {scenario: rehearsal})}, matter.map((one) => one.id).join(', ')));
}

function scenarioCard(rehearsal) {
  const failures = failuresOf(rehearsal);
  const target = address(rehearsal.dashboards.length ? '/dashboards/0' : '/monitors', {scenario: rehearsal});
  return el('section', {class: failures.length ? 'card failures scenario' : 'card scenario', 'data-verdict': verdictOf(rehearsal)},
    el('h2', {}, el('a', {href: target}, name(rehearsal.name)), ' ', verdictPill(rehearsal)),
    rehearsal.description && el('p', {class: 'soft'}, name(rehearsal.description)),
    failures.length ? el('ul', {class: 'held'}, failures.slice(0, FAILURES).map((verdict) => failureItem(rehearsal, verdict))) : null,
    failures.length > FAILURES ? el('p', {class: 'soft'}, `and ${failures.length - FAILURES} more in `, el('a', {href: address('/basis', {scenario: rehearsal})}, 'Assumptions and coverage')) : null,
    pagedTable(rehearsal), sensitivity(rehearsal));
}

// The first failure of the scenario that is chosen, in its chart.
function failureView(rehearsal) {
  const verdict = firstFailure(rehearsal);
  if (!verdict) return null;
  const monitor = rehearsal.monitors[verdict.monitor];
  const group = monitor.groups[verdict.group ?? 0];
  if (!group) return null;
  const messages = rehearsal.messages.filter((message) => message.monitor === verdict.monitor && message.group === (verdict.group ?? 0));
  return el('section', {class: 'card failures', id: 'first-failure'},
    el('h2', {}, 'First failure', page.rehearsals.length > 1 ? [' of ', name(rehearsal.name)] : null),
    el('ul', {class: 'held'}, failureItem(rehearsal, verdict)), monitorGroup(monitor, group, messages, verdict.instant));
}

function startPage() {
  const order = byVerdict(page.rehearsals);
  const failed = order.filter((one) => verdictOf(one) === 'failed').length;
  const judged = order.filter((one) => verdictOf(one) !== 'none').length;
  const heading = page.surveys.length ? 'Monitors' : failed ? `${failed} of ${counted(order.length, 'scenario')} failed`
    : judged ? `${order.length === 1 ? 'The scenario' : judged === order.length ? `All ${order.length} scenarios` : `${judged} of ${order.length} scenarios`} held` : 'Nothing was expected';
  return [el('h1', {}, heading), page.surveys.length ? surveyTable() : null,
    state.rehearsal && failureView(state.rehearsal), order.map(scenarioCard)];
}
