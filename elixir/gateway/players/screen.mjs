// What is printed: as the rest of the demo does it, 80 columns, plain ASCII where the locale is not UTF-8.

const utf8 = /utf-?8/i.test(process.env.LC_ALL || process.env.LC_CTYPE || process.env.LANG || "");
const COLUMNS = 80;

export function title(text) {
  const bold = process.stdout.isTTY ? `\u001b[1m${text}\u001b[0m` : text;
  console.log(`\n${bold}\n${(utf8 ? "─" : "-").repeat(text.length)}`);
}

/** A paragraph, wrapped. @param {string} text */
export function say(text) {
  wrapped(text, "  ", "  ");
}

/** Something that happened, and how long it took. @param {string} name @param {string} text @param {number} [ms] */
export function milestone(name, text, ms) {
  const took = ms === undefined ? "" : `, ${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  wrapped(text + took, `  ${name.padEnd(11)}`, " ".repeat(13));
}

/** Something that was checked. @param {string} text */
export function check(text) {
  console.log(`  ${text}  ${utf8 ? "equal ✓" : "equal"}`);
}

/** Quantiles. @param {string[]} header @param {Array<[string, number[]]>} rows name and milliseconds */
export function table(header, rows) {
  const width = Math.max(...rows.map(([name]) => name.length), header[0].length);
  const line = ([first, ...cells]) => console.log(`  ${first.padEnd(width)}${cells.map((cell) => cell.padStart(8)).join("")}`);
  line(header);
  for (const [name, times] of rows) {
    const sorted = [...times].sort((a, b) => a - b);
    line([name, ...[0.5, 0.99, 1].map((q) => sorted[Math.trunc((sorted.length - 1) * q)]?.toFixed(1) ?? "-")]);
  }
}

function wrapped(text, first, rest) {
  let line = first;
  let empty = true;
  // A number stays with its unit.
  for (const word of text.split(/ (?!ms\b)/)) {
    if (!empty && line.length + 1 + word.length > COLUMNS) {
      console.log(line);
      [line, empty] = [rest, true];
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  console.log(line);
}
