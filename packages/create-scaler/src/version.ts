import manifest from "../package.json" with { type: "json" };

/** Version of this package, and of every other `@dormouse/` package that belongs to it. */
export const version: string = manifest.version;
