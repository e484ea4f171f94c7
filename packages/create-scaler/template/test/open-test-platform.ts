import type { TestPlatform } from "@dormouse/conformance";
import type { LocalRef } from "@dormouse/core";
import { ExamplePlatform } from "../stand-in/example-platform.ts";
import type { StandInService } from "../stand-in/stand-in-service.ts";

/** A fresh platform for one rule, with a hand on everything that rules ask for. */
export async function openTestPlatform(): Promise<TestPlatform> {
  const platform = new ExamplePlatform({ token: "secret" });
  platform.add("web", { "dormouse.dev/enabled": "true" });
  platform.add("db", { "dormouse.dev/enabled": "true" });
  await platform.listen();
  return {
    options: { url: platform.url, token: "secret" },
    ref: { namespace: "default", name: "web" },
    other: { namespace: "default", name: "db" },
    close: () => platform[Symbol.asyncDispose](),
    changeElsewhere: async (ref) => serviceOf(platform, ref).change(),
    breakStart: async (ref) => {
      const service = serviceOf(platform, ref);
      service.isBroken = true;
      return async () => void (service.isBroken = false);
    },
    holdStart: async (ref) => {
      const service = serviceOf(platform, ref);
      service.hold(true);
      return async () => service.hold(false);
    },
    remove: async (ref) => {
      const service = serviceOf(platform, ref);
      platform.services.delete(ref.name);
      return async () => void platform.services.set(ref.name, service);
    },
    endInstance: async ({ id }) => {
      for (const service of platform.services.values()) service.crash(id);
    },
    stallPlatform: async () => {
      platform.isStalled = true;
      return async () => void (platform.isStalled = false);
    },
    cutPlatform: async () => {
      await platform.cut();
      return () => platform.listen();
    },
  };
}

function serviceOf(platform: ExamplePlatform, { name }: LocalRef): StandInService {
  const service = platform.services.get(name);
  if (service === undefined) throw new Error(`the stand-in has no service ${name}`);
  return service;
}
