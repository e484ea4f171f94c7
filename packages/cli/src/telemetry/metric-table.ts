/** One metric that a host serves under `/metrics`; the documentation lists them from here. */
export interface MetricFacts {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly labels: readonly string[];
  readonly meaning: string;
  /** How many series one resource can have by the other labels; bounds the series kept in memory. */
  readonly seriesPerResource: number;
  /** Whoever measures it keeps the counts and is asked for them at each reading. */
  readonly isObserved?: boolean;
}

/** Every metric of Dormouse's own. Names and labels are stable. */
export const metricTable: readonly MetricFacts[] = [
  {
    name: "dormouse_dlx_requests_total",
    type: "counter",
    labels: ["resource", "code"],
    meaning: "Requests by resource and status; 499: the client went away; no resource: no route matched",
    seriesPerResource: 20,
    isObserved: true,
  },
  {
    name: "dormouse_dlx_request_seconds",
    type: "histogram",
    labels: ["resource"],
    meaning: "Time from a request's arrival to the end of its answer, held time included",
    seriesPerResource: 1,
  },
  {
    name: "dormouse_dlx_held",
    type: "gauge",
    labels: ["resource"],
    meaning: "Requests held until their resource is awake",
    seriesPerResource: 1,
    isObserved: true,
  },
  {
    name: "dormouse_dlx_in_flight",
    type: "gauge",
    labels: ["resource"],
    meaning: "Requests between their release and the end of their response",
    seriesPerResource: 1,
    isObserved: true,
  },
  {
    name: "dormouse_wake_seconds",
    type: "histogram",
    labels: ["resource", "phase"],
    meaning: "Time of each phase of a wake; phase total is the whole",
    seriesPerResource: 10,
  },
  {
    name: "dormouse_wakes_total",
    type: "counter",
    labels: ["resource", "outcome"],
    meaning: "Wakes by outcome",
    seriesPerResource: 20,
  },
  {
    name: "dormouse_sleeps_total",
    type: "counter",
    labels: ["resource", "outcome"],
    meaning: "Attempts to sleep by outcome",
    seriesPerResource: 20,
  },
  {
    name: "dormouse_scales_total",
    type: "counter",
    labels: ["resource", "direction", "outcome"],
    meaning: "Attempts of a target to change a count of replicas by direction, up or down, and outcome",
    seriesPerResource: 10,
  },
  {
    name: "dormouse_decisions_total",
    type: "counter",
    labels: ["decision", "reason"],
    meaning: "Decisions of the autoscaler by result and reason",
    seriesPerResource: 1,
  },
  {
    name: "dormouse_autoscaler_heartbeat_total",
    type: "counter",
    labels: [],
    meaning: "Finished ticks of the autoscaler; stands still when it does",
    seriesPerResource: 1,
  },
  {
    name: "autoscaler_heartbeat_total",
    type: "counter",
    labels: [],
    meaning: "The same as dormouse_autoscaler_heartbeat_total, by the name that ScaleIt's dashboards know",
    seriesPerResource: 1,
  },
  {
    name: "requests_failures_total",
    type: "counter",
    labels: ["method", "endpoint"],
    meaning:
      "Requests to HTTP APIs that failed, each attempt, by method and the path as configured; 0 from the start on",
    seriesPerResource: 1,
  },
  {
    name: "dormouse_autoscaler_tick_seconds",
    type: "histogram",
    labels: [],
    meaning: "How long ticks took; the wait for the DLXs' answers is in it, what a tick sets going is not",
    seriesPerResource: 1,
  },
  {
    name: "dormouse_autoscaler_leads",
    type: "gauge",
    labels: [],
    meaning: "1 while this host's autoscaler is the one that decides, 0 while it stands by",
    seriesPerResource: 1,
    isObserved: true,
  },
  {
    name: "dormouse_scaler_call_seconds",
    type: "histogram",
    labels: ["scaler", "call", "outcome"],
    meaning: "How long calls to scaler plugins took",
    seriesPerResource: 1,
  },
  {
    name: "dormouse_resource_state",
    type: "gauge",
    labels: ["resource", "state"],
    meaning: "1 for the state a resource is in: asleep, waking, awake, sleeping or failed; for other: how many are",
    seriesPerResource: 5,
    isObserved: true,
  },
  {
    name: "dormouse_resource_replicas",
    type: "gauge",
    labels: ["resource", "kind"],
    meaning: "Replicas of a resource: desired and ready",
    seriesPerResource: 2,
    isObserved: true,
  },
  {
    name: "dormouse_scaler_listed",
    type: "gauge",
    labels: ["scaler"],
    meaning: "1 where the scaler's last list or watch works, 0 where it has not listed yet or fails",
    seriesPerResource: 1,
    isObserved: true,
  },
  {
    name: "dormouse_config_reloads_total",
    type: "counter",
    labels: ["outcome"],
    meaning: "Changed configurations by what became of them: applied or refused",
    seriesPerResource: 1,
  },
  {
    name: "dormouse_config_refused",
    type: "gauge",
    labels: [],
    meaning: "1 while the configuration file is one that was refused",
    seriesPerResource: 1,
    isObserved: true,
  },
  {
    name: "process_cpu_seconds_total",
    type: "counter",
    labels: [],
    meaning: "CPU time of the host's own process, user and system",
    seriesPerResource: 1,
    isObserved: true,
  },
  {
    name: "process_resident_memory_bytes",
    type: "gauge",
    labels: [],
    meaning: "Resident memory of the host's own process",
    seriesPerResource: 1,
    isObserved: true,
  },
  {
    name: "process_start_time_seconds",
    type: "gauge",
    labels: [],
    meaning: "When the host's process started, in seconds since 1970",
    seriesPerResource: 1,
    isObserved: true,
  },
];

/** What the table says of a metric. */
export function metricFacts(name: string): MetricFacts {
  const found = metricTable.find((each) => each.name === name);
  if (found === undefined) throw new TypeError(`${name} is not in the table of metrics`);
  return found;
}
