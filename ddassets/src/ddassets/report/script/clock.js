// Time. A chart knows no time zones, so it is given the wall clock of the rehearsal's zone as if it were UTC.

const offset = (instant) => offsetOf(state.rehearsal, instant);

function offsetOf(rehearsal, instant) {
  let east = 0;
  for (const [from, seconds] of rehearsal.offsets) {
    if (from > instant) break;
    east = seconds;
  }
  return east;
}

const wall = (instant) => (instant + offset(instant)) * 1000;
// The instant at which the clock shows a time, which is given as if it were UTC, in seconds.
const instantAt = (local) => local - offset(local - offset(local));

// Where a chart puts an instant. Over weeks it is the time on the clock. In a shorter frame, time goes on evenly while the
// clocks change, and the ticks say what they show: an hour that they show twice is two hours.
const LONG = 28 * 86400;
const evenly = () => state.to - state.from <= LONG;
const axisText = (instant) => new Date((instant + offset(evenly() ? state.from : instant)) * 1000).toISOString().slice(0, 19).replace('T', ' ');

function instantOf(text) {
  const local = Date.parse(`${String(text).replace(' ', 'T').slice(0, 23)}Z`) / 1000;
  return evenly() ? local - offset(state.from) : instantAt(local);
}

// Whether the clocks change inside of what is shown.
const changing = () => evenly() && offset(state.from) !== offset(state.to - 1);

const STEPS = [60, 300, 900, 1800, 3600, 10800, 21600, 43200, 86400, 172800, 604800];

// The ticks of a frame in which the clocks change; of any other the chart library's own are right.
function ticks({from, to}, most) {
  if (!changing()) return {};
  const step = STEPS.find((seconds) => (to - from) / seconds <= most) || STEPS.at(-1);
  const found = [];
  for (let local = Math.ceil((from + offset(from)) / step) * step; instantAt(local) <= to; local += step) {
    // A time that the clocks leave out has no tick.
    if (instantAt(local) >= from && instantAt(local) + offset(instantAt(local)) === local) found.push(instantAt(local));
  }
  const label = (instant, i) => [step < 86400 ? time(instant) : '', i && time(instant) !== '00:00' ? '' : day(instant).slice(4, -5)].filter(Boolean).join('<br>');
  return {tickmode: 'array', tickvals: found.map(axisText), ticktext: found.map(label), hoverformat: ' '};
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function day(instant) {
  const date = new Date(wall(instant));
  return `${DAYS[date.getUTCDay()]} ${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
}

const time = (instant, seconds) => new Date(wall(instant)).toISOString().slice(11, seconds ? 19 : 16);
const clock = (instant, seconds) => `${day(instant)}, ${time(instant, seconds)}`;

const counted = (count, what) => `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;

function duration(seconds) {
  for (const [size, unit] of [[604800, 'week'], [86400, 'day'], [3600, 'hour'], [60, 'minute']]) {
    if (seconds >= size) {
      const count = Math.round(seconds / size * 10) / 10;
      return `${count} ${unit}${count === 1 ? '' : 's'}`;
    }
  }
  return `${Math.round(seconds)} seconds`;
}
