// What each monitor can do with a signal made from its own query (`rehearse --auto`).

const ANSWERS = {yes: '✓', no: '✗', 'not set': '–'};
const BAD = {error: 0, warning: 1, note: 2};
const SURVEYS_AT_ONCE = 200;

const severityOf = (survey) => Math.min(3, ...survey.faults.map(([severity]) => BAD[severity]));

function answerCell([answer, reason]) {
  return el('span', {class: 'answer', 'data-answer': answer, title: reason || null}, ANSWERS[answer], el('span', {class: 'hidden-text'}, answer));
}

function surveyDetails(survey) {
  const rows = [];
  if (survey.unsupported) rows.push(['Not rehearsed', name(survey.unsupported)]);
  for (const [severity, text] of survey.faults) if (text !== survey.unsupported) rows.push([severity, name(text)]);
  for (const [state_, [answer, reason]] of Object.entries(survey.answers)) if (reason) rows.push([state_, [`${answer}: `, name(reason)]]);
  for (const [kind, handles] of Object.entries(survey.notified)) rows.push([kind, ['notifies ', handles.length ? handles.map((one, i) => [i ? ', ' : '', name(one)]) : 'nobody']]);
  if (survey.page_after !== null) rows.push(['Page after', `${duration(survey.page_after)} from the first bad point`]);
  if (survey.recovery_after !== null) rows.push(['Recovery after', `${duration(survey.recovery_after)} from the first good point`]);
  if (survey.pace) rows.push(['Pace', survey.pace]);
  if (survey.stub) rows.push(['Made-up series', ['stands in for ', el('code', {}, `${survey.stub}()`)]]);
  if (survey.assumptions.length) rows.push(['Assumptions', survey.assumptions.join(', ')]);
  return el('dl', {class: 'facts'}, el('dt', {}, 'File'), el('dd', {}, name(survey.file)), el('dt', {}, 'Query'), el('dd', {}, el('code', {}, name(survey.query))),
    rows.map(([term, detail]) => [el('dt', {}, term), el('dd', {}, detail)]));
}

function surveyRow(survey) {
  const handles = [...new Set(Object.values(survey.notified).flat())];
  const verdict = survey.unsupported ? 'none' : severityOf(survey) < 2 ? 'failed' : 'held';
  return el('tr', {'data-verdict': verdict},
    el('td', {}, el('details', {}, el('summary', {}, el('span', {class: 'state', 'data-verdict': verdict}, VERDICT_MARKS[verdict]), ' ', name(survey.name)), surveyDetails(survey))),
    survey.unsupported ? el('td', {colspan: 4, class: 'soft'}, 'not rehearsed') : Object.values(survey.answers).map((answer) => el('td', {}, answerCell(answer))),
    el('td', {}, survey.page_after === null ? '–' : duration(survey.page_after)),
    el('td', {}, handles.length ? [handles.slice(0, 3).map((one, i) => [i ? ', ' : '', name(one)]), handles.length > 3 ? `, and ${handles.length - 3} more` : null] : '–'));
}

function surveyTable() {
  const order = [...page.surveys].sort((a, b) => severityOf(a) - severityOf(b));
  const bad = order.filter((survey) => severityOf(survey) < 2).length;
  const outside = order.filter((survey) => survey.unsupported).length;
  const body = el('tbody');
  const more = button('', () => { limit += SURVEYS_AT_ONCE; fill(); }, {class: 'quiet more'});
  let limit = SURVEYS_AT_ONCE;
  let text = '';
  function fill() {
    const found = order.filter((survey) => [survey.name, survey.file, ...Object.values(survey.notified).flat()].some((one) => one.toLowerCase().includes(text)));
    body.replaceChildren(...found.slice(0, limit).map(surveyRow));
    more.hidden = found.length <= limit;
    more.textContent = `Show more monitors (${found.length - limit} left)`;
  }
  fill();
  return [el('p', {class: 'lead'}, `${counted(order.length, 'monitor')}: ${bad} with something wrong, ${outside} not rehearsed. Each was evaluated on a signal made from its own query. Choose a name for the reasons.`),
    order.length > 8 ? searchField('Find a monitor, file or recipient', '', (value) => { text = value.toLowerCase(); fill(); }) : null,
    el('div', {class: 'scroll'}, el('table', {class: 'plain surveys'}, el('thead', {}, el('tr', {}, ['Monitor', ...Object.keys(order[0].answers), 'Page after', 'Notified'].map((one) => el('th', {scope: 'col'}, one)))), body)), more];
}
