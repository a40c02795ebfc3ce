// The games this page can show. Each is a folder in games/ that the server has found
// there; what it brings is in its game.js.

/** @typedef {import("./types.js").Game} Game */

/** The games that were loaded, by the name the server knows them by. @type {Map<string, Game>} */
export const GAMES = new Map();

/** Loads every game there is. One that cannot be loaded is left out, and the others are played. */
export async function loadGames() {
  const found = document.querySelector('meta[name="games"]')?.getAttribute("content") ?? "";
  const names = found.split(" ").filter(Boolean);
  const loaded = await Promise.allSettled(names.map((name) => import(`./games/${name}/game.js`)));
  loaded.forEach((result, at) => {
    const name = names[at];
    if (result.status === "fulfilled" && name) GAMES.set(name, result.value.game);
    else if (result.status === "rejected") console.error(`the game ${name} cannot be loaded:`, result.reason);
  });
}
