// How values are written for people, and text from logs so that nothing in it stays hidden.

// Controls, format characters (which turn the direction of writing, or join), private ones, halves of pairs, line
// separators; then letters and marks that are blank or vary others.
const UNSEEN =
  /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufe00-\ufe0e\u{e0100}-\u{e01ef}]/gu;

/** How a character that cannot be seen is shown: a picture for controls, else its number. */
function picture(char) {
  const code = char.codePointAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return "\u2421";
  return numbered(code);
}

function numbered(code) {
  return "U+" + code.toString(16).toUpperCase().padStart(4, "0");
}

/** Splits text into `[text, isUnseen]`; in a block, line ends and tabs are what they are. */
export function visible(text, isBlock = false) {
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(UNSEEN)) {
    const char = match[0];
    if (isBlock && (char === "\n" || char === "\t")) continue;
    if (match.index > from) parts.push([text.slice(from, match.index), null]);
    parts.push([picture(char), numbered(char.codePointAt(0))]);
    from = match.index + char.length;
  }
  if (from < text.length) parts.push([text.slice(from), null]);
  return parts;
}

/** The same as plain text, for titles and attributes. */
export function visibleText(text) {
  return visible(String(text)).map(([part]) => part).join("");
}

const whole = new Intl.NumberFormat("en");
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export function count(number) {
  return whole.format(number);
}

/** A number for a narrow place: 1,234 or 1.2M. */
export function short(number) {
  return number < 100_000 ? whole.format(number) : compact.format(number);
}

export function plural(number, one, many = one + "s") {
  return `${whole.format(number)} ${number === 1 ? one : many}`;
}

export function percent(part) {
  if (part === 0) return "0 %";
  if (part < 0.001) return "< 0.1 %";
  return `${(part * 100).toFixed(part < 0.1 ? 1 : 0)} %`;
}

export function bytes(number) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (number >= 1000 && unit < units.length - 1) {
    number /= 1000;
    unit += 1;
  }
  return `${number < 10 && unit > 0 ? number.toFixed(1) : Math.round(number)} ${units[unit]}`;
}

export function span(seconds) {
  if (seconds < 1) return "now";
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

/** How long ago something was. */
export function ago(time) {
  const seconds = (Date.now() - Date.parse(time)) / 1000;
  if (!Number.isFinite(seconds)) return "";
  return seconds < 5 ? "just now" : `${span(seconds)} ago`;
}

const two = (number) => String(number).padStart(2, "0");

/** A time in UTC, as short as it can be told from others: that of today without the date. */
export function clock(time) {
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return String(time);
  const hours = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
  const day = at.toISOString().slice(0, 10);
  return day === new Date().toISOString().slice(0, 10) ? hours : `${day} ${hours}`;
}

/** An amount of money to four places; nothing for nothing. */
export function dollars(decimal) {
  const amount = Number(decimal);
  if (amount === 0) return "";
  const shown = amount.toLocaleString("en", { minimumFractionDigits: 4, maximumFractionDigits: 4 });
  return Math.abs(amount) < 0.00005 ? "< $0.0001" : `$${shown}`;
}
