/** A path of keys as people write it: `["scalers", 0, "x-y"]` below `""` gives `scalers[0].x-y`. */
export function formatPlace(place: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => joinPlaces(text, formatKey(key)), place);
}

function formatKey(key: PropertyKey): string {
  if (typeof key === "number") return `[${key}]`;
  const text = String(key);
  return /^[\w-]+$/.test(text) ? text : `[${JSON.stringify(text)}]`;
}

/** A place below another: `a` and `[0].b` give `a[0].b`. */
export function joinPlaces(outer: string, inner: string): string {
  return outer === "" || inner === "" || inner.startsWith("[") ? outer + inner : `${outer}.${inner}`;
}
