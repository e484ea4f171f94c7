/** Node that understands TypeScript and finds the packages' sources. */
export const nodeFromSource: readonly string[] = [
  process.execPath,
  "--conditions=@dormouse/source",
  "--disable-warning=ExperimentalWarning",
];
