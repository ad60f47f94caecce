// Time. Charts are drawn over instants; what is read is the wall clock of the rehearsal's zone.

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

const STEPS = [10, 30, 60, 300, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600];
const DAY = 86400;

// Where the wall clock shows round times, at most so many, and what it shows there. Time goes on evenly while the clocks change:
// an hour that they show twice is two hours, and a time that they leave out has no tick.
function ticks({from, to}, most) {
  const step = STEPS.find((seconds) => (to - from) / seconds <= most);
  const found = (step ? roundTimes(from, to, step) : monthStarts(from, to, most)).map((local) => [instantAt(local), local])
    .filter(([instant, local]) => instant >= from && instant <= to && instant + offset(instant) === local).map(([instant]) => instant);
  const date = (instant) => (step ? day(instant).slice(4, -5) : day(instant).slice(4).replace(/^1 /, ''));
  const label = (instant, i) => {
    const midnight = time(instant, true) === '00:00:00';
    return [step < DAY ? time(instant, step < 60) : '', step >= DAY || !step || !i || midnight ? date(instant) : ''].filter(Boolean).join('\n');
  };
  return {instants: found, labels: found.map(label)};
}

function roundTimes(from, to, step) {
  // Weeks begin on Monday: the first day of 1970 was a Thursday.
  const shift = step >= 604800 ? 4 * DAY : 0;
  const found = [];
  for (let local = Math.ceil((from + offset(from) - shift - 3600) / step) * step + shift; local <= to + offset(to) + 3600; local += step) found.push(local);
  return found;
}

function monthStarts(from, to, most) {
  const step = [1, 2, 3, 6, 12].find((months) => (to - from) / (months * 30 * DAY) <= most) || 24;
  const first = new Date(from * 1000);
  const found = [];
  for (let month = Math.floor(first.getUTCMonth() / step) * step; ; month += step) {
    const local = Date.UTC(first.getUTCFullYear(), month, 1) / 1000;
    if (local > to + DAY) return found;
    found.push(local);
  }
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
