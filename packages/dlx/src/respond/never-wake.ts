import type { IncomingMessage } from "node:http";
import type { NeverWake } from "@dormouse/core";
import { Networks } from "../forward/networks.ts";
import type { Answer } from "./answer.ts";

const compiled = new WeakMap<NeverWake, Networks>();

/** Whether a request is one of those that a policy lets neither wake its resource nor keep it awake. */
export function isNeverWake(
  rule: NeverWake,
  path: string,
  { headers }: IncomingMessage,
  client: () => string,
): boolean {
  if (rule.paths.some((pattern) => matchesPath(pattern, path))) return true;
  const agent = headers["user-agent"]?.toLowerCase();
  if (agent !== undefined && rule.userAgents.some((text) => agent.includes(text.toLowerCase()))) return true;
  return rule.networks.length > 0 && networksOf(rule).has(client());
}

/** The fixed answer while the resource sleeps. */
export function toAsleepAnswer(rule: NeverWake): Answer {
  return { status: rule.status, headers: ["Cache-Control", "no-store"], body: "" };
}

function matchesPath(pattern: string, path: string): boolean {
  const query = path.indexOf("?");
  const plain = query === -1 ? path : path.slice(0, query);
  return pattern.endsWith("*") ? plain.startsWith(pattern.slice(0, -1)) : plain === pattern;
}

function networksOf(rule: NeverWake): Networks {
  const known = compiled.get(rule) ?? new Networks(rule.networks);
  compiled.set(rule, known);
  return known;
}
