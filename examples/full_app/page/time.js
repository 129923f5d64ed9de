// Times as people of this browser's language write them.

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const fullDate = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const withYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });

export const timeOfDay = (at) => clock.format(at);

export const dateAndTime = (at) => fullDate.format(at);

export function sameDay(one, other) {
  return new Date(one).toDateString() === new Date(other).toDateString();
}

/** "Today", "Yesterday", or the date. */
export function dayName(at, now = Date.now()) {
  if (sameDay(at, now)) return "Today";
  if (sameDay(at, dayBefore(now))) return "Yesterday";
  const thisYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return (thisYear ? weekday : withYear).format(at);
}

/** Not simply 24 hours less: days have 23 to 25 of them. */
function dayBefore(now) {
  const date = new Date(now);
  date.setDate(date.getDate() - 1);
  return date;
}
