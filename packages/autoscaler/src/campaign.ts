import { backoffMs, type Clock, type LeaderElector, type Logger } from "@dormouse/core";

export interface CampaignOptions {
  readonly elector: LeaderElector;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends the campaign and releases the lead. */
  readonly signal: AbortSignal;
}

/** Campaigns for the lead until aborted, again after each failure. */
export async function campaign({ elector, clock, logger, signal }: CampaignOptions): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      await elector.lead(signal);
    } catch (error) {
      if (!signal.aborted) logger.error({ error }, "the leader elector failed; trying again");
    }
    if (!signal.aborted)
      await clock.sleep(backoffMs(attempt, { firstMs: 500, longestMs: 30_000 }), signal).catch(() => {});
  }
}
