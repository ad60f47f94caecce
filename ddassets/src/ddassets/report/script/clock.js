// Time. A chart knows no time zones, so it is given the wall clock of the rehearsal's zone as if it were UTC.

function offset(instant) {
  let east = 0;
  for (const [from, seconds] of state.rehearsal.offsets) {
    if (from > instant) break;
    east = seconds;
  }
  return east;
}

const wall = (instant) => (instant + offset(instant)) * 1000;
const wallText = (instant) => new Date(wall(instant)).toISOString().slice(0, 19).replace('T', ' ');

function instantOf(text) {
  const local = Date.parse(`${String(text).replace(' ', 'T').slice(0, 23)}Z`) / 1000;
  return local - offset(local - offset(local));
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
