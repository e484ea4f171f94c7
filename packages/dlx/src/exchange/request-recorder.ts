import type { Milliseconds } from "@dormouse/core";

/** Told of every request that is over. */
export interface RequestRecorder {
  /**
   * @param key printed ref; empty where no resource was found
   * @param status what the caller got; 499 where it had left, 502 where the answer was cut off
   * @param isCold it waited for its resource to start
   */
  record(key: string, status: number, durationMs: Milliseconds, isCold: boolean): void;
}
