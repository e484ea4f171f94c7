import manifest from "../package.json" with { type: "json" };

/** Version of this kit: the rules may grow with each one. */
export const version: string = manifest.version;
