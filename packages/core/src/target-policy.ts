import { z } from "zod";
import { durationSchema, positiveDurationSchema } from "./duration.ts";

/*
 * The part of a policy that keeps a metric at a target by 1 to N replicas. Words and defaults are those of `behavior` in
 * the HorizontalPodAutoscaler of autoscaling/v2, so that who knows one knows the other.
 */

const longestMs = 3_600_000;
const atMostAnHour = "is too long; write at most 1h";

/** Whatever is remembered for so long is bounded by it. */
const window = durationSchema.refine((ms) => ms <= longestMs, atMostAnHour);
const positiveWindow = positiveDurationSchema.refine((ms) => ms <= longestMs, atMostAnHour);

const relativeShare =
  "is no share below 1, as a relative tolerance has to be; write for example 0.1, or toleranceKind: absolute";

/** What a metric is to be kept at, as configuration writes it. */
export const targetSchema = z
  .strictObject({
    metric: z.string().min(1).meta({ description: "Name of the metric in its source" }),
    value: z.number().min(0.000_001).max(1e15).meta({
      description: "What one replica should have of it on average, in the metric's base unit",
    }),
    valueKind: z.enum(["average", "total"]).default("average").meta({
      description:
        "What the source gives: the average of one replica, or the total of all, which is divided by their count",
    }),
    tolerance: z.number().min(0).max(1e15).default(0.1).meta({
      description: "How far from the target changes nothing",
    }),
    toleranceKind: z.enum(["relative", "absolute"]).default("relative").meta({
      description: "relative: a share of the target; absolute: in the metric's base unit",
    }),
    source: z
      .string()
      .min(1)
      .optional()
      .meta({ description: "Id of the metrics source; left out: the first that is configured" }),
    window: positiveWindow.prefault("1m").meta({
      description: "Time that the value is about, as far as its source can choose; data older than this is not used",
    }),
  })
  .refine(({ tolerance, toleranceKind }) => toleranceKind === "absolute" || tolerance < 1, {
    error: relativeShare,
    path: ["tolerance"],
  });

const ratePolicySchema = z.strictObject({
  type: z.enum(["pods", "percent"]).meta({ description: "Whether value is a count of replicas or a share of them" }),
  value: z.int().positive().max(1_000_000).meta({ description: "By so much at most within the period" }),
  period: positiveWindow.meta({ description: "Time in which changes are added up, at most 1h" }),
});

const selectPolicy = z.enum(["max", "min", "disabled"]).default("max").meta({
  description: "Of several policies the one that allows most, or least; disabled: never in this direction",
});

const ratePolicies = z.array(ratePolicySchema).min(1).max(10).meta({ description: "How fast, each within its period" });

/** How the count may rise. */
export const scaleUpSchema = z.strictObject({
  stabilizationWindow: window.prefault("0").meta({
    description: "Raise to no more than the least that was wanted within this time, at most 1h",
  }),
  selectPolicy,
  policies: ratePolicies.prefault([
    { type: "pods", value: 4, period: "15s" },
    { type: "percent", value: 100, period: "15s" },
  ]),
});

/** How the count may fall. */
export const scaleDownSchema = z.strictObject({
  stabilizationWindow: window.prefault("5m").meta({
    description: "Lower to no less than the most that was wanted within this time, at most 1h",
  }),
  selectPolicy,
  policies: ratePolicies.prefault([{ type: "percent", value: 100, period: "15s" }]),
});

/** When a count that goes up and down is held up. */
export const flapGuardSchema = z.strictObject({
  reversals: z.int().nonnegative().max(100).default(6).meta({
    description: "After so many changes of direction within the window nothing is lowered; 0: no guard",
  }),
  window: positiveWindow.prefault("10m").meta({ description: "Time in which they are counted, at most 1h" }),
});

/** What a metric is to be kept at. `window` in ms. */
export type TargetGoal = z.output<typeof targetSchema>;
/** How the count may move in one direction. Times in ms. */
export type ScalingRules = z.output<typeof scaleUpSchema>;
/** By how much the count may change within a period. `period` in ms. */
export type RatePolicy = ScalingRules["policies"][number];
/** When a count that goes up and down is held up. `window` in ms. */
export type FlapGuard = z.output<typeof flapGuardSchema>;

/** Dormouse's own defaults. */
export const defaultScaling: {
  readonly scaleUp: ScalingRules;
  readonly scaleDown: ScalingRules;
  readonly flapGuard: FlapGuard;
} = {
  scaleUp: scaleUpSchema.parse({}),
  scaleDown: scaleDownSchema.parse({}),
  flapGuard: flapGuardSchema.parse({}),
};
