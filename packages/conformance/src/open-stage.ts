import {
  type Clock,
  defaultPolicy,
  type ResourceScaler,
  type ScalerContext,
  silentLogger,
  systemClock,
} from "@dormouse/core";
import { CallBounds } from "./call-bounds.ts";
import { CountingClock } from "./counting-clock.ts";
import type { Pace } from "./pace.ts";
import type { ScalerTest } from "./scaler-test.ts";
import { Stage } from "./stage.ts";
import { defaultPromptlyMs, defaultWithinMs, type TestPlatform } from "./test-platform.ts";
import { expect, show } from "./unmet.ts";

/** Opens the platform and a scaler on it. Rejects with `Unmet`, or what the plugin or the harness threw, and leaves nothing open. */
export async function openStage(test: Omit<ScalerTest, "describe" | "it">, pace: Pace): Promise<Stage> {
  const clock = test.clock ?? systemClock;
  const bounds = new CallBounds(clock, test.within ?? defaultWithinMs);
  const platform = await bounds.run("the harness's open()", async () => test.open());
  try {
    return await openOn(platform, { test, pace, clock, bounds });
  } catch (error) {
    await bounds.run("the harness's close()", async () => platform.close());
    throw error;
  }
}

interface Opening {
  readonly test: Pick<ScalerTest, "plugin" | "within" | "promptly">;
  readonly pace: Pace;
  readonly clock: Clock;
  readonly bounds: CallBounds;
}

async function openOn(platform: TestPlatform, { test, pace, clock, bounds }: Opening): Promise<Stage> {
  const { plugin } = test;
  const options = await parseOptions(plugin, platform.options);
  const pluginTimers = new CountingClock(clock);
  const context: ScalerContext = {
    id: "conformance",
    logger: silentLogger,
    clock: pluginTimers,
    defaults: defaultPolicy,
  };
  const instance = await bounds.run("create(options, context)", async () => plugin.create(options, context));
  const withinMs = test.within ?? defaultWithinMs + settleTime(instance);
  return new Stage({
    plugin,
    platform,
    clock,
    pluginTimers,
    bounds: new CallBounds(clock, withinMs),
    withinMs,
    promptlyMs: test.promptly ?? defaultPromptlyMs,
    pace,
    options,
    context,
    instance,
  });
}

/** Options as the plugin's own schema reads them. Rejects with `Unmet` where it refuses them. */
export async function parseOptions(plugin: ScalerTest["plugin"], raw: unknown): Promise<unknown> {
  const result = await plugin.options["~standard"].validate(raw);
  expect(
    result.issues === undefined,
    "the harness's options to be accepted by the plugin's schema",
    show(result.issues),
  );
  return result.value;
}

/** 0 where the scaler declares nonsense: a rule of its own says so. */
function settleTime({ capabilities }: ResourceScaler): number {
  const declared: unknown = Reflect.get(capabilities, "settleWithinMs");
  return typeof declared === "number" && Number.isFinite(declared) ? declared : 0;
}
