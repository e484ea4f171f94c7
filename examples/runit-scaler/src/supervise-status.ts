/** What `supervise/status` says of a service: runsv(8), "maintains status information in a binary format". */
export interface SuperviseStatus {
  /** Whether runsv is to keep the service running. */
  readonly wanted: "up" | "down";
  /** Undefined while the service does not run. */
  readonly pid: number | undefined;
  /** It was sent a TERM, and has not ended yet. */
  readonly gotTerm: boolean;
  /** When it entered its present state, as the 12 bytes of a TAI64N time: unlike a pid it never comes back. */
  readonly since: string;
}

/** Of the file as runsv writes it: a TAI64N time, the pid, and whether paused, wanted, terminated, in which state. */
const length = 20;

/** @returns undefined where it is not what runsv writes */
export function readSuperviseStatus(bytes: Buffer): SuperviseStatus | undefined {
  if (bytes.length !== length) return undefined;
  const pid = bytes.readUInt32LE(12);
  return {
    wanted: bytes[17] === "u".charCodeAt(0) ? "up" : "down",
    pid: pid === 0 ? undefined : pid,
    gotTerm: bytes[18] === 1,
    since: bytes.toString("hex", 0, 12),
  };
}
