export { backoffMs, type BackoffOptions } from "./backoff.ts";
export { callWithDeadline, type DeadlineOptions } from "./call-with-deadline.ts";
export type { Clock, Milliseconds, Timer } from "./clock.ts";
export {
  type AdminConfig,
  type AutoscalerConfig,
  type ClusterConfig,
  configSchema,
  type DlxConfig,
  type DormouseConfig,
  type PluginConfig,
  type SecretReference,
  type TelemetryConfig,
} from "./config-schema.ts";
export { ConfigError, type ConfigIssue, isConfigError } from "./config-error.ts";
export { decideRouting, type RoutingFacts, type RoutingMode, seesDirectBy, type SeesDirect } from "./decide-routing.ts";
export {
  definePort,
  defineScaler,
  type PortContexts,
  type PortInstances,
  type PortKind,
  type PortPlugin,
} from "./define-plugin.ts";
export { durationSchema, formatDuration, positiveDurationSchema } from "./duration.ts";
export { type ErrorCode, errorFacts, type ErrorFacts, errorTable, isErrorCode } from "./error-codes.ts";
export { EventJournal, type ScaleEvent } from "./event-journal.ts";
export { type FormatLabelsOptions, formatPolicyLabels } from "./format-policy-labels.ts";
export type { GuardedScaler, GuardLimits } from "./guard-scaler.ts";
export { type LeaderElector, soleLeader } from "./leader-elector.ts";
export { listenAddressSchema } from "./listen-address.ts";
export { loadPort, loadScaler } from "./load-plugin.ts";
export { type Logger, silentLogger } from "./logger.ts";
export type { MetricQuery, MetricSample, MetricsSource } from "./metrics-source.ts";
export { networkSchema } from "./network.ts";
export { openPort } from "./open-port.ts";
export { openScaler } from "./open-scaler.ts";
export { parseConfig, resolveDefaults } from "./parse-config.ts";
export { parsePolicyLabels, type PolicyLabelsOptions } from "./parse-policy-labels.ts";
export { parsePolicy } from "./parse-policy.ts";
export type {
  ActivityReport,
  DlxPeer,
  FenceAnswer,
  PeerAddress,
  PeerDiscovery,
  PeerDiscoveryContext,
  ResourceActivity,
} from "./peer-discovery.ts";
export { pluginId } from "./plugin-id.ts";
export {
  defaultPolicy,
  type IdleRule,
  type NeverWake,
  type PartialPolicy,
  type Policy,
  policySchema,
  type Readiness,
} from "./policy.ts";
export { type CatalogChange, type CatalogEntry, type CatalogOptions, ResourceCatalog } from "./resource-catalog.ts";
export { defaultNamespace, formatRef, isRefPart, type LocalRef, parseRef, type ResourceRef } from "./resource-ref.ts";
export {
  type CallOptions,
  type Capabilities,
  contractVersion,
  type HttpProbe,
  type PluginContext,
  type Resource,
  type ResourceChange,
  type ResourceFailure,
  type ResourcePort,
  type ResourceScaler,
  type RouteDirection,
  type RouteTrafficOptions,
  type ScalerContext,
  type ScalerPlugin,
  type SetScaleOptions,
  type Target,
} from "./resource-scaler.ts";
export { resolveDependency } from "./resolve-dependency.ts";
export type { PluginOrigins } from "./resolve-plugin.ts";
export { nextState, type Operation, type ResourceState } from "./resource-state.ts";
export type { Route, RouteSource } from "./route-source.ts";
export { isScalerError, ScalerError, type ScalerErrorOptions, toScalerError } from "./scaler-error.ts";
export { SleepGate, type SleepPass } from "./sleep-gate.ts";
export { systemClock } from "./system-clock.ts";
export type { FlapGuard, RatePolicy, ScalingRules, TargetGoal } from "./target-policy.ts";
