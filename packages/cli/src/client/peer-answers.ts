import type { ActivityReport, FenceAnswer } from "@dormouse/core";
import { z } from "zod";

const processId = z.string().min(1).max(200);
const count = z.int().nonnegative();
const span = z.number().nonnegative();

/** Answer to `GET /v1/activity`. Fields that are not known are left out: a newer DLX may tell more. */
export const activitySchema: z.ZodType<ActivityReport> = z
  .object({
    process: processId,
    startedAt: z.number(),
    uptimeMs: span,
    resources: z
      .array(
        z.object({
          ref: z.string().min(1).max(800),
          inFlight: count,
          held: count,
          idleForMs: span,
          lastActivityAt: z.number().exactOptional(),
          requests: count,
        }),
      )
      .max(200_000),
  })
  .refine(({ resources }) => new Set(resources.map(({ ref }) => ref)).size === resources.length, "names one twice");

/** Answer to a fence; only the one to this very attempt. */
export function fenceSchema(attempt: string): z.ZodType<FenceAnswer> {
  return z.object({
    process: processId,
    attempt: z.literal(attempt, "it is about another attempt"),
    inFlight: count,
    held: count,
  });
}
