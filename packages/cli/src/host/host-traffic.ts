import type { Dlx, DlxResourceStatus } from "@dormouse/dlx";

/** A DLX that did not tell what it has. */
export interface SilentDlx {
  /** As the peer discovery lists it. */
  readonly id: string;
  /** Code of what became of asking it. */
  readonly code: string;
}

/** What a host knows of the requests for its resources: its own DLX's books, or what the DLXs of other hosts told last. */
export interface HostTraffic {
  /** @param key printed ref */
  status(key: string): DlxResourceStatus;
  /** Asks whoever has to be asked, within a short time. Never rejects. */
  refresh(): Promise<void>;
  /** Whose numbers are missing. */
  readonly silent: readonly SilentDlx[];
}

/** The traffic of a DLX in the same process: always as it is now. */
export function ownTraffic(dlx: Pick<Dlx, "status">): HostTraffic {
  return { status: (key) => dlx.status(key), refresh: async () => {}, silent: [] };
}
