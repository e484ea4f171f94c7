/** Flags that every command takes. */
export interface GlobalOptions {
  /** Configuration file. */
  readonly config?: string;
  /** Base URL of a host's admin API. */
  readonly admin?: string;
  readonly tokenFile?: string;
  readonly output: "text" | "json";
}
