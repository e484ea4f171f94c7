export type { AutoscalerOptions } from "./autoscaler-context.ts";
export { decideAskedSleep } from "./decide-asked-sleep.ts";
export { decideSleep } from "./decide-sleep.ts";
export { decideTarget, type TargetResult } from "./decide-target.ts";
export type { Decision } from "./decision.ts";
export {
  type DecisionReason,
  decisionReasons,
  type KeepReason,
  type ReasonFacts,
  type SleepReason,
} from "./decision-reasons.ts";
export type { DecisionRecord, TargetRecord } from "./decision-record.ts";
export { createDlxSource, dlxMetrics } from "./dlx-source.ts";
export { type Explanation, explainDecision } from "./explain-decision.ts";
export type { DlxObservation, Observation, RuleObservation, SleepPolicy } from "./observation.ts";
export { type Autoscaler, openAutoscaler, type SleepRequest } from "./open-autoscaler.ts";
export { type PrometheusOptions, prometheusOptionsSchema } from "./prometheus-options.ts";
export { prometheusSource } from "./prometheus-source.ts";
export type { MetricsSources } from "./read-rules.ts";
export { sleepEndReasons } from "./sleep-end.ts";
export { type SleepStep, sleepSteps } from "./sleep-step.ts";
export { explainTarget } from "./explain-target.ts";
export type { TargetDecision, TargetFigures } from "./target-decision.ts";
export { recordScale, startTargetHistory, type TargetHistory } from "./target-history.ts";
export type { TargetObservation, TargetPolicy, TargetSample } from "./target-observation.ts";
export { type ScaleReason, type TargetReason, targetReasons } from "./target-reasons.ts";
