// Which links to a room can be given to others: pure.

/**
 * @typedef {{url: string, host: string}} Link
 * @typedef {{links: Link[], lonely: boolean}} Invitation
 */

/**
 * The links to offer, the best one first. `lonely`: the page was opened at the
 * machine's own address and no other is known, so nobody else can follow the link.
 * @param {string} origin the frontend this page talks to
 * @param {string} hash the room, as the page's address has it
 * @param {unknown} addresses origins the server says it can be reached at
 * @returns {Invitation}
 */
export function invitation(origin, hash, addresses) {
  const own = isLoopback(origin);
  const told = (Array.isArray(addresses) ? addresses : []).flatMap(originOf).filter((one) => !isLoopback(one));
  const origins = own ? told : [origin];
  const offered = [...new Set(origins.length ? origins : [origin])];
  return { links: offered.map((one) => ({ url: `${one}/${hash}`, host: new URL(one).host })), lonely: own && told.length === 0 };
}

/** @param {string} origin */
export function isLoopback(origin) {
  return /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(origin).hostname);
}

/** @param {unknown} text @returns {string[]} none when it is no address a browser could open */
function originOf(text) {
  try {
    const url = new URL(String(text));
    return /^https?:$/.test(url.protocol) ? [url.origin] : [];
  } catch {
    return [];
  }
}
