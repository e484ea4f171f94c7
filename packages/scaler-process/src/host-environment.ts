/** A variable of the host that is its own: its settings (`DORMOUSE_TOKEN`), or the mark of an outer Dormouse. */
const ownPrefix = "DORMOUSE_";

/** The host's environment as its children inherit it: all of it but Dormouse's own settings, which may hold secrets. */
export function hostEnvironment(): Record<string, string> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith(ownPrefix));
  return Object.fromEntries(inherited.filter((entry): entry is [string, string] => entry[1] !== undefined));
}
