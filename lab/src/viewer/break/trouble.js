// Why something was not done, in plain words, and what helps. Plain code.

/** What a server says is shown when it is no longer than this, in letters. */
const SAID_MAX = 200;

/** What helps when the server refuses. @type {Record<number, string>} */
const REFUSED = {
  400: "The lab did not understand this command. Is the page older than the lab? Load it again.",
  401: "The lab does not know this page. Open it by the link that the lab has printed.",
  403: "Nothing may be broken from this page.",
  404: "The lab does not know this. Is the page older than the lab? Load it again.",
  429: "The lab does as much at once as it may. Try again in a moment.",
  503: "The lab does as much at once as it may. Try again in a moment.",
};

/** What a command says, and what helps. @type {[RegExp, string][]} */
const HELPS = [
  [/no demo runs/, "Start the lab again."],
  [/is not running/, "It has ended already: restart it first."],
  [/faults? .*(not allowed|are off|refused)|faults = true/, "Only nodes with `faults = true` in their configuration allow it."],
  [/nobody leads|no leader|who leads/, "Wait until somebody leads, and try again."],
  [/does not answer|no answer|unreachable|connect/i, "A command does all it says or nothing: restart or resume the silent nodes first, or choose others."],
  [/majority|could not go on/, "Bring back the nodes that have ended first."],
  [/timed out|took too long/, "Look at what is broken now before you try again."],
];

/**
 * What to say of something that was not done.
 * @param {number} status of HTTP; 0 when nobody answered, 200 when the command itself failed
 * @param {string} said by the server or the command
 */
export function plainly(status, said) {
  if (status === 0) return "The lab does not answer. Does `hangraft lab` still run?";
  const text = said.replace(/^(error|hangraft): /i, "").trim();
  if (status !== 200) {
    const why = text === "" || text.length > SAID_MAX || text.startsWith("<") ? "" : ` It says: ${text}`;
    return `${REFUSED[status] ?? `The lab refused it (${status}).`}${why}`;
  }
  const [, help] = HELPS.find(([pattern]) => pattern.test(text)) ?? [];
  const sentence = text === "" ? "It was not done." : /[.!?]$/.test(text) ? text : `${text}.`;
  return help === undefined ? sentence : `${sentence} ${help}`;
}
