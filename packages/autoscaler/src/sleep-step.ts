/** The steps of a sleep in their order. A scaler without routing has no divert; one that needs no version has no mark. */
export const sleepSteps = ["read", "mark", "divert", "drain", "list", "fence", "stop", "done"] as const;

/** One step of a sleep. */
export type SleepStep = (typeof sleepSteps)[number];
