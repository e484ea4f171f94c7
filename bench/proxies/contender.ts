/** Something that stands between the load and the service. */
export interface Contender {
  readonly name: string;
  /** Where it takes requests. */
  readonly url: string;
  /** CPU time of all its processes so far, in ms; nothing for the direct way. */
  readonly cpuMs?: () => number;
}

/** Something that could not be measured here. */
export interface Missing {
  readonly name: string;
  /** How to get it. */
  readonly advice: string;
}

export function isMissing(value: Contender | Missing): value is Missing {
  return "advice" in value;
}
