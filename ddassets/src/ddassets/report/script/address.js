// The address: scenario, part, frame, variables, filters and message, so that a link or the Back button restores a view.
// `#/monitors/0?scenario=week&from=2027-01-04T08:00:00Z&to=…&$host=a&message=7`. Without a question mark it is a part
// alone, and the rest stays as it is.

const FILTERS = ['delivery', 'state', 'recipient', 'monitor', 'group', 'order'];
const stamp = (instant) => `${new Date(instant * 1000).toISOString().slice(0, 19)}Z`;

function readAddress(text = location.hash) {
  const [path, query] = text.slice(1).split(/\?(.*)/s);
  const [, kind, index] = path.split('/');
  return {kind: kind || '', index, params: query === undefined ? null : new URLSearchParams(query)};
}

function address(path, {scenario = null, from = null, to = null, message = null, ...rest} = {}) {
  const params = new URLSearchParams();
  const add = (key, value) => { if (value !== null && value !== undefined && value !== '') params.set(key, value); };
  if (page.rehearsals.length > 1 && scenario) add('scenario', scenario.name);
  add('from', from === null ? null : stamp(from));
  add('to', to === null ? null : stamp(to));
  for (const [key, value] of Object.entries(rest)) add(key, value);
  add('message', message);
  return `#${path}?${params.toString().replaceAll('%3A', ':').replaceAll('%24', '$')}`;
}

// The address of what is shown now.
function ownAddress() {
  const {rehearsal, from, to, open} = state;
  const {kind, index, named} = route();
  const chosen = kind === 'dashboards' ? Object.fromEntries(Object.entries(state.chosen).map(([key, value]) => [`$${key}`, value])) : {};
  const filters = kind === 'inbox' || kind === 'monitors' ? state.filters : {};
  return address(kind === 'start' ? '/' : `/${kind}${kind === 'dashboards' || named ? `/${index}` : ''}`,
    {scenario: rehearsal, from, to, ...chosen, ...filters, message: open ? open.index : null});
}

function keepAddress() {
  if (state.rehearsal) history.replaceState(null, '', ownAddress());
}

// Put the page in the state that the address names. What it does not name is as at the beginning.
function applyAddress() {
  const {kind, index, params} = readAddress();
  state.open = null;
  if (!params) return;
  const rehearsal = page.rehearsals.find((one) => one.name === params.get('scenario')) || state.rehearsal || firstRehearsal();
  if (rehearsal === state.rehearsal) limitFrame(rehearsal.start, rehearsal.end);
  else choose(rehearsal);
  const [from, to] = ['from', 'to'].map((key) => Date.parse(params.get(key)) / 1000);
  if (from < to) limitFrame(from, to);
  state.filters = Object.fromEntries(FILTERS.filter((key) => params.has(key)).map((key) => [key, params.get(key)]));
  if (kind === 'dashboards') {
    const at = dashboardIndex(index);
    for (const {name: key, default: value, values} of rehearsal.dashboards[at]?.variables || []) {
      const chosen = params.get(`$${key}`);
      state.selections[at][key] = values.includes(chosen) ? chosen : value;
    }
  }
  state.open = rehearsal.messages[Number.parseInt(params.get('message'), 10)] || null;
}
